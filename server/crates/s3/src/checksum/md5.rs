//! MD5: entity tags and `Content-MD5`.

use md5::{Digest, Md5};

use super::state::{ChecksumState, ChecksumStateCorrupt};
use crate::names::ETag;

const CHAINING_BYTES: usize = 16;

/// A running MD5, whose state can be saved.
#[derive(Clone, Debug, Default)]
pub struct RunningMd5(Md5);

impl RunningMd5 {
    /// An MD5 of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Continues from a saved state.
    ///
    /// # Errors
    /// [`ChecksumStateCorrupt`] when the bytes are no state.
    pub fn resume(state: &ChecksumState) -> Result<Self, ChecksumStateCorrupt> {
        state.hash(CHAINING_BYTES).map(Self)
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The state after the bytes so far.
    pub fn state(&self) -> ChecksumState {
        ChecksumState::of_hash(&self.0)
    }

    /// The MD5 of all bytes so far.
    pub fn finish(self) -> [u8; 16] {
        self.0.finalize().into()
    }
}

/// The entity tag of content written in parts: the MD5 of the joined MD5s of its parts, and how many there are.
pub fn multipart_etag(parts: &[[u8; 16]]) -> ETag {
    let mut md5 = RunningMd5::new();
    for part in parts {
        md5.update(part);
    }
    ETag::of_parts(md5.finish(), u16::try_from(parts.len()).unwrap_or(u16::MAX))
}
