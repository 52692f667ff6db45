//! Why a store cannot be what its resource asks for.

use zas_crd::ConditionReason;

/// Something that somebody has to put right, in words that say what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its place in the vocabulary of conditions.
    pub reason: ConditionReason,
    /// What is wrong and what to do, naming objects and fields.
    pub message: String,
}

impl Problem {
    /// A problem.
    pub fn new(reason: ConditionReason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}
