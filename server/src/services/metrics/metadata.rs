//! Counting the operations of the metadata store.

use std::sync::Arc;

use async_trait::async_trait;
use zas_core::{Digest, Reference, RepositoryName, Tag, UploadId};
use zas_metadata::{
    BlobStat, Claim, CommitManifest, CommitOutcome, DeleteManifestOutcome, DeleteTagOutcome, DueLink, Epoch,
    FinishOutcome, FinishUpload, Lease, MetadataStore, MountOutcome, Origin, OrphanOutcome, Page,
    Precondition, Progress, ReapOutcome, ReferrerCursor, ReferrerPage, Result, StoredManifest, Timing,
    UploadEntry, WriterOutcome,
};

use super::{ServerMetrics, measured};

/// A metadata store whose operations are counted.
#[derive(Debug)]
pub struct MeasuredMetadata {
    inner: Arc<dyn MetadataStore>,
    metrics: Arc<ServerMetrics>,
}

impl MeasuredMetadata {
    /// Counts the operations of `inner`.
    pub fn new(inner: Arc<dyn MetadataStore>, metrics: Arc<ServerMetrics>) -> Self {
        Self { inner, metrics }
    }
}

/// Writes the methods that hand on their arguments and count the call.
macro_rules! counted {
    ($(fn $operation:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl MetadataStore for MeasuredMetadata {
            $(
                async fn $operation(&self, $($argument: $kind),*) -> Result<$answer> {
                    let running = self.inner.$operation($($argument),*);
                    measured(&self.metrics, "metadata", stringify!($operation), running).await
                }
            )*

            fn set_timing(&self, timing: Timing) {
                self.inner.set_timing(timing);
            }
        }
    };
}

counted! {
    fn create_upload(origin: &Origin, repository: &RepositoryName, id: UploadId) -> Epoch;
    fn stat_upload(repository: &RepositoryName, id: UploadId) -> Option<u64>;
    fn claim_upload(repository: &RepositoryName, id: UploadId) -> Option<Claim>;
    fn save_progress(id: UploadId, epoch: Epoch, progress: Progress) -> WriterOutcome;
    fn touch_upload(id: UploadId, epoch: Epoch) -> WriterOutcome;
    fn finish_upload(origin: &Origin, upload: FinishUpload) -> FinishOutcome;
    fn abort_upload(origin: &Origin, id: UploadId, epoch: Epoch) -> WriterOutcome;
    fn list_uploads(after: Option<UploadId>, count: usize) -> Page<UploadEntry>;
    fn stat_blob(repository: &RepositoryName, digest: &Digest, lease: Lease) -> Option<BlobStat>;
    fn find_holders(digest: &Digest, count: usize) -> Vec<RepositoryName>;
    fn mount_blob(origin: &Origin, from: &RepositoryName, to: &RepositoryName, digest: &Digest) -> MountOutcome;
    fn unlink_blob(origin: &Origin, repository: &RepositoryName, digest: &Digest) -> bool;
    fn commit_manifest(origin: &Origin, manifest: CommitManifest) -> CommitOutcome;
    fn resolve_manifest(repository: &RepositoryName, reference: &Reference) -> Option<StoredManifest>;
    fn resolve_tag(repository: &RepositoryName, tag: &Tag) -> Option<Digest>;
    fn delete_tag(origin: &Origin, repository: &RepositoryName, tag: &Tag, precondition: Precondition) -> DeleteTagOutcome;
    fn delete_manifest(origin: &Origin, repository: &RepositoryName, digest: &Digest) -> DeleteManifestOutcome;
    fn list_tags(repository: &RepositoryName, after: Option<&str>, count: usize) -> Option<Page<Tag>>;
    fn list_repositories(prefix: &str, after: Option<&str>, count: usize) -> Page<RepositoryName>;
    fn list_referrers(
        repository: &RepositoryName,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<&ReferrerCursor>,
        count: usize,
        bytes: usize
    ) -> ReferrerPage;
    fn take_due(count: usize) -> Vec<DueLink>;
    fn reap(link: &DueLink) -> ReapOutcome;
    fn take_doomed(count: usize) -> Vec<UploadId>;
    fn forget_location(name: UploadId) -> ();
    fn claim_orphan(name: UploadId) -> OrphanOutcome;
    fn ping() -> ();
}
