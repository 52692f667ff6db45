//! The store over an ordered map.

mod access_keys;
mod buckets;
mod execution;
mod multipart;
mod objects;

use std::sync::Arc;

use async_trait::async_trait;
use zas_core::{Digest, Holder, LocationName, Reference, RepositoryName, StoreId, Tag, Timestamp, UploadId};

use crate::clocks::Clocks;
use crate::committer::Committer;
use crate::keys::{self, Elements};
use crate::memory_map::MemoryMap;
use crate::operations::removal::{Neighbour, Step};
use crate::operations::{
    blobs, collection, damage, links, listings, locations, manifests, removal, store, tags, uploads,
};
use crate::ordered_map::{Effort, OrderedMap};
use crate::reopening::Opener;
use crate::rows::{Row as _, UploadRow};
use crate::shared::Shared;
use crate::transaction::Transaction;
use crate::view::{Found, View};
use crate::{
    BlobContent, BlobStat, Claim, CommitManifest, CommitOutcome, DamageOutcome, DeleteManifestOutcome,
    DeleteTagOutcome, DueLink, Epoch, Extent, FinishOutcome, FinishUpload, Lease, ManifestStat,
    MetadataStore, MountOutcome, Origin, OrphanOutcome, Page, Precondition, Progress, ReapOutcome,
    ReferrerCursor, ReferrerPage, Result, ScrubEntry, ScrubPosition, SharedManifest, StoredManifest,
    SweepPosition, Timing, UploadEntry, WriterOutcome, Written,
};

/// Every fact of the store in one ordered map of this process.
#[derive(Debug)]
pub struct EmbeddedMetadata<M: OrderedMap> {
    // Before the map's last owner: dropping it waits for the thread that writes.
    committer: Committer,
    shared: Arc<Shared<M>>,
}

/// The store in memory, for tests and for content that need not outlive the process.
pub type MemoryMetadata = EmbeddedMetadata<MemoryMap>;

impl MemoryMetadata {
    /// An empty store.
    pub fn new(clocks: impl Into<Clocks>, timing: Timing) -> Self {
        let map = MemoryMap::default();
        let same = map.clone();
        let again = same.clone();
        let open = Opener::new(move || Ok(same.clone()), move || Ok(again.clone()));
        Self::over(map, open, clocks.into(), timing)
    }
}

impl<M: OrderedMap> EmbeddedMetadata<M> {
    /// A store over an open map; `open` opens it again after a failed write.
    pub(crate) fn over(map: M, open: Opener<M>, clocks: Clocks, timing: Timing) -> Self {
        let shared = Arc::new(Shared::new(map, clocks, timing));
        let committer = Committer::start(Arc::clone(&shared), open);
        Self { committer, shared }
    }

    #[cfg(test)]
    pub(crate) fn committer(&self) -> &Committer {
        &self.committer
    }

    #[cfg(test)]
    pub(crate) fn map(&self) -> Arc<M> {
        self.shared.map().unwrap()
    }
}

#[async_trait]
impl<M: OrderedMap> MetadataStore for EmbeddedMetadata<M> {
    async fn create_upload(&self, origin: &Origin, holder: &Holder, id: UploadId) -> Result<Epoch> {
        let (origin, holder) = (origin.clone(), holder.clone());
        self.note(move |transaction| uploads::create(transaction, origin, holder, id))
            .await
    }

    async fn stat_upload(&self, holder: &Holder, id: UploadId) -> Result<Option<u64>> {
        let upload = self.read(|view| view.row::<UploadRow>(&keys::upload(id)))?;
        Ok(upload
            .filter(|upload| upload.holder == *holder)
            .map(|upload| upload.progress.offset))
    }

    async fn claim_upload(&self, holder: &Holder, id: UploadId) -> Result<Option<Claim>> {
        // Unsynced: a claim lost with the power is lost together with everybody it was held against, and its names are
        // not given out again.
        let holder = holder.clone();
        self.note(move |transaction| uploads::claim(transaction, &holder, id))
            .await
    }

