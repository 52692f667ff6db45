//! Deleting objects and versions.

use zas_core::{BucketId, ObjectKey};

use super::heads::Met;
use super::{Place, heads, lookup, writing};
use crate::keys::Elements;
use crate::operations::buckets;
use crate::ordered_map::Effort;
use crate::rows::{HeadRow, VersionBody, VersionRow};
use crate::transaction::Transaction;
use crate::view::{Found, View};
use crate::{
    DeleteObject, DeleteOutcome, Expected, MetadataError, Owner, Result, StoredVersion, VersionKind,
    VersionSelector, Versioning, keys,
};

/// What is known about the version that becomes current when the current one goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Successor {
    /// Nothing: look, but not far.
    NotSought,
    /// The unbounded search outside found this. Versions older than another only ever go.
    Sought {
        /// Behind the version at this place.
        behind: u64,
        /// The one at this place, or none.
        found: Option<u64>,
    },
}

/// The result of one deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It was made.
    Made(DeleteOutcome),
    /// Nothing was changed: the version behind this one must be sought without a bound first.
    SeekBehind(u64),
}

/// Deletes an object or a version.
pub(crate) fn delete(
    transaction: &mut Transaction<'_>,
    bucket: BucketId,
    owner: &Owner,
    deletion: &DeleteObject,
    successor: Successor,
) -> Result<Step> {
    let Some(state) = buckets::state(&transaction.view(), bucket)? else {
        return Ok(Step::Made(DeleteOutcome::NoSuchBucket));
    };
    if deletion.version == VersionSelector::Current && state.versioning != Versioning::Never {
        let is_null = state.versioning == Versioning::Suspended;
        return hide(transaction, bucket, owner, deletion, is_null).map(Step::Made);
    }
    remove(transaction, bucket, deletion, successor)
}

/// Makes a delete marker, also of a key that has no version.
fn hide(
    transaction: &mut Transaction<'_>,
    bucket: BucketId,
    owner: &Owner,
    deletion: &DeleteObject,
    is_null: bool,
) -> Result<DeleteOutcome> {
    let key = &deletion.key;
    let head = heads::read(&transaction.view(), bucket, key)?;
    let listed = head.as_ref().and_then(|head| head.listed.as_ref());
    if let Some(refusal) = refusal(listed.map(|listed| listed.etag.as_str()), &deletion.expected) {
        return Ok(refusal);
    }
    let version = heads::next(transaction.now(), head.as_ref(), deletion.random, is_null);
    let place = Place {
        bucket,
        key,
        sequence: version.id.sequence,
    };
    let marker = VersionBody::DeleteMarker(owner.clone());
    writing::add(transaction, place, head.as_ref(), version, marker)?;
    Ok(DeleteOutcome::MarkerMade(version))
}

/// Removes a version for good.
fn remove(
    transaction: &mut Transaction<'_>,
    bucket: BucketId,
    deletion: &DeleteObject,
    successor: Successor,
) -> Result<Step> {
    let (view, key) = (transaction.view(), &deletion.key);
    let row = lookup::select(&view, bucket, key, deletion.version)?;
    let etag = row.as_ref().and_then(|(_, row)| etag(row));
    if let Some(refusal) = refusal(etag, &deletion.expected) {
        return Ok(Step::Made(refusal));
    }
    let Some((version, row)) = row else {
        return Ok(Step::Made(DeleteOutcome::Absent));
    };
    let Some(head) = heads::read(&view, bucket, key)? else {
        let version = version.id;
        return Err(MetadataError::Corrupt(format!(
            "version {version} of an object in bucket {bucket} has no head"
        )));
    };
    let place = Place {
        bucket,
        key,
        sequence: version.id.sequence,
    };
    let new = match head_without(&view, place, &head, version, successor)? {
        Some(new) => new,
        None => return Ok(Step::SeekBehind(place.sequence)),
    };
    writing::remove(transaction, place)?;
    heads::put(transaction, bucket, key, Some(&head), new.as_ref());
    let kind = match row.body {
        VersionBody::DeleteMarker(_) => VersionKind::DeleteMarker,
        VersionBody::Object { .. } => VersionKind::Object,
    };
    Ok(Step::Made(DeleteOutcome::Removed(kind)))
}

