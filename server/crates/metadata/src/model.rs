//! What goes into the operations and what comes out of them.

mod access_keys;
mod buckets;
mod multipart;
mod objects;

use std::time::Duration;

use bytes::Bytes;
use zas_core::{Digest, HashState, Holder, LocationName, MediaType, ObjectKey, Tag, Timestamp, UploadId};

pub use access_keys::*;
pub use buckets::*;
pub use multipart::*;
pub use objects::*;

/// How long things are kept, changeable while running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The promised time between a positive answer about a blob and its reference by a manifest. Leases are given
    /// for twice this, so that an answer read from a lease in its first half still keeps the promise.
    pub grace: Duration,
    /// The time between a blob's row going and its bytes going; downloads that began before run to their end.
    pub doom_delay: Duration,
}

/// Who changes something and by which request.
///
/// An engine that can commit and then lose the answer remembers the operation's id with its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Unique to the request's change; the same for its retries.
    pub operation: [u8; 16],
    /// Issuer and subject of the principal, kept in rows that say who made them; empty for anonymous.
    pub actor: String,
}

/// Which of the writers of one upload somebody is; only the latest may change it.
///
/// A claim is answered before it survives power loss, so a later one may have the same number: then the store was opened
/// between them, and each opening has a start number of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch {
    /// The start of the store in which the claim was made.
    pub start: u64,
    /// The number of the claim.
    pub claim: u64,
}

impl Epoch {
    /// The name of a run of bytes that this writer of `upload` writes.
    pub fn name(self, upload: UploadId, ordinal: u32) -> LocationName {
        LocationName {
            upload,
            start: self.start,
            epoch: self.claim,
            ordinal,
        }
    }
}

/// Most runs of bytes that one upload may have.
pub const MAX_EXTENTS: usize = 10_000;

/// The durable state of an unfinished upload: everything below `offset` survives power loss.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many bytes are durable.
    pub offset: u64,
    /// The hashes of exactly those bytes, one for each running algorithm.
    pub hashes: Vec<HashState>,
    /// The bytes themselves while they are few; `None` once they are in the blob store.
    pub inline: Option<Bytes>,
}

/// What a writer has written into the blob store since it last said so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The whole runs, behind those that were saved before. They are durable.
    pub extents: Vec<Extent>,
    /// Whether the writer writes no more: then it leaves no name behind that is not listed.
    pub is_last: bool,
}

/// The right to continue an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The claimant's epoch, to be shown with every change.
    pub epoch: Epoch,
    /// Where to continue.
    pub progress: Progress,
    /// How many runs of bytes the upload has in the blob store.
    pub extents: usize,
}

/// The answer to a change that only the upload's present writer may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriterOutcome {
    /// It was made.
    Done,
    /// Somebody else has claimed the upload since.
    Fenced,
    /// There is no such upload: it was finished, cancelled or never created.
    Unknown,
}

/// An unfinished upload in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadEntry {
    /// Its id; ids sort by the time they were made.
    pub id: UploadId,
    /// Whom it was started for.
    pub holder: Holder,
    /// When it last made progress or was touched.
    pub touched_at: Timestamp,
    /// Its writer's epoch then; one that claims it meanwhile wins.
    pub epoch: Epoch,
}

/// A run of bytes in the blob store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The physical name.
    pub location: LocationName,
    /// Where the run starts.
    pub offset: u64,
    /// How long it is.
    pub length: u64,
}

/// Where the bytes of a blob are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlobContent {
    /// Here.
    Inline(Bytes),
    /// In the blob store, in this order.
    Extents(Vec<Extent>),
}

/// A verified blob that an upload leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBlob {
    /// The digest that the client named and that the bytes have.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// Its bytes, already durable when they are in the blob store.
    pub content: BlobContent,
}

/// The end of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishUpload {
    /// The upload's id, kept in the link so that a retry after a lost answer is recognised.
    pub id: UploadId,
    /// The writer's epoch; `None` for a blob that came whole in one request and never had an upload row, which is
    /// allowed for inline content only.
    pub epoch: Option<Epoch>,
    /// Who gets the blob.
    pub holder: Holder,
    /// The blob. Of its runs in the blob store only those that were not saved before, which stand behind the saved ones.
    pub blob: NewBlob,
}

