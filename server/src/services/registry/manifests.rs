//! Pushing, resolving and deleting manifests.

use bytes::Bytes;
use zas_config::MissingReferences;
use zas_core::{
    Digest, Manifest, ManifestReference, MediaType, Reference, ReferenceRole, RepositoryName, Tag,
};
use zas_metadata::{
    CommitManifest, CommitOutcome, DeleteManifestOutcome, ManifestStat, MetadataError, Precondition,
    Presence, ReferenceEdge, Referral, Retyping, SharedManifest, StoredManifest,
};

use super::blobs::refuse_reserved;
use super::{Registry, RegistryError, Result};
use crate::services::auth::{Granted, Principal, action};

/// A moving tag can make a conditional push lose; after so many losses in a row the client is told.
const TAG_ATTEMPTS: usize = 8;

/// A manifest as it arrives.
#[derive(Clone, Debug)]
pub struct PushManifest<'a> {
    /// Who pushes where to, and what they may do with tags.
    pub grant: PushGrant<'a>,
    /// The digest that the client named, which the body must have; without one it is SHA-256.
    pub digest: Option<Digest>,
    /// The tags to point to it, each once.
    pub tags: Vec<Tag>,
    /// The `Content-Type`.
    pub media_type: Option<MediaType>,
    /// The bytes.
    pub body: Bytes,
}

/// The right to push a manifest, by what may be done with the tags that shall point to it.
#[derive(Clone, Copy, Debug)]
pub enum PushGrant<'a> {
    /// There may be none. Who may move tags may also change the media type of what the repository holds.
    Untagged(Granted<'a, action::Push>, Option<Granted<'a, action::Retag>>),
    /// New ones may be made.
    NewTags(Granted<'a, action::Tag>),
    /// Existing ones may be moved.
    MovedTags(Granted<'a, action::Retag>),
    /// Both.
    AnyTags(Granted<'a, action::Tag>, Granted<'a, action::Retag>),
}

impl<'a> PushGrant<'a> {
    /// Where to.
    pub fn repository(&self) -> &'a RepositoryName {
        match self {
            Self::Untagged(granted, _) => granted.target(),
            Self::NewTags(granted) | Self::AnyTags(granted, _) => granted.target(),
            Self::MovedTags(granted) => granted.target(),
        }
    }

    /// Who pushes.
    pub fn principal(&self) -> &'a Principal {
        match self {
            Self::Untagged(granted, _) => granted.principal(),
            Self::NewTags(granted) | Self::AnyTags(granted, _) => granted.principal(),
            Self::MovedTags(granted) => granted.principal(),
        }
    }

    fn may_create_tags(&self) -> bool {
        matches!(self, Self::NewTags(_) | Self::AnyTags(..))
    }

    fn may_move_tags(&self) -> bool {
        matches!(self, Self::MovedTags(_) | Self::AnyTags(..))
    }

    /// The media type of stored content is part of what every one of its tags shows: changing it is moving them all.
    fn retyping(&self) -> Retyping {
        if self.may_move_tags() || matches!(self, Self::Untagged(_, Some(_))) {
            Retyping::Allowed
        } else {
            Retyping::Refused
        }
    }
}

/// A manifest that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestPushed {
    /// The digest it is known by.
    pub digest: Digest,
    /// Its subject, if it has one.
    pub subject: Option<Digest>,
}

