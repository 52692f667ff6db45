//! Manifests: storing and finding them.

use std::collections::HashSet;

use bytes::Bytes;
use zas_core::{Digest, Holder, MediaType, Reference, Tag};

use crate::operations::tags::Pointer;
use crate::operations::{damage, links, tags};
use crate::ordered_map::Key;
use crate::rows::{BodyRow, EmptyRow, ManifestRow, Payload, RepositoryRow, TagRow, Unknown};
use crate::transaction::Transaction;
use crate::view::{MAX_ATTEMPTS, View, decode};
use crate::{
    CommitManifest, CommitOutcome, EdgeOwner, ManifestStat, MetadataError, Origin, Precondition, Presence,
    ReferenceEdge, Result, Retyping, StoredManifest, keys,
};

/// Stores a manifest with its edges, tags and referrer entry, or nothing.
pub(crate) fn commit(
    transaction: &mut Transaction<'_>,
    origin: Origin,
    manifest: CommitManifest,
) -> Result<CommitOutcome> {
    let present = Present::read(&transaction.view(), &manifest)?;
    if let Some(stored) = present.other_type(&manifest) {
        return Ok(CommitOutcome::TypeConflict(stored));
    }
    if !present.missing.is_empty() {
        return Ok(CommitOutcome::Missing(present.missing));
    }
    let conflicts = present.conflicts(&manifest);
    if !conflicts.is_empty() {
        return Ok(CommitOutcome::TagConflict(conflicts));
    }

    if let Some(key) = &present.lacking {
        let row = RepositoryRow {
            created_at: transaction.now(),
        };
        transaction.put(key.clone(), &row);
    }
    put_edges(transaction, &manifest, present.row.as_ref())?;
    put_referral(transaction, &manifest, present.row.as_ref())?;
    let displaced = put_tags(transaction, &manifest, &present, &origin.actor);
    let created = present.row.is_none();
    put_manifest(transaction, manifest, present.row.as_ref(), origin.actor)?;
    Ok(CommitOutcome::Committed { created, displaced })
}

/// Finds a manifest by tag or digest.
pub(crate) fn resolve(
    view: &View<'_>,
    holder: &Holder,
    reference: &Reference,
) -> Result<Option<StoredManifest>> {
    follow(view, holder, reference, load)
}

/// What a manifest is like, by tag or digest.
pub(crate) fn stat(view: &View<'_>, holder: &Holder, reference: &Reference) -> Result<Option<ManifestStat>> {
    follow(view, holder, reference, load_stat)
}

