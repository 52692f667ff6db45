//! Removal of manifests, in steps bounded by the number of tags.

use std::ops::ControlFlow;

use zas_core::{Digest, RepositoryName, Tag};

use crate::operations::{links, tags};
use crate::ordered_map::{Effort, Key};
use crate::rows::ManifestRow;
use crate::transaction::Transaction;
use crate::view::{Found, View};
use crate::{DeleteManifestOutcome, MetadataError, Result, SharedManifest, keys};

/// Tags removed by one step, so that the operations behind it wait for milliseconds at most.
const TAGS_PER_STEP: usize = 1000;

/// What is known about the other manifests of the repository.
pub(crate) enum Neighbour {
    /// Nothing: look, but not far.
    NotSought,
    /// The unbounded search outside found this one, or none.
    Sought(Option<Key>),
}

/// The result of one step.
pub(crate) enum Step {
    /// The step was made.
    Made(DeleteManifestOutcome),
    /// Nothing was changed: another manifest must be sought without a bound first.
    SeekNeighbour,
}

/// Removes up to a thousand tags of a manifest, and the manifest with the last of them.
pub(crate) fn delete_manifest(
    transaction: &mut Transaction<'_>,
    repository: &RepositoryName,
    digest: &Digest,
    shared: SharedManifest,
    neighbour: &Neighbour,
) -> Result<Step> {
    let key = keys::manifest(repository, digest);
    let Some(row) = transaction.view().row::<ManifestRow>(&key)? else {
        return Ok(Step::Made(DeleteManifestOutcome::Unknown));
    };
    let (tags, more) = tags_of(&transaction.view(), repository, digest)?;
    if shared == SharedManifest::Keep
        && tags::count_pointing(&transaction.view(), repository, digest, &tags)? > 1
    {
        return Ok(Step::Made(DeleteManifestOutcome::Kept));
    }
    if more {
        tags::remove_all(transaction, repository, digest, &tags)?;
        return Ok(Step::Made(DeleteManifestOutcome::More));
    }
    let is_last = match has_neighbour(&transaction.view(), repository, digest, neighbour)? {
        Some(has_neighbour) => !has_neighbour,
        None => return Ok(Step::SeekNeighbour),
    };

    tags::remove_all(transaction, repository, digest, &tags)?;
    for reference in &row.edges {
        links::release(transaction, repository, digest, reference)?;
    }
    if let Some((subject, artifact_type)) = &row.referral {
        transaction.delete(keys::referrer(repository, subject, artifact_type, digest));
    }
    transaction.delete(keys::body(repository, digest));
    transaction.delete(key);
    if is_last {
        transaction.delete(keys::repository(repository));
    }
    Ok(Step::Made(DeleteManifestOutcome::Deleted))
}

/// Another manifest of the repository.
pub(crate) fn find_neighbour(
    view: &View<'_>,
    repository: &RepositoryName,
    digest: &Digest,
    effort: Effort,
) -> Result<Found> {
    let own = keys::manifest(repository, digest);
    view.find(&keys::manifests(repository), effort, |key| key != own.bytes)
}

fn has_neighbour(
    view: &View<'_>,
    repository: &RepositoryName,
    digest: &Digest,
    neighbour: &Neighbour,
) -> Result<Option<bool>> {
    let effort = match neighbour {
        Neighbour::NotSought => Effort::Bounded,
        Neighbour::Sought(Some(key)) if view.has(key)? => return Ok(Some(true)),
        // Rare: what was found has gone, or nothing was found and the repository is to go.
        Neighbour::Sought(_) => Effort::Unbounded,
    };
    Ok(match find_neighbour(view, repository, digest, effort)? {
        Found::Row(_) => Some(true),
        Found::Nothing => Some(false),
        Found::Unsure => None,
    })
}

fn tags_of(view: &View<'_>, repository: &RepositoryName, digest: &Digest) -> Result<(Vec<Tag>, bool)> {
    let (mut tags, mut more, mut damaged) = (Vec::new(), false, None);
    view.scan(
        &keys::tags_of(repository, digest),
        Effort::Unbounded,
        &mut |key, _| {
            if tags.len() == TAGS_PER_STEP {
                more = true;
                return ControlFlow::Break(());
            }
            match parse_tag(key) {
                Some(tag) => tags.push(tag),
                None => damaged = Some(key.escape_ascii().to_string()),
            }
            ControlFlow::Continue(())
        },
    )?;
    match damaged {
        Some(key) => Err(MetadataError::Corrupt(format!("tag of manifest at {key}"))),
        None => Ok((tags, more)),
    }
}

fn parse_tag(key: &[u8]) -> Option<Tag> {
    let mut elements = keys::Elements::of(key);
    elements.text()?;
    elements.digest()?;
    elements.tag()
}
