//! Where multipart uploads, their parts and composites are kept.

use zas_core::{BucketId, ObjectKey, Timestamp, UploadId};

use super::tables::{
    COMPOSITE, COMPOSITE_EDGE, GARBAGE, MULTIPART, MULTIPART_STATE, PART, PART_DATA, PART_LIST, UNDIGESTED,
};
use super::{Elements, Tuple};
use crate::ordered_map::{Key, KeyRange};
use crate::{Garbage, GarbageKind};

// The kinds of what refers to a composite.
const VERSION_OWNER: u8 = 1;
const PART_OWNER: u8 = 2;

/// The key of an open multipart upload's row.
pub(crate) fn multipart(bucket: BucketId, key: &ObjectKey, id: UploadId) -> Key {
    multipart_position(bucket, key.as_str(), id)
}

/// The place of a multipart upload of a key, which need not be a valid one.
pub(crate) fn multipart_position(bucket: BucketId, key: &str, id: UploadId) -> Key {
    Tuple::new(MULTIPART).bucket(bucket).text(key).id(id).key()
}

/// All open multipart uploads into a bucket whose key starts with `prefix`.
pub(crate) fn multiparts(bucket: BucketId, prefix: &str) -> KeyRange {
    Tuple::new(MULTIPART).bucket(bucket).text_start(prefix).range()
}

/// All open multipart uploads of a key, which need not be a valid one.
pub(crate) fn multiparts_of(bucket: BucketId, key: &str) -> KeyRange {
    Tuple::new(MULTIPART).bucket(bucket).text(key).range()
}

/// The key of what changes about an open multipart upload.
pub(crate) fn multipart_state(id: UploadId) -> Key {
    Tuple::new(MULTIPART_STATE).id(id).key()
}

/// The key of a part's row.
pub(crate) fn part(id: UploadId, number: u16) -> Key {
    Tuple::new(PART).id(id).part_number(number).key()
}

/// All parts of an upload.
pub(crate) fn parts(id: UploadId) -> KeyRange {
    Tuple::new(PART).id(id).range()
}

/// The key of an inline part's bytes.
pub(crate) fn part_data(id: UploadId, number: u16) -> Key {
    Tuple::new(PART_DATA).id(id).part_number(number).key()
}

/// The key of a composite's row.
pub(crate) fn composite(id: UploadId) -> Key {
    Tuple::new(COMPOSITE).id(id).key()
}

/// The key of a piece of the list of parts that one attempt at completion wrote: the one that ends before `end`.
pub(crate) fn part_list(id: UploadId, attempt: u64, end: u64, index: u32) -> Key {
    let mut tuple = Tuple::new(PART_LIST).id(id).number(attempt).number(end);
    tuple.0.extend_from_slice(&index.to_be_bytes());
    tuple.key()
}

/// The pieces of a list of parts that end behind `offset`.
pub(crate) fn part_lists_from(id: UploadId, attempt: u64, offset: u64) -> KeyRange {
    let all = part_lists_of(id, attempt);
    let from = Tuple::new(PART_LIST)
        .id(id)
        .number(attempt)
        .number(offset.saturating_add(1));
    all.starting_at(&from.key().bytes)
}

/// The pieces of the list that one attempt wrote.
pub(crate) fn part_lists_of(id: UploadId, attempt: u64) -> KeyRange {
    Tuple::new(PART_LIST).id(id).number(attempt).range()
}

/// All pieces of lists of an upload.
pub(crate) fn part_lists(id: UploadId) -> KeyRange {
    Tuple::new(PART_LIST).id(id).range()
}

/// What refers to a composite.
#[derive(Clone, Copy)]
pub(crate) enum CompositeOwner<'a> {
    /// A version.
    Version(BucketId, &'a ObjectKey, u64),
    /// A part of another composite, or of an open upload.
    Part(UploadId, u16),
}

/// The key of a reference to a composite.
pub(crate) fn composite_edge(id: UploadId, owner: CompositeOwner<'_>) -> Key {
    let mut tuple = Tuple::new(COMPOSITE_EDGE).id(id);
    match owner {
        CompositeOwner::Version(bucket, key, sequence) => {
            tuple.0.push(VERSION_OWNER);
            tuple.bucket(bucket).text(key.as_str()).number(sequence).key()
        }
        CompositeOwner::Part(id, number) => {
            tuple.0.push(PART_OWNER);
            tuple.id(id).part_number(number).key()
        }
    }
}

impl Elements<'_> {
    /// What follows in the key of a reference to a composite: the version that is made of it; none for a part.
    pub(crate) fn version_of_parts(&mut self) -> Option<(BucketId, ObjectKey, u64)> {
        self.id()?;
        if self.take(1)? != [VERSION_OWNER] {
            return None;
        }
        let (bucket, key) = (self.bucket()?, self.object_key()?);
        let sequence = u64::from_be_bytes(self.take(8)?.try_into().ok()?);
        Some((bucket, key, sequence))
    }
}

/// All references to a composite.
pub(crate) fn composite_edges(id: UploadId) -> KeyRange {
    Tuple::new(COMPOSITE_EDGE).id(id).range()
}

/// The key of the entry that says that a composite's digest is not known.
pub(crate) fn undigested(id: UploadId) -> Key {
    Tuple::new(UNDIGESTED).id(id).key()
}

/// All composites whose digest is not known.
pub(crate) fn all_undigested() -> KeyRange {
    Tuple::new(UNDIGESTED).range()
}

/// The key of the entry that makes somebody give something up.
pub(crate) fn garbage(garbage: &Garbage) -> Key {
    let mut tuple = Tuple::new(GARBAGE).time(garbage.due_at);
    tuple.0.push(garbage.kind as u8);
    tuple.id(garbage.id).key()
}

/// All entries of what is to be given up.
pub(crate) fn all_garbage() -> KeyRange {
    Tuple::new(GARBAGE).range()
}

/// The entries of what is to be given up by `now`.
pub(crate) fn garbage_until(now: Timestamp) -> KeyRange {
    KeyRange {
        to: Tuple::new(GARBAGE).time(now).range().to,
        ..all_garbage()
    }
}

impl Tuple {
    fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    pub(super) fn part_number(mut self, number: u16) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }
}

impl Elements<'_> {
    /// The next element, a part's number.
    pub(crate) fn part_number(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_be_bytes)
    }

    /// The elements of an entry of what is to be given up.
    pub(crate) fn garbage(&mut self) -> Option<Garbage> {
        let due_at = self.time()?;
        let kind = match self.take(1)? {
            [1] => GarbageKind::Composite,
            [2] => GarbageKind::Parts,
            [3] => GarbageKind::Leftovers,
            [4] => GarbageKind::Bucket,
            _ => return None,
        };
        Some(Garbage {
            due_at,
            kind,
            id: self.id()?,
        })
    }
}
