//! Uploads, from the reservation of an id to the blob they leave behind.

use std::time::Duration;

use zas_core::{Digest, Holder, UploadId};

use crate::operations::{links, locations};
use crate::rows::{BlobRow, LocationOwner, Payload, StoredContent, Unknown, UploadRow};
use crate::transaction::Transaction;
use crate::{
    BlobContent, Claim, Epoch, Extent, FinishOutcome, FinishUpload, NewBlob, Origin, Progress, Result,
    UploadEntry, WriterOutcome, keys,
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
        epoch: Epoch(1),
        touched_at: transaction.now(),
        progress: Progress::default(),
        has_stored_bytes: false,
        unknown: Unknown::default(),
    };
    transaction.put(key, &upload);
    Ok(upload.epoch)
}

/// Fences the present writer off and makes the caller the next one.
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
    let epoch = Epoch(upload.epoch.0 + 1);
    let claimed = UploadRow {
        epoch,
        touched_at: transaction.now(),
        ..upload
    };
    transaction.put(key, &claimed);
    Ok(Some(Claim {
        epoch,
        progress: claimed.progress,
    }))
}

/// Saves how far an upload is.
pub(crate) fn save(
    transaction: &mut Transaction<'_>,
    id: UploadId,
    epoch: Epoch,
    progress: Progress,
) -> Result<WriterOutcome> {
    let upload = match owned(transaction, id, epoch)? {
        Ok(upload) => upload,
        Err(refusal) => return Ok(refusal),
    };
    let has_stored_bytes = upload.has_stored_bytes || progress.inline.is_none();
    let saved = UploadRow {
        progress,
        has_stored_bytes,
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

/// Cancels an upload. Its name is doomed in any case: the row does not tell whether a writer made a file.
pub(crate) fn abort(transaction: &mut Transaction<'_>, id: UploadId, epoch: Epoch) -> Result<WriterOutcome> {
    if let Err(refusal) = owned(transaction, id, epoch)? {
        return Ok(refusal);
    }
    transaction.delete(keys::upload(id));
    locations::doom(transaction, id, LocationOwner::Upload(id))?;
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
    let has_stored_bytes = match epoch {
        None if matches!(blob.content, BlobContent::Extents(_)) => return Ok(FinishOutcome::Unknown),
        None => false,
        Some(epoch) => {
            let row = transaction.view().row::<UploadRow>(&keys::upload(id))?;
            match row.filter(|row| row.holder == holder) {
                None => return Ok(FinishOutcome::Unknown),
                Some(row) if row.epoch != epoch => return Ok(FinishOutcome::Fenced),
                Some(row) => row.has_stored_bytes,
            }
        }
    };
    if epoch.is_some() {
        transaction.delete(keys::upload(id));
    }

    let digest = blob.digest;
    let existing = sound_blob(transaction, &blob)?;
    let (mut row, data) = split(blob);
    let mut surplus = row.locations();
    if has_stored_bytes && !surplus.contains(&id) {
        surplus.push(id);
    }
    let mut replaced = Vec::new();
    let outcome = match existing {
        Existing::Sound(existing) if may_replace(transaction, &existing, &row) => {
            surplus.retain(|name| !row.locations().contains(name));
            replaced = existing.locations();
            row.renewed_at = Some(transaction.now());
            row.unknown = existing.unknown;
            put_blob(transaction, &digest, &row, data);
            FinishOutcome::Renewed
        }
        Existing::Sound(_) => FinishOutcome::Existed,
        Existing::Damaged(existing) => {
            surplus.retain(|name| !row.locations().contains(name));
            if let Some(existing) = existing {
                replaced = existing.locations();
                row.unknown = existing.unknown;
            }
            transaction.delete(keys::damaged(&digest));
            put_blob(transaction, &digest, &row, data);
            FinishOutcome::Healed
        }
        Existing::Nothing => {
            surplus.retain(|name| !row.locations().contains(name));
            put_blob(transaction, &digest, &row, data);
            FinishOutcome::Created
        }
    };
    for name in surplus {
        locations::doom(transaction, name, LocationOwner::Upload(id))?;
    }
    for name in replaced {
        locations::doom(transaction, name, LocationOwner::Blob(digest))?;
    }
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

/// Ends an upload without a blob: the caller owns its runs of bytes, the last of which are `extents`.
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
    transaction.delete(keys::upload(id));
    if row.has_stored_bytes && !extents.iter().any(|extent| extent.location == id) {
        locations::doom(transaction, id, LocationOwner::Upload(id))?;
    }
    Ok(Taken::Extents(extents))
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

fn split(blob: NewBlob) -> (BlobRow, Option<Payload>) {
    match blob.content {
        BlobContent::Inline(bytes) => (
            BlobRow {
                size: blob.size,
                content: StoredContent::Inline,
                damaged_since: None,
                renewed_at: None,
                unknown: Unknown::default(),
            },
            Some(Payload(bytes)),
        ),
        BlobContent::Extents(extents) => (
            BlobRow {
                size: blob.size,
                content: StoredContent::Extents(extents),
                damaged_since: None,
                renewed_at: None,
                unknown: Unknown::default(),
            },
            None,
        ),
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
