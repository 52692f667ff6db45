//! Finding and opening objects.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::OnceCell;
use zas_blobs::{BlobReader, BlobStore};
use zas_core::{BucketId, ByteRange, UploadId};
use zas_metadata::{Extent, ObjectBytes, ObjectLookup, ObjectVersion, Run, UpdateOutcome, VersionSelector};

use super::{Objects, ObjectsError, Result};
use crate::services::auth::{Granted, OwnedObject, action};
use crate::services::registry::{BlobBody, StoredPart};

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

/// Bytes of a row, read like stored ones.
#[derive(Debug)]
struct InlineReader(Bytes);

#[async_trait]
impl BlobReader for InlineReader {
    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn try_read(&self, offset: u64, length: usize) -> Option<Bytes> {
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(length)?.min(self.0.len());
        (start < end).then(|| self.0.slice(start..end))
    }

    async fn read(&self, offset: u64, length: usize) -> zas_blobs::Result<Bytes> {
        let read = self
            .try_read(offset, length)
            .filter(|bytes| bytes.len() == length);
        read.ok_or_else(|| zas_blobs::BlobError::Storage {
            action: "read",
            name: "a part in a row".to_owned(),
            source: std::io::Error::from(std::io::ErrorKind::UnexpectedEof),
        })
    }
}

/// A run of stored bytes that is opened when it is read first and closed when it was sent: an object of ten thousand parts
/// costs its reader a few open files at a time.
#[derive(Debug)]
struct LazyReader {
    extent: Extent,
    blobs: Arc<dyn BlobStore>,
    reader: OnceCell<Arc<dyn BlobReader>>,
}

#[async_trait]
impl BlobReader for LazyReader {
    fn length(&self) -> u64 {
        self.extent.offset.saturating_add(self.extent.length)
    }

    fn try_read(&self, offset: u64, length: usize) -> Option<Bytes> {
        self.reader.get()?.try_read(offset, length)
    }

    async fn read(&self, offset: u64, length: usize) -> zas_blobs::Result<Bytes> {
        let reader = self
            .reader
            .get_or_try_init(|| self.blobs.open(self.extent.location))
            .await?;
        reader.read(offset, length).await
    }
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
            ObjectBytes::Extents(extents) => Ok((self.registry.open_extents(extents.clone()).await?, range)),
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

    /// The parts of a composite that lie in the range, the first from the range's beginning on.
    async fn open_composite(&self, id: UploadId, range: ByteRange) -> Result<BlobBody> {
        let (mut parts, mut position) = (Vec::new(), range.start);
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
                parts.push(self.to_be_read(run));
            }
        }
        Ok(BlobBody::Stored(parts))
    }

    fn to_be_read(&self, run: Run) -> StoredPart {
        match run {
            Run::Extent(extent) => StoredPart {
                extent,
                reader: Arc::new(LazyReader {
                    extent,
                    blobs: Arc::clone(&self.blobs),
                    reader: OnceCell::new(),
                }),
            },
            Run::Inline(bytes) => StoredPart {
                extent: Extent {
                    location: self.id(),
                    offset: 0,
                    length: bytes.len() as u64,
                },
                reader: Arc::new(InlineReader(bytes)),
            },
        }
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
