//! Collection of blobs that nobody refers to any more.

use std::time::Duration;

use zas_core::{Digest, Holder};

use crate::operations::locations;
use crate::ordered_map::{Effort, Key, KeyRange};
use crate::rows::{BlobRow, EmptyRow, LinkRow, LocationOwner, StoredContent};
use crate::transaction::Transaction;
use crate::view::{Found, View};
use crate::{DueLink, ReapOutcome, Result, keys};

/// How long a link waits whose check met too many deleted rows although they were merged away a moment ago.
const RETRY_AFTER: Duration = Duration::from_mins(1);

/// What keeps a due link: a reference to the blob from the link's own holder. When there is none, it is known
/// too whether others hold the blob, or the answer is [`Found::Unsure`].
pub(crate) fn look(view: &View<'_>, due: &DueLink) -> Result<Found> {
    match find_edge(view, due)? {
        Found::Nothing => {}
        found => return Ok(found),
    }
    Ok(match find_other_link(view, &due.digest, &due.holder)? {
        Found::Unsure => Found::Unsure,
        Found::Row(_) | Found::Nothing => Found::Nothing,
    })
}

/// Where [`look`] looks.
pub(crate) fn checked_ranges(due: &DueLink) -> [KeyRange; 2] {
    [keys::edges(&due.digest, &due.holder), keys::links(&due.digest)]
}

fn find_edge(view: &View<'_>, due: &DueLink) -> Result<Found> {
    view.find(&keys::edges(&due.digest, &due.holder), Effort::Bounded, |_| true)
}

/// Collects a due link when nothing refers to it and its lease is over. `edge` was seen outside a moment ago.
pub(crate) fn reap(
    transaction: &mut Transaction<'_>,
    due: &DueLink,
    edge: Option<&Key>,
) -> Result<ReapOutcome> {
    let DueLink {
        due_at,
        holder,
        digest,
    } = due;
    if *due_at > transaction.now() {
        return Ok(ReapOutcome::Kept(Some(*due_at)));
    }
    let view = transaction.view();
    let link_key = keys::link(digest, holder);
    let link = view.row::<LinkRow>(&link_key)?;
    let Some(link) = link else {
        return reap_without_link(transaction, due);
    };

    match find_edge_again(&view, due, edge)? {
        Found::Unsure => return Ok(postpone(transaction, due)),
        Found::Row(_) => {
            finish_due(transaction, due);
            return Ok(ReapOutcome::Kept(None));
        }
        Found::Nothing => {}
    }
    if link.lease_until > transaction.now() {
        finish_due(transaction, due);
        transaction.put(keys::due(link.lease_until, holder, digest), &EmptyRow);
        return Ok(ReapOutcome::Kept(Some(link.lease_until)));
    }
    match find_other_link(&view, digest, holder)? {
        Found::Unsure => Ok(postpone(transaction, due)),
        Found::Row(_) => {
            finish_due(transaction, due);
            transaction.delete(link_key);
            Ok(ReapOutcome::LinkRemoved)
        }
        Found::Nothing => {
            finish_due(transaction, due);
            transaction.delete(link_key);
            Ok(remove_blob(transaction, digest)?.unwrap_or(ReapOutcome::LinkRemoved))
        }
    }
}

/// The link went by a client's delete, which left the question whether the blob goes too.
fn reap_without_link(transaction: &mut Transaction<'_>, due: &DueLink) -> Result<ReapOutcome> {
    match find_other_link(&transaction.view(), &due.digest, &due.holder)? {
        Found::Unsure => Ok(postpone(transaction, due)),
        Found::Row(_) => {
            finish_due(transaction, due);
            Ok(ReapOutcome::Gone)
        }
        Found::Nothing => {
            finish_due(transaction, due);
            Ok(remove_blob(transaction, &due.digest)?.unwrap_or(ReapOutcome::Gone))
        }
    }
}

fn find_edge_again(view: &View<'_>, due: &DueLink, seen: Option<&Key>) -> Result<Found> {
    if let Some(seen) = seen
        && view.has(seen)?
    {
        return Ok(Found::Row(seen.clone()));
    }
    find_edge(view, due)
}

fn find_other_link(view: &View<'_>, digest: &Digest, holder: &Holder) -> Result<Found> {
    let own = keys::link(digest, holder);
    view.find(&keys::links(digest), Effort::Bounded, |key| key != own.bytes)
}

fn finish_due(transaction: &mut Transaction<'_>, due: &DueLink) {
    transaction.delete(keys::due(due.due_at, &due.holder, &due.digest));
}

fn postpone(transaction: &mut Transaction<'_>, due: &DueLink) -> ReapOutcome {
    finish_due(transaction, due);
    transaction.put(
        keys::due(transaction.now().plus(RETRY_AFTER), &due.holder, &due.digest),
        &EmptyRow,
    );
    ReapOutcome::Later
}

/// Removes a blob that nobody holds; `None` when there is none.
fn remove_blob(transaction: &mut Transaction<'_>, digest: &Digest) -> Result<Option<ReapOutcome>> {
    let key = keys::blob(digest);
    let view = transaction.view();
    if !view.has(&key)? {
        return Ok(None);
    }
    // The names that an unreadable row named are found by the sweep, because no blob names them any more.
    let blob = view.row_to_replace::<BlobRow>(&key)?;
    transaction.delete(key);
    transaction.delete(keys::damaged(digest));
    if blob
        .as_ref()
        .is_none_or(|blob| blob.content == StoredContent::Inline)
    {
        transaction.delete(keys::blob_data(digest));
    }
    let mut doomed = Vec::new();
    for name in blob.map(|blob| blob.locations()).unwrap_or_default() {
        if locations::doom(transaction, name, LocationOwner::Blob(*digest))? {
            doomed.push(name);
        }
    }
    Ok(Some(ReapOutcome::Doomed(doomed)))
}
