//! Removal of manifests, in steps bounded by the number of tags.

use std::ops::ControlFlow;

use zas_core::{Digest, Holder, RepositoryName, Tag};

use crate::operations::{links, tags};
use crate::ordered_map::{Effort, Key};
use crate::rows::ManifestRow;
use crate::transaction::Transaction;
use crate::view::{Found, View};
use crate::{DeleteManifestOutcome, EdgeOwner, MetadataError, Result, SharedManifest, keys};

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
    holder: &Holder,
    digest: &Digest,
    shared: SharedManifest,
    neighbour: &Neighbour,
) -> Result<Step> {
    let key = keys::manifest(holder, digest);
    let Some(row) = transaction.view().row::<ManifestRow>(&key)? else {
        return Ok(Step::Made(DeleteManifestOutcome::Unknown));
    };
    let (tags, more) = tags_of(&transaction.view(), holder, digest)?;
    if shared == SharedManifest::Keep && tags::count_pointing(&transaction.view(), holder, digest, &tags)? > 1
    {
        return Ok(Step::Made(DeleteManifestOutcome::Kept));
    }
    if more {
        tags::remove_all(transaction, holder, digest, &tags)?;
        return Ok(Step::Made(DeleteManifestOutcome::More));
    }
    let Some(orphaned) = orphaned_repository(&transaction.view(), holder, digest, neighbour)? else {
        return Ok(Step::SeekNeighbour);
    };

    tags::remove_all(transaction, holder, digest, &tags)?;
    for reference in &row.edges {
        links::release(transaction, holder, &EdgeOwner::Manifest(*digest), reference)?;
    }
    if let Some((subject, artifact_type)) = &row.referral {
        transaction.delete(keys::referrer(holder, subject, artifact_type, digest));
    }
    transaction.delete(keys::body(holder, digest));
    transaction.delete(key);
    if let Some(repository) = orphaned {
        transaction.delete(keys::repository(repository));
    }
    Ok(Step::Made(DeleteManifestOutcome::Deleted))
}

/// The repository that goes with its last manifest, if this is it; a bucket has rows of its own. `None`: not known yet.
fn orphaned_repository<'a>(
    view: &View<'_>,
    holder: &'a Holder,
    digest: &Digest,
    neighbour: &Neighbour,
) -> Result<Option<Option<&'a RepositoryName>>> {
    let Some(repository) = holder.repository() else {
        return Ok(Some(None));
    };
    let has_neighbour = has_neighbour(view, holder, digest, neighbour)?;
    Ok(has_neighbour.map(|has_neighbour| (!has_neighbour).then_some(repository)))
}

/// Another manifest of the holder.
pub(crate) fn find_neighbour(
    view: &View<'_>,
    holder: &Holder,
    digest: &Digest,
    effort: Effort,
) -> Result<Found> {
    let own = keys::manifest(holder, digest);
    view.find(&keys::manifests(holder), effort, |key| key != own.bytes)
}

fn has_neighbour(
    view: &View<'_>,
    holder: &Holder,
    digest: &Digest,
    neighbour: &Neighbour,
) -> Result<Option<bool>> {
    let effort = match neighbour {
        Neighbour::NotSought => Effort::Bounded,
        Neighbour::Sought(Some(key)) if view.has(key)? => return Ok(Some(true)),
        // Rare: what was found has gone, or nothing was found and the repository is to go.
        Neighbour::Sought(_) => Effort::Unbounded,
    };
    Ok(match find_neighbour(view, holder, digest, effort)? {
        Found::Row(_) => Some(true),
        Found::Nothing => Some(false),
        Found::Unsure => None,
    })
}

fn tags_of(view: &View<'_>, holder: &Holder, digest: &Digest) -> Result<(Vec<Tag>, bool)> {
    let (mut tags, mut more, mut damaged) = (Vec::new(), false, None);
    view.scan(
        &keys::tags_of(holder, digest),
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
    elements.skip_holder()?;
    elements.digest()?;
    elements.tag()
}
