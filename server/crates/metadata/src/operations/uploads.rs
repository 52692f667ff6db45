//! Uploads, from the reservation of an id to the blob they leave behind.

use std::ops::ControlFlow;
use std::time::Duration;

use zas_core::{Digest, Holder, LocationName, UploadId};

use crate::operations::{links, locations};
use crate::ordered_map::Effort;
use crate::rows::{BlobRow, ExtentRow, LocationOwner, Payload, StoredContent, Unknown, UploadRow};
use crate::transaction::Transaction;
use crate::view::{View, decode};
use crate::{
    BlobContent, Claim, Epoch, Extent, FinishOutcome, FinishUpload, MAX_EXTENTS, MetadataError, NewBlob,
    Origin, Progress, Result, UploadEntry, WriterOutcome, Written, keys,
};

/// How often at most the bytes of one blob are exchanged for others that are just as good as far as anybody knows.
const RENEWAL_PAUSE: Duration = Duration::from_secs(3600);

/// Reserves an id; a repeated call finds the first one's row.
pub(crate) fn create(
    transaction: &mut Transaction<'_>,
    origin: Origin,
    holder: Holder,
    id: UploadId,
) -> Result<Epoch> {
    let key = keys::upload(id);
    if let Some(upload) = transaction.view().row::<UploadRow>(&key)? {
        return Ok(upload.epoch);
    }
    let upload = UploadRow {
        holder,
        actor: origin.actor,
        epoch: Epoch {
            start: transaction.start(),
            claim: 1,
        },
        touched_at: transaction.now(),
        progress: Progress::default(),
        extents: 0,
        ordinal: 0,
        // Whoever writes at once tells nobody the id: nobody can claim the upload from it.
        is_writing: false,
        unknown: Unknown::default(),
    };
    transaction.put(key, &upload);
    Ok(upload.epoch)
}

/// Fences the present writer off, dooms what it did not list and makes the caller the next one.
pub(crate) fn claim(
    transaction: &mut Transaction<'_>,
    holder: &Holder,
    id: UploadId,
) -> Result<Option<Claim>> {
    let key = keys::upload(id);
    let upload = transaction
        .view()
        .row::<UploadRow>(&key)?
        .filter(|upload| upload.holder == *holder);
    let Some(upload) = upload else { return Ok(None) };
    if upload.is_writing {
        locations::doom(transaction, unlisted(id, &upload), LocationOwner::Upload(id))?;
    }
    let epoch = Epoch {
        start: transaction.start(),
        claim: upload.epoch.claim + 1,
    };
    let claimed = UploadRow {
        epoch,
        touched_at: transaction.now(),
        ordinal: 0,
        is_writing: true,
        ..upload
    };
    transaction.put(key, &claimed);
    Ok(Some(Claim {
        epoch,
        progress: claimed.progress,
        extents: claimed.extents as usize,
    }))
}

/// Saves how far an upload is.
pub(crate) fn save(
    transaction: &mut Transaction<'_>,
    id: UploadId,
    epoch: Epoch,
    progress: Progress,
    written: Written,
) -> Result<WriterOutcome> {
    let upload = match owned(transaction, id, epoch)? {
        Ok(upload) => upload,
        Err(refusal) => return Ok(refusal),
    };
    let count = written.extents.len();
    if upload.extents as usize + count > MAX_EXTENTS {
        let problem = format!("upload {id} would have more than {MAX_EXTENTS} runs of bytes");
        return Err(MetadataError::Corrupt(problem));
    }
    for (index, extent) in (upload.extents..).zip(written.extents) {
        transaction.put(keys::extent(id, index), &ExtentRow(extent));
    }
    let count = count as u32;
    let saved = UploadRow {
        progress,
        extents: upload.extents + count,
        ordinal: upload.ordinal + count,
        is_writing: upload.is_writing && !written.is_last,
        touched_at: transaction.now(),
        ..upload
    };
    transaction.put(keys::upload(id), &saved);
    Ok(WriterOutcome::Done)
}

/// Notes that an upload's writer is at work.
pub(crate) fn touch(transaction: &mut Transaction<'_>, id: UploadId, epoch: Epoch) -> Result<WriterOutcome> {
    let upload = match owned(transaction, id, epoch)? {
        Ok(upload) => upload,
        Err(refusal) => return Ok(refusal),
    };
    let touched = UploadRow {
        touched_at: transaction.now(),
        ..upload
    };
    transaction.put(keys::upload(id), &touched);
    Ok(WriterOutcome::Done)
}

/// Cancels an upload. The name that its writer may be writing is doomed in any case: the row does not tell whether there
/// is a file.
pub(crate) fn abort(transaction: &mut Transaction<'_>, id: UploadId, epoch: Epoch) -> Result<WriterOutcome> {
    let upload = match owned(transaction, id, epoch)? {
        Ok(upload) => upload,
        Err(refusal) => return Ok(refusal),
    };
    let saved = remove(transaction, id, &upload)?;
    let names = saved.iter().map(|extent| extent.location);
    doom_all(
        transaction,
        names.chain([unlisted(id, &upload)]),
        LocationOwner::Upload(id),
    )?;
    Ok(WriterOutcome::Done)
}

