//! The end of an upload: comparing digests and making the blob part of its repository.

use bytes::Bytes;
use zas_blocking::HASHES;
use zas_core::{Digest, Hashing};
use zas_metadata::{BlobContent, Epoch, Extent, FinishOutcome, FinishUpload, Lease, NewBlob};

use super::UploadTarget;
use super::write::Stored;
use crate::services::auth::Actor;
use crate::services::registry::{Registry, RegistryError, Result};

/// Bytes read and hashed at a time when an algorithm has to be computed afterwards.
const REHASH_STEP: usize = 1024 * 1024;

impl Registry {
    /// Finishes an upload whose bytes are few enough to live in the metadata store.
    pub(super) async fn finish_inline(
        &self,
        actor: &Actor,
        target: &UploadTarget,
        epoch: Option<Epoch>,
        named: Digest,
        content: Bytes,
    ) -> Result<()> {
        self.check_size(content.len() as u64)?;
        let found = named.algorithm().digest(&content);
        compare(named, found)?;
        let blob = NewBlob {
            digest: named,
            size: content.len() as u64,
            content: BlobContent::Inline(content),
        };
        self.commit_blob(actor, target, epoch, blob).await
    }

    /// Finishes an upload whose bytes are durable in the blob store.
    pub(super) async fn finish_stored(
        &self,
        actor: &Actor,
        target: &UploadTarget,
        epoch: Epoch,
        named: Digest,
        stored: Stored,
    ) -> Result<()> {
        let Stored {
            offset: size,
            hashing,
            unsaved,
        } = stored;
        let found = if hashing.algorithm() == named.algorithm() {
            hashing.finish()
        } else {
            // The client showed its algorithm only now: read the bytes once more.
            let mut extents = self.metadata.upload_extents(target.id).await?;
            extents.extend_from_slice(&unsaved);
            self.rehash(&named, &extents).await?
        };
        compare(named, found)?;
        let blob = NewBlob {
            digest: named,
            size,
            content: BlobContent::Extents(unsaved),
        };
        self.commit_blob(actor, target, Some(epoch), blob).await
    }

    /// Whether this very upload left `digest` in its repository; the answer renews the blob's lease.
    pub(super) async fn was_finished(&self, target: &UploadTarget, digest: &Digest) -> Result<bool> {
        let blob = self
            .metadata
            .stat_blob(&target.holder(), digest, Lease::Renew)
            .await?;
        Ok(blob.is_some_and(|blob| blob.upload == Some(target.id)))
    }

    async fn commit_blob(
        &self,
        actor: &Actor,
        target: &UploadTarget,
        epoch: Option<Epoch>,
        blob: NewBlob,
    ) -> Result<()> {
        let (digest, size) = (blob.digest, blob.size);
        let is_stored = matches!(blob.content, BlobContent::Extents(_));
        let finish = FinishUpload {
            id: target.id,
            epoch,
            holder: target.holder(),
            blob,
        };
        let outcome = self.metadata.finish_upload(&self.origin(actor), finish).await?;
        if outcome != FinishOutcome::Fenced {
            self.open_uploads.ended(target.id);
        }
        match outcome {
            FinishOutcome::Created | FinishOutcome::Renewed | FinishOutcome::Existed => {
                if is_stored && outcome == FinishOutcome::Existed {
                    // These bytes were proved and go; those that stay are checked soon.
                    self.content.suspects().add_pushed(digest);
                }
                tracing::info!(repository = %target.repository, %digest, size_bytes = size, actor = actor.subject(), "pushed blob");
                Ok(())
            }
            FinishOutcome::Healed => {
                tracing::warn!(repository = %target.repository, %digest, actor = actor.subject(), "a push healed a damaged blob");
                Ok(())
            }
            FinishOutcome::Fenced => Err(RegistryError::Superseded(target.id)),
            FinishOutcome::Unknown => Err(RegistryError::UploadUnknown(target.id)),
        }
    }

    pub(super) fn check_size(&self, size: u64) -> Result<()> {
        match self.settings().blob_size {
            Some(limit) if size > limit => Err(RegistryError::BlobTooLarge { limit }),
            _ => Ok(()),
        }
    }

    async fn rehash(&self, named: &Digest, extents: &[Extent]) -> Result<Digest> {
        let mut hashing = Hashing::new(named.algorithm());
        for run in self.content.open(named, extents).await? {
            let (mut position, reader) = (run.extent().offset, run.open().await?);
            let end = position + run.extent().length;
            while position < end {
                let step = usize::try_from(end - position)
                    .unwrap_or(REHASH_STEP)
                    .min(REHASH_STEP);
                let piece = reader.read(position, step).await?;
                position += piece.len() as u64;
                let hashed = HASHES.run(move || {
                    hashing.update(&piece);
                    hashing
                });
                hashing = hashed
                    .await
                    .map_err(|panic| RegistryError::Task(panic.to_string()))?;
            }
        }
        Ok(hashing.finish())
    }
}

fn compare(named: Digest, found: Digest) -> Result<()> {
    if named != found {
        return Err(RegistryError::DigestMismatch { named, found });
    }
    Ok(())
}
