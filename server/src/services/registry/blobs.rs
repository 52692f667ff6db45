//! Reading, mounting and deleting blobs.

use bytes::Bytes;
use zas_blobs::BlobError;
use zas_core::{Digest, Holder, RepositoryName};
use zas_metadata::{BlobContent, BlobStat, Lease, MetadataError, MountOutcome};

use super::{Registry, RegistryError, Result};
use crate::services::auth::{Granted, Readable, action};
use crate::services::content::{ContentRun, StoredRun};

/// Repositories that an anonymous mount tries, at most.
const HOLDERS_TRIED: usize = 32;

/// A blob ready to be sent.
#[derive(Clone, Debug)]
pub struct Blob {
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// Its bytes.
    pub body: BlobBody,
}

/// The bytes of a blob.
#[derive(Clone, Debug)]
pub enum BlobBody {
    /// In memory.
    Inline(Bytes),
    /// In the blob store, run after run.
    Stored(Vec<StoredRun>),
    /// Part after part, in rows and in the blob store.
    Parts(Vec<ContentRun>),
}

impl Registry {
    /// The size of a blob. To who may push, the answer promises to keep the blob for the grace.
    ///
    /// # Errors
    /// [`RegistryError::BlobUnknown`]; [`RegistryError::BlobDamaged`] for who only reads, while who may push is told that
    /// it is unknown, so that the push heals it.
    pub async fn blob_size(
        &self,
        granted: Granted<'_, action::Pull>,
        push: Option<Granted<'_, action::Push>>,
        digest: &Digest,
    ) -> Result<u64> {
        let repository = granted.target();
        let lease = match push.filter(|push| push.target() == repository) {
            Some(_) => Lease::Renew,
            None => Lease::Leave,
        };
        Ok(self.stat(repository, digest, lease).await?.size)
    }

    /// Opens a blob for reading. Writes nothing.
    ///
    /// # Errors
    /// [`RegistryError::BlobUnknown`], [`RegistryError::BlobDamaged`].
    pub async fn open_blob(&self, granted: Granted<'_, action::Pull>, digest: &Digest) -> Result<Blob> {
        let repository = granted.target();
        let stat = self.stat(repository, digest, Lease::Leave).await?;
        match self.open(digest, stat).await {
            // The bytes may have moved between reading the row and opening the name: the row decides.
            Err(RegistryError::Blobs(BlobError::NotFound(_))) => {
                let stat = self.stat(repository, digest, Lease::Leave).await?;
                self.open(digest, stat).await
            }
            other => other,
        }
        .map_err(|error| self.suspect(repository, digest, error))
    }

    /// Bytes that are not where their row says are checked at once.
    fn suspect(&self, repository: &RepositoryName, digest: &Digest, error: RegistryError) -> RegistryError {
        match error {
            RegistryError::Blobs(BlobError::NotFound(_) | BlobError::TooShort { .. }) => {
                tracing::error!(%digest, %repository, %error, "stored bytes are missing");
                self.content.suspects().add(*digest);
                damaged(repository, digest)
            }
            error => error,
        }
    }

    async fn stat(&self, repository: &RepositoryName, digest: &Digest, lease: Lease) -> Result<BlobStat> {
        let unknown = || RegistryError::BlobUnknown {
            digest: *digest,
            repository: repository.clone(),
        };
        match self.metadata.stat_blob(&repository.into(), digest, lease).await {
            Err(MetadataError::Corrupt(damage)) => {
                tracing::error!(%digest, %repository, %damage, "asked for a damaged blob");
                self.content.suspects().add(*digest);
                Err(match lease {
                    Lease::Leave => damaged(repository, digest),
                    Lease::Renew => unknown(),
                })
            }
            stat => stat?.ok_or_else(unknown),
        }
    }

    async fn open(&self, digest: &Digest, stat: BlobStat) -> Result<Blob> {
        let body = match stat.content {
            BlobContent::Inline(bytes) => BlobBody::Inline(bytes),
            BlobContent::Extents(extents) => BlobBody::Stored(self.content.open(digest, &extents).await?),
        };
        Ok(Blob {
            digest: *digest,
            size: stat.size,
            body,
        })
    }

    /// Makes the repository hold a blob that `from`, or without one any other repository, holds, if it is `readable`.
    /// `false`: nobody suitable holds it, and the client has to upload it.
    ///
    /// # Errors
    /// [`RegistryError::Reserved`] for a bucket's repository.
    pub async fn mount_blob(
        &self,
        granted: Granted<'_, action::Push>,
        digest: &Digest,
        from: Option<&RepositoryName>,
        readable: &Readable,
    ) -> Result<bool> {
        let to = granted.target();
        refuse_reserved(to)?;
        let sources = match from {
            Some(from) => vec![from.into()],
            None => self.metadata.find_holders(digest, HOLDERS_TRIED).await?,
        };
        // A bucket's content is mounted by nobody who asks for repositories.
        let is_readable = |source: &&Holder| source.repository().is_some_and(|name| readable.contains(name));
        for source in sources.iter().filter(is_readable) {
            let outcome = self
                .metadata
                .mount_blob(&self.origin(&granted.actor()), source, &to.into(), digest)
                .await?;
            if outcome == MountOutcome::Mounted {
                tracing::info!(%digest, from = %source, to = %to, "mounted blob");
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes a blob out of a repository at once. Manifests that refer to it stay.
    ///
    /// # Errors
    /// [`RegistryError::BlobUnknown`], [`RegistryError::Reserved`].
    pub async fn delete_blob(&self, granted: Granted<'_, action::Delete>, digest: &Digest) -> Result<()> {
        let repository = granted.target();
        refuse_reserved(repository)?;
        if !self
            .metadata
            .unlink_blob(&self.origin(&granted.actor()), &repository.into(), digest)
            .await?
        {
            return Err(RegistryError::BlobUnknown {
                digest: *digest,
                repository: repository.clone(),
            });
        }
        tracing::info!(%repository, %digest, "deleted blob");
        Ok(())
    }
}

fn damaged(repository: &RepositoryName, digest: &Digest) -> RegistryError {
    RegistryError::BlobDamaged {
        digest: *digest,
        repository: repository.clone(),
    }
}

/// Buckets will appear as repositories below `s3`: nobody may take those names before.
pub(super) fn refuse_reserved(repository: &RepositoryName) -> Result<()> {
    if repository.is_reserved() {
        return Err(RegistryError::Reserved(repository.clone()));
    }
    Ok(())
}