/// How an upload ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishOutcome {
    /// The bytes are the first of their digest.
    Created,
    /// The store had them; the upload's own copy is doomed.
    Existed,
    /// The store had the digest; the upload's bytes, which were just proved, are its bytes now, and the older ones are
    /// doomed. At most once an hour for a digest.
    Renewed,
    /// The store had the digest with damaged bytes, which are doomed; the upload's are its bytes now.
    Healed,
    /// Somebody else has claimed the upload since. Nothing changed.
    Fenced,
    /// There is no such upload. Nothing changed.
    Unknown,
}

/// Whether an answer about a blob is a promise to keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// The caller only reads.
    Leave,
    /// The caller may push and will rely on the answer: renew the lease when less than half of it is left, and
    /// answer from the renewal.
    Renew,
}

/// A blob as one holder has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobStat {
    /// Its length in bytes.
    pub size: u64,
    /// Its bytes.
    pub content: BlobContent,
    /// The upload that linked it here; `None` after a mount.
    pub upload: Option<UploadId>,
}

/// The outcome of a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountOutcome {
    /// The target holds the blob now.
    Mounted,
    /// The source does not hold it.
    Unknown,
}

/// What must be there before a manifest may refer to a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Nothing.
    Optional,
    /// The holder has a blob of the digest.
    Blob,
    /// The holder has a manifest of the digest; a blob of the same bytes is none.
    Manifest,
    /// The holder has a manifest or a blob of the digest.
    ManifestOrBlob,
}

/// What refers to a digest. The references of a holder go with what they belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EdgeOwner {
    /// The manifest of this digest.
    Manifest(Digest),
    /// The version of this sequence number of the object with this key.
    Version(ObjectKey, u64),
    /// The part of this number of the multipart upload of this id, or of the composite that it became.
    Part(UploadId, u16),
}

/// A digest that a manifest refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferenceEdge {
    /// The digest.
    pub digest: Digest,
    /// What must be there. The edge is written in any case.
    pub presence: Presence,
}

/// What a tag must be before it is written or deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Anything.
    Any,
    /// Not there.
    Absent,
    /// Pointing to this digest.
    Equals(Digest),
}

/// What happens to a manifest that its holder has under another media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retyping {
    /// It keeps the type it was stored with first, and the commit is refused.
    Refused,
    /// It is served under the new type from now on, by every tag.
    Allowed,
}

/// A manifest to be stored with its edges, tags and referrer entry, or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitManifest {
    /// Who gets it.
    pub holder: Holder,
    /// The digest it is known by, as the client or the tag push determined it.
    pub digest: Digest,
    /// The media type it is served under.
    pub media_type: MediaType,
    /// The bytes as pushed.
    pub body: Bytes,
    /// Everything it refers to except its subject, each digest once.
    pub references: Vec<ReferenceEdge>,
    /// What it is a referrer of.
    pub subject: Option<Referral>,
    /// Whether it may change the media type of the same bytes when the holder has them already.
    pub retyping: Retyping,
    /// The tags to point to it, each once. One that points to it already meets every precondition, so that a repeated
    /// request is no conflict.
    pub tags: Vec<(Tag, Precondition)>,
}

/// The entry that makes a manifest a referrer of its subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referral {
    /// The subject, which need not exist.
    pub subject: Digest,
    /// What the entry is filtered by, at most 255 bytes; empty when there is none.
    pub artifact_type: String,
    /// The finished JSON descriptor.
    pub descriptor: Bytes,
}

/// The outcome of storing a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitOutcome {
    /// It is stored.
    Committed {
        /// Whether the holder did not have it before.
        created: bool,
        /// The tags that pointed elsewhere before, with what they pointed to.
        displaced: Vec<(Tag, Digest)>,
    },
    /// The holder has the manifest under this media type, which the commit may not change. Nothing changed.
    TypeConflict(MediaType),
    /// These required references are absent, which is said before any conflict of tags. Nothing changed.
    Missing(Vec<Digest>),
    /// These tags did not meet their precondition. Nothing changed.
    TagConflict(Vec<Tag>),
}

/// A manifest as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredManifest {
    /// The digest it was pushed with.
    pub digest: Digest,
    /// The media type it was pushed with.
    pub media_type: MediaType,
    /// Its bytes as pushed.
    pub body: Bytes,
}

