//! The saved state of the hash of an unfinished upload.

use zas_core::{Algorithm, HashState, Hashing};

use crate::Verdict;
use crate::input::Input;

/// The first byte chooses the algorithm, and whether the rest is the state itself or content whose hash is saved half
/// way through.
///
/// A state that is taken can be saved again, hashed on and finished without a panic, however damaged it is; a hash that
/// was saved anywhere continues as if it had not been.
pub(super) fn target(data: &[u8]) -> Verdict {
    let mut input = Input::of(data);
    let choice = input.byte();
    let algorithm = if choice & 1 == 0 {
        Algorithm::Sha256
    } else {
        Algorithm::Sha512
    };
    if choice & 2 == 0 {
        damaged(algorithm, input.rest())
    } else {
        interrupted(algorithm, usize::from(input.byte()), input.rest())
    }
}

fn damaged(algorithm: Algorithm, bytes: &[u8]) -> Verdict {
    let state = HashState {
        algorithm,
        bytes: bytes.to_vec(),
    };
    let Ok(hashing) = Hashing::resume(&state) else {
        return Verdict::Refused;
    };
    let saved = hashing.state();
    let again = Hashing::resume(&saved).expect("a state that was just saved");
    assert_eq!(again.state(), saved);
    assert_eq!(again.algorithm(), algorithm);
    assert_eq!(finish(hashing, &[0x5A; 300]), finish(again, &[0x5A; 300]));
    Verdict::Accepted
}

fn interrupted(algorithm: Algorithm, at: usize, content: &[u8]) -> Verdict {
    let (before, behind) = content.split_at(at.min(content.len()));
    let mut hashing = Hashing::new(algorithm);
    hashing.update(before);
    let resumed = Hashing::resume(&hashing.state()).expect("a state that was just saved");
    assert_eq!(finish(resumed, behind), algorithm.digest(content));
    Verdict::Accepted
}

fn finish(mut hashing: Hashing, behind: &[u8]) -> zas_core::Digest {
    hashing.update(behind);
    hashing.finish()
}
