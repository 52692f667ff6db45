//! Writing versions.

use zas_core::{BucketId, ObjectKey};

use super::{Place, contents, digests, heads, lookup};
use crate::operations::buckets;
use crate::rows::{HeadRow, Unknown, VersionBody, VersionRow};
use crate::transaction::Transaction;
use crate::{
    DeleteMarker, NewVersion, PutObject, PutOutcome, Result, StoredVersion, UpdateOutcome, VersionSelector,
    Versioning, keys,
};

/// Writes a version that meets its condition.
pub(crate) fn put(transaction: &mut Transaction<'_>, object: PutObject) -> Result<PutOutcome> {
    let PutObject {
        bucket,
        key,
        attributes,
        content,
        condition,
        random,
    } = object;
    let view = transaction.view();
    let Some(state) = buckets::state(&view, bucket)? else {
        return Ok(PutOutcome::NoSuchBucket);
    };
    let head = heads::read(&view, bucket, &key)?;
    if let Some(refusal) = heads::refusal(head.as_ref(), &condition) {
        return Ok(refusal);
    }
    let is_null = state.versioning != Versioning::Enabled;
    let version = heads::next(transaction.now(), head.as_ref(), random, is_null);
    let place = Place {
        bucket,
        key: &key,
        sequence: version.id.sequence,
    };
    let (size, content) = match contents::admit(transaction, place, content)? {
        Ok(admitted) => admitted,
        Err(refusal) => return Ok(refusal),
    };
    let body = VersionBody::Object {
        size,
        attributes,
        content,
    };
    add(transaction, place, head.as_ref(), version, body)?;
    Ok(PutOutcome::Stored(NewVersion {
        version,
        versioning: state.versioning,
        modified_at: transaction.now(),
    }))
}

/// Adds the row of a version, which becomes the current one; a `null` version takes the place of the one before.
pub(crate) fn add(
    transaction: &mut Transaction<'_>,
    place: Place<'_>,
    head: Option<&HeadRow>,
    version: StoredVersion,
    body: VersionBody,
) -> Result<()> {
    let Place { bucket, key, .. } = place;
    let mut null = head.and_then(|head| head.null);
    if version.is_null {
        if let Some(sequence) = null {
            remove(transaction, Place { sequence, ..place })?;
        }
        null = Some(version.id.sequence);
    }
    let row = VersionRow {
        random: version.id.random,
        is_null: version.is_null,
        modified_at: transaction.now(),
        body,
        unknown: Unknown::default(),
    };
    transaction.put(keys::version(bucket, key, version.id.sequence), &row);
    if let Some((content, size)) = digests::of(&transaction.view(), &row.body)? {
        digests::note(transaction, place, &content, size);
    }
    let new = heads::with_current(head, version, &row, null);
    heads::put(transaction, bucket, key, head, Some(&new));
    Ok(())
}

/// Removes the row of a version and gives its bytes up.
pub(crate) fn remove(transaction: &mut Transaction<'_>, place: Place<'_>) -> Result<()> {
    let row_key = keys::version(place.bucket, place.key, place.sequence);
    // What an unreadable row refers to stays: nobody knows what it is.
    let row = transaction.view().row_to_replace::<VersionRow>(&row_key)?;
    transaction.delete(row_key);
    let content = row
        .as_ref()
        .map(|row| digests::of(&transaction.view(), &row.body));
    if let Some((content, size)) = content.transpose()?.flatten() {
        digests::forget(transaction, place, &content, size);
    }
    match row.map(|row| row.body) {
        Some(VersionBody::Object { content, .. }) => contents::release(transaction, place, content),
        Some(VersionBody::DeleteMarker(_)) | None => Ok(()),
    }
}

/// Gives a version these tags.
pub(crate) fn set_tags(
    transaction: &mut Transaction<'_>,
    bucket: BucketId,
    key: &ObjectKey,
    selector: VersionSelector,
    new: Vec<(String, String)>,
) -> Result<UpdateOutcome> {
    let Some((version, mut row)) = lookup::select(&transaction.view(), bucket, key, selector)? else {
        return Ok(UpdateOutcome::Unknown);
    };
    let modified_at = row.modified_at;
    match &mut row.body {
        VersionBody::DeleteMarker(_) => {
            return Ok(UpdateOutcome::DeleteMarker(DeleteMarker { version, modified_at }));
        }
        VersionBody::Object { attributes, .. } => attributes.tags = new,
    }
    transaction.put(keys::version(bucket, key, version.id.sequence), &row);
    Ok(UpdateOutcome::Updated(version))
}
