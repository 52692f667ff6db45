//! Physical names: reserved by an upload, then live, then doomed, then forgotten.

use zas_core::{Digest, UploadId};

use crate::rows::{BlobRow, LocationRow, Marker};
use crate::transaction::Transaction;
use crate::view::View;
use crate::{OrphanOutcome, Result, keys};

/// Records that `name` holds bytes of a blob.
pub(crate) fn put_live(transaction: &mut Transaction<'_>, name: UploadId, digest: &Digest) {
    transaction.put(keys::location(name), &LocationRow::Live(*digest));
}

/// Records that `name` holds bytes of a part of this multipart upload, or of the composite that it becomes.
pub(crate) fn put_part(transaction: &mut Transaction<'_>, name: UploadId, upload: UploadId) {
    transaction.put(keys::location(name), &LocationRow::Composite(upload));
}

/// Gives the bytes under `name` up; they are deleted after the doom delay.
///
/// To be called once for a name: while it has an upload row, or is live, or is known to no row.
pub(crate) fn doom(transaction: &mut Transaction<'_>, name: UploadId) {
    let due = transaction.now().plus(transaction.timing().doom_delay);
    transaction.put(keys::location(name), &LocationRow::Doomed(due));
    transaction.put(keys::doomed(due, name), &Marker);
}

/// Forgets a doomed name; a live one stays.
pub(crate) fn forget(transaction: &mut Transaction<'_>, name: UploadId) -> Result<()> {
    let key = keys::location(name);
    if let Some(LocationRow::Doomed(due)) = transaction.view().row(&key)? {
        transaction.delete(key);
        transaction.delete(keys::doomed(due, name));
    }
    Ok(())
}

/// Whether a row knows a name. A name that is live for a blob which does not name it any more is not known: that blob's
/// row was damaged, and written anew.
pub(crate) fn is_known(view: &View<'_>, name: UploadId) -> Result<bool> {
    Ok(match view.row::<LocationRow>(&keys::location(name))? {
        _ if view.has(&keys::upload(name))? => true,
        None => false,
        Some(LocationRow::Doomed(_) | LocationRow::Composite(_)) => true,
        // An unreadable row of the blob is an error here: what it says is not known.
        Some(LocationRow::Live(digest)) => view
            .row::<BlobRow>(&keys::blob(&digest))?
            .is_some_and(|blob| blob.locations().contains(&name)),
    })
}

/// Dooms a name that no row knows.
pub(crate) fn claim_orphan(transaction: &mut Transaction<'_>, name: UploadId) -> Result<OrphanOutcome> {
    if is_known(&transaction.view(), name)? {
        return Ok(OrphanOutcome::Known);
    }
    doom(transaction, name);
    Ok(OrphanOutcome::Doomed)
}
