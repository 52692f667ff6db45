//! The operations. Each is atomic, and durable when it returns unless its comment says otherwise.

mod access_keys;
mod buckets;
mod multipart;
mod objects;

use async_trait::async_trait;
use zas_core::{Digest, Holder, LocationName, Reference, RepositoryName, StoreId, Tag, Timestamp, UploadId};

use crate::{
    BlobContent, BlobStat, Claim, CommitManifest, CommitOutcome, DamageOutcome, DeleteManifestOutcome,
    DeleteTagOutcome, DueLink, Epoch, Extent, FinishOutcome, FinishUpload, Lease, ManifestStat, MountOutcome,
    Origin, OrphanOutcome, Page, Precondition, Progress, ReapOutcome, ReferrerCursor, ReferrerPage, Result,
    ScrubEntry, ScrubPosition, SharedManifest, StoredManifest, SweepPosition, Timing, UploadEntry,
    WriterOutcome, Written,
};

pub use access_keys::AccessKeyStore;
pub use buckets::BucketStore;
pub use multipart::MultipartStore;
pub use objects::ObjectStore;

/// Every fact of the store.
///
/// A method that changes something returns after the change survives power loss. A method that reads sees every
/// change acknowledged before it was called.
#[async_trait]
pub trait MetadataStore:
    AccessKeyStore + BucketStore + ObjectStore + MultipartStore + std::fmt::Debug + Send + Sync + 'static
{
    /// Reserves `id` for an upload of `holder`.
    ///
    /// Returns **before** the row survives power loss: nothing was acknowledged that its loss would break.
    async fn create_upload(&self, origin: &Origin, holder: &Holder, id: UploadId) -> Result<Epoch>;

    /// The number of durable bytes of an upload; claims nothing.
    async fn stat_upload(&self, holder: &Holder, id: UploadId) -> Result<Option<u64>>;

    /// Makes the caller the upload's only writer, and dooms the name that the writer before it was writing and did not
    /// list. `None`: that holder has no such upload.
    ///
    /// Returns **before** the claim survives power loss. A claim that is lost leaves names behind that no later claim
    /// gives out, because the start in its epoch is lower than theirs.
    async fn claim_upload(&self, holder: &Holder, id: UploadId) -> Result<Option<Claim>>;

    /// Saves how far an upload is. The bytes below `progress.offset` must be durable before the call.
    async fn save_progress(
        &self,
        id: UploadId,
        epoch: Epoch,
        progress: Progress,
        written: Written,
    ) -> Result<WriterOutcome>;

    /// The saved runs of an upload's bytes, in order.
    async fn upload_extents(&self, id: UploadId) -> Result<Vec<Extent>>;

    /// Tells that a long request is still at work, so that the upload does not expire. Losing it loses nothing, so it
    /// need not survive power loss.
    async fn touch_upload(&self, id: UploadId, epoch: Epoch) -> Result<WriterOutcome>;

    /// Ends an upload: its holder has the blob, leased. Bytes of a digest that the store already has are
    /// doomed in the same step.
    async fn finish_upload(&self, origin: &Origin, upload: FinishUpload) -> Result<FinishOutcome>;

    /// Cancels an upload and dooms its bytes.
    async fn abort_upload(&self, origin: &Origin, id: UploadId, epoch: Epoch) -> Result<WriterOutcome>;

    /// Cancels an upload without progress and dooms its bytes. Fenced when it was claimed, saved or touched since it was
    /// listed, and while the clocks are in doubt: nobody knows then for how long there was no progress.
    async fn expire_upload(&self, origin: &Origin, listed: &UploadEntry) -> Result<WriterOutcome>;

    /// Uploads in the order they were made.
    async fn list_uploads(&self, after: Option<UploadId>, count: usize) -> Result<Page<UploadEntry>>;

    /// A blob as `holder` has it.
    async fn stat_blob(&self, holder: &Holder, digest: &Digest, lease: Lease) -> Result<Option<BlobStat>>;

    /// Up to `count` of those that hold the blob, repositories first.
    async fn find_holders(&self, digest: &Digest, count: usize) -> Result<Vec<Holder>>;

    /// Makes `to` hold, leased, what `from` holds.
    async fn mount_blob(
        &self,
        origin: &Origin,
        from: &Holder,
        to: &Holder,
        digest: &Digest,
    ) -> Result<MountOutcome>;

    /// Takes the blob from the holder at once; `false` when it held none. Edges of manifests stay.
    async fn unlink_blob(&self, origin: &Origin, holder: &Holder, digest: &Digest) -> Result<bool>;

    /// Stores a manifest with everything that belongs to it, or nothing.
    async fn commit_manifest(&self, origin: &Origin, manifest: CommitManifest) -> Result<CommitOutcome>;

    /// The manifest that a tag or digest names in `holder`.
    async fn resolve_manifest(
        &self,
        holder: &Holder,
        reference: &Reference,
    ) -> Result<Option<StoredManifest>>;

    /// What the manifest that a tag or digest names in `holder` is like, without its bytes.
    async fn stat_manifest(&self, holder: &Holder, reference: &Reference) -> Result<Option<ManifestStat>>;

    /// Where a tag points.
    async fn resolve_tag(&self, holder: &Holder, tag: &Tag) -> Result<Option<Digest>>;

    /// Deletes a tag; the manifest stays.
    async fn delete_tag(
        &self,
        origin: &Origin,
        holder: &Holder,
        tag: &Tag,
        precondition: Precondition,
    ) -> Result<DeleteTagOutcome>;

    /// Deletes up to 1,000 tags of a manifest, and with the last of them the manifest. Referrers of it stay. Each call
    /// is an operation with an id of its own, also the one after [`DeleteManifestOutcome::More`].
    async fn delete_manifest(
        &self,
        origin: &Origin,
        holder: &Holder,
        digest: &Digest,
        shared: SharedManifest,
    ) -> Result<DeleteManifestOutcome>;

    /// Tags after `after` in byte order. `None`: no such repository. Whether there is such a bucket is not asked.
    async fn list_tags(
        &self,
        holder: &Holder,
        after: Option<&str>,
        count: usize,
    ) -> Result<Option<Page<Tag>>>;

    /// Repositories whose name starts with `prefix`, after `after` in byte order.
    async fn list_repositories(
        &self,
        prefix: &str,
        after: Option<&str>,
        count: usize,
    ) -> Result<Page<RepositoryName>>;

    /// Referrers of `subject`, of one artifact type when one is named, bounded by `count` and by `bytes` of
    /// descriptors.
    async fn list_referrers(
        &self,
        holder: &Holder,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<&ReferrerCursor>,
        count: usize,
        bytes: usize,
    ) -> Result<ReferrerPage>;

    /// Up to `count` links that are due, the oldest first. They stay queued until they are reaped. None while the
    /// clocks are in doubt.
    async fn take_due(&self, count: usize) -> Result<Vec<DueLink>>;

    /// Collects one due link if nothing refers to it and its lease is over.
    async fn reap(&self, link: &DueLink) -> Result<ReapOutcome>;

    /// Up to `count` physical names whose bytes are to be deleted now, the oldest first. They stay until they are
    /// forgotten. None while the clocks are in doubt.
    async fn take_doomed(&self, count: usize) -> Result<Vec<LocationName>>;

    /// Forgets a doomed name after its bytes are gone. A live name is left alone.
    async fn forget_location(&self, name: LocationName) -> Result<()>;

    /// Lets the bytes of a doomed name be for the doom delay more: somebody still reads them. A live name is left alone.
    async fn postpone_deletion(&self, name: LocationName) -> Result<()>;

    /// Blobs after `after` in the order of their digests, to be checked against them.
    async fn list_blobs(&self, after: Option<&Digest>, count: usize) -> Result<Page<ScrubEntry>>;

    /// Takes a blob out of use whose bytes, found as `seen`, are not those of its digest. Until an upload of the digest
    /// heals it, reads and leases fail with [`MetadataError::Corrupt`](crate::MetadataError::Corrupt), mounts do not find
    /// it, and manifests that require it are refused.
    async fn mark_damaged(&self, digest: &Digest, seen: Option<&BlobContent>) -> Result<DamageOutcome>;

    /// Puts a damaged blob in use again whose bytes, found as `seen`, are those of its digest after all: the
    /// storage that held them was away.
    async fn clear_damage(&self, digest: &Digest, seen: &BlobContent) -> Result<DamageOutcome>;

    /// One blob to be checked, whoever holds it.
    async fn inspect_blob(&self, digest: &Digest) -> Result<Option<ScrubEntry>>;

    /// Up to `count` damaged blobs.
    async fn list_damaged(&self, count: usize) -> Result<Page<Digest>>;

    /// How far the check of all blobs is.
    async fn scrub_position(&self) -> Result<ScrubPosition>;

    /// Saves how far the check of all blobs is. Returns **before** that survives power loss: then some are checked
    /// twice.
    async fn save_scrub_position(&self, position: ScrubPosition) -> Result<()>;

    /// Dooms a physical name that has neither an upload nor a location, or whose location its blob does not name.
    async fn claim_orphan(&self, name: LocationName) -> Result<OrphanOutcome>;

    /// Those of `names` that [`Self::claim_orphan`] would doom now.
    async fn find_orphans(&self, names: &[LocationName]) -> Result<Vec<LocationName>>;

    /// How far the sweep for bytes without a row is; `None` when there never was one.
    async fn sweep_position(&self) -> Result<Option<SweepPosition>>;

    /// Saves how far the sweep is. Returns **before** that survives power loss: then some names are looked at twice.
    async fn save_sweep_position(&self, position: SweepPosition) -> Result<()>;

    /// The store that these rows belong to; `None`: nobody has said so.
    async fn store_id(&self) -> Result<Option<StoreId>>;

    /// Says which store these rows belong to.
    async fn set_store_id(&self, id: StoreId) -> Result<()>;

    /// Whether there is no content and nothing that leads to stored bytes.
    async fn is_empty(&self) -> Result<bool>;

    /// Changes how long things are kept from now on.
    fn set_timing(&self, timing: Timing);

    /// The time that leases and everything else in this store go by.
    async fn now(&self) -> Result<Timestamp>;

    /// Whether the engine answers.
    async fn ping(&self) -> Result<()>;
}