/// Cancels an upload that is still as it was listed: whoever claimed it, saved or touched it since keeps it.
pub(crate) fn expire(transaction: &mut Transaction<'_>, listed: &UploadEntry) -> Result<WriterOutcome> {
    match owned(transaction, listed.id, listed.epoch)? {
        Err(refusal) => Ok(refusal),
        Ok(upload) if upload.touched_at != listed.touched_at => Ok(WriterOutcome::Fenced),
        Ok(_) => abort(transaction, listed.id, listed.epoch),
    }
}

/// Ends an upload: its blob is the holder's now.
pub(crate) fn finish(transaction: &mut Transaction<'_>, upload: FinishUpload) -> Result<FinishOutcome> {
    let (id, holder) = (upload.id, upload.holder.clone());
    let (digest, size) = (upload.blob.digest, upload.blob.size);
    let outcome = store(transaction, upload)?;
    if !matches!(outcome, FinishOutcome::Fenced | FinishOutcome::Unknown) {
        links::grant(transaction, &holder, &digest, size, Some(id))?;
    }
    Ok(outcome)
}

/// Ends an upload: its blob is there, and nobody holds it yet.
pub(crate) fn store(transaction: &mut Transaction<'_>, upload: FinishUpload) -> Result<FinishOutcome> {
    let FinishUpload {
        id,
        epoch,
        holder,
        blob,
    } = upload;
    let saved = match epoch {
        None if matches!(blob.content, BlobContent::Extents(_)) => return Ok(FinishOutcome::Unknown),
        None => Vec::new(),
        Some(epoch) => {
            let row = transaction.view().row::<UploadRow>(&keys::upload(id))?;
            match row.filter(|row| row.holder == holder) {
                None => return Ok(FinishOutcome::Unknown),
                Some(row) if row.epoch != epoch => return Ok(FinishOutcome::Fenced),
                Some(row) => remove(transaction, id, &row)?,
            }
        }
    };
    let digest = blob.digest;
    let existing = sound_blob(transaction, &blob)?;
    let (mut row, data) = split(blob, &saved)?;
    if row.content == StoredContent::Inline {
        // The bytes moved into a row: nobody needs the others.
        doom_all(
            transaction,
            saved.iter().map(|extent| extent.location),
            LocationOwner::Upload(id),
        )?;
    }
    let outcome = match existing {
        Existing::Sound(existing) if may_replace(transaction, &existing, &row) => {
            doom_all(transaction, existing.locations(), LocationOwner::Blob(digest))?;
            row.renewed_at = Some(transaction.now());
            row.unknown = existing.unknown;
            put_blob(transaction, &digest, &row, data);
            FinishOutcome::Renewed
        }
        Existing::Sound(_) => {
            doom_all(transaction, row.locations(), LocationOwner::Upload(id))?;
            FinishOutcome::Existed
        }
        Existing::Damaged(existing) => {
            if let Some(existing) = existing {
                doom_all(transaction, existing.locations(), LocationOwner::Blob(digest))?;
                row.unknown = existing.unknown;
            }
            transaction.delete(keys::damaged(&digest));
            put_blob(transaction, &digest, &row, data);
            FinishOutcome::Healed
        }
        Existing::Nothing => {
            put_blob(transaction, &digest, &row, data);
            FinishOutcome::Created
        }
    };
    Ok(outcome)
}

/// What became of an upload of bytes that ends.
pub(crate) enum Taken {
    /// These are its runs of bytes, which nobody owns now.
    Extents(Vec<Extent>),
    /// Somebody else has claimed it since.
    Fenced,
    /// There is no such upload.
    Unknown,
}

/// Ends an upload without a blob: the caller owns its runs of bytes, the last of which, not saved before, are `extents`.
pub(crate) fn take(
    transaction: &mut Transaction<'_>,
    holder: &Holder,
    id: UploadId,
    epoch: Epoch,
    extents: Vec<Extent>,
) -> Result<Taken> {
    let row = transaction.view().row::<UploadRow>(&keys::upload(id))?;
    let row = match row.filter(|row| row.holder == *holder) {
        None => return Ok(Taken::Unknown),
        Some(row) if row.epoch != epoch => return Ok(Taken::Fenced),
        Some(row) => row,
    };
    let mut all = remove(transaction, id, &row)?;
    all.extend(extents);
    Ok(Taken::Extents(all))
}

fn doom_all(
    transaction: &mut Transaction<'_>,
    names: impl IntoIterator<Item = LocationName>,
    owner: LocationOwner,
) -> Result<()> {
    for name in names {
        locations::doom(transaction, name, owner)?;
    }
    Ok(())
}

