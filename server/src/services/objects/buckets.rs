//! Making, finding, listing and deleting buckets.

use zas_core::{BucketId, BucketName};
use zas_metadata::{
    Bucket, BucketOutcome, CreateBucketOutcome, DeleteBucketOutcome, DocumentKind, ListBuckets, ListedBucket,
    NewBucket, Page, Versioning,
};

use super::{Objects, ObjectsError, Result, owner};
use crate::services::auth::{Granted, action};

impl Objects {
    /// Makes a bucket, unless its name is taken.
    ///
    /// # Errors
    /// Only failures of the store.
    pub async fn create_bucket(
        &self,
        granted: Granted<'_, action::CreateBucket>,
        region: &str,
    ) -> Result<CreateBucketOutcome> {
        let actor = granted.actor();
        let bucket = NewBucket {
            name: granted.target().clone(),
            id: BucketId::new(self.id()),
            owner: owner(&actor),
            region: region.to_owned(),
        };
        let outcome = self.metadata.create_bucket(&self.origin(&actor), bucket).await?;
        if let CreateBucketOutcome::Created(bucket) = &outcome {
            tracing::info!(bucket = %bucket.name, actor = actor.subject(), "made bucket");
        }
        Ok(outcome)
    }

    /// The bucket of a name.
    ///
    /// # Errors
    /// [`ObjectsError::NoSuchBucket`].
    pub async fn bucket(&self, name: &BucketName) -> Result<Bucket> {
        let bucket = self.metadata.stat_bucket(name).await?;
        bucket.ok_or(ObjectsError::NoSuchBucket)
    }

    /// The caller's own buckets.
    ///
    /// # Errors
    /// Only failures of the store.
    pub async fn list_buckets(
        &self,
        granted: Granted<'_, action::ListAllMyBuckets>,
        prefix: String,
        after: Option<String>,
        count: usize,
    ) -> Result<Page<ListedBucket>> {
        let list = ListBuckets {
            owner: Some(owner(&granted.actor())),
            prefix,
            after,
            count,
        };
        Ok(self.metadata.list_buckets(list).await?)
    }

    /// Deletes a bucket that holds no version and no delete marker.
    ///
    /// # Errors
    /// [`ObjectsError::BucketNotEmpty`], [`ObjectsError::NoSuchBucket`].
    pub async fn delete_bucket(
        &self,
        granted: Granted<'_, action::DeleteBucket>,
        bucket: BucketId,
    ) -> Result<()> {
        let actor = granted.actor();
        match self.metadata.delete_bucket(&self.origin(&actor), bucket).await? {
            DeleteBucketOutcome::Deleted => {
                tracing::info!(bucket = %granted.target().name, actor = actor.subject(), "deleted bucket");
                Ok(())
            }
            DeleteBucketOutcome::NotEmpty => Err(ObjectsError::BucketNotEmpty),
            DeleteBucketOutcome::Unknown => Err(ObjectsError::NoSuchBucket),
        }
    }

    /// Changes whether a bucket keeps versions.
    ///
    /// # Errors
    /// [`ObjectsError::NoSuchBucket`].
    pub async fn set_versioning(
        &self,
        granted: Granted<'_, action::PutBucketVersioning>,
        bucket: BucketId,
        versioning: Versioning,
    ) -> Result<()> {
        let origin = self.origin(&granted.actor());
        done(self.metadata.set_versioning(&origin, bucket, versioning).await?)
    }

    /// The tags of a bucket, as they were set.
    ///
    /// # Errors
    /// Only failures of the store.
    pub async fn bucket_tags(
        &self,
        _granted: Granted<'_, action::GetBucketTagging>,
        bucket: BucketId,
    ) -> Result<Option<bytes::Bytes>> {
        Ok(self.metadata.bucket_document(bucket, DocumentKind::Tags).await?)
    }

    /// Gives a bucket tags, or takes them away.
    ///
    /// # Errors
    /// [`ObjectsError::NoSuchBucket`].
    pub async fn set_bucket_tags(
        &self,
        granted: Granted<'_, action::PutBucketTagging>,
        bucket: BucketId,
        document: Option<bytes::Bytes>,
    ) -> Result<()> {
        let origin = self.origin(&granted.actor());
        let outcome = self
            .metadata
            .set_bucket_document(&origin, bucket, DocumentKind::Tags, document);
        done(outcome.await?)
    }
}

fn done(outcome: BucketOutcome) -> Result<()> {
    match outcome {
        BucketOutcome::Done => Ok(()),
        BucketOutcome::Unknown => Err(ObjectsError::NoSuchBucket),
    }
}
