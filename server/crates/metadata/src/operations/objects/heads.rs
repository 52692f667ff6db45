//! Heads: one row for each key that has versions, among those that listings show or, when a delete marker is current,
//! apart from them, so that a listing never crosses it.

use zas_core::{BucketId, ObjectKey, Timestamp};

use crate::rows::{HeadRow, Listed, Unknown, VersionBody, VersionRow};
use crate::transaction::Transaction;
use crate::view::{View, decode};
use crate::{Expected, Overwrite, PutOutcome, Result, StoredVersion, VersionId, WriteCondition, keys};

/// The head of a key; `None`: it has no version.
pub(crate) fn read(view: &View<'_>, bucket: BucketId, key: &ObjectKey) -> Result<Option<HeadRow>> {
    let places = [keys::live(bucket, key), keys::hidden(bucket, key)];
    let values = view.meta_values(&places)?;
    let found = places
        .iter()
        .zip(values)
        .find_map(|(place, value)| Some((place, value?)));
    found
        .map(|(place, value)| decode(&place.bytes, &value))
        .transpose()
}

/// Puts the head of a key where its current version belongs, and away from where the old one was.
pub(crate) fn put(
    transaction: &mut Transaction<'_>,
    bucket: BucketId,
    key: &ObjectKey,
    old: Option<&HeadRow>,
    new: Option<&HeadRow>,
) {
    let place = |head: &HeadRow| match head.listed {
        Some(_) => keys::live(bucket, key),
        None => keys::hidden(bucket, key),
    };
    if let Some(old) = old {
        transaction.delete(place(old));
    }
    if let Some(new) = new {
        transaction.put(place(new), new);
    }
}

/// The head of a key whose current version becomes `row`.
pub(crate) fn with_current(
    old: Option<&HeadRow>,
    current: StoredVersion,
    row: &VersionRow,
    null: Option<u64>,
) -> HeadRow {
    HeadRow {
        current,
        null,
        last: old
            .map_or(current.id.sequence, |head| head.last)
            .max(current.id.sequence),
        listed: listed(row),
        unknown: old.map_or_else(Unknown::default, |head| head.unknown.clone()),
    }
}

fn listed(row: &VersionRow) -> Option<Listed> {
    let VersionBody::Object { size, attributes, .. } = &row.body else {
        return None;
    };
    let checksum = attributes.checksum.as_ref();
    Some(Listed {
        size: *size,
        modified_at: row.modified_at,
        etag: attributes.etag.clone(),
        owner: attributes.owner.clone(),
        storage_class: attributes.storage_class.clone(),
        checksum: checksum.map(|checksum| (checksum.algorithm.clone(), checksum.kind.clone())),
    })
}

/// The next version of a key, behind every one that it ever had since its head was made, even when the clock went back.
pub(crate) fn next(now: Timestamp, head: Option<&HeadRow>, random: u64, is_null: bool) -> StoredVersion {
    let after = head.map_or(0, |head| head.last.saturating_add(1));
    StoredVersion {
        id: VersionId {
            sequence: now.millis().max(after),
            random,
        },
        is_null,
    }
}

/// Why a write is refused.
pub(crate) fn refusal(head: Option<&HeadRow>, condition: &WriteCondition) -> Option<PutOutcome> {
    let current = head.and_then(|head| head.listed.as_ref());
    if condition.overwrite == Overwrite::Denied && current.is_some() {
        return Some(PutOutcome::AccessDenied);
    }
    match meets(current.map(|listed| listed.etag.as_str()), &condition.expected) {
        Met::Yes => None,
        Met::No => Some(PutOutcome::PreconditionFailed),
        Met::Nothing => Some(PutOutcome::NoCurrent),
    }
}

/// Whether an object is what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    Yes,
    No,
    /// One is expected, and there is none.
    Nothing,
}

/// Compares the entity tag of an object, if there is one, with what is expected.
pub(crate) fn meets(etag: Option<&str>, expected: &Expected) -> Met {
    match (expected, etag) {
        (Expected::Any, _) | (Expected::Absent, None) | (Expected::Present, Some(_)) => Met::Yes,
        (Expected::Absent, Some(_)) => Met::No,
        (Expected::Present | Expected::Tagged(_), None) => Met::Nothing,
        (Expected::Tagged(tags), Some(etag)) => {
            if tags.iter().any(|tag| tag == etag) {
                Met::Yes
            } else {
                Met::No
            }
        }
    }
}
