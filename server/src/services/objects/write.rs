//! Writing objects: bytes first, then the version that has them.

use std::fmt;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use zas_blobs::batches;
use zas_core::{BucketId, Holder, ObjectKey, UploadId};
use zas_metadata::{
    BlobContent, Epoch, Expected, Extent, INLINE_LIMIT, NewBlob, NewContent, NewVersion, ObjectAttributes,
    ObjectChecksum, ObjectVersion, Overwrite, PutObject, PutOutcome, WriteCondition,
};
use zas_s3::S3Error;
use zas_s3::checksum::ChecksumAlgorithm;
use zas_s3::names::ETag;

use super::hashes::Hashes;
use super::own_upload::OwnUpload;
use super::{Computed, Objects, ObjectsError, Result};
use crate::services::auth::{Actor, Granted, WriteRight, action};
use crate::services::capacity::Client;
use crate::services::content::{
    Hash as _, Names, RequestBody, Transfer, Transferring, WrittenContent, read_head,
};

/// What an object will carry, and what must hold.
#[derive(Clone, Debug, Default)]
pub struct NewObject {
    /// Everything but the entity tag and the checksum, which follow from the bytes.
    pub attributes: ObjectAttributes,
    /// What the client expects of the present object.
    pub expected: Expected,
}

/// Compares what was computed of a body with what its client promised.
pub type Verify<'a> = Box<dyn FnOnce(&Computed) -> std::result::Result<(), S3Error> + 'a>;

/// The bytes of an object on their way in.
pub struct ObjectBody<'a> {
    /// The bytes.
    pub bytes: RequestBody<'a>,
    /// How many there will be.
    pub length: u64,
    /// Which checksum is computed.
    pub algorithm: ChecksumAlgorithm,
    /// Nothing is stored before this agrees.
    pub verify: Verify<'a>,
    /// Who sends them.
    pub client: Client,
}

impl fmt::Debug for ObjectBody<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ObjectBody")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// A version that was written.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Which one, and when.
    pub written: NewVersion,
    /// Its entity tag.
    pub etag: ETag,
    /// What was computed of its bytes.
    pub computed: Computed,
}

/// Bytes that an upload has written, which this request alone knows.
pub(super) struct WrittenUpload {
    pub(super) id: UploadId,
    pub(super) epoch: Epoch,
    pub(super) extents: Vec<Extent>,
    pub(super) computed: Computed,
}

impl Objects {
    /// Writes an object. Bytes that are few live in its row, others in the blob store, where they are stored once for
    /// everybody who has the same.
    ///
    /// # Errors
    /// Nothing remains of an object that could not be written.
    pub async fn put_object(
        &self,
        granted: Granted<'_, action::PutObject>,
        bucket: BucketId,
        object: NewObject,
        body: ObjectBody<'_>,
    ) -> Result<Stored> {
        let condition = condition(granted.write_right(), object.expected.clone())?;
        let (actor, key) = (granted.actor(), granted.target().key.clone());
        let target = Target {
            bucket,
            key,
            attributes: object.attributes,
            condition,
        };
        if body.length > INLINE_LIMIT as u64 {
            return self.put_stored(&actor, target, body).await;
        }
        let (bytes, computed) = self.collect(body).await?;
        let digest = computed.digest;
        self.commit(&actor, target, computed, NewContent::Inline { digest, bytes })
            .await
    }

    /// Writes an object with the content of a version that the caller may read; its attributes are complete.
    ///
    /// # Errors
    /// [`ObjectsError::NoSuchKey`] when the version is gone meanwhile.
    pub async fn copy_object(
        &self,
        granted: Granted<'_, action::PutObject>,
        bucket: BucketId,
        object: NewObject,
        source: Granted<'_, action::GetObject>,
        source_bucket: BucketId,
        version: &ObjectVersion,
    ) -> Result<NewVersion> {
        let actor = granted.actor();
        let condition = condition(granted.write_right(), object.expected)?;
        let must_exist = condition.expected == Expected::Present;
        let put = PutObject {
            bucket,
            key: granted.target().key.clone(),
            attributes: ObjectAttributes {
                owner: super::owner(&actor),
                ..object.attributes
            },
            content: NewContent::CopyOf {
                bucket: source_bucket,
                key: source.target().key.clone(),
                version: version.version,
            },
            condition,
            random: self.random(),
        };
        let written = self.metadata.put_object(&self.origin(&actor), put).await?;
        stored(written, must_exist)
    }

