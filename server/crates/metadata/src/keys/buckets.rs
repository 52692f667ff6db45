//! Where buckets and what is set for them are kept.

use zas_core::{BucketId, BucketName};

use super::tables::{BUCKET, BUCKET_OF, BUCKET_STATE, DOCUMENT};
use super::{Elements, Tuple};
use crate::Owner;
use crate::ordered_map::{Key, KeyRange};

/// The key of a bucket's row.
pub(crate) fn bucket(name: &BucketName) -> Key {
    bucket_position(name.as_str())
}

/// The place of a bucket's name, which need not be a valid one.
pub(crate) fn bucket_position(name: &str) -> Key {
    Tuple::new(BUCKET).text(name).key()
}

/// All buckets whose name starts with `prefix`.
pub(crate) fn buckets(prefix: &str) -> KeyRange {
    Tuple::new(BUCKET).text_start(prefix).range()
}

/// The key of what changes about a bucket.
pub(crate) fn bucket_state(id: BucketId) -> Key {
    Tuple::new(BUCKET_STATE).bucket(id).key()
}

/// The key of the copy of a bucket's row that leads to it from its owner.
pub(crate) fn bucket_of(owner: &Owner, name: &str) -> Key {
    of(owner).text(name).key()
}

/// All buckets of an owner whose name starts with `prefix`.
pub(crate) fn buckets_of(owner: &Owner, prefix: &str) -> KeyRange {
    of(owner).text_start(prefix).range()
}

fn of(owner: &Owner) -> Tuple {
    Tuple::new(BUCKET_OF).text(&owner.issuer).text(&owner.subject)
}

/// The key of a document that is set for a bucket.
pub(crate) fn document(bucket: BucketId, kind: u8) -> Key {
    let mut tuple = Tuple::new(DOCUMENT).bucket(bucket);
    tuple.0.push(kind);
    tuple.key()
}

/// All documents that are set for a bucket.
pub(crate) fn documents(bucket: BucketId) -> KeyRange {
    Tuple::new(DOCUMENT).bucket(bucket).range()
}

impl Tuple {
    pub(super) fn bucket(mut self, id: BucketId) -> Self {
        self.0.extend_from_slice(&id.to_bytes());
        self
    }
}

impl Elements<'_> {
    /// The next element, a bucket's name.
    pub(crate) fn bucket_name(&mut self) -> Option<BucketName> {
        self.text()?.parse().ok()
    }

    /// The next element, a bucket's id.
    pub(crate) fn bucket(&mut self) -> Option<BucketId> {
        self.take(16)?.try_into().ok().map(BucketId::from_bytes)
    }
}