impl Registry {
    /// Stores a manifest with its tags, or nothing. When this returns, it survives power loss.
    ///
    /// # Errors
    /// [`RegistryError`] says what the client has to change.
    pub async fn push_manifest(&self, push: PushManifest<'_>) -> Result<ManifestPushed> {
        let repository = push.grant.repository();
        refuse_reserved(repository)?;
        let settings = self.settings();
        if push.body.len() > settings.manifest_size {
            return Err(RegistryError::ManifestTooLarge {
                limit: settings.manifest_size,
            });
        }
        let digest = verified_digest(push.digest, &push.body)?;
        let manifest = Manifest::parse(&push.body, push.media_type.as_ref(), settings.manifest_references)?;
        let missing = settings.missing_references(repository);
        let commit = CommitManifest {
            holder: repository.into(),
            digest,
            media_type: manifest.media_type.clone(),
            references: manifest
                .references
                .iter()
                .map(|reference| edge(reference, missing))
                .collect(),
            subject: referral(&manifest, digest, push.body.len())?,
            retyping: push.grant.retyping(),
            tags: Vec::new(),
            body: push.body.clone(),
        };
        self.commit(&push, commit).await?;
        let actor = push.grant.principal().name();
        tracing::info!(%repository, %digest, tags = ?push.tags, actor, "pushed manifest");
        Ok(ManifestPushed {
            digest,
            subject: manifest.subject,
        })
    }

    /// Commits under the preconditions that the caller's rights demand. They are part of the commit, so a right to
    /// create never overwrites, however requests interleave.
    async fn commit(&self, push: &PushManifest<'_>, mut commit: CommitManifest) -> Result<()> {
        let origin = self.origin(&push.grant.principal().actor());
        for _ in 0..TAG_ATTEMPTS {
            commit.tags = self.preconditions(push, &commit.digest).await?;
            match self.metadata.commit_manifest(&origin, commit.clone()).await? {
                CommitOutcome::Committed { .. } => return Ok(()),
                CommitOutcome::TypeConflict(stored) => {
                    return Err(RegistryError::TypeForbidden {
                        digest: commit.digest,
                        stored,
                    });
                }
                CommitOutcome::Missing(digests) => {
                    return Err(RegistryError::ReferencesMissing {
                        repository: push.grant.repository().clone(),
                        digests,
                    });
                }
                // A tag changed after the look: look again.
                CommitOutcome::TagConflict(_) => {}
            }
        }
        Err(RegistryError::Task(
            "the tags kept changing while the manifest was pushed".to_owned(),
        ))
    }

    async fn preconditions(
        &self,
        push: &PushManifest<'_>,
        digest: &Digest,
    ) -> Result<Vec<(Tag, Precondition)>> {
        let mut tags = Vec::with_capacity(push.tags.len());
        for tag in &push.tags {
            tags.push((tag.clone(), self.precondition(push, tag, digest).await?));
        }
        Ok(tags)
    }

    async fn precondition(
        &self,
        push: &PushManifest<'_>,
        tag: &Tag,
        digest: &Digest,
    ) -> Result<Precondition> {
        let (may_create, may_move) = (push.grant.may_create_tags(), push.grant.may_move_tags());
        if may_create && may_move {
            return Ok(Precondition::Any);
        }
        match self
            .metadata
            .resolve_tag(&push.grant.repository().into(), tag)
            .await?
        {
            // Pushing what is there already changes nothing: a retry after a lost answer must succeed.
            Some(current) if current == *digest || may_move => Ok(Precondition::Equals(current)),
            None if may_create => Ok(Precondition::Absent),
            current => Err(RegistryError::TagForbidden {
                tag: tag.clone(),
                exists: current.is_some(),
            }),
        }
    }

    /// The manifest that a tag or digest names.
    ///
    /// # Errors
    /// [`RegistryError::ManifestUnknown`], [`RegistryError::ManifestDamaged`].
    pub async fn manifest(
        &self,
        granted: Granted<'_, action::Pull>,
        reference: &Reference,
    ) -> Result<StoredManifest> {
        let repository = granted.target();
        found(
            repository,
            reference,
            self.metadata
                .resolve_manifest(&repository.into(), reference)
                .await,
        )
    }

    /// What the manifest that a tag or digest names is like. Costs the same whatever its size.
    ///
    /// # Errors
    /// [`RegistryError::ManifestUnknown`], [`RegistryError::ManifestDamaged`].
    pub async fn stat_manifest(
        &self,
        granted: Granted<'_, action::Pull>,
        reference: &Reference,
    ) -> Result<ManifestStat> {
        let repository = granted.target();
        found(
            repository,
            reference,
            self.metadata.stat_manifest(&repository.into(), reference).await,
        )
    }

