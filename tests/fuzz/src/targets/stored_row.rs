//! Rows and keys as they lie in the database.

use zas_metadata::fuzzing::{Decoded, decode_any};

use crate::Verdict;

/// The first byte chooses the kind. What is read is read again from what it is stored as.
pub(super) fn target(data: &[u8]) -> Verdict {
    match decode_any(data) {
        Decoded::Refused => Verdict::Refused,
        Decoded::Read { kind, reads_back } => {
            assert!(reads_back, "the {kind} is stored as something else");
            Verdict::Accepted
        }
    }
}
