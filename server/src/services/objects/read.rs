//! Finding and opening objects.

use zas_core::{BucketId, ByteRange, UploadId};
use zas_metadata::{
    ContentRef, Extent, ObjectBytes, ObjectLookup, ObjectVersion, Run, UpdateOutcome, VersionSelector,
};

use super::{Objects, ObjectsError, Result};
use crate::services::auth::{Granted, OwnedObject, action};
use crate::services::registry::BlobBody;

/// Runs of a composite that are looked up at a time.
const RUNS: usize = 1_000;

/// An object that was found for reading.
#[derive(Clone, Debug)]
pub struct FoundObject {
    /// The version.
    pub version: ObjectVersion,
    /// Where its bytes are.
    bytes: ObjectBytes,
}

impl Objects {
    /// A version without its bytes.
    ///
    /// # Errors
    /// [`ObjectsError::NoSuchKey`], [`ObjectsError::NoSuchVersion`], [`ObjectsError::DeleteMarker`].
    pub async fn stat_object(
        &self,
        granted: Granted<'_, action::GetObject>,
        bucket: BucketId,
        version: VersionSelector,
    ) -> Result<ObjectVersion> {
        self.stat(bucket, granted.target(), version).await
    }

    /// Finds a version for reading. Writes nothing.
    ///
    /// # Errors
    /// As of [`Self::stat_object`].
    pub async fn find_object(
        &self,
        granted: Granted<'_, action::GetObject>,
        bucket: BucketId,
        version: VersionSelector,
    ) -> Result<FoundObject> {
        let target = granted.target();
        let found = self.metadata.get_object(bucket, &target.key, version).await?;
        let (found, bytes) = present(found, version)?;
        Ok(FoundObject {
            version: found,
            bytes,
        })
    }

    /// Opens a range of an object, and says where in what was opened it lies.
    ///
    /// # Errors
    /// Only failures of the stores.
    pub async fn open_range(&self, object: &FoundObject, range: ByteRange) -> Result<(BlobBody, ByteRange)> {
        match &object.bytes {
            ObjectBytes::Inline(bytes) => Ok((BlobBody::Inline(bytes.clone()), range)),
            ObjectBytes::Extents(extents) => {
                Ok((self.open_extents(&object.version.content, extents).await?, range))
            }
            ObjectBytes::Composite(id) => {
                let body = self.open_composite(*id, range).await?;
                Ok((
                    body,
                    ByteRange {
                        start: 0,
                        length: range.length,
                    },
                ))
            }
        }
    }

    async fn open_extents(&self, content: &ContentRef, extents: &[Extent]) -> Result<BlobBody> {
        let stored = self.registry.content();
        Ok(match content {
            ContentRef::Blob(digest) => BlobBody::Stored(stored.open(digest, extents).await?),
            ContentRef::Inline { .. } | ContentRef::Composite(_) => {
                let runs = extents.iter().copied().map(Run::Extent).collect();
                BlobBody::Parts(stored.open_parts(runs).await?)
            }
        })
    }

    /// The parts of a composite that lie in the range, the first from the range's beginning on.
    async fn open_composite(&self, id: UploadId, range: ByteRange) -> Result<BlobBody> {
        let (mut found, mut position) = (Vec::new(), range.start);
        let end = range.start.saturating_add(range.length);
        while position < end {
            let runs = self.metadata.read_composite(id, position, RUNS).await?;
            let runs = runs.filter(|runs| !runs.is_empty());
            let Some(runs) = runs else {
                return Err(ObjectsError::NoSuchKey);
            };
            for run in runs {
                if position >= end {
                    break;
                }
                position += run.length();
                found.push(run);
            }
        }
        let parts = self.registry.content().open_parts(found).await?;
        Ok(BlobBody::Parts(parts))
    }

    /// The tags of a version.
    ///
    /// # Errors
    /// As of [`Self::stat_object`].
    pub async fn object_tags(
        &self,
        granted: Granted<'_, action::GetObjectTagging>,
        bucket: BucketId,
        version: VersionSelector,
    ) -> Result<ObjectVersion> {
        self.stat(bucket, granted.target(), version).await
    }

    /// Gives a version tags in place of those that it has.
    ///
    /// # Errors
    /// As of [`Self::stat_object`].
    pub async fn set_object_tags(
        &self,
        granted: Granted<'_, action::PutObjectTagging>,
        bucket: BucketId,
        version: VersionSelector,
        tags: Vec<(String, String)>,
    ) -> Result<()> {
        let origin = self.origin(&granted.actor());
        let key = &granted.target().key;
        match self
            .metadata
            .set_object_tags(&origin, bucket, key, version, tags)
            .await?
        {
            UpdateOutcome::Updated(_) => Ok(()),
            UpdateOutcome::DeleteMarker(marker) => Err(ObjectsError::DeleteMarker {
                marker,
                is_named: version != VersionSelector::Current,
            }),
            UpdateOutcome::Unknown => Err(unknown(version)),
        }
    }

    async fn stat(
        &self,
        bucket: BucketId,
        object: &OwnedObject,
        version: VersionSelector,
    ) -> Result<ObjectVersion> {
        let found = self.metadata.stat_object(bucket, &object.key, version).await?;
        present(found, version)
    }
}

fn present<T>(found: ObjectLookup<T>, version: VersionSelector) -> Result<T> {
    match found {
        ObjectLookup::Found(found) => Ok(found),
        ObjectLookup::DeleteMarker(marker) => Err(ObjectsError::DeleteMarker {
            marker,
            is_named: version != VersionSelector::Current,
        }),
        ObjectLookup::Unknown => Err(unknown(version)),
    }
}

fn unknown(version: VersionSelector) -> ObjectsError {
    match version {
        VersionSelector::Current => ObjectsError::NoSuchKey,
        VersionSelector::Null | VersionSelector::Id(_) => ObjectsError::NoSuchVersion,
    }
}
