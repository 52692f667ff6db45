//! Objects and their versions.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use zas_core::{BucketId, Digest, ObjectKey, Timestamp, UploadId};

use super::{Epoch, Extent, NewBlob, Owner, Versioning};

/// The id of a version, opaque to clients. Later versions of a key have larger ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionId {
    /// The place of the version among those of its key.
    pub(crate) sequence: u64,
    /// Keeps an id from coming twice when a clock goes back after the last version of a key is gone.
    pub(crate) random: u64,
}

/// The text is no version id of this store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a version id is 32 hexadecimal digits in lower case")]
pub struct InvalidVersionId;

impl fmt::Display for VersionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}{:016x}", self.sequence, self.random)
    }
}

impl FromStr for VersionId {
    type Err = InvalidVersionId;

    fn from_str(text: &str) -> Result<Self, InvalidVersionId> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 32 || !text.bytes().all(is_hex) {
            return Err(InvalidVersionId);
        }
        let id = u128::from_str_radix(text, 16).map_err(|_| InvalidVersionId)?;
        Ok(Self {
            sequence: (id >> 64) as u64,
            random: id as u64,
        })
    }
}

/// Which version of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionSelector {
    /// The one that a request without an id means.
    Current,
    /// The one that was written while versioning was off or suspended.
    Null,
    /// This one.
    Id(VersionId),
}

/// The checksum of an object, as the client may ask for it. The store does not read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectChecksum {
    /// The algorithm.
    pub algorithm: String,
    /// Whether it is of the whole object or of its parts' checksums.
    pub kind: String,
    /// The checksum.
    pub value: String,
}

/// What an object carries beside its bytes. The store reads the entity tag alone, to compare it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectAttributes {
    /// The entity tag, without quotes.
    pub etag: String,
    /// Whose it is.
    pub owner: Owner,
    /// System headers and user metadata, by name.
    pub headers: Vec<(String, String)>,
    /// Its tags, by name.
    pub tags: Vec<(String, String)>,
    /// The storage class; `None`: the usual one.
    pub storage_class: Option<String>,
    /// Its checksum.
    pub checksum: Option<ObjectChecksum>,
}

/// The bytes of a new version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewContent {
    /// These, [`INLINE_LIMIT`](crate::INLINE_LIMIT) of them at most.
    Inline {
        /// Their digest.
        digest: Digest,
        /// The bytes.
        bytes: Bytes,
    },
    /// Those that an upload into the bucket has just written and proved, durable in the blob store.
    Upload {
        /// The upload, which ends.
        id: UploadId,
        /// Its writer's epoch.
        epoch: Epoch,
        /// The bytes.
        blob: NewBlob,
    },
    /// Those of another version, of this key or another; nothing is copied but what is in a row.
    CopyOf {
        /// The bucket it is in.
        bucket: BucketId,
        /// Its key.
        key: ObjectKey,
        /// Exactly this version, as it was read.
        version: StoredVersion,
    },
}

/// One version as it was written: tells it from every other of its key, also from one that takes its place as the `null`
/// version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredVersion {
    /// Its id within the store, which a `null` version has too.
    pub(crate) id: VersionId,
    /// Whether clients know it as `null`.
    pub(crate) is_null: bool,
}

impl StoredVersion {
    /// The id that clients know; `None` for `null`.
    pub fn id(&self) -> Option<VersionId> {
        (!self.is_null).then_some(self.id)
    }

    /// What selects this version as clients name it.
    pub fn selector(&self) -> VersionSelector {
        self.id().map_or(VersionSelector::Null, VersionSelector::Id)
    }
}

/// What a key's current object must be before it is written over or deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    /// Anything.
    #[default]
    Any,
    /// Not there.
    Absent,
    /// There, whatever it is.
    Present,
    /// There, with one of these entity tags, without quotes.
    Tagged(Vec<String>),
}

/// Whether the writer may write over an object that is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overwrite {
    /// It may.
    #[default]
    Allowed,
    /// It may make objects only.
    Denied,
}

