//! Where objects and their versions are kept.

use zas_core::{BucketId, Digest, ObjectKey};

use super::tables::{HIDDEN, LIVE, OBJECT_DATA, OBJECT_DIGEST, VERSION};
use super::{Elements, Tuple};
use crate::ordered_map::{Key, KeyRange};

/// The key of the head of an object that listings show.
pub(crate) fn live(bucket: BucketId, key: &ObjectKey) -> Key {
    live_position(bucket, key.as_str())
}

/// The place of a key in listings, which need not be a valid one.
pub(crate) fn live_position(bucket: BucketId, key: &str) -> Key {
    Tuple::new(LIVE).bucket(bucket).text(key).key()
}

/// All objects of a bucket that listings show and whose key starts with `prefix`.
pub(crate) fn live_objects(bucket: BucketId, prefix: &str) -> KeyRange {
    Tuple::new(LIVE).bucket(bucket).text_start(prefix).range()
}

/// The key of the head of an object whose current version is a delete marker.
pub(crate) fn hidden(bucket: BucketId, key: &ObjectKey) -> Key {
    Tuple::new(HIDDEN).bucket(bucket).text(key.as_str()).key()
}

/// The key of a version's row; the latest sorts first.
pub(crate) fn version(bucket: BucketId, key: &ObjectKey, sequence: u64) -> Key {
    version_tuple(VERSION, bucket, key, sequence).key()
}

/// All versions of a bucket whose key starts with `prefix`.
pub(crate) fn versions(bucket: BucketId, prefix: &str) -> KeyRange {
    Tuple::new(VERSION).bucket(bucket).text_start(prefix).range()
}

/// All versions of a key, which need not be a valid one.
pub(crate) fn versions_of(bucket: BucketId, key: &str) -> KeyRange {
    Tuple::new(VERSION).bucket(bucket).text(key).range()
}

/// The key of an inline version's bytes.
pub(crate) fn object_data(bucket: BucketId, key: &ObjectKey, sequence: u64) -> Key {
    version_tuple(OBJECT_DATA, bucket, key, sequence).key()
}

/// The key of the entry that says that a version has this digest, or that its manifest has it.
pub(crate) fn object_digest(bucket: BucketId, digest: &Digest, key: &ObjectKey, sequence: u64) -> Key {
    Tuple::new(OBJECT_DIGEST)
        .bucket(bucket)
        .digest(digest)
        .text(key.as_str())
        .descending(sequence)
        .key()
}

/// All entries of a digest in a bucket.
pub(crate) fn object_digests(bucket: BucketId, digest: &Digest) -> KeyRange {
    Tuple::new(OBJECT_DIGEST).bucket(bucket).digest(digest).range()
}

fn version_tuple(table: u8, bucket: BucketId, key: &ObjectKey, sequence: u64) -> Tuple {
    Tuple::new(table)
        .bucket(bucket)
        .text(key.as_str())
        .descending(sequence)
}

impl Tuple {
    /// A number of which larger ones sort first.
    fn descending(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&(!number).to_be_bytes());
        self
    }
}

impl Elements<'_> {
    /// The next element, a number of which larger ones sort first.
    pub(crate) fn descending(&mut self) -> Option<u64> {
        self.take(8)?
            .try_into()
            .ok()
            .map(|bytes| !u64::from_be_bytes(bytes))
    }

    /// What follows in the key of an entry of a digest: the object's key and the place of its version.
    pub(crate) fn object_of_digest(&mut self) -> Option<(ObjectKey, u64)> {
        self.bucket()?;
        self.digest()?;
        Some((self.object_key()?, self.descending()?))
    }

    /// The next element, an object's key.
    pub(crate) fn object_key(&mut self) -> Option<ObjectKey> {
        ObjectKey::from_text(&self.text()?).ok()
    }
}
