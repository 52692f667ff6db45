//! Buckets over an ordered map.

use async_trait::async_trait;
use bytes::Bytes;
use zas_core::{BucketId, BucketName};

use super::EmbeddedMetadata;
use crate::operations::buckets::{self, Deletion};
use crate::ordered_map::{Effort, OrderedMap};
use crate::{
    Bucket, BucketOutcome, BucketStore, CreateBucketOutcome, DeleteBucketOutcome, DocumentKind, ListBuckets,
    ListedBucket, NewBucket, Origin, Page, Result, Versioning, keys,
};

#[async_trait]
impl<M: OrderedMap> BucketStore for EmbeddedMetadata<M> {
    async fn create_bucket(&self, _origin: &Origin, bucket: NewBucket) -> Result<CreateBucketOutcome> {
        self.change(move |transaction| buckets::create(transaction, bucket))
            .await
    }

    async fn stat_bucket(&self, name: &BucketName) -> Result<Option<Bucket>> {
        self.read(|view| buckets::stat(view, name))
    }

    async fn list_buckets(&self, list: ListBuckets) -> Result<Page<ListedBucket>> {
        self.list_rows(move |view, effort| buckets::list(view, &list, effort))
            .await
    }

    async fn delete_bucket(&self, _origin: &Origin, bucket: BucketId) -> Result<DeleteBucketOutcome> {
        let delete = |effort| self.change(move |transaction| buckets::delete(transaction, bucket, effort));
        if let Deletion::Made(outcome) = delete(Effort::Bounded).await? {
            return Ok(outcome);
        }
        // Merged away outside, so that the one thread that writes crosses few of them.
        self.block(move |shared| shared.map()?.tidy(&keys::versions(bucket, "")))
            .await?;
        match delete(Effort::Unbounded).await? {
            Deletion::Made(outcome) => Ok(outcome),
            Deletion::Unsure => Ok(DeleteBucketOutcome::NotEmpty),
        }
    }

    async fn set_versioning(
        &self,
        _origin: &Origin,
        bucket: BucketId,
        versioning: Versioning,
    ) -> Result<BucketOutcome> {
        self.change(move |transaction| buckets::set_versioning(transaction, bucket, versioning))
            .await
    }

    async fn bucket_document(&self, bucket: BucketId, kind: DocumentKind) -> Result<Option<Bytes>> {
        self.read(|view| buckets::document(view, bucket, kind))
    }

    async fn set_bucket_document(
        &self,
        _origin: &Origin,
        bucket: BucketId,
        kind: DocumentKind,
        document: Option<Bytes>,
    ) -> Result<BucketOutcome> {
        self.change(move |transaction| buckets::set_document(transaction, bucket, kind, document))
            .await
    }
}