fn etag(row: &VersionRow) -> Option<&str> {
    match &row.body {
        VersionBody::Object { attributes, .. } => Some(&attributes.etag),
        VersionBody::DeleteMarker(_) => None,
    }
}

fn refusal(etag: Option<&str>, expected: &Expected) -> Option<DeleteOutcome> {
    match heads::meets(etag, expected) {
        Met::Yes => None,
        Met::No => Some(DeleteOutcome::PreconditionFailed),
        Met::Nothing => Some(DeleteOutcome::NoCurrent),
    }
}

/// The head of a key whose version goes: none with the last one. The outer `None`: the search met too many deleted rows.
fn head_without(
    view: &View<'_>,
    place: Place<'_>,
    head: &HeadRow,
    gone: StoredVersion,
    successor: Successor,
) -> Result<Option<Option<HeadRow>>> {
    let null = head.null.filter(|sequence| *sequence != gone.id.sequence);
    if head.current != gone {
        let kept = HeadRow { null, ..head.clone() };
        return Ok(Some(Some(kept)));
    }
    let next = match successor {
        Successor::Sought { behind, found } if behind == place.sequence => match found {
            None => None,
            Some(sequence) => match lookup::at(view, Place { sequence, ..place })? {
                Some(next) => Some(next),
                // It went meanwhile.
                None => read_found(view, place, &find_behind(view, place, Effort::Unbounded)?)?,
            },
        },
        Successor::NotSought | Successor::Sought { .. } => match find_behind(view, place, Effort::Bounded)? {
            Found::Unsure => return Ok(None),
            found => read_found(view, place, &found)?,
        },
    };
    Ok(Some(next.map(|(version, row)| {
        heads::with_current(Some(head), version, &row, null)
    })))
}

/// The next older version of a key.
pub(crate) fn find_behind(view: &View<'_>, place: Place<'_>, effort: Effort) -> Result<Found> {
    let Place {
        bucket,
        key,
        sequence,
    } = place;
    let range = keys::versions_of(bucket, key.as_str()).after(&keys::version(bucket, key, sequence));
    view.find(&range, effort, |_| true)
}

/// The place of a version that was found.
pub(crate) fn found_sequence(found: &Found) -> Option<u64> {
    let Found::Row(key) = found else { return None };
    let mut elements = Elements::of(&key.bytes);
    elements.bucket()?;
    elements.text()?;
    elements.descending()
}

fn read_found(view: &View<'_>, place: Place<'_>, found: &Found) -> Result<Option<lookup::Row>> {
    match found_sequence(found) {
        Some(sequence) => lookup::at(view, Place { sequence, ..place }),
        None => Ok(None),
    }
}

/// Makes deletions of different keys; `None` for one that is to be repeated by itself. A deletion whose rows cannot be read
/// ends before its first change, so the others are made.
pub(crate) fn delete_several(
    transaction: &mut Transaction<'_>,
    bucket: BucketId,
    owner: &Owner,
    deletions: &[DeleteObject],
) -> Result<Vec<Option<DeleteOutcome>>> {
    let mut outcomes = Vec::with_capacity(deletions.len());
    for deletion in deletions {
        let step = delete(transaction, bucket, owner, deletion, Successor::NotSought);
        outcomes.push(match step {
            Ok(Step::Made(outcome)) => Some(outcome),
            Ok(Step::SeekBehind(_)) | Err(MetadataError::Corrupt(_)) => None,
            Err(error) => return Err(error),
        });
    }
    Ok(outcomes)
}

/// How many deletions from the front can be made by one operation, which does not see its own changes: few enough that
/// others do not wait long, and of different keys.
pub(crate) fn together(deletions: &[DeleteObject]) -> usize {
    const TOGETHER: usize = 64;
    let mut keys: Vec<&ObjectKey> = Vec::with_capacity(TOGETHER);
    for deletion in deletions.iter().take(TOGETHER) {
        if keys.contains(&&deletion.key) {
            break;
        }
        keys.push(&deletion.key);
    }
    keys.len()
}
