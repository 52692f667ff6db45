//! Multipart uploads, and the composites that they become.

use bytes::Bytes;
use zas_core::{BucketId, Digest, ObjectKey, Timestamp, UploadId};

use super::{
    Epoch, Extent, NewVersion, ObjectAttributes, ObjectChecksum, Owner, StoredVersion, WriteCondition,
};

/// Which multipart upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultipartName {
    /// The bucket that the object is to be in.
    pub bucket: BucketId,
    /// The object's key.
    pub key: ObjectKey,
    /// The upload's id.
    pub id: UploadId,
}

/// A multipart upload to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMultipart {
    /// Its name; the id was never used before.
    pub name: MultipartName,
    /// Who opens it.
    pub initiator: Owner,
    /// What the object will carry; the entity tag and the checksum's value come with its completion.
    pub attributes: ObjectAttributes,
}

/// The outcome of opening a multipart upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateMultipartOutcome {
    /// It is open.
    Created,
    /// There is no such bucket.
    NoSuchBucket,
}

/// An open multipart upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Multipart {
    /// Its key.
    pub key: ObjectKey,
    /// Its id.
    pub id: UploadId,
    /// Who opened it.
    pub initiator: Owner,
    /// When.
    pub created_at: Timestamp,
    /// What the object will carry.
    pub attributes: ObjectAttributes,
}

/// An open multipart upload, and how often its parts have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultipartStat {
    /// The upload.
    pub multipart: Multipart,
    /// Larger with each part that is written. A completion names the one that it read before the parts.
    pub revision: u64,
}

/// The bytes of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewPartContent {
    /// These, [`INLINE_LIMIT`](crate::INLINE_LIMIT) of them at most.
    Inline(Bytes),
    /// Those that an upload of its own into the bucket has just written, durable in the blob store.
    Upload {
        /// The upload, which ends.
        id: UploadId,
        /// Its writer's epoch.
        epoch: Epoch,
        /// How many bytes there are.
        size: u64,
        /// Its runs of bytes in order.
        extents: Vec<Extent>,
    },
    /// A range of an object; nothing is copied but what is in a row.
    CopyOf {
        /// The bucket it is in.
        bucket: BucketId,
        /// Its key.
        key: ObjectKey,
        /// Exactly this version, as it was read.
        version: StoredVersion,
        /// Where the range starts.
        offset: u64,
        /// How long it is.
        length: u64,
    },
}

/// A part to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutPart {
    /// The upload.
    pub multipart: MultipartName,
    /// The part's number, 1 to 10,000.
    pub number: u16,
    /// The entity tag, without quotes.
    pub etag: String,
    /// Its checksum.
    pub checksum: Option<ObjectChecksum>,
    /// Its bytes.
    pub content: NewPartContent,
}

/// The outcome of writing a part. Unless it is stored nothing changed, and an upload that was to end goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutPartOutcome {
    /// It is stored since then, in place of an earlier one of its number.
    Stored(Timestamp),
    /// There is no such open multipart upload.
    NoSuchMultipart,
    /// Somebody else has claimed the upload of the bytes since.
    Fenced,
    /// There is no such upload of bytes into the bucket.
    NoSuchUpload,
    /// The version to be copied is gone, or is shorter.
    NoSuchSource,
}

/// A part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its number.
    pub number: u16,
    /// How many bytes it has.
    pub size: u64,
    /// The entity tag, without quotes.
    pub etag: String,
    /// Its checksum.
    pub checksum: Option<ObjectChecksum>,
    /// When it was written.
    pub modified_at: Timestamp,
}

/// A part of a completed object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompositePart {
    /// Where it starts in the object.
    pub offset: u64,
    /// The part.
    pub part: Part,
}

/// Which multipart uploads are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListMultiparts {
    /// Those into this bucket.
    pub bucket: BucketId,
    /// Those whose key starts with this.
    pub prefix: String,
    /// Those that have this behind the prefix are shown as one, up to and with its first place.
    pub delimiter: Option<String>,
    /// Those behind this.
    pub after: Option<MultipartPosition>,
    /// So many uploads and common prefixes at most; for 0 an empty last page.
    pub count: usize,
}

/// Where a listing of multipart uploads continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MultipartPosition {
    /// Behind every upload of this key.
    Key(String),
    /// Behind this upload of this key.
    Upload(String, UploadId),
    /// Behind every key that starts with this.
    Prefix(String),
}

/// A page of multipart uploads, by key in byte order and from the oldest on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MultipartPage {
    /// The uploads.
    pub uploads: Vec<Multipart>,
    /// What is shown in place of several, in byte order.
    pub prefixes: Vec<String>,
    /// Where to continue, when more follow.
    pub next: Option<MultipartPosition>,
}

/// A multipart upload to be completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompleteMultipart {
    /// The upload.
    pub name: MultipartName,
    /// The revision that was read before the parts were.
    pub revision: u64,
    /// The numbers and sizes of the parts that the object consists of, in ascending order; others are given up.
    pub parts: Vec<(u16, u64)>,
    /// The object's entity tag, without quotes.
    pub etag: String,
    /// The object's checksum.
    pub checksum: Option<ObjectChecksum>,
    /// What must hold.
    pub condition: WriteCondition,
    /// Random bits for the version's id and for this attempt.
    pub random: u64,
}

/// What a completed multipart upload became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedMultipart {
    /// The version.
    pub version: NewVersion,
    /// The object's entity tag, without quotes.
    pub etag: String,
    /// The object's checksum.
    pub checksum: Option<ObjectChecksum>,
}

/// The outcome of a completion. Unless it is completed the upload stays open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompleteOutcome {
    /// The object is the current version, or was when an earlier call said so.
    Completed(CompletedMultipart),
    /// A part was written since the revision: read the parts again.
    PartsChanged,
    /// The key's object is not what was expected.
    PreconditionFailed,
    /// An object was expected, and there is none.
    NoCurrent,
    /// There is an object, which the writer may not overwrite.
    AccessDenied,
    /// There is no such multipart upload.
    NoSuchMultipart,
}

/// The outcome of giving a multipart upload up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbortMultipartOutcome {
    /// It is closed; its bytes are doomed bit by bit.
    Aborted,
    /// There is no such open multipart upload.
    NoSuchMultipart,
}

/// A run of a composite's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run {
    /// These.
    Inline(Bytes),
    /// In the blob store.
    Extent(Extent),
}

impl Run {
    /// How many bytes it has.
    pub fn length(&self) -> u64 {
        match self {
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Extent(extent) => extent.length,
        }
    }
}

/// A composite that nobody has read as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestOutcome {
    /// Its digest is known now.
    Set,
    /// It was known before.
    Known(Digest),
    /// There is no such composite.
    Unknown,
}

/// What is to be given up bit by bit: a composite that lost a reference, a multipart upload that was aborted, the parts
/// that a completion did not list, the open uploads of a bucket that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Garbage {
    /// From when on.
    pub(crate) due_at: Timestamp,
    /// What.
    pub(crate) kind: GarbageKind,
    /// The id of the upload or of the bucket.
    pub(crate) id: UploadId,
}

/// The kinds of garbage. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum GarbageKind {
    /// A composite, if nothing refers to it.
    Composite = 1,
    /// The parts of an upload that is not open any more.
    Parts = 2,
    /// What a completion did not list.
    Leftovers = 3,
    /// The open uploads of a bucket.
    Bucket = 4,
}

/// What one step of giving up did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GarbageOutcome {
    /// More is left: call again.
    More,
    /// It is gone.
    Done,
    /// Something refers to it, so it stays.
    Kept,
    /// Not decided now: the entry stays.
    Later,
}