    async fn put_stored(&self, actor: &Actor, target: Target, body: ObjectBody<'_>) -> Result<Stored> {
        let commit = async |written: WrittenUpload| {
            let blob = NewBlob {
                digest: written.computed.digest,
                size: written.computed.length,
                content: BlobContent::Extents(written.extents),
            };
            let content = NewContent::Upload {
                id: written.id,
                epoch: written.epoch,
                blob,
            };
            self.commit(actor, target.clone(), written.computed, content)
                .await
        };
        self.store(actor, target.bucket, body, commit).await
    }

    /// Stores the bytes of a body by an upload of their own, and ends it by `commit`. Nothing remains when that fails.
    pub(super) async fn store<T>(
        &self,
        actor: &Actor,
        bucket: BucketId,
        body: ObjectBody<'_>,
        commit: impl AsyncFnOnce(WrittenUpload) -> Result<T>,
    ) -> Result<T> {
        let _slot = self
            .registry
            .upload_slot(body.client)
            .map_err(ObjectsError::TooManyUploads)?;
        let (id, holder) = (self.id(), Holder::Bucket(bucket));
        let epoch = self
            .metadata
            .create_upload(&self.origin(actor), &holder, id)
            .await?;
        let upload = OwnUpload::new(Arc::clone(&self.metadata), self.origin(actor), id, epoch);
        let stored = async {
            let (length, verify) = (body.length, body.verify);
            let names = Names::new(id, epoch);
            let written = self.receive(names, body.bytes, length, body.algorithm).await?;
            let computed = written.hash.finish();
            check(&computed, length, verify)?;
            commit(WrittenUpload {
                id,
                epoch,
                extents: written.extents,
                computed,
            })
            .await
        };
        match stored.await {
            Ok(stored) => {
                upload.ended();
                Ok(stored)
            }
            Err(error) => {
                upload.abort().await?;
                Err(error)
            }
        }
    }

    /// The whole of a body that is short enough for a row, with what was computed of it.
    pub(super) async fn collect(&self, mut body: ObjectBody<'_>) -> Result<(bytes::Bytes, Computed)> {
        let head = read_head(&mut body.bytes, INLINE_LIMIT, Some(body.length)).await;
        let head = head.map_err(|broken| ObjectsError::Interrupted(broken.reason))?;
        if !head.is_all {
            return Err(ObjectsError::Incomplete {
                expected: body.length,
                found: body.length + 1,
            });
        }
        let bytes = head.into_bytes();
        let mut hashes = Hashes::new(body.algorithm);
        hashes.update(&bytes);
        let computed = hashes.finish();
        check(&computed, body.length, body.verify)?;
        Ok((bytes, computed))
    }

