//! The bytes of versions: who refers to what.

use zas_core::{BucketId, Digest, Holder, UploadId};

use super::{Place, lookup};
use crate::keys::CompositeOwner;
use crate::operations::links;
use crate::operations::multipart::discard;
use crate::operations::uploads::{self, Taken};
use crate::rows::{BlobRow, EmptyRow, Payload, VersionBody, VersionContent};
use crate::transaction::Transaction;
use crate::{
    BlobContent, EdgeOwner, Epoch, Extent, FinishOutcome, FinishUpload, GarbageKind, NewBlob, NewContent,
    PutOutcome, Result, keys,
};

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
        NewContent::Upload { id, epoch, blob } => finish(transaction, place, id, epoch, blob),
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

/// Ends an upload whose bytes become a version's.
fn finish(
    transaction: &mut Transaction<'_>,
    place: Place<'_>,
    id: UploadId,
    epoch: Epoch,
    blob: NewBlob,
) -> Result<Admitted> {
    let (digest, size) = (blob.digest, blob.size);
    if let BlobContent::Inline(bytes) = blob.content {
        return Ok(match take(transaction, place.bucket, id, epoch, Vec::new())? {
            Taken::Extents(_) => Ok(put_inline(transaction, place, digest, &Payload(bytes))),
            Taken::Fenced => Err(PutOutcome::Fenced),
            Taken::Unknown => Err(PutOutcome::NoSuchUpload),
        });
    }
    let holder = Holder::Bucket(place.bucket);
    let upload = FinishUpload {
        id,
        epoch: Some(epoch),
        holder: holder.clone(),
        blob,
    };
    match uploads::store(transaction, upload)? {
        FinishOutcome::Fenced => return Ok(Err(PutOutcome::Fenced)),
        FinishOutcome::Unknown => return Ok(Err(PutOutcome::NoSuchUpload)),
        FinishOutcome::Created | FinishOutcome::Existed | FinishOutcome::Renewed | FinishOutcome::Healed => {}
    }
    links::hold(transaction, &holder, &edge_owner(place), &digest, size, Some(id))?;
    Ok(Ok((size, VersionContent::Blob(digest))))
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
    size: u64,
    content: VersionContent,
) -> Result<Admitted> {
    match content {
        VersionContent::Inline(digest) => {
            let data = transaction.view().row::<Payload>(&data_key(source))?;
            let copied = data.map(|data| put_inline(transaction, place, digest, &data));
            Ok(copied.ok_or(PutOutcome::NoSuchSource))
        }
        VersionContent::Blob(digest) => {
            let held = hold_sound(transaction, place.bucket, &edge_owner(place), &digest)?;
            Ok(held.then_some((size, content)).ok_or(PutOutcome::NoSuchSource))
        }
        VersionContent::Composite(id, _) => {
            refer(transaction, id, owner(place));
            Ok(Ok((size, content)))
        }
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
        VersionContent::Blob(digest) => {
            let holder = Holder::Bucket(place.bucket);
            links::let_go(transaction, &holder, &edge_owner(place), &digest)?;
        }
        VersionContent::Composite(id, _) => part_from(transaction, id, owner(place)),
    }
    Ok(())
}

/// Makes a bucket hold a blob that something else refers to already; `false`: it is gone or damaged.
fn hold_sound(
    transaction: &mut Transaction<'_>,
    bucket: BucketId,
    owner: &EdgeOwner,
    digest: &Digest,
) -> Result<bool> {
    let row = transaction
        .view()
        .row_to_replace::<BlobRow>(&keys::blob(digest))?;
    let Some(row) = row.filter(|row| row.damaged_since.is_none()) else {
        return Ok(false);
    };
    links::hold(
        transaction,
        &Holder::Bucket(bucket),
        owner,
        digest,
        row.size,
        None,
    )?;
    Ok(true)
}

/// What refers to the blob of a version.
fn edge_owner(place: Place<'_>) -> EdgeOwner {
    EdgeOwner::Version(place.key.clone(), place.sequence)
}

/// What refers to the composite of a version.
fn owner(place: Place<'_>) -> CompositeOwner<'_> {
    CompositeOwner::Version(place.bucket, place.key, place.sequence)
}

/// Refers to a composite, which stays as long as anything does.
pub(crate) fn refer(transaction: &mut Transaction<'_>, composite: UploadId, owner: CompositeOwner<'_>) {
    transaction.put(keys::composite_edge(composite, owner), &EmptyRow);
}

/// Refers to a composite no more. Whether it goes is seen when downloads that began before have had their time.
pub(crate) fn part_from(transaction: &mut Transaction<'_>, composite: UploadId, owner: CompositeOwner<'_>) {
    transaction.delete(keys::composite_edge(composite, owner));
    let due_at = transaction.now().plus(transaction.timing().doom_delay);
    discard(transaction, GarbageKind::Composite, composite, due_at);
}

/// Ends an upload of bytes into a bucket, the last of which are these.
pub(crate) fn take(
    transaction: &mut Transaction<'_>,
    bucket: BucketId,
    id: UploadId,
    epoch: Epoch,
    extents: Vec<Extent>,
) -> Result<Taken> {
    let bucket = Holder::Bucket(bucket);
    uploads::take(transaction, &bucket, id, epoch, extents)
}

/// Refers to a blob for a part; `false`: it is gone or damaged.
pub(crate) fn hold_for_part(
    transaction: &mut Transaction<'_>,
    bucket: BucketId,
    digest: &Digest,
    id: UploadId,
    number: u16,
) -> Result<bool> {
    hold_sound(transaction, bucket, &EdgeOwner::Part(id, number), digest)
}

/// Refers to a blob for a part no more.
pub(crate) fn release_for_part(
    transaction: &mut Transaction<'_>,
    bucket: BucketId,
    digest: &Digest,
    id: UploadId,
    number: u16,
) -> Result<()> {
    let owner = EdgeOwner::Part(id, number);
    links::let_go(transaction, &Holder::Bucket(bucket), &owner, digest)
}

/// Where the bytes of an inline version are.
pub(crate) fn data_key(place: Place<'_>) -> crate::ordered_map::Key {
    keys::object_data(place.bucket, place.key, place.sequence)
}