/// What a stored manifest is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestStat {
    /// The digest it was pushed with.
    pub digest: Digest,
    /// The media type it was pushed with.
    pub media_type: MediaType,
    /// Its length in bytes.
    pub size: u64,
}

/// The outcome of deleting a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteTagOutcome {
    /// It is gone; it pointed to this digest. `None`: its row was damaged, and nobody knows where it pointed.
    Deleted(Option<Digest>),
    /// There was none.
    Unknown,
    /// It did not meet the precondition.
    Conflict,
}

/// What a deletion does with a manifest that several tags point to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharedManifest {
    /// It goes with all its tags.
    Delete,
    /// It stays.
    Keep,
}

/// The outcome of one step of deleting a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteManifestOutcome {
    /// It is gone with the last of its tags.
    Deleted,
    /// Some of its tags are gone and more are left: call again.
    More,
    /// Several tags point to it, and such a manifest was to be kept. Nothing changed.
    Kept,
    /// There was none.
    Unknown,
}

/// A part of a sorted listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries, in byte order.
    pub entries: Vec<T>,
    /// Whether more follow the last entry.
    pub more: bool,
}

/// Where a listing of referrers continues: after this entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferrerCursor {
    /// The artifact type of the last entry shown.
    pub artifact_type: String,
    /// The digest of the last entry shown.
    pub digest: Digest,
}

/// A part of a listing of referrers, ordered by artifact type and digest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReferrerPage {
    /// The finished JSON descriptors; at least one unless there is none at all.
    pub descriptors: Vec<Bytes>,
    /// Where to continue when more follow.
    pub next: Option<ReferrerCursor>,
}

/// A link whose lease may be over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueLink {
    /// When it became due; identifies the queue entry with the two below.
    pub due_at: Timestamp,
    /// Who holds the blob.
    pub holder: Holder,
    /// The blob.
    pub digest: Digest,
}

/// What became of a due link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReapOutcome {
    /// It is referenced, or leased until the time given (then queued again for it).
    Kept(Option<Timestamp>),
    /// It is gone; others hold the blob.
    LinkRemoved,
    /// It was the last one, or had been until a client deleted it: the blob's row is gone too and these bytes are doomed (none for an inline blob).
    Doomed(Vec<LocationName>),
    /// There was no such link any more, and others hold the blob or it is gone too.
    Gone,
    /// Not decided now: somebody else works on the blob or the check met too many deleted rows, and the entry is queued
    /// again for a minute later; or the clocks are in doubt, and the entry stays as it is.
    Later,
}

/// A blob to be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScrubEntry {
    /// Its digest.
    pub digest: Digest,
    /// Where its bytes are; `None` when its rows cannot be read.
    pub content: Option<BlobContent>,
    /// Whether it is known to be damaged.
    pub is_damaged: bool,
}

/// How far the check of all blobs is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScrubPosition {
    /// The last blob checked by the pass under way; none between passes.
    pub after: Option<Digest>,
    /// When the last pass ended; before the first one, now.
    pub rested_at: Timestamp,
}

/// How far the sweep for bytes without a row is. It passes over all names twice: to count those without a row, then to
/// doom them if they are few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SweepPosition {
    /// The last name looked at by the pass under way; none between sweeps and before its first name.
    pub after: Option<LocationName>,
    /// When the last sweep ended.
    pub rested_at: Timestamp,
    /// Names that the counting pass has looked at.
    pub names: u64,
    /// Names without a row among them.
    pub orphans: u64,
    /// How many names the dooming pass may still doom; none while the counting pass is under way.
    pub left: Option<u64>,
    /// Names without a row that the last sweep left alone because they were too many.
    pub withheld: u64,
}

impl SweepPosition {
    /// Between two sweeps.
    pub fn resting_since(rested_at: Timestamp) -> Self {
        Self {
            after: None,
            rested_at,
            names: 0,
            orphans: 0,
            left: None,
            withheld: 0,
        }
    }
}

/// What became of a blob that was found damaged, or sound again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DamageOutcome {
    /// It is known to be damaged now.
    Marked,
    /// It was known before.
    Already,
    /// It is in use again.
    Cleared,
    /// Its bytes are elsewhere by now, or it is gone: look again.
    Changed,
}

/// What is known of a physical name found in the blob store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrphanOutcome {
    /// A row names it: leave it alone.
    Known,
    /// No row named it: it is doomed now.
    Doomed,
}
