//! Saved states of running checksums.

use sha2::digest::common::hazmat::SerializableState;

/// More blocks than any upload has, by far: with a damaged count the number of bits would overflow at the end.
const MAX_BLOCKS: u64 = 1 << 48;

/// The saved middle of a running checksum, to be stored with the offset it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChecksumState(Vec<u8>);

/// A saved state that this version cannot continue from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the saved checksum state is damaged: abort the upload and start it again")]
pub struct ChecksumStateCorrupt;

impl ChecksumState {
    /// Takes stored bytes.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn of_crc(state: u64) -> Self {
        Self(state.to_le_bytes().to_vec())
    }

    pub(super) fn of_hash<T: SerializableState>(running: &T) -> Self {
        Self(running.serialize().to_vec())
    }

    pub(super) fn crc(&self, bits: u32) -> Result<u64, ChecksumStateCorrupt> {
        let bytes = self.0.as_slice().try_into().map_err(|_| ChecksumStateCorrupt)?;
        let state = u64::from_le_bytes(bytes);
        if bits < u64::BITS && state >> bits != 0 {
            return Err(ChecksumStateCorrupt);
        }
        Ok(state)
    }

    /// A hash whose state has `chaining` bytes, which its count of blocks follows, the least significant byte first.
    pub(super) fn hash<T: SerializableState>(&self, chaining: usize) -> Result<T, ChecksumStateCorrupt> {
        let count = self.0.get(chaining..chaining + 8).ok_or(ChecksumStateCorrupt)?;
        let count = count
            .iter()
            .rev()
            .fold(0, |all, byte| all << 8 | u64::from(*byte));
        if count > MAX_BLOCKS {
            return Err(ChecksumStateCorrupt);
        }
        let state = self.0.as_slice().try_into().map_err(|_| ChecksumStateCorrupt)?;
        T::deserialize(&state).map_err(|_| ChecksumStateCorrupt)
    }
}