/// What must hold at the moment of a write. The right is looked at first, so that whoever may not overwrite learns nothing
/// of what is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteCondition {
    /// What the client expects.
    pub expected: Expected,
    /// What the client may do.
    pub overwrite: Overwrite,
}

/// A version to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutObject {
    /// The bucket.
    pub bucket: BucketId,
    /// The key.
    pub key: ObjectKey,
    /// What it carries.
    pub attributes: ObjectAttributes,
    /// Its bytes.
    pub content: NewContent,
    /// What must hold.
    pub condition: WriteCondition,
    /// Random bits for its id.
    pub random: u64,
}

/// The outcome of writing a version. Unless it is stored nothing changed, and an upload that was to end goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// It is the current version now.
    Stored(NewVersion),
    /// The key's object is not what was expected.
    PreconditionFailed,
    /// An object was expected, and there is none.
    NoCurrent,
    /// There is an object, which the writer may not overwrite.
    AccessDenied,
    /// There is no such bucket.
    NoSuchBucket,
    /// Somebody else has claimed the upload since.
    Fenced,
    /// There is no such upload into the bucket.
    NoSuchUpload,
    /// The version to be copied is gone, or its bytes are damaged.
    NoSuchSource,
}

/// What a write made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewVersion {
    /// The version.
    pub version: StoredVersion,
    /// Whether the bucket kept versions at that moment.
    pub versioning: Versioning,
    /// When.
    pub modified_at: Timestamp,
}

/// Where the bytes of a version are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentRef {
    /// In a row.
    Inline {
        /// Their digest.
        digest: Digest,
    },
    /// The blob of this digest.
    Blob(Digest),
    /// The parts of a multipart upload, in order.
    Composite(Composite),
}

/// The parts of a multipart upload, in the order they were completed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composite {
    /// The upload's id.
    pub id: UploadId,
    /// How many parts there are.
    pub parts: u32,
    /// The digest of all bytes, once somebody has read them.
    pub digest: Option<Digest>,
}

/// A version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectVersion {
    /// Which one.
    pub version: StoredVersion,
    /// When it was written.
    pub modified_at: Timestamp,
    /// How many bytes it has.
    pub size: u64,
    /// What it carries beside them.
    pub attributes: ObjectAttributes,
    /// Where they are.
    pub content: ContentRef,
}

/// A version that was found by a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectWithDigest {
    /// Its key.
    pub key: ObjectKey,
    /// Which version of the key.
    pub version: StoredVersion,
    /// Whether it is the current one.
    pub is_current: bool,
    /// The digest of its bytes.
    pub content: Digest,
    /// How many bytes it has.
    pub size: u64,
}

/// The bytes of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectBytes {
    /// Here.
    Inline(Bytes),
    /// In the blob store, in this order.
    Extents(Vec<Extent>),
    /// In the parts of this multipart upload, to be listed.
    Composite(UploadId),
}

/// A delete marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeleteMarker {
    /// Its version.
    pub version: StoredVersion,
    /// When it was made.
    pub modified_at: Timestamp,
}

/// What there is under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectLookup<T> {
    /// This.
    Found(T),
    /// A delete marker.
    DeleteMarker(DeleteMarker),
    /// Nothing.
    Unknown,
}

/// A deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteObject {
    /// The key.
    pub key: ObjectKey,
    /// [`VersionSelector::Current`] deletes as a request without an id does: where versions are kept, a delete marker
    /// is made. Another one is removed for good, be it an object or a delete marker.
    pub version: VersionSelector,
    /// What the object must be that is deleted.
    pub expected: Expected,
    /// Random bits for the id of a delete marker.
    pub random: u64,
}

/// What a removed version was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionKind {
    /// An object.
    Object,
    /// A delete marker.
    DeleteMarker,
}