    /// Deletes a manifest with all its tags. When this returns, none of them answers.
    ///
    /// # Errors
    /// [`RegistryError::ManifestUnknown`], [`RegistryError::Reserved`]; [`RegistryError::ManifestShared`] when several
    /// tags point to one that is to be kept then.
    pub async fn delete_manifest(
        &self,
        granted: Granted<'_, action::Delete>,
        digest: &Digest,
        shared: SharedManifest,
    ) -> Result<()> {
        let repository = granted.target();
        refuse_reserved(repository)?;
        let holder = repository.into();
        let mut deleted_tags = false;
        loop {
            // Each step is a change of its own, not a repetition of the one before.
            let origin = self.origin(&granted.actor());
            let deleted = self.metadata.delete_manifest(&origin, &holder, digest, shared);
            match deleted.await? {
                DeleteManifestOutcome::Kept => {
                    return Err(RegistryError::ManifestShared {
                        digest: *digest,
                        repository: repository.clone(),
                    });
                }
                DeleteManifestOutcome::More => deleted_tags = true,
                DeleteManifestOutcome::Unknown if !deleted_tags => {
                    return Err(unknown(repository, &Reference::Digest(*digest)));
                }
                DeleteManifestOutcome::Deleted | DeleteManifestOutcome::Unknown => break,
            }
        }
        let actor = granted.principal().name();
        tracing::info!(%repository, %digest, actor, "deleted manifest");
        Ok(())
    }
}

fn found<T>(
    repository: &RepositoryName,
    reference: &Reference,
    manifest: zas_metadata::Result<Option<T>>,
) -> Result<T> {
    match manifest {
        Err(MetadataError::Corrupt(damage)) => {
            tracing::error!(%repository, %reference, %damage, "asked for a damaged manifest");
            Err(RegistryError::ManifestDamaged {
                reference: reference.clone(),
                repository: repository.clone(),
            })
        }
        manifest => manifest?.ok_or_else(|| unknown(repository, reference)),
    }
}

fn unknown(repository: &RepositoryName, reference: &Reference) -> RegistryError {
    RegistryError::ManifestUnknown {
        reference: reference.clone(),
        repository: repository.clone(),
    }
}

fn verified_digest(named: Option<Digest>, body: &[u8]) -> Result<Digest> {
    let Some(named) = named else {
        return Ok(Digest::sha256_of(body));
    };
    let found = named.algorithm().digest(body);
    if found != named {
        return Err(RegistryError::DigestMismatch { named, found });
    }
    Ok(named)
}

fn edge(reference: &ManifestReference, missing: MissingReferences) -> ReferenceEdge {
    let is_optional = match missing {
        MissingReferences::Accept => true,
        MissingReferences::AcceptInIndexes => {
            reference.may_be_absent || reference.role == ReferenceRole::Child
        }
        MissingReferences::Refuse => reference.may_be_absent,
    };
    let presence = match reference.role {
        _ if is_optional => Presence::Optional,
        ReferenceRole::Child if reference.is_manifest => Presence::Manifest,
        // Build caches list layers as children.
        ReferenceRole::Child => Presence::ManifestOrBlob,
        ReferenceRole::Config | ReferenceRole::Layer => Presence::Blob,
    };
    ReferenceEdge {
        digest: reference.digest,
        presence,
    }
}

fn referral(manifest: &Manifest, digest: Digest, size: usize) -> Result<Option<Referral>> {
    let Some(subject) = manifest.subject else {
        return Ok(None);
    };
    let descriptor = serde_json::to_vec(&manifest.descriptor(digest, size as u64));
    let descriptor = descriptor.map_err(zas_core::InvalidManifest::Json)?;
    Ok(Some(Referral {
        subject,
        artifact_type: manifest.artifact_type.clone().unwrap_or_default(),
        descriptor: Bytes::from(descriptor),
    }))
}
