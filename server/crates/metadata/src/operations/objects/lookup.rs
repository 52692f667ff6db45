//! Reading one version.

use zas_core::{BucketId, Holder, ObjectKey};

use super::{Place, contents, heads};
use crate::operations::blobs;
use crate::operations::multipart::reading;
use crate::rows::{Payload, VersionBody, VersionContent, VersionRow};
use crate::view::{MAX_ATTEMPTS, View};
use crate::{
    BlobContent, ContentRef, DeleteMarker, MetadataError, ObjectBytes, ObjectLookup, ObjectVersion, Result,
    StoredVersion, VersionId, VersionSelector, keys,
};

/// A version and its row.
pub(crate) type Row = (StoredVersion, VersionRow);

/// The row of exactly this version.
pub(crate) fn exactly(
    view: &View<'_>,
    place: Place<'_>,
    version: StoredVersion,
) -> Result<Option<VersionRow>> {
    let row = at(view, place)?;
    Ok(row.filter(|(found, _)| *found == version).map(|(_, row)| row))
}

/// The version at a place.
pub(crate) fn at(view: &View<'_>, place: Place<'_>) -> Result<Option<Row>> {
    let Place {
        bucket,
        key,
        sequence,
    } = place;
    let row = view.row::<VersionRow>(&keys::version(bucket, key, sequence))?;
    Ok(row.map(|row| (version(sequence, &row), row)))
}

/// Which version a row is.
pub(crate) fn version(sequence: u64, row: &VersionRow) -> StoredVersion {
    StoredVersion {
        id: VersionId {
            sequence,
            random: row.random,
        },
        is_null: row.is_null,
    }
}

/// What a look at rows that are written together, but read one after the other, gave.
enum Look<T> {
    Seen(T),
    /// The rows do not belong together: they changed meanwhile, and a second look tells.
    Torn,
}

/// The row that a client means; a reader may come between a head and its version.
pub(crate) fn select(
    view: &View<'_>,
    bucket: BucketId,
    key: &ObjectKey,
    selector: VersionSelector,
) -> Result<Option<Row>> {
    repeat(bucket, key, || look(view, bucket, key, selector))
}

fn repeat<T>(bucket: BucketId, key: &ObjectKey, mut look: impl FnMut() -> Result<Look<T>>) -> Result<T> {
    for _ in 0..MAX_ATTEMPTS {
        if let Look::Seen(seen) = look()? {
            return Ok(seen);
        }
    }
    let key = key.as_str().escape_debug();
    Err(MetadataError::Corrupt(format!(
        "object {key} of bucket {bucket} lacks a row"
    )))
}

fn look(
    view: &View<'_>,
    bucket: BucketId,
    key: &ObjectKey,
    selector: VersionSelector,
) -> Result<Look<Option<Row>>> {
    let place = |sequence| Place {
        bucket,
        key,
        sequence,
    };
    let sequence = match selector {
        VersionSelector::Id(id) => {
            let row = at(view, place(id.sequence))?;
            let is_meant = |(version, _): &Row| version.id() == Some(id);
            return Ok(Look::Seen(row.filter(is_meant)));
        }
        VersionSelector::Current => heads::read(view, bucket, key)?.map(|head| head.current.id.sequence),
        VersionSelector::Null => heads::read(view, bucket, key)?.and_then(|head| head.null),
    };
    let Some(sequence) = sequence else {
        return Ok(Look::Seen(None));
    };
    Ok(match at(view, place(sequence))? {
        Some(row) => Look::Seen(Some(row)),
        None => Look::Torn,
    })
}

/// A version without its bytes.
pub(crate) fn stat(
    view: &View<'_>,
    bucket: BucketId,
    key: &ObjectKey,
    selector: VersionSelector,
) -> Result<ObjectLookup<ObjectVersion>> {
    Ok(match select(view, bucket, key, selector)? {
        None => ObjectLookup::Unknown,
        Some((version, row)) => described(view, version, row)?,
    })
}

/// A version and where its bytes are.
pub(crate) fn get(
    view: &View<'_>,
    bucket: BucketId,
    key: &ObjectKey,
    selector: VersionSelector,
) -> Result<ObjectLookup<(ObjectVersion, ObjectBytes)>> {
    repeat(bucket, key, || {
        let object = match stat(view, bucket, key, selector)? {
            ObjectLookup::Unknown => return Ok(Look::Seen(ObjectLookup::Unknown)),
            ObjectLookup::DeleteMarker(marker) => {
                return Ok(Look::Seen(ObjectLookup::DeleteMarker(marker)));
            }
            ObjectLookup::Found(object) => object,
        };
        let place = Place {
            bucket,
            key,
            sequence: object.version.id.sequence,
        };
        Ok(match bytes(view, place, &object.content)? {
            Some(bytes) => Look::Seen(ObjectLookup::Found((object, bytes))),
            None => Look::Torn,
        })
    })
}

fn bytes(view: &View<'_>, place: Place<'_>, content: &ContentRef) -> Result<Option<ObjectBytes>> {
    Ok(match content {
        ContentRef::Inline { .. } => {
            let data = view.row::<Payload>(&contents::data_key(place))?;
            data.map(|Payload(bytes)| ObjectBytes::Inline(bytes))
        }
        ContentRef::Blob(digest) => {
            // Gone together with the version, if it is: then a second look finds none.
            let held = blobs::look_up(view, &Holder::Bucket(place.bucket), digest)?;
            held.map(|held| match held.stat.content {
                BlobContent::Inline(bytes) => ObjectBytes::Inline(bytes),
                BlobContent::Extents(extents) => ObjectBytes::Extents(extents),
            })
        }
        ContentRef::Composite(composite) => Some(ObjectBytes::Composite(composite.id)),
    })
}

fn described(
    view: &View<'_>,
    version: StoredVersion,
    row: VersionRow,
) -> Result<ObjectLookup<ObjectVersion>> {
    let modified_at = row.modified_at;
    let VersionBody::Object {
        size,
        attributes,
        content,
    } = row.body
    else {
        return Ok(ObjectLookup::DeleteMarker(DeleteMarker { version, modified_at }));
    };
    let content = match content {
        VersionContent::Inline(digest) => ContentRef::Inline { digest },
        VersionContent::Blob(digest) => ContentRef::Blob(digest),
        VersionContent::Composite(id, parts) => ContentRef::Composite(crate::Composite {
            id,
            parts,
            digest: reading::digest(view, id)?,
        }),
    };
    Ok(ObjectLookup::Found(ObjectVersion {
        version,
        modified_at,
        size,
        attributes,
        content,
    }))
}
