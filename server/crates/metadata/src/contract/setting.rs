//! What the cases stand on: a store, its clocks, and short words for what clients do.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use zas_core::{Clock as _, Digest, Holder, LocationName, ManualClock, Tag, Timestamp, UploadId};

use super::{Make, Subject};
use crate::{
    BlobContent, BlobStat, Clocks, CommitManifest, CommitOutcome, DueLink, Epoch, Extent, FinishOutcome,
    FinishUpload, Lease, MetadataStore, Monotonic, NewBlob, Origin, Page, Precondition, Presence, Progress,
    ReapOutcome, ReferenceEdge, Referral, Retyping, Timing, Written,
};

pub(super) const GRACE: Duration = Duration::from_hours(1);
pub(super) const DOOM_DELAY: Duration = Duration::from_mins(15);
pub(super) const LEASE: Duration = Duration::from_hours(2);
pub(super) const MOMENT: Duration = Duration::from_millis(1);

/// A new store and what surrounds it.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) store: Arc<dyn MetadataStore>,
    _ground: Arc<dyn Any + Send + Sync>,
    clock: Arc<ManualClock>,
    monotonic: Arc<ManualMonotonic>,
    ids: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct ManualMonotonic(Mutex<Duration>);

impl Monotonic for ManualMonotonic {
    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap()
    }
}