    async fn save_progress(
        &self,
        id: UploadId,
        epoch: Epoch,
        progress: Progress,
        written: Written,
    ) -> Result<WriterOutcome> {
        self.change(move |transaction| uploads::save(transaction, id, epoch, progress, written))
            .await
    }

    async fn upload_extents(&self, id: UploadId) -> Result<Vec<Extent>> {
        self.block(move |shared| uploads::extents(&View::committed(&*shared.map()?), id))
            .await
    }

    async fn touch_upload(&self, id: UploadId, epoch: Epoch) -> Result<WriterOutcome> {
        self.note(move |transaction| uploads::touch(transaction, id, epoch))
            .await
    }

    async fn finish_upload(&self, _origin: &Origin, upload: FinishUpload) -> Result<FinishOutcome> {
        self.change(move |transaction| uploads::finish(transaction, upload))
            .await
    }

    async fn abort_upload(&self, _origin: &Origin, id: UploadId, epoch: Epoch) -> Result<WriterOutcome> {
        self.change(move |transaction| uploads::abort(transaction, id, epoch))
            .await
    }

    async fn expire_upload(&self, _origin: &Origin, listed: &UploadEntry) -> Result<WriterOutcome> {
        if self.shared.is_collection_paused() {
            return Ok(WriterOutcome::Fenced);
        }
        let listed = listed.clone();
        self.change(move |transaction| uploads::expire(transaction, &listed))
            .await
    }

    async fn list_uploads(&self, after: Option<UploadId>, count: usize) -> Result<Page<UploadEntry>> {
        let Some(after) = after else {
            let oldest = move |shared: &Shared<M>, effort| {
                shared.oldest(
                    &shared.queues.uploads,
                    keys::uploads(),
                    count,
                    effort,
                    read_upload,
                )
            };
            return self.list(oldest).await;
        };
        let range = keys::uploads().after(&keys::upload(after));
        self.list_rows(move |view, effort| listings::page(view, &range, count, effort, read_upload))
            .await
    }

    async fn stat_blob(&self, holder: &Holder, digest: &Digest, lease: Lease) -> Result<Option<BlobStat>> {
        let Some(held) = self.read(|view| blobs::look_up(view, holder, digest))? else {
            return Ok(None);
        };
        let is_good = !links::needs_renewal(&held.link, self.shared.now(), self.shared.timing());
        if lease == Lease::Leave || is_good {
            return Ok(Some(held.stat));
        }
        let (holder, digest) = (holder.clone(), *digest);
        self.change(move |transaction| blobs::stat_and_renew(transaction, &holder, &digest))
            .await
    }

    async fn find_holders(&self, digest: &Digest, count: usize) -> Result<Vec<Holder>> {
        let digest = *digest;
        self.list_rows(move |view, effort| listings::holders(view, &digest, count, effort))
            .await
    }

    async fn mount_blob(
        &self,
        _origin: &Origin,
        from: &Holder,
        to: &Holder,
        digest: &Digest,
    ) -> Result<MountOutcome> {
        let (from, to, digest) = (from.clone(), to.clone(), *digest);
        self.change(move |transaction| blobs::mount(transaction, &from, &to, &digest))
            .await
    }

    async fn unlink_blob(&self, _origin: &Origin, holder: &Holder, digest: &Digest) -> Result<bool> {
        let (holder, digest) = (holder.clone(), *digest);
        self.change(move |transaction| blobs::unlink(transaction, &holder, &digest))
            .await
    }

    async fn commit_manifest(&self, origin: &Origin, manifest: CommitManifest) -> Result<CommitOutcome> {
        let origin = origin.clone();
        self.change(move |transaction| manifests::commit(transaction, origin, manifest))
            .await
    }

    async fn resolve_manifest(
        &self,
        holder: &Holder,
        reference: &Reference,
    ) -> Result<Option<StoredManifest>> {
        self.read(|view| manifests::resolve(view, holder, reference))
    }

    async fn stat_manifest(&self, holder: &Holder, reference: &Reference) -> Result<Option<ManifestStat>> {
        self.read(|view| manifests::stat(view, holder, reference))
    }

