//! Physical names: reserved by an upload, then live, then doomed, then forgotten. A name has one owner, which alone dooms
//! it.

use zas_core::LocationName;

use crate::ordered_map::Effort;
use crate::rows::{BlobRow, EmptyRow, LocationOwner, LocationRow};
use crate::transaction::Transaction;
use crate::view::{Found, View};
use crate::{OrphanOutcome, Result, keys};

/// Records that `name` holds bytes of `owner`.
pub(crate) fn put_live(transaction: &mut Transaction<'_>, name: LocationName, owner: LocationOwner) {
    transaction.put(keys::location(name), &LocationRow::Live(owner));
}

/// Gives up the bytes that `owner` has under `name`; they are deleted after the doom delay. A name that a row gives to
/// another owner, or that is doomed already, is left alone: then the answer is `false`.
pub(crate) fn doom(
    transaction: &mut Transaction<'_>,
    name: LocationName,
    owner: LocationOwner,
) -> Result<bool> {
    // When the row cannot be read, who lists the name is believed: otherwise nobody could ever give it up.
    let row = transaction
        .view()
        .row_to_replace::<LocationRow>(&keys::location(name))?;
    match row {
        Some(LocationRow::Live(present)) if present != owner => {
            tracing::error!(%name, ?owner, ?present, "stored bytes were listed by another owner too: they are kept");
            Ok(false)
        }
        Some(LocationRow::Doomed(_)) => Ok(false),
        Some(LocationRow::Live(_)) | None => {
            doom_unowned(transaction, name);
            Ok(true)
        }
    }
}

fn doom_unowned(transaction: &mut Transaction<'_>, name: LocationName) {
    let due = transaction.now().plus(transaction.timing().doom_delay);
    transaction.put(keys::location(name), &LocationRow::Doomed(due));
    transaction.put(keys::doomed(due, name), &EmptyRow);
}

/// Forgets a doomed name; a live one stays.
pub(crate) fn forget(transaction: &mut Transaction<'_>, name: LocationName) -> Result<()> {
    let key = keys::location(name);
    if let Some(LocationRow::Doomed(due)) = transaction.view().row(&key)? {
        transaction.delete(key);
        transaction.delete(keys::doomed(due, name));
    }
    Ok(())
}

/// Gives a doomed name the doom delay once more; a live one stays.
pub(crate) fn postpone(transaction: &mut Transaction<'_>, name: LocationName) -> Result<()> {
    if let Some(LocationRow::Doomed(due)) = transaction.view().row(&keys::location(name))? {
        transaction.delete(keys::doomed(due, name));
        doom_unowned(transaction, name);
    }
    Ok(())
}

/// Whether a row knows a name. A name whose owner does not list it any more is not known: the owner's row was damaged,
/// and written anew.
pub(crate) fn is_known(view: &View<'_>, name: LocationName) -> Result<bool> {
    Ok(match view.row::<LocationRow>(&keys::location(name))? {
        _ if view.has(&keys::upload(name.upload))? => true,
        None => false,
        Some(LocationRow::Doomed(_)) => true,
        Some(LocationRow::Live(owner)) => lists(view, owner, name)?,
    })
}

/// Whether an owner lists a name. An unreadable row of the owner is an error: what it says is not known.
fn lists(view: &View<'_>, owner: LocationOwner, name: LocationName) -> Result<bool> {
    match owner {
        LocationOwner::Blob(digest) => {
            let blob = view.row::<BlobRow>(&keys::blob(&digest))?;
            Ok(blob.is_some_and(|blob| blob.locations().contains(&name)))
        }
        LocationOwner::Upload(id) => view.has(&keys::upload(id)),
        // It may have thousands of parts, so which of them lists the name is not sought: all of them go soon when one goes.
        LocationOwner::Composite(id) => {
            let part = view.find(&keys::parts(id), Effort::Bounded, |_| true)?;
            Ok(part != Found::Nothing)
        }
    }
}

/// Dooms a name that no row knows.
pub(crate) fn claim_orphan(transaction: &mut Transaction<'_>, name: LocationName) -> Result<OrphanOutcome> {
    if is_known(&transaction.view(), name)? {
        return Ok(OrphanOutcome::Known);
    }
    doom_unowned(transaction, name);
    Ok(OrphanOutcome::Doomed)
}
