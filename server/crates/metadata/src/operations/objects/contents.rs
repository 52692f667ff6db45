//! The bytes of versions: who refers to what.

use zas_core::Digest;

use super::{Place, lookup};
use crate::rows::{Payload, VersionBody, VersionContent};
use crate::transaction::Transaction;
use crate::{NewContent, PutOutcome, Result, keys};

/// Size and place of the bytes of a new version, or why there are none.
pub(crate) type Admitted = std::result::Result<(u64, VersionContent), PutOutcome>;

/// Takes the bytes of a new version in.
pub(crate) fn admit(
    transaction: &mut Transaction<'_>,
    place: Place<'_>,
    content: NewContent,
) -> Result<Admitted> {
    match content {
        NewContent::Inline { digest, bytes } => {
            Ok(Ok(put_inline(transaction, place, digest, &Payload(bytes))))
        }
        NewContent::Upload { .. } => Ok(Err(PutOutcome::NoSuchUpload)),
        NewContent::CopyOf { bucket, key, version } => {
            let source = Place {
                bucket,
                key: &key,
                sequence: version.id.sequence,
            };
            let row = lookup::exactly(&transaction.view(), source, version)?;
            match row.map(|row| row.body) {
                Some(VersionBody::Object { size, content, .. }) => {
                    copy(transaction, place, source, size, content)
                }
                Some(VersionBody::DeleteMarker(_)) | None => Ok(Err(PutOutcome::NoSuchSource)),
            }
        }
    }
}

fn put_inline(
    transaction: &mut Transaction<'_>,
    place: Place<'_>,
    digest: Digest,
    data: &Payload,
) -> (u64, VersionContent) {
    let size = data.0.len() as u64;
    transaction.put(data_key(place), data);
    (size, VersionContent::Inline(digest))
}

fn copy(
    transaction: &mut Transaction<'_>,
    place: Place<'_>,
    source: Place<'_>,
    _size: u64,
    content: VersionContent,
) -> Result<Admitted> {
    match content {
        VersionContent::Inline(digest) => {
            let data = transaction.view().row::<Payload>(&data_key(source))?;
            let copied = data.map(|data| put_inline(transaction, place, digest, &data));
            Ok(copied.ok_or(PutOutcome::NoSuchSource))
        }
        VersionContent::Blob(_) | VersionContent::Composite(..) => Ok(Err(PutOutcome::NoSuchSource)),
    }
}

/// Gives the bytes of a version up.
pub(crate) fn release(
    transaction: &mut Transaction<'_>,
    place: Place<'_>,
    content: VersionContent,
) -> Result<()> {
    match content {
        VersionContent::Inline(_) => transaction.delete(data_key(place)),
        VersionContent::Blob(_) | VersionContent::Composite(..) => {}
    }
    Ok(())
}

/// Where the bytes of an inline version are.
pub(crate) fn data_key(place: Place<'_>) -> crate::ordered_map::Key {
    keys::object_data(place.bucket, place.key, place.sequence)
}
