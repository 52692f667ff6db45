//! Operations on buckets.

use async_trait::async_trait;
use bytes::Bytes;
use zas_core::{BucketId, BucketName};

use crate::{
    Bucket, BucketOutcome, CreateBucketOutcome, DeleteBucketOutcome, DocumentKind, ListBuckets, ListedBucket,
    NewBucket, Origin, Page, Result, Versioning,
};

/// Buckets by name, and what is set for them.
#[async_trait]
pub trait BucketStore: std::fmt::Debug + Send + Sync + 'static {
    /// Makes a bucket, unless its name is taken. It inherits nothing from one that had its name before.
    async fn create_bucket(&self, origin: &Origin, bucket: NewBucket) -> Result<CreateBucketOutcome>;

    /// The bucket of a name.
    async fn stat_bucket(&self, name: &BucketName) -> Result<Option<Bucket>>;

    /// Buckets in the byte order of their names.
    async fn list_buckets(&self, list: ListBuckets) -> Result<Page<ListedBucket>>;

    /// Deletes a bucket that holds no version and no delete marker.
    async fn delete_bucket(&self, origin: &Origin, bucket: BucketId) -> Result<DeleteBucketOutcome>;

    /// Changes whether a bucket keeps versions, from the next write on.
    async fn set_versioning(
        &self,
        origin: &Origin,
        bucket: BucketId,
        versioning: Versioning,
    ) -> Result<BucketOutcome>;

    /// A document of a bucket, as it was set.
    async fn bucket_document(&self, bucket: BucketId, kind: DocumentKind) -> Result<Option<Bytes>>;

    /// Sets a document of a bucket; `None` removes it.
    async fn set_bucket_document(
        &self,
        origin: &Origin,
        bucket: BucketId,
        kind: DocumentKind,
        document: Option<Bytes>,
    ) -> Result<BucketOutcome>;
}
