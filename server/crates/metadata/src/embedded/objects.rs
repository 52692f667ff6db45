//! Objects over an ordered map.

use async_trait::async_trait;
use zas_core::{BucketId, Digest, ObjectKey};

use super::EmbeddedMetadata;
use crate::operations::objects::deletion::{self, Step, Successor};
use crate::operations::objects::{Place, digests, listing, lookup, version_listing, writing};
use crate::ordered_map::{Effort, OrderedMap};
use crate::transaction::Transaction;
use crate::view::View;
use crate::{
    DeleteObject, DeleteOutcome, ListObjects, ListVersions, MetadataError, ObjectBytes, ObjectLookup,
    ObjectPage, ObjectStore, ObjectVersion, ObjectWithDigest, Origin, Owner, PutObject, PutOutcome, Result,
    UpdateOutcome, VersionPage, VersionSelector,
};

#[async_trait]
impl<M: OrderedMap> ObjectStore for EmbeddedMetadata<M> {
    async fn put_object(&self, _origin: &Origin, object: PutObject) -> Result<PutOutcome> {
        self.change(move |transaction| writing::put(transaction, object))
            .await
    }

    async fn stat_object(
        &self,
        bucket: BucketId,
        key: &ObjectKey,
        version: VersionSelector,
    ) -> Result<ObjectLookup<ObjectVersion>> {
        self.read(|view| lookup::stat(view, bucket, key, version))
    }

    async fn get_object(
        &self,
        bucket: BucketId,
        key: &ObjectKey,
        version: VersionSelector,
    ) -> Result<ObjectLookup<(ObjectVersion, ObjectBytes)>> {
        self.read(|view| lookup::get(view, bucket, key, version))
    }

    async fn delete_object(
        &self,
        _origin: &Origin,
        bucket: BucketId,
        owner: &Owner,
        deletion: DeleteObject,
    ) -> Result<DeleteOutcome> {
        self.delete_one(bucket, owner, deletion).await
    }

    async fn delete_objects(
        &self,
        _origin: &Origin,
        bucket: BucketId,
        owner: &Owner,
        deletions: Vec<DeleteObject>,
    ) -> Result<Vec<DeleteOutcome>> {
        let mut outcomes = Vec::with_capacity(deletions.len());
        let mut rest = deletions.as_slice();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(deletion::together(rest));
            let (several, theirs) = (now.to_vec(), owner.clone());
            let made = self
                .change(move |transaction| deletion::delete_several(transaction, bucket, &theirs, &several))
                .await?;
            for (one, outcome) in now.iter().zip(made) {
                outcomes.push(match outcome {
                    Some(outcome) => outcome,
                    None => damaged(self.delete_one(bucket, owner, one.clone()).await)?,
                });
            }
            rest = later;
        }
        Ok(outcomes)
    }

    async fn set_object_tags(
        &self,
        _origin: &Origin,
        bucket: BucketId,
        key: &ObjectKey,
        version: VersionSelector,
        tags: Vec<(String, String)>,
    ) -> Result<UpdateOutcome> {
        let key = key.clone();
        self.change(move |transaction| writing::set_tags(transaction, bucket, &key, version, tags))
            .await
    }

    async fn find_objects(
        &self,
        bucket: BucketId,
        digest: &Digest,
        count: usize,
    ) -> Result<Vec<ObjectWithDigest>> {
        self.read(|view| digests::find(view, bucket, digest, count))
    }

    async fn list_objects(&self, list: ListObjects) -> Result<ObjectPage> {
        self.list_rows(move |view, effort| listing::objects(view, &list, effort))
            .await
    }

    async fn list_object_versions(&self, list: ListVersions) -> Result<VersionPage> {
        self.list_rows(move |view, effort| version_listing::versions(view, &list, effort))
            .await
    }
}

/// One of several deletions that cannot be made does not keep the others from it.
fn damaged(outcome: Result<DeleteOutcome>) -> Result<DeleteOutcome> {
    match outcome {
        Err(MetadataError::Corrupt(damage)) => {
            tracing::error!(%damage, "an object cannot be deleted");
            Ok(DeleteOutcome::Damaged)
        }
        outcome => outcome,
    }
}

impl<M: OrderedMap> EmbeddedMetadata<M> {
    async fn delete_one(
        &self,
        bucket: BucketId,
        owner: &Owner,
        deletion: DeleteObject,
    ) -> Result<DeleteOutcome> {
        let mut successor = Successor::NotSought;
        loop {
            let (owner, deletion_now) = (owner.clone(), deletion.clone());
            let step = move |transaction: &mut Transaction<'_>| {
                deletion::delete(transaction, bucket, &owner, &deletion_now, successor)
            };
            let behind = match self.change(step).await? {
                Step::Made(outcome) => return Ok(outcome),
                Step::SeekBehind(sequence) => sequence,
            };
            let key = deletion.key.clone();
            let found = self.block(move |shared| {
                let (map, place) = (
                    shared.map()?,
                    Place {
                        bucket,
                        key: &key,
                        sequence: behind,
                    },
                );
                deletion::find_behind(&View::committed(&*map), place, Effort::Unbounded)
            });
            let found = deletion::found_sequence(&found.await?);
            successor = Successor::Sought { behind, found };
        }
    }
}
