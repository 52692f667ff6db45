//! Operations on multipart uploads.

use async_trait::async_trait;
use zas_core::{Digest, UploadId};

use crate::{
    AbortMultipartOutcome, CompleteMultipart, CompleteOutcome, CompletedMultipart, CompositePart,
    CreateMultipartOutcome, DigestOutcome, Garbage, GarbageOutcome, ListMultiparts, MultipartName,
    MultipartPage, MultipartStat, NewMultipart, Origin, Page, Part, PutPart, PutPartOutcome, Result, Run,
};

/// Objects that come in parts. The parts keep their rows and their bytes when the upload is completed: nothing is copied.
#[async_trait]
pub trait MultipartStore: std::fmt::Debug + Send + Sync + 'static {
    /// Opens a multipart upload. It stays open until it is completed or aborted, or its bucket goes.
    async fn create_multipart(
        &self,
        origin: &Origin,
        multipart: NewMultipart,
    ) -> Result<CreateMultipartOutcome>;

    /// An open multipart upload.
    async fn stat_multipart(&self, name: &MultipartName) -> Result<Option<MultipartStat>>;

    /// Writes a part. One of its number that was there is given up.
    async fn put_part(&self, origin: &Origin, part: PutPart) -> Result<PutPartOutcome>;

    /// Parts whose number is larger than `after`. `None`: there is no such open multipart upload.
    async fn list_parts(&self, name: &MultipartName, after: u16, count: usize) -> Result<Option<Page<Part>>>;

    /// Open multipart uploads, by key in byte order and from the oldest on.
    async fn list_multiparts(&self, list: ListMultiparts) -> Result<MultipartPage>;

    /// Makes an object of parts. The list is written in pieces; the last one decides. A repeated call gives the first
    /// one's result for as long as the object is there.
    async fn complete_multipart(
        &self,
        origin: &Origin,
        completion: CompleteMultipart,
    ) -> Result<CompleteOutcome>;

    /// What a multipart upload became; `None`: it is open, or was aborted, or the object is gone.
    async fn completed_multipart(&self, name: &MultipartName) -> Result<Option<CompletedMultipart>>;

    /// Closes a multipart upload and gives its parts up.
    async fn abort_multipart(&self, origin: &Origin, name: &MultipartName) -> Result<AbortMultipartOutcome>;

    /// Up to `count` runs of a composite's bytes from `offset` on, the first of which begins exactly there. Empty at its
    /// end; `None`: there is no such composite.
    async fn read_composite(
        &self,
        composite: UploadId,
        offset: u64,
        count: usize,
    ) -> Result<Option<Vec<Run>>>;

    /// Parts of a composite whose number is larger than `after`. `None`: there is no such composite.
    async fn list_composite_parts(
        &self,
        composite: UploadId,
        after: u16,
        count: usize,
    ) -> Result<Option<Page<CompositePart>>>;

    /// Composites whose digest is not known, the oldest first, behind `after`.
    async fn list_undigested(&self, after: Option<UploadId>, count: usize) -> Result<Vec<UploadId>>;

    /// Tells the digest of a composite, after all its bytes were read.
    async fn set_composite_digest(&self, composite: UploadId, digest: &Digest) -> Result<DigestOutcome>;

    /// Up to `count` things to be given up now, the oldest first. They stay until they are done. None while the clocks
    /// are in doubt.
    async fn take_garbage(&self, count: usize) -> Result<Vec<Garbage>>;

    /// Gives up to 64 physical names of one thing up, or finds that it stays.
    async fn drain_garbage(&self, garbage: &Garbage) -> Result<GarbageOutcome>;
}