impl Setting {
    pub(super) fn new(make: Make<'_>) -> Self {
        let clock = Arc::new(ManualClock::starting_at(Timestamp::from_millis(
            1_700_000_000_000,
        )));
        let monotonic = Arc::new(ManualMonotonic::default());
        let clocks = Clocks {
            wall: Arc::<ManualClock>::clone(&clock),
            monotonic: Arc::<ManualMonotonic>::clone(&monotonic),
        };
        let Subject { store, ground } = make(
            clocks,
            Timing {
                grace: GRACE,
                doom_delay: DOOM_DELAY,
            },
        );
        Self {
            store,
            _ground: ground,
            clock,
            monotonic,
            ids: Arc::new(AtomicU64::new(1)),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets time pass on both clocks.
    pub(super) fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.pass_monotonic(time);
    }

    /// Moves the wall clock alone.
    pub(super) fn jump(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// Moves the wall clock alone, back.
    pub(super) fn jump_back(&self, time: Duration) {
        self.clock.go_back(time);
    }

    pub(super) fn pass_monotonic(&self, time: Duration) {
        *self.monotonic.0.lock().unwrap() += time;
    }

    /// A new id; later ones sort behind earlier ones.
    pub(super) fn id(&self) -> UploadId {
        let number = self.ids.fetch_add(1, Ordering::SeqCst);
        let mut random = [0; 10];
        random[2..].copy_from_slice(&number.to_be_bytes());
        // The version's and variant's bits lie over the first two bytes.
        UploadId::new(self.now(), &random)
    }

    /// Random bits, as far as these tests care.
    pub(super) fn random(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::SeqCst)
    }

    /// An upload into `repository` with its writer's epoch.
    pub(super) async fn start(&self, holder: &Holder) -> (UploadId, Epoch) {
        let id = self.id();
        self.store.create_upload(&origin(), holder, id).await.unwrap();
        let claim = self.store.claim_upload(holder, id).await.unwrap().unwrap();
        (id, claim.epoch)
    }

    /// Pushes a small blob in one request.
    pub(super) async fn push_inline(&self, holder: &Holder, content: &'static str) -> Digest {
        self.finish_inline(holder, self.id(), None, content).await;
        digest(content)
    }

    pub(super) async fn finish_inline(
        &self,
        holder: &Holder,
        id: UploadId,
        epoch: Option<Epoch>,
        content: &'static str,
    ) -> FinishOutcome {
        let blob = NewBlob {
            digest: digest(content),
            size: content.len() as u64,
            content: BlobContent::Inline(Bytes::from_static(content.as_bytes())),
        };
        self.finish(FinishUpload {
            id,
            epoch,
            holder: holder.clone(),
            blob,
        })
        .await
    }

    /// Pushes a blob whose bytes are in the blob store; gives its digest and physical name.
    pub(super) async fn push_file(&self, holder: &Holder, content: &str) -> (Digest, LocationName) {
        let (id, epoch) = self.start(holder).await;
        self.finish_file(holder, id, epoch, content).await;
        (digest(content), epoch.name(id, 0))
    }

    pub(super) async fn finish_file(
        &self,
        holder: &Holder,
        id: UploadId,
        epoch: Epoch,
        content: &str,
    ) -> FinishOutcome {
        let blob = file(epoch.name(id, 0), content);
        self.finish(FinishUpload {
            id,
            epoch: Some(epoch),
            holder: holder.clone(),
            blob,
        })
        .await
    }

    pub(super) async fn finish(&self, upload: FinishUpload) -> FinishOutcome {
        self.store.finish_upload(&origin(), upload).await.unwrap()
    }

    pub(super) async fn stat(&self, holder: &Holder, digest: &Digest) -> Option<BlobStat> {
        self.store.stat_blob(holder, digest, Lease::Leave).await.unwrap()
    }

    pub(super) async fn renew(&self, holder: &Holder, digest: &Digest) -> Option<BlobStat> {
        self.store.stat_blob(holder, digest, Lease::Renew).await.unwrap()
    }

    pub(super) async fn commit(&self, manifest: CommitManifest) -> CommitOutcome {
        self.store.commit_manifest(&origin(), manifest).await.unwrap()
    }

    /// Takes one page of due links and reaps each.
    pub(super) async fn collect(&self) -> Vec<(DueLink, ReapOutcome)> {
        let mut outcomes = Vec::new();
        for due in self.store.take_due(10_000).await.unwrap() {
            let outcome = self.store.reap(&due).await.unwrap();
            outcomes.push((due, outcome));
        }
        outcomes
    }

    /// What became of the due links, in order.
    pub(super) async fn outcomes(&self) -> Vec<ReapOutcome> {
        self.collect()
            .await
            .into_iter()
            .map(|(_, outcome)| outcome)
            .collect()
    }

    pub(super) async fn doomed(&self) -> Vec<LocationName> {
        self.store.take_doomed(10_000).await.unwrap()
    }
}

pub(super) fn origin() -> Origin {
    Origin {
        operation: [7; 16],
        actor: "ci".to_owned(),
    }
}

pub(super) fn repository(name: &str) -> Holder {
    Holder::Repository(name.parse().unwrap())
}

pub(super) fn tag(name: &str) -> Tag {
    name.parse().unwrap()
}

pub(super) fn digest(content: &str) -> Digest {
    Digest::sha256_of(content.as_bytes())
}

/// The epoch of a claim in a store that was opened once.
pub(super) fn epoch(claim: u64) -> Epoch {
    Epoch { start: 1, claim }
}

/// A name that nobody was given.
pub(super) fn stray(id: UploadId) -> LocationName {
    epoch(99).name(id, 0)
}

/// A run of bytes under a name, which is written.
pub(super) fn run(location: LocationName, length: u64) -> Extent {
    Extent {
        location,
        offset: 0,
        length,
    }
}

/// Runs that were written since the writer last said so, while it goes on.
pub(super) fn written(extents: &[Extent]) -> Written {
    Written {
        extents: extents.to_vec(),
        is_last: false,
    }
}

/// A blob whose bytes are under the name.
pub(super) fn file(name: LocationName, content: &str) -> NewBlob {
    let length = content.len() as u64;
    let content_at = BlobContent::Extents(vec![run(name, length)]);
    NewBlob {
        digest: digest(content),
        size: length,
        content: content_at,
    }
}

pub(super) fn progress(offset: u64, inline: Option<&'static str>) -> Progress {
    let inline = inline.map(|text| Bytes::from_static(text.as_bytes()));
    Progress {
        offset,
        hashes: Vec::new(),
        inline,
    }
}

pub(super) fn committed(created: bool) -> CommitOutcome {
    CommitOutcome::Committed {
        created,
        displaced: Vec::new(),
    }
}

/// A manifest whose bytes are `body` and whose digest is that of them.
pub(super) fn manifest(holder: &Holder, body: &str) -> CommitManifest {
    CommitManifest {
        holder: holder.clone(),
        digest: digest(body),
        media_type: "application/vnd.oci.image.manifest.v1+json".parse().unwrap(),
        body: Bytes::from(body.to_owned()),
        references: Vec::new(),
        subject: None,
        retyping: Retyping::Allowed,
        tags: Vec::new(),
    }
}

/// Words to describe a manifest with.
pub(super) trait Describe: Sized {
    fn refers(self, digest: &Digest, presence: Presence) -> Self;
    fn tagged(self, name: &str, precondition: Precondition) -> Self;
    fn about(self, subject: &Digest, artifact_type: &str) -> Self;
}

impl Describe for CommitManifest {
    fn refers(mut self, digest: &Digest, presence: Presence) -> Self {
        self.references.push(ReferenceEdge {
            digest: *digest,
            presence,
        });
        self
    }

    fn tagged(mut self, name: &str, precondition: Precondition) -> Self {
        self.tags.push((tag(name), precondition));
        self
    }

    fn about(mut self, subject: &Digest, artifact_type: &str) -> Self {
        let descriptor = Bytes::from(format!("{{\"digest\":\"{}\"}}", self.digest));
        self.subject = Some(Referral {
            subject: *subject,
            artifact_type: artifact_type.to_owned(),
            descriptor,
        });
        self
    }
}

/// The texts of a page's entries.
pub(super) fn names<T: std::fmt::Display>(page: &Page<T>) -> Vec<String> {
    page.entries.iter().map(ToString::to_string).collect()
}