/// Loads what a digest names, or the digest that a tag points to.
fn follow<T>(
    view: &View<'_>,
    holder: &Holder,
    reference: &Reference,
    load: impl Fn(&View<'_>, &Holder, &Digest) -> Result<Option<T>>,
) -> Result<Option<T>> {
    let tag = match reference {
        Reference::Digest(digest) => return load(view, holder, digest),
        Reference::Tag(tag) => tag,
    };
    // Between the two reads the tag may move and its old manifest go: then the tag tells where it went.
    for _ in 0..MAX_ATTEMPTS {
        let Some(digest) = resolve_tag(view, holder, tag)? else {
            return Ok(None);
        };
        if let Some(manifest) = load(view, holder, &digest)? {
            return Ok(Some(manifest));
        }
    }
    Err(MetadataError::Corrupt(format!(
        "tag {tag} of {holder} points to no manifest"
    )))
}

/// Where a tag points.
pub(crate) fn resolve_tag(view: &View<'_>, holder: &Holder, tag: &Tag) -> Result<Option<Digest>> {
    let row = view.row::<TagRow>(&keys::tag(holder, tag))?;
    Ok(row.map(|row| row.digest))
}

fn load(view: &View<'_>, holder: &Holder, digest: &Digest) -> Result<Option<StoredManifest>> {
    let (body, manifest) = (keys::body(holder, digest), keys::manifest(holder, digest));
    // Row and body come and go together, but a reader may look at them while they do.
    for _ in 0..MAX_ATTEMPTS {
        let Some(BodyRow { body, media_type, .. }) = view.row(&body)? else {
            if view.has(&manifest)? {
                continue;
            }
            return Ok(None);
        };
        let media_type = match media_type {
            Some(media_type) => Some(media_type),
            None => view.row(&manifest)?.map(|row: ManifestRow| row.media_type),
        };
        if let Some(media_type) = media_type {
            return Ok(Some(StoredManifest {
                digest: *digest,
                media_type,
                body,
            }));
        }
    }
    Err(MetadataError::Corrupt(format!(
        "manifest {digest} of {holder} has no body, or no row"
    )))
}

fn load_stat(view: &View<'_>, holder: &Holder, digest: &Digest) -> Result<Option<ManifestStat>> {
    match view.row(&keys::manifest(holder, digest)) {
        Ok(row) => Ok(row.map(|ManifestRow { media_type, size, .. }| ManifestStat {
            digest: *digest,
            media_type,
            size,
        })),
        // What can be read without the row can be described without it.
        Err(MetadataError::Corrupt(_)) => Ok(load(view, holder, digest)?.map(|manifest| ManifestStat {
            size: manifest.body.len() as u64,
            digest: manifest.digest,
            media_type: manifest.media_type,
        })),
        Err(error) => Err(error),
    }
}

/// What a commit depends on, read in one go.
struct Present {
    row: Option<ManifestRow>,
    /// The type it is served under, also when its row is damaged.
    media_type: Option<MediaType>,
    /// Where the repository's row is to be. None when there is one, and of a bucket, which has rows of its own.
    lacking: Option<Key>,
    tags: Vec<(Pointer, Unknown)>,
    missing: Vec<Digest>,
}

impl Present {
    fn read(view: &View<'_>, manifest: &CommitManifest) -> Result<Self> {
        let CommitManifest {
            holder,
            digest,
            references,
            tags,
            ..
        } = manifest;
        let repository = holder.repository().map(keys::repository);
        let mut keys = vec![keys::manifest(holder, digest)];
        keys.extend(repository.clone());
        keys.extend(tags.iter().map(|(tag, _)| keys::tag(holder, tag)));
        keys.extend(
            references
                .iter()
                .flat_map(|reference| witnesses(holder, reference)),
        );

        let values = view.meta_values(&keys)?;
        let mut rows = keys.iter().zip(values);
        let stored = rows.next().and_then(present);
        let is_stored = stored.is_some();
        // A damaged row is written anew by this push.
        let row: Option<ManifestRow> = stored.and_then(|(key, value)| decode(&key.bytes, &value).ok());
        let media_type = match &row {
            Some(row) => Some(row.media_type.clone()),
            None if is_stored => type_of_body(view, holder, digest)?,
            None => None,
        };
        let lacking = match repository {
            Some(key) if rows.next().and_then(present).is_none() => Some(key),
            _ => None,
        };
        let tags = rows.by_ref().take(tags.len());
        let tags = tags
            .map(|(_, value)| Pointer::with_unknown(value.as_ref()))
            .collect();
        let mut missing = Vec::new();
        for reference in references {
            let needed = witnesses(holder, reference).count();
            let found = rows.by_ref().take(needed).filter_map(present).count();
            if needed > 0 && found == 0 {
                missing.push(reference.digest);
            }
        }
        missing.extend(damaged(view, references)?);
        Ok(Self {
            row,
            media_type,
            lacking,
            tags,
            missing,
        })
    }

    /// The media type that the commit would have to change and may not.
    fn other_type(&self, manifest: &CommitManifest) -> Option<MediaType> {
        let stored = self.media_type.as_ref()?;
        let is_kept = *stored == manifest.media_type || manifest.retyping == Retyping::Allowed;
        (!is_kept).then(|| stored.clone())
    }

    fn conflicts(&self, manifest: &CommitManifest) -> Vec<Tag> {
        // A tag that points to this manifest already is not changed, so a repeated push is no conflict.
        let is_allowed = |precondition: Precondition, present: Pointer| {
            present == Pointer::To(manifest.digest) || present.meets(precondition)
        };
        let tags = manifest.tags.iter().zip(&self.tags);
        tags.filter(|((_, precondition), (present, _))| !is_allowed(*precondition, *present))
            .map(|((tag, _), _)| tag.clone())
            .collect()
    }
}

/// The media type beside a manifest's bytes, which outlives its row.
fn type_of_body(view: &View<'_>, holder: &Holder, digest: &Digest) -> Result<Option<MediaType>> {
    let body = view.row_to_replace::<BodyRow>(&keys::body(holder, digest))?;
    Ok(body.and_then(|body| body.media_type))
}

/// The required references whose stored bytes are damaged: pushing them again heals them.
fn damaged(view: &View<'_>, references: &[ReferenceEdge]) -> Result<Vec<Digest>> {
    if damage::is_empty(view)? {
        return Ok(Vec::new());
    }
    let required = references
        .iter()
        .filter(|reference| matches!(reference.presence, Presence::Blob | Presence::ManifestOrBlob));
    let mut damaged = Vec::new();
    for reference in required {
        if view.has(&keys::damaged(&reference.digest))? {
            damaged.push(reference.digest);
        }
    }
    Ok(damaged)
}

/// The rows of which one must be there for a reference; none when it may be absent.
fn witnesses(holder: &Holder, reference: &ReferenceEdge) -> impl Iterator<Item = Key> {
    let link = matches!(reference.presence, Presence::Blob | Presence::ManifestOrBlob);
    let manifest = matches!(reference.presence, Presence::Manifest | Presence::ManifestOrBlob);
    let link = link.then(|| keys::link(&reference.digest, holder));
    let manifest = manifest.then(|| keys::manifest(holder, &reference.digest));
    link.into_iter().chain(manifest)
}

fn present((key, value): (&Key, Option<Bytes>)) -> Option<(&Key, Bytes)> {
    value.map(|value| (key, value))
}

fn put_edges(
    transaction: &mut Transaction<'_>,
    manifest: &CommitManifest,
    old: Option<&ManifestRow>,
) -> Result<()> {
    let old: HashSet<&Digest> = old.into_iter().flat_map(|row| &row.edges).collect();
    let new: HashSet<&Digest> = manifest
        .references
        .iter()
        .map(|reference| &reference.digest)
        .collect();
    for digest in new.difference(&old) {
        transaction.put(
            keys::edge(digest, &manifest.holder, &EdgeOwner::Manifest(manifest.digest)),
            &EmptyRow,
        );
    }
    for digest in old.difference(&new) {
        links::release(
            transaction,
            &manifest.holder,
            &EdgeOwner::Manifest(manifest.digest),
            digest,
        )?;
    }
    Ok(())
}

fn put_referral(
    transaction: &mut Transaction<'_>,
    manifest: &CommitManifest,
    old: Option<&ManifestRow>,
) -> Result<()> {
    let key = |subject: &Digest, artifact_type: &str| {
        keys::referrer(&manifest.holder, subject, artifact_type, &manifest.digest)
    };
    let old = old.and_then(|row| row.referral.as_ref());
    let old = old.map(|(subject, artifact_type)| key(subject, artifact_type));
    let new = manifest.subject.as_ref().map(|referral| {
        (
            key(&referral.subject, &referral.artifact_type),
            Payload(referral.descriptor.clone()),
        )
    });
    if let Some(old) = old
        && new.as_ref().is_none_or(|(new, _)| *new != old)
    {
        transaction.delete(old);
    }
    let Some((key, descriptor)) = new else {
        return Ok(());
    };
    if transaction.view().row_to_replace(&key)?.as_ref() != Some(&descriptor) {
        transaction.put(key, &descriptor);
    }
    Ok(())
}

fn put_tags(
    transaction: &mut Transaction<'_>,
    manifest: &CommitManifest,
    present: &Present,
    actor: &str,
) -> Vec<(Tag, Digest)> {
    let mut displaced = Vec::new();
    for ((tag, _), (present, unknown)) in manifest.tags.iter().zip(&present.tags) {
        match present {
            Pointer::To(present) if *present == manifest.digest => continue,
            Pointer::To(present) => displaced.push((tag.clone(), *present)),
            Pointer::Damaged => {
                tracing::warn!(holder = %manifest.holder, %tag, "a damaged tag is written anew");
            }
            Pointer::Absent => {}
        }
        let row = TagRow {
            digest: manifest.digest,
            pointed_at: transaction.now(),
            actor: actor.to_owned(),
            unknown: unknown.clone(),
        };
        tags::point(transaction, &manifest.holder, tag, *present, &row);
    }
    displaced
}

fn put_manifest(
    transaction: &mut Transaction<'_>,
    manifest: CommitManifest,
    old: Option<&ManifestRow>,
    actor: String,
) -> Result<()> {
    let CommitManifest {
        holder,
        digest,
        media_type,
        body,
        references,
        subject,
        ..
    } = manifest;
    let size = body.len() as u64;
    put_body(transaction, &holder, &digest, old.is_some(), body, &media_type)?;
    // Who made it and when stays with the first push.
    let (created_at, actor) = match old {
        Some(row) => (row.created_at, row.actor.clone()),
        None => (transaction.now(), actor),
    };
    let edges = references.into_iter().map(|reference| reference.digest).collect();
    let referral = subject.map(|referral| (referral.subject, referral.artifact_type));
    let row = ManifestRow {
        media_type,
        size,
        created_at,
        actor,
        edges,
        referral,
        unknown: old.map(|row| row.unknown.clone()).unwrap_or_default(),
    };
    // A push of what is there already changes nothing, so it waits for no disk.
    if old != Some(&row) {
        transaction.put(keys::manifest(&holder, &digest), &row);
    }
    Ok(())
}

/// Stores a manifest's bytes, unless they are there; those that are damaged, or do not know their media type, are not.
fn put_body(
    transaction: &mut Transaction<'_>,
    holder: &Holder,
    digest: &Digest,
    has_row: bool,
    body: Bytes,
    media_type: &MediaType,
) -> Result<()> {
    let key = keys::body(holder, digest);
    let stored = match has_row {
        true => transaction.view().row_to_replace::<BodyRow>(&key)?,
        false => None,
    };
    let row = BodyRow {
        body,
        media_type: Some(media_type.clone()),
        unknown: stored.as_ref().map(|row| row.unknown.clone()).unwrap_or_default(),
    };
    if stored.as_ref() != Some(&row) {
        transaction.put(key, &row);
    }
    Ok(())
}
