//! Checksums of content that arrives in pieces.

use crc_fast::{CrcAlgorithm, Digest as Crc};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::algorithm::ChecksumAlgorithm;
use super::state::{ChecksumState, ChecksumStateCorrupt};
use super::value::Checksum;

const SHA1_CHAINING_BYTES: usize = 20;
const SHA256_CHAINING_BYTES: usize = 32;

/// A running checksum: every byte goes through it once, in order. Its state can be saved, so that another process
/// continues.
#[derive(Clone, Debug)]
pub struct RunningChecksum {
    algorithm: ChecksumAlgorithm,
    running: Hasher,
}

#[derive(Clone, Debug)]
enum Hasher {
    Crc(Crc),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl RunningChecksum {
    /// A checksum of nothing yet.
    pub fn new(algorithm: ChecksumAlgorithm) -> Self {
        let running = match algorithm {
            ChecksumAlgorithm::Sha1 => Hasher::Sha1(Sha1::new()),
            ChecksumAlgorithm::Sha256 => Hasher::Sha256(Sha256::new()),
            ChecksumAlgorithm::Crc32 => Hasher::Crc(Crc::new(CrcAlgorithm::Crc32IsoHdlc)),
            ChecksumAlgorithm::Crc32C => Hasher::Crc(Crc::new(CrcAlgorithm::Crc32Iscsi)),
            ChecksumAlgorithm::Crc64Nvme => Hasher::Crc(Crc::new(CrcAlgorithm::Crc64Nvme)),
        };
        Self { algorithm, running }
    }

    /// The checksum of bytes that are there in one piece.
    pub fn of(algorithm: ChecksumAlgorithm, bytes: &[u8]) -> Checksum {
        let mut running = Self::new(algorithm);
        running.update(bytes);
        running.finish()
    }

    /// Continues from a saved state.
    ///
    /// # Errors
    /// [`ChecksumStateCorrupt`] when the bytes are no state of that algorithm.
    pub fn resume(algorithm: ChecksumAlgorithm, state: &ChecksumState) -> Result<Self, ChecksumStateCorrupt> {
        let crc = |algorithm, bits| {
            let state = state.crc(bits)?;
            Ok(Hasher::Crc(Crc::new_with_init_state(algorithm, state)))
        };
        let running = match algorithm {
            ChecksumAlgorithm::Sha1 => Hasher::Sha1(state.hash(SHA1_CHAINING_BYTES)?),
            ChecksumAlgorithm::Sha256 => Hasher::Sha256(state.hash(SHA256_CHAINING_BYTES)?),
            ChecksumAlgorithm::Crc32 => crc(CrcAlgorithm::Crc32IsoHdlc, u32::BITS)?,
            ChecksumAlgorithm::Crc32C => crc(CrcAlgorithm::Crc32Iscsi, u32::BITS)?,
            ChecksumAlgorithm::Crc64Nvme => crc(CrcAlgorithm::Crc64Nvme, u64::BITS)?,
        };
        Ok(Self { algorithm, running })
    }

    /// The algorithm that runs.
    pub const fn algorithm(&self) -> ChecksumAlgorithm {
        self.algorithm
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.running {
            Hasher::Crc(running) => running.update(bytes),
            Hasher::Sha1(running) => running.update(bytes),
            Hasher::Sha256(running) => running.update(bytes),
        }
    }

    /// The state after the bytes so far.
    pub fn state(&self) -> ChecksumState {
        match &self.running {
            Hasher::Crc(running) => ChecksumState::of_crc(running.get_state()),
            Hasher::Sha1(running) => ChecksumState::of_hash(running),
            Hasher::Sha256(running) => ChecksumState::of_hash(running),
        }
    }

    /// The checksum of all bytes so far.
    pub fn finish(self) -> Checksum {
        match self.running {
            Hasher::Crc(running) => Checksum::of_crc(self.algorithm, running.finalize()),
            Hasher::Sha1(running) => self.algorithm.of_hash(&running.finalize()),
            Hasher::Sha256(running) => self.algorithm.of_hash(&running.finalize()),
        }
    }
}

impl ChecksumAlgorithm {
    /// A hash has the length of its algorithm, so nothing is lost here.
    fn of_hash(self, hash: &[u8]) -> Checksum {
        Checksum::from_bytes(self, hash).unwrap_or(Checksum::of_crc(self, 0))
    }

    /// The CRC algorithm, for those that can be combined.
    pub(super) const fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32C => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }
}
