//! Objects as artifacts: what an OCI client sees of a version.

use zas_core::{BucketId, ByteRange, Digest, ObjectManifest};
use zas_metadata::{ContentRef, ObjectVersion, ObjectWithDigest, VersionSelector};

use super::{Objects, Result};
use crate::services::auth::{Granted, action};
use crate::services::registry::Blob;

/// Versions that are tried for one digest, at most: there may be thousands with the same content.
const TRIED: usize = 32;

impl Objects {
    /// The manifest of a version; `None` as long as the digest of its parts is being computed.
    ///
    /// # Errors
    /// As of [`Self::stat_object`].
    pub async fn manifest(
        &self,
        granted: Granted<'_, action::GetObject>,
        bucket: BucketId,
        version: VersionSelector,
    ) -> Result<Option<ObjectManifest>> {
        let found = self.stat_object(granted, bucket, version).await?;
        let key = &granted.target().key;
        Ok(content_digest(&found).map(|content| ObjectManifest::of(&content, found.size, key)))
    }

    /// Versions whose content or whose manifest has this digest. Which of them somebody may read is to be asked of each.
    ///
    /// # Errors
    /// Only failures of the store.
    pub async fn with_digest(&self, bucket: BucketId, digest: &Digest) -> Result<Vec<ObjectWithDigest>> {
        Ok(self.metadata.find_objects(bucket, digest, TRIED).await?)
    }

    /// Opens the content of a version that was found by its digest.
    ///
    /// # Errors
    /// As of [`Self::find_object`].
    pub async fn open_content(
        &self,
        granted: Granted<'_, action::GetObject>,
        bucket: BucketId,
        found: &ObjectWithDigest,
    ) -> Result<Blob> {
        let object = self
            .find_object(granted, bucket, found.version.selector())
            .await?;
        let whole = ByteRange {
            start: 0,
            length: object.version.size,
        };
        let (body, _) = self.open_range(&object, whole).await?;
        Ok(Blob {
            digest: found.content,
            size: object.version.size,
            body,
        })
    }
}

/// The digest of a version's bytes; `None` as long as that of its parts is being computed.
pub fn content_digest(version: &ObjectVersion) -> Option<Digest> {
    match &version.content {
        ContentRef::Inline { digest } | ContentRef::Blob(digest) => Some(*digest),
        ContentRef::Composite(composite) => composite.digest,
    }
}
