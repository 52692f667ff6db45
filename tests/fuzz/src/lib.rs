//! Bytes from strangers.
//!
//! Each target takes any bytes for what one part of the server reads, and fails when the reader panics or breaks its
//! promise. The tests run the targets on a committed corpus and on mutations of it; `hack/fuzz.sh` lets libFuzzer look
//! for inputs that reach new code.
#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a broken promise ends the run, which is what a fuzzer looks for"
)]

mod corpus;
mod dictionary;
mod edge;
mod input;
mod mutation;
mod targets;

pub use corpus::{corpus_folder, read_corpus};
pub use dictionary::read_dictionary;
pub use mutation::Mutator;
pub use targets::{TARGETS, Target, target_named};

/// What a reader made of an input, so that nobody takes a corpus of nothing but refused inputs for a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The input is something.
    Accepted,
    /// The input was refused, as it may be.
    Refused,
}

impl Verdict {
    fn accepted_if(is_accepted: bool) -> Self {
        if is_accepted {
            Self::Accepted
        } else {
            Self::Refused
        }
    }
}
