//! Why a look at a store failed. The variant is the label of the metric.

use crate::children::ChildKey;

/// Why a look at a store failed. It is tried again, later each time.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// What the resource refers to cannot be read.
    #[error("cannot read what the resource refers to: {0}")]
    Dereference(#[source] kube::Error),
    /// An object cannot be written.
    #[error("cannot write {} {}: {source}", .key.kind.name(), .key.name)]
    Apply {
        /// The object.
        key: ChildKey,
        /// The cause.
        source: kube::Error,
    },
    /// An object that is no longer wanted cannot be deleted.
    #[error("cannot delete {} {}: {source}", .key.kind.name(), .key.name)]
    Sweep {
        /// The object.
        key: ChildKey,
        /// The cause.
        source: kube::Error,
    },
    /// The generated credentials cannot be made.
    #[error("cannot make credentials: {0}")]
    Credentials(String),
    /// The Pods cannot be read.
    #[error("cannot read the Pods: {0}")]
    Diagnose(#[source] kube::Error),
    /// The status cannot be written.
    #[error("cannot write the status: {0}")]
    Status(#[source] kube::Error),
    /// It took too long.
    #[error("it took longer than {0} s")]
    TimedOut(u64),
}

impl ReconcileError {
    /// The label of the metric.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Dereference(_) => "Dereference",
            Self::Apply { .. } => "Apply",
            Self::Sweep { .. } => "Sweep",
            Self::Credentials(_) => "Credentials",
            Self::Diagnose(_) => "Diagnose",
            Self::Status(_) => "Status",
            Self::TimedOut(_) => "TimedOut",
        }
    }
}
