//! Incremental hashing whose state survives a restart.

use std::ops::Range;

use sha2::digest::common::hazmat::SerializableState;
use sha2::{Digest as _, Sha256, Sha512};

use crate::{Algorithm, Digest};

/// Where a saved state counts its blocks, the least significant byte first: behind the chaining value.
const SHA256_BLOCK_COUNT: Range<usize> = 32..40;
const SHA512_BLOCK_COUNT: Range<usize> = 64..80;

/// More blocks than any upload has, by far: with a damaged count the number of bits would overflow at the end.
const MAX_BLOCKS: u128 = 1 << 48;

/// A running hash of an upload: every byte goes through it once, in order.
///
/// Its [`HashState`] can be saved with the offset it stands for, so that another process continues the upload
/// without reading the first bytes again.
#[derive(Clone, Debug)]
pub struct Hashing(Hasher);

#[derive(Clone, Debug)]
enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
}

/// The saved middle of a [`Hashing`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashState {
    /// The algorithm the state belongs to.
    pub algorithm: Algorithm,
    /// The opaque state, meaningful to this crate only.
    pub bytes: Vec<u8>,
}

/// A saved state that this version cannot continue from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the saved hash state is damaged: cancel the upload and start it again")]
pub struct HashStateCorrupt;

impl Hashing {
    /// A hash of nothing yet.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => Hasher::Sha256(Sha256::new()),
            Algorithm::Sha512 => Hasher::Sha512(Sha512::new()),
        })
    }

    /// Continues from a saved state.
    ///
    /// # Errors
    /// [`HashStateCorrupt`] when the bytes are no state of that algorithm.
    pub fn resume(state: &HashState) -> Result<Self, HashStateCorrupt> {
        let running = match state.algorithm {
            Algorithm::Sha256 => Hasher::Sha256(restore(&state.bytes, SHA256_BLOCK_COUNT)?),
            Algorithm::Sha512 => Hasher::Sha512(restore(&state.bytes, SHA512_BLOCK_COUNT)?),
        };
        Ok(Self(running))
    }

    /// The algorithm that runs.
    pub const fn algorithm(&self) -> Algorithm {
        match self.0 {
            Hasher::Sha256(_) => Algorithm::Sha256,
            Hasher::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Hasher::Sha256(running) => running.update(bytes),
            Hasher::Sha512(running) => running.update(bytes),
        }
    }

    /// The state after the bytes so far.
    pub fn state(&self) -> HashState {
        let bytes = match &self.0 {
            Hasher::Sha256(running) => running.serialize().to_vec(),
            Hasher::Sha512(running) => running.serialize().to_vec(),
        };
        HashState {
            algorithm: self.algorithm(),
            bytes,
        }
    }

    /// The digest of all bytes so far.
    pub fn finish(self) -> Digest {
        match self.0 {
            Hasher::Sha256(running) => Digest::from_sha256(running.finalize().into()),
            Hasher::Sha512(running) => Digest::from_sha512(running.finalize().into()),
        }
    }
}

fn restore<T: SerializableState>(bytes: &[u8], block_count: Range<usize>) -> Result<T, HashStateCorrupt> {
    let count = bytes.get(block_count).ok_or(HashStateCorrupt)?;
    let count = count
        .iter()
        .rev()
        .fold(0, |all, byte| all << 8 | u128::from(*byte));
    if count > MAX_BLOCKS {
        return Err(HashStateCorrupt);
    }
    let state = bytes.try_into().map_err(|_| HashStateCorrupt)?;
    T::deserialize(&state).map_err(|_| HashStateCorrupt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_state_saved_at_any_offset_when_resumed_then_the_digest_is_that_of_the_whole() {
        let content: Vec<u8> = (0..1000_u32).map(|n| (n % 251) as u8).collect();
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            for cut in [0, 1, 63, 64, 65, 127, 128, 500, 1000] {
                let mut first = Hashing::new(algorithm);
                first.update(&content[..cut]);

                let mut second = Hashing::resume(&first.state()).unwrap();
                second.update(&content[cut..]);

                assert_eq!(
                    second.finish(),
                    algorithm.digest(&content),
                    "{algorithm} cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn given_a_damaged_state_when_resumed_then_refused() {
        for bytes in [vec![], vec![0; 3], vec![255; 4096]] {
            let state = HashState {
                algorithm: Algorithm::Sha256,
                bytes,
            };
            assert_eq!(Hashing::resume(&state).unwrap_err(), HashStateCorrupt);
        }
    }

    #[test]
    fn given_a_state_with_a_damaged_count_of_blocks_when_resumed_then_refused() {
        for (algorithm, block, count) in [
            (Algorithm::Sha256, 64, SHA256_BLOCK_COUNT),
            (Algorithm::Sha512, 128, SHA512_BLOCK_COUNT),
        ] {
            let mut hashing = Hashing::new(algorithm);
            hashing.update(&vec![7; 3 * block]);
            let mut state = hashing.state();
            let counted = &mut state.bytes[count];
            assert_eq!(counted[0], 3, "{algorithm} counts its blocks elsewhere");
            assert!(counted[1..].iter().all(|byte| *byte == 0));

            counted[6] = 2;
            assert_eq!(
                Hashing::resume(&state).unwrap_err(),
                HashStateCorrupt,
                "{algorithm}"
            );
        }
    }
}