    async fn resolve_tag(&self, holder: &Holder, tag: &Tag) -> Result<Option<Digest>> {
        self.read(|view| manifests::resolve_tag(view, holder, tag))
    }

    async fn delete_tag(
        &self,
        _origin: &Origin,
        holder: &Holder,
        tag: &Tag,
        precondition: Precondition,
    ) -> Result<DeleteTagOutcome> {
        let (holder, tag) = (holder.clone(), tag.clone());
        self.change(move |transaction| tags::delete(transaction, &holder, &tag, precondition))
            .await
    }

    async fn delete_manifest(
        &self,
        _origin: &Origin,
        holder: &Holder,
        digest: &Digest,
        shared: SharedManifest,
    ) -> Result<DeleteManifestOutcome> {
        let digest = *digest;
        let mut neighbour = Neighbour::NotSought;
        loop {
            let own = holder.clone();
            let step = move |transaction: &mut Transaction<'_>| {
                removal::delete_manifest(transaction, &own, &digest, shared, &neighbour)
            };
            if let Step::Made(outcome) = self.change(step).await? {
                return Ok(outcome);
            }
            let own = holder.clone();
            let seek = move |shared: &Shared<M>| {
                let map = shared.map()?;
                removal::find_neighbour(&View::committed(&*map), &own, &digest, Effort::Unbounded)
            };
            let found = self.block(seek).await?;
            neighbour = Neighbour::Sought(match found {
                Found::Row(key) => Some(key),
                Found::Nothing | Found::Unsure => None,
            });
        }
    }

    async fn list_tags(
        &self,
        holder: &Holder,
        after: Option<&str>,
        count: usize,
    ) -> Result<Option<Page<Tag>>> {
        let (holder, after) = (holder.clone(), after.map(str::to_owned));
        let list =
            move |view: &View<'_>, effort| listings::tags(view, &holder, after.as_deref(), count, effort);
        self.list_rows(list).await
    }

    async fn list_repositories(
        &self,
        prefix: &str,
        after: Option<&str>,
        count: usize,
    ) -> Result<Page<RepositoryName>> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        let list = move |view: &View<'_>, effort| {
            listings::repositories(view, &prefix, after.as_deref(), count, effort)
        };
        self.list_rows(list).await
    }

    async fn list_referrers(
        &self,
        holder: &Holder,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<&ReferrerCursor>,
        count: usize,
        bytes: usize,
    ) -> Result<ReferrerPage> {
        let range = listings::referrers_after(holder, subject, artifact_type, after);
        let list = move |view: &View<'_>, effort| listings::referrers(view, &range, count, bytes, effort);
        self.list_rows(list).await
    }

    async fn take_due(&self, count: usize) -> Result<Vec<DueLink>> {
        if self.shared.is_collection_paused() {
            return Ok(Vec::new());
        }
        let take = move |shared: &Shared<M>, effort| {
            let range = keys::dues_until(shared.now());
            shared.oldest(&shared.queues.due, range, count, effort, |key, _| read_due(key))
        };
        self.list(take).await.map(|page| page.entries)
    }

    async fn reap(&self, link: &DueLink) -> Result<ReapOutcome> {
        if self.shared.is_collection_paused() {
            return Ok(ReapOutcome::Later);
        }
        // Most due links are referenced: that is found out here, not in the one thread that writes.
        let edge = match self.look_at(link).await? {
            Found::Row(key) => Some(key),
            Found::Nothing | Found::Unsure => None,
        };
        let link = link.clone();
        self.change(move |transaction| collection::reap(transaction, &link, edge.as_ref()))
            .await
    }

    async fn take_doomed(&self, count: usize) -> Result<Vec<LocationName>> {
        if self.shared.is_collection_paused() {
            return Ok(Vec::new());
        }
        let take = move |shared: &Shared<M>, effort| {
            let range = keys::dooms_until(shared.now());
            shared.oldest(&shared.queues.doomed, range, count, effort, |key, _| {
                read_doomed(key)
            })
        };
        self.list(take).await.map(|page| page.entries)
    }

    async fn forget_location(&self, name: LocationName) -> Result<()> {
        self.change(move |transaction| locations::forget(transaction, name))
            .await
    }

    async fn postpone_deletion(&self, name: LocationName) -> Result<()> {
        self.change(move |transaction| locations::postpone(transaction, name))
            .await
    }

    async fn claim_orphan(&self, name: LocationName) -> Result<OrphanOutcome> {
        self.change(move |transaction| locations::claim_orphan(transaction, name))
            .await
    }

    async fn list_blobs(&self, after: Option<&Digest>, count: usize) -> Result<Page<ScrubEntry>> {
        let after = after.copied();
        // Inline bytes come along.
        self.list_apart(move |shared, effort| {
            damage::blobs(&View::committed(&*shared.map()?), after.as_ref(), count, effort)
        })
        .await
    }

    async fn mark_damaged(&self, digest: &Digest, seen: Option<&BlobContent>) -> Result<DamageOutcome> {
        let (digest, seen) = (*digest, seen.cloned());
        self.change(move |transaction| damage::mark(transaction, &digest, seen.as_ref()))
            .await
    }

    async fn clear_damage(&self, digest: &Digest, seen: &BlobContent) -> Result<DamageOutcome> {
        let (digest, seen) = (*digest, seen.clone());
        self.change(move |transaction| damage::clear(transaction, &digest, &seen))
            .await
    }

    async fn inspect_blob(&self, digest: &Digest) -> Result<Option<ScrubEntry>> {
        self.read(|view| damage::blob(view, digest))
    }

    async fn list_damaged(&self, count: usize) -> Result<Page<Digest>> {
        self.list_rows(move |view, effort| damage::list(view, count, effort))
            .await
    }

    async fn scrub_position(&self) -> Result<ScrubPosition> {
        self.read(|view| damage::position(view, self.shared.now()))
    }

    async fn save_scrub_position(&self, position: ScrubPosition) -> Result<()> {
        self.note(move |transaction| damage::save_position(transaction, position))
            .await
    }

    async fn find_orphans(&self, names: &[LocationName]) -> Result<Vec<LocationName>> {
        let names = names.to_vec();
        self.block(move |shared| store::unknown_names(&View::committed(&*shared.map()?), &names))
            .await
    }

    async fn sweep_position(&self) -> Result<Option<SweepPosition>> {
        self.read(store::sweep_position)
    }

    async fn save_sweep_position(&self, position: SweepPosition) -> Result<()> {
        self.note(move |transaction| store::save_sweep_position(transaction, position))
            .await
    }

    async fn store_id(&self) -> Result<Option<StoreId>> {
        self.read(store::id)
    }

    async fn set_store_id(&self, id: StoreId) -> Result<()> {
        self.change(move |transaction| {
            store::set_id(transaction, id);
            Ok(())
        })
        .await
    }

    async fn is_empty(&self) -> Result<bool> {
        self.block(|shared| store::is_empty(&View::committed(&*shared.map()?)))
            .await
    }

    fn set_timing(&self, timing: Timing) {
        self.shared.set_timing(timing);
    }

    async fn now(&self) -> Result<Timestamp> {
        Ok(self.shared.now())
    }

    async fn ping(&self) -> Result<()> {
        // Through the committer, so that a thread that hangs or has gone is noticed.
        self.note(|transaction| {
            transaction
                .view()
                .find(&keys::uploads(), Effort::Bounded, |_| true)
                .map(drop)
        })
        .await
    }
}

fn read_upload(key: &[u8], value: &[u8]) -> Option<UploadEntry> {
    let id = Elements::of(key).id()?;
    let upload = UploadRow::decode(&bytes::Bytes::copy_from_slice(value))?;
    Some(UploadEntry {
        id,
        holder: upload.holder,
        touched_at: upload.touched_at,
        epoch: upload.epoch,
    })
}

fn read_due(key: &[u8]) -> Option<DueLink> {
    let mut elements = Elements::of(key);
    Some(DueLink {
        due_at: elements.time()?,
        holder: elements.holder()?,
        digest: elements.digest()?,
    })
}

fn read_doomed(key: &[u8]) -> Option<LocationName> {
    let mut elements = Elements::of(key);
    elements.time()?;
    elements.name()
}
