//! Bytes to push: incompressible, unique for each blob and nearly free to make, so that the client does not take the
//! processor from the server it measures.

use sha2::{Digest, Sha256};

/// Blobs are sequences of blocks of this size; also the size of one write to the socket.
pub(crate) const BLOCK: usize = 256 * 1024;
const STAMP: usize = 16;

/// The content of one blob: the same random block again and again, each stamped with the blob's nonce and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Payload {
    /// Different for every blob that was ever pushed.
    pub(crate) nonce: u64,
    /// In bytes.
    pub(crate) length: u64,
}

impl Payload {
    /// The digest in the form of the distribution specification. Costs as much as hashing does: call it outside of
    /// the measured time.
    pub(crate) fn digest(self, block: &mut Block) -> String {
        let mut hash = Sha256::new();
        for index in 0..self.blocks() {
            hash.update(block.stamped(self, index));
        }
        text(&hash.finalize())
    }

    /// How many blocks there are, the last of which may be shorter.
    pub(crate) fn blocks(self) -> u64 {
        self.length.div_ceil(BLOCK as u64)
    }

    fn block_length(self, index: u64) -> usize {
        let left = self.length.saturating_sub(index.saturating_mul(BLOCK as u64));
        usize::try_from(left).unwrap_or(BLOCK).min(BLOCK)
    }
}

/// A digest of bytes in the form of the distribution specification.
pub(crate) fn digest_of(bytes: &[u8]) -> String {
    text(&Sha256::digest(bytes))
}

/// A finished hash in the form of the distribution specification.
pub(crate) fn text(hash: &[u8]) -> String {
    let hexadecimal: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hexadecimal}")
}

/// The one buffer out of which a client sends everything.
#[derive(Debug)]
pub(crate) struct Block {
    bytes: Box<[u8]>,
}

impl Block {
    /// The same bytes each time.
    pub(crate) fn new() -> Self {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut bytes = Vec::with_capacity(BLOCK);
        while bytes.len() < BLOCK {
            bytes.extend_from_slice(&xorshift(&mut state).to_le_bytes());
        }
        Self {
            bytes: bytes.into_boxed_slice(),
        }
    }

    /// The block with that number of the payload; valid until the next call.
    pub(crate) fn stamped(&mut self, payload: Payload, index: u64) -> &[u8] {
        let mut stamp = [0; STAMP];
        for (to, from) in stamp
            .iter_mut()
            .zip(payload.nonce.to_le_bytes().into_iter().chain(index.to_le_bytes()))
        {
            *to = from;
        }
        if let Some(head) = self.bytes.first_chunk_mut() {
            *head = stamp;
        }
        self.bytes.get(..payload.block_length(index)).unwrap_or_default()
    }
}

/// The next number of a fast pseudo-random sequence; the state must not be zero.
pub(crate) fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Maps a counter to a number that looks random, for choosing what to read.
pub(crate) fn scatter(counter: u64) -> u64 {
    let mut mixed = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(payload: Payload) -> Vec<u8> {
        let mut block = Block::new();
        (0..payload.blocks())
            .flat_map(|index| block.stamped(payload, index).to_vec())
            .collect()
    }

    #[test]
    fn given_a_length_off_the_block_size_when_made_then_exactly_so_many_bytes_come() {
        let payload = Payload {
            nonce: 7,
            length: BLOCK as u64 * 2 + 5,
        };
        assert_eq!(bytes(payload).len() as u64, payload.length);
        assert_eq!(digest_of(&bytes(payload)), payload.digest(&mut Block::new()));
    }

    #[test]
    fn given_two_nonces_when_made_then_every_block_differs() {
        let (one, two) = (
            Payload {
                nonce: 1,
                length: BLOCK as u64 * 2,
            },
            Payload {
                nonce: 2,
                length: BLOCK as u64 * 2,
            },
        );
        let (one, two) = (bytes(one), bytes(two));
        assert!(
            one.chunks(BLOCK)
                .zip(two.chunks(BLOCK))
                .all(|(one, two)| one != two)
        );
        assert_ne!(one[..BLOCK], one[BLOCK..]);
    }
}
