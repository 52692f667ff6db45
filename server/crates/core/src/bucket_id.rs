//! The identity of a bucket.

use std::fmt;

use uuid::Uuid;

use crate::UploadId;

/// Tells a bucket from every other, also from one that has its name later: what belongs to a bucket is kept under its
/// id, so a bucket made anew inherits nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketId(Uuid);

impl BucketId {
    /// From an id that nobody else has.
    pub fn new(unique: UploadId) -> Self {
        Self::from_bytes(unique.to_bytes())
    }

    /// From the raw sixteen bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The raw sixteen bytes.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }
}

impl fmt::Display for BucketId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.hyphenated(), formatter)
    }
}

impl fmt::Debug for BucketId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
