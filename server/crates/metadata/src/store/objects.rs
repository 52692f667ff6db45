//! Operations on objects.

use async_trait::async_trait;
use zas_core::{BucketId, Digest, ObjectKey};

use crate::{
    DeleteObject, DeleteOutcome, ListObjects, ListVersions, ObjectBytes, ObjectLookup, ObjectPage,
    ObjectVersion, ObjectWithDigest, Origin, Owner, PutObject, PutOutcome, Result, UpdateOutcome,
    VersionPage, VersionSelector,
};

/// Objects of buckets, and their versions. Whatever names a bucket that is gone finds nothing.
#[async_trait]
pub trait ObjectStore: std::fmt::Debug + Send + Sync + 'static {
    /// Writes a version, which is the current one from then on. Where no versions are kept it takes the place of the
    /// `null` version.
    async fn put_object(&self, origin: &Origin, object: PutObject) -> Result<PutOutcome>;

    /// A version without its bytes.
    async fn stat_object(
        &self,
        bucket: BucketId,
        key: &ObjectKey,
        version: VersionSelector,
    ) -> Result<ObjectLookup<ObjectVersion>>;

    /// A version and where its bytes are.
    async fn get_object(
        &self,
        bucket: BucketId,
        key: &ObjectKey,
        version: VersionSelector,
    ) -> Result<ObjectLookup<(ObjectVersion, ObjectBytes)>>;

    /// Deletes an object or a version; a delete marker that is made belongs to `owner`.
    async fn delete_object(
        &self,
        origin: &Origin,
        bucket: BucketId,
        owner: &Owner,
        deletion: DeleteObject,
    ) -> Result<DeleteOutcome>;

    /// Makes several deletions in this order, each of which is made or not by itself. An outcome for each.
    async fn delete_objects(
        &self,
        origin: &Origin,
        bucket: BucketId,
        owner: &Owner,
        deletions: Vec<DeleteObject>,
    ) -> Result<Vec<DeleteOutcome>>;

    /// Gives a version these tags in place of those that it has.
    async fn set_object_tags(
        &self,
        origin: &Origin,
        bucket: BucketId,
        key: &ObjectKey,
        version: VersionSelector,
        tags: Vec<(String, String)>,
    ) -> Result<UpdateOutcome>;

    /// Up to `count` versions whose content or whose manifest ([`zas_core::ObjectManifest`]) has this digest. What was made
    /// of parts is found when its digest was told.
    async fn find_objects(
        &self,
        bucket: BucketId,
        digest: &Digest,
        count: usize,
    ) -> Result<Vec<ObjectWithDigest>>;

    /// Objects whose current version is no delete marker, in byte order.
    async fn list_objects(&self, list: ListObjects) -> Result<ObjectPage>;

    /// Versions and delete markers, by key in byte order and from the latest on.
    async fn list_object_versions(&self, list: ListVersions) -> Result<VersionPage>;
}