/// The outcome of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteOutcome {
    /// A version is gone for good; it was this.
    Removed(VersionKind),
    /// A delete marker is the current version now.
    MarkerMade(StoredVersion),
    /// There was nothing to delete, which is no error.
    Absent,
    /// An object was expected, and there is none. Nothing changed.
    NoCurrent,
    /// The object is not what was expected. Nothing changed.
    PreconditionFailed,
    /// There is no such bucket.
    NoSuchBucket,
    /// One of several: rows of this key cannot be read, which the log names. Nothing changed, and the others were made.
    Damaged,
}

/// The outcome of changing what a version carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateOutcome {
    /// It is changed; this is the version.
    Updated(StoredVersion),
    /// It is a delete marker. Nothing changed.
    DeleteMarker(DeleteMarker),
    /// There is no such version.
    Unknown,
}

/// Which objects are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListObjects {
    /// Those of this bucket.
    pub bucket: BucketId,
    /// Those whose key starts with this.
    pub prefix: String,
    /// Those that have this behind the prefix are shown as one, up to and with its first place.
    pub delimiter: Option<String>,
    /// Those behind this.
    pub after: Option<ListPosition>,
    /// So many objects and common prefixes at most; for 0 an empty last page.
    pub count: usize,
}

/// Where a listing continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListPosition {
    /// Behind this text in byte order, which need not be a key. Of keys that are shown as one, those behind it count.
    Key(String),
    /// Behind every key that starts with this.
    Prefix(String),
}

/// A page of objects, in byte order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectPage {
    /// The objects.
    pub objects: Vec<ListedObject>,
    /// What is shown in place of several, in byte order.
    pub prefixes: Vec<String>,
    /// Where to continue, when more follow.
    pub next: Option<ListPosition>,
}

/// An object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// Its key.
    pub key: ObjectKey,
    /// When it was written.
    pub modified_at: Timestamp,
    /// How many bytes it has.
    pub size: u64,
    /// The entity tag, without quotes.
    pub etag: String,
    /// Whose it is.
    pub owner: Owner,
    /// The storage class; `None`: the usual one.
    pub storage_class: Option<String>,
    /// The algorithm and the kind of its checksum.
    pub checksum: Option<(String, String)>,
}

/// Which versions are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListVersions {
    /// Those of this bucket.
    pub bucket: BucketId,
    /// Those whose key starts with this.
    pub prefix: String,
    /// Those that have this behind the prefix are shown as one, up to and with its first place.
    pub delimiter: Option<String>,
    /// Those behind this.
    pub after: Option<VersionPosition>,
    /// So many versions and common prefixes at most; for 0 an empty last page.
    pub count: usize,
}

/// Where a listing of versions continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionPosition {
    /// Behind every version of this text in byte order, which need not be a key.
    Key(String),
    /// Behind this version of a key. [`VersionSelector::Current`] means the key with all its versions; a `null` version
    /// that is gone means none of them.
    Version(String, VersionSelector),
    /// Behind every key that starts with this.
    Prefix(String),
}

/// A page of versions, by key in byte order and from the latest version on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionPage {
    /// The versions.
    pub versions: Vec<ListedVersion>,
    /// What is shown in place of several, in byte order.
    pub prefixes: Vec<String>,
    /// Where to continue, when more follow.
    pub next: Option<VersionPosition>,
}

/// A version in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVersion {
    /// Its key.
    pub key: ObjectKey,
    /// Which one.
    pub version: StoredVersion,
    /// Whether it is the current one.
    pub is_current: bool,
    /// When it was written.
    pub modified_at: Timestamp,
    /// Whose it is.
    pub owner: Owner,
    /// What there is of an object; `None`: it is a delete marker.
    pub object: Option<ListedContent>,
}

/// What a listing of versions says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedContent {
    /// How many bytes it has.
    pub size: u64,
    /// The entity tag, without quotes.
    pub etag: String,
    /// The storage class; `None`: the usual one.
    pub storage_class: Option<String>,
    /// The algorithm and the kind of its checksum.
    pub checksum: Option<(String, String)>,
}