    /// Writes the bytes of a body under the names of an upload, and hashes them meanwhile.
    async fn receive(
        &self,
        mut names: Names,
        mut body: RequestBody<'_>,
        length: u64,
        algorithm: ChecksumAlgorithm,
    ) -> Result<WrittenContent<Hashes>> {
        let content = self.registry.content();
        let (sender, mut batches) = batches();
        let mut transferring = Transferring::new(content.budget().clone(), sender);
        let (stop, head) = (CancellationToken::new(), Default::default());
        let transfer = async {
            let ended = transferring.run(head, &mut body, length, &stop).await;
            let total = transferring.total();
            // The end of the bytes, for those who take them.
            drop(transferring);
            (ended, total)
        };
        // Takes the batches along, so that a store that gives up is noticed by who sends.
        let writing = async move {
            content
                .write(&mut names, &mut batches, Hashes::new(algorithm), Some(length))
                .await
        };
        let ((ended, total), written) = tokio::join!(transfer, writing);
        match ended {
            // The store says why it takes no more.
            Transfer::Rejected => {
                written?;
                Err(ObjectsError::Task("the store took no more bytes".to_owned()))
            }
            Transfer::Interrupted(reason) => Err(ObjectsError::Interrupted(reason)),
            Transfer::Superseded => Err(ObjectsError::Superseded),
            Transfer::TooLarge => Err(ObjectsError::Incomplete {
                expected: length,
                found: total + 1,
            }),
            Transfer::Complete => Ok(written?),
        }
    }

    async fn commit(
        &self,
        actor: &Actor,
        target: Target,
        computed: Computed,
        content: NewContent,
    ) -> Result<Stored> {
        let etag = ETag::of_md5(computed.md5);
        let attributes = ObjectAttributes {
            etag: etag.as_str().to_owned(),
            owner: super::owner(actor),
            checksum: Some(ObjectChecksum {
                algorithm: computed.checksum.algorithm().name().to_owned(),
                kind: "FULL_OBJECT".to_owned(),
                value: computed.checksum.base64(),
            }),
            ..target.attributes
        };
        let must_exist = target.condition.expected == Expected::Present;
        let put = PutObject {
            bucket: target.bucket,
            key: target.key,
            attributes,
            content,
            condition: target.condition,
            random: self.random(),
        };
        let written = self.metadata.put_object(&self.origin(actor), put).await?;
        let written = stored(written, must_exist)?;
        Ok(Stored {
            written,
            etag,
            computed,
        })
    }
}

/// Where an object is written to.
#[derive(Clone)]
struct Target {
    bucket: BucketId,
    key: ObjectKey,
    attributes: ObjectAttributes,
    condition: WriteCondition,
}

/// What must hold at the commit, for what the client expects and what it may do.
pub(super) fn condition(right: WriteRight, expected: Expected) -> Result<WriteCondition> {
    let (expected, overwrite) = match (right, expected) {
        (WriteRight::Any, expected) => (expected, Overwrite::Allowed),
        (WriteRight::Create, expected) => (expected, Overwrite::Denied),
        (WriteRight::Update, Expected::Any) => (Expected::Present, Overwrite::Allowed),
        (WriteRight::Update, Expected::Absent) => return Err(ObjectsError::MayNotWrite),
        (WriteRight::Update, expected) => (expected, Overwrite::Allowed),
    };
    Ok(WriteCondition { expected, overwrite })
}

/// What a write has come to. Who may only overwrite is told that they may not make the key, not that it is missing.
pub(super) fn stored(outcome: PutOutcome, must_exist: bool) -> Result<NewVersion> {
    match outcome {
        PutOutcome::Stored(written) => Ok(written),
        PutOutcome::PreconditionFailed => Err(ObjectsError::PreconditionFailed),
        PutOutcome::NoCurrent if must_exist => Err(ObjectsError::MayNotWrite),
        PutOutcome::NoCurrent => Err(ObjectsError::NoSuchKey),
        PutOutcome::AccessDenied => Err(ObjectsError::MayNotWrite),
        PutOutcome::NoSuchBucket => Err(ObjectsError::NoSuchBucket),
        PutOutcome::Fenced | PutOutcome::NoSuchUpload => Err(ObjectsError::Superseded),
        PutOutcome::NoSuchSource => Err(ObjectsError::NoSuchKey),
    }
}

fn check(computed: &Computed, length: u64, verify: Verify<'_>) -> Result<()> {
    if computed.length != length {
        return Err(ObjectsError::Incomplete {
            expected: length,
            found: computed.length,
        });
    }
    verify(computed).map_err(ObjectsError::Promise)
}