/// The saved runs of an upload's bytes, in order.
pub(crate) fn extents(view: &View<'_>, id: UploadId) -> Result<Vec<Extent>> {
    let mut extents = Vec::new();
    let mut read = Ok(());
    view.scan(
        &keys::extents(id),
        Effort::Unbounded,
        &mut |key, value| match decode::<ExtentRow>(key, &bytes::Bytes::copy_from_slice(value)) {
            Ok(ExtentRow(extent)) => {
                extents.push(extent);
                ControlFlow::Continue(())
            }
            Err(error) => {
                read = Err(error);
                ControlFlow::Break(())
            }
        },
    )?;
    read.map(|()| extents)
}

/// Removes the rows of an upload and gives the runs of its bytes.
fn remove(transaction: &mut Transaction<'_>, id: UploadId, upload: &UploadRow) -> Result<Vec<Extent>> {
    transaction.delete(keys::upload(id));
    if upload.extents == 0 {
        return Ok(Vec::new());
    }
    for index in 0..upload.extents {
        transaction.delete(keys::extent(id, index));
    }
    extents(&transaction.view(), id)
}

/// The name that the present writer of an upload writes, or is about to.
fn unlisted(id: UploadId, upload: &UploadRow) -> LocationName {
    upload.epoch.name(id, upload.ordinal)
}

/// Whether bytes that were just proved take the place of others, about which nobody knows: a disk may have damaged them
/// since they were written.
fn may_replace(transaction: &Transaction<'_>, existing: &BlobRow, new: &BlobRow) -> bool {
    // Inline bytes were compared, and there is nothing worse in them.
    let are_stored = matches!(existing.content, StoredContent::Extents(_));
    let is_no_worse = new.extents().len() <= existing.extents().len();
    let is_due = existing
        .renewed_at
        .is_none_or(|at| transaction.now().since(at) >= RENEWAL_PAUSE);
    are_stored && is_no_worse && is_due
}

/// What the store has of a digest.
enum Existing {
    Nothing,
    /// The blob, with bytes that nobody doubts.
    Sound(BlobRow),
    /// The blob with bytes that are not its own, or with rows that cannot be read.
    Damaged(Option<BlobRow>),
}

fn sound_blob(transaction: &Transaction<'_>, new: &NewBlob) -> Result<Existing> {
    let (view, key) = (transaction.view(), keys::blob(&new.digest));
    let Some(row) = view.row_to_replace::<BlobRow>(&key)? else {
        return Ok(if view.has(&key).unwrap_or(true) {
            Existing::Damaged(None)
        } else {
            Existing::Nothing
        });
    };
    let is_sound = row.damaged_since.is_none()
        && match (&row.content, &new.content) {
            // Both are at hand: compare.
            (StoredContent::Inline, BlobContent::Inline(bytes)) => {
                let data = view.row_to_replace::<Payload>(&keys::blob_data(&new.digest))?;
                data.is_some_and(|Payload(stored)| stored == *bytes)
            }
            _ => true,
        };
    Ok(if is_sound {
        Existing::Sound(row)
    } else {
        Existing::Damaged(Some(row))
    })
}

/// The upload's row if `epoch` is its present writer's.
fn owned(
    transaction: &Transaction<'_>,
    id: UploadId,
    epoch: Epoch,
) -> Result<std::result::Result<UploadRow, WriterOutcome>> {
    Ok(match transaction.view().row::<UploadRow>(&keys::upload(id))? {
        None => Err(WriterOutcome::Unknown),
        Some(upload) if upload.epoch != epoch => Err(WriterOutcome::Fenced),
        Some(upload) => Ok(upload),
    })
}

/// The rows of a blob whose first runs are `saved`.
fn split(blob: NewBlob, saved: &[Extent]) -> Result<(BlobRow, Option<Payload>)> {
    let row = |content| BlobRow {
        size: blob.size,
        content,
        damaged_since: None,
        renewed_at: None,
        unknown: Unknown::default(),
    };
    match blob.content {
        BlobContent::Inline(bytes) => Ok((row(StoredContent::Inline), Some(Payload(bytes)))),
        BlobContent::Extents(last) => {
            let extents: Vec<Extent> = saved.iter().copied().chain(last).collect();
            let stored: u64 = extents.iter().map(|extent| extent.length).sum();
            if stored != blob.size {
                let (digest, size) = (blob.digest, blob.size);
                let problem = format!("blob {digest} has {size} bytes, but {stored} are stored");
                return Err(MetadataError::Corrupt(problem));
            }
            Ok((row(StoredContent::Extents(extents)), None))
        }
    }
}

fn put_blob(transaction: &mut Transaction<'_>, digest: &Digest, row: &BlobRow, data: Option<Payload>) {
    transaction.put(keys::blob(digest), row);
    if let Some(data) = data {
        transaction.put(keys::blob_data(digest), &data);
    }
    for name in row.locations() {
        locations::put_live(transaction, name, LocationOwner::Blob(*digest));
    }
}
