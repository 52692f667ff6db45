//! A checksum that was computed or received.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::algorithm::ChecksumAlgorithm;

/// The longest checksum.
const MAX_BYTES: usize = 32;

/// A checksum of some bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Checksum {
    algorithm: ChecksumAlgorithm,
    /// As long as the algorithm says; zeros behind.
    bytes: [u8; MAX_BYTES],
}

impl Checksum {
    /// From the bytes on the wire, the most significant first; `None` when their number is wrong.
    pub fn from_bytes(algorithm: ChecksumAlgorithm, bytes: &[u8]) -> Option<Self> {
        if bytes.len() != algorithm.bytes() {
            return None;
        }
        let mut padded = [0; MAX_BYTES];
        for (slot, byte) in padded.iter_mut().zip(bytes) {
            *slot = *byte;
        }
        Some(Self {
            algorithm,
            bytes: padded,
        })
    }

    /// Reads base64; `None` when it is none or of another length.
    pub fn parse(algorithm: ChecksumAlgorithm, text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text).ok()?;
        Self::from_bytes(algorithm, &bytes)
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> ChecksumAlgorithm {
        self.algorithm
    }

    /// The bytes on the wire.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.algorithm.bytes()).unwrap_or_default()
    }

    /// The base64 form of headers and XML.
    pub fn base64(&self) -> String {
        STANDARD.encode(self.bytes())
    }

    pub(super) fn crc(&self) -> u64 {
        self.bytes()
            .iter()
            .fold(0, |all, byte| all << 8 | u64::from(*byte))
    }

    pub(super) fn of_crc(algorithm: ChecksumAlgorithm, crc: u64) -> Self {
        let all = crc.to_be_bytes();
        let mut bytes = [0; MAX_BYTES];
        let significant = all.iter().skip(all.len().saturating_sub(algorithm.bytes()));
        for (slot, byte) in bytes.iter_mut().zip(significant) {
            *slot = *byte;
        }
        Self { algorithm, bytes }
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.algorithm, self.base64())
    }
}
