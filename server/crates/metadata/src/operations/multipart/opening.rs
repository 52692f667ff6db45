//! Opening multipart uploads, and closing them without a result.

use super::discard;
use crate::operations::buckets;
use crate::rows::{MultipartRow, MultipartStateRow, Unknown};
use crate::transaction::Transaction;
use crate::view::View;
use crate::{
    AbortMultipartOutcome, CreateMultipartOutcome, GarbageKind, Multipart, MultipartName, MultipartStat,
    NewMultipart, Result, keys,
};

/// Opens a multipart upload.
pub(crate) fn create(
    transaction: &mut Transaction<'_>,
    multipart: NewMultipart,
) -> Result<CreateMultipartOutcome> {
    let MultipartName { bucket, key, id } = multipart.name;
    if buckets::state(&transaction.view(), bucket)?.is_none() {
        return Ok(CreateMultipartOutcome::NoSuchBucket);
    }
    let row = MultipartRow {
        initiator: multipart.initiator,
        created_at: transaction.now(),
        attributes: multipart.attributes,
        unknown: Unknown::default(),
    };
    transaction.put(keys::multipart(bucket, &key, id), &row);
    transaction.put(keys::multipart_state(id), &MultipartStateRow::default());
    Ok(CreateMultipartOutcome::Created)
}

/// The rows of an open multipart upload. Those of a bucket that is gone are closed, however long their rows stay.
pub(crate) fn open(
    view: &View<'_>,
    name: &MultipartName,
) -> Result<Option<(MultipartRow, MultipartStateRow)>> {
    if buckets::state(view, name.bucket)?.is_none() {
        return Ok(None);
    }
    let row = view.row::<MultipartRow>(&keys::multipart(name.bucket, &name.key, name.id))?;
    let Some(row) = row else { return Ok(None) };
    // A reader may come between: without its state it was closed a moment ago.
    let state = view.row::<MultipartStateRow>(&keys::multipart_state(name.id))?;
    Ok(state.map(|state| (row, state)))
}

/// An open multipart upload.
pub(crate) fn stat(view: &View<'_>, name: &MultipartName) -> Result<Option<MultipartStat>> {
    let open = open(view, name)?;
    Ok(open.map(|(row, state)| MultipartStat {
        multipart: Multipart {
            key: name.key.clone(),
            id: name.id,
            initiator: row.initiator,
            created_at: row.created_at,
            attributes: row.attributes,
        },
        revision: state.revision,
    }))
}

/// Closes a multipart upload; its parts go bit by bit.
pub(crate) fn abort(
    transaction: &mut Transaction<'_>,
    name: &MultipartName,
) -> Result<AbortMultipartOutcome> {
    if open(&transaction.view(), name)?.is_none() {
        return Ok(AbortMultipartOutcome::NoSuchMultipart);
    }
    close(transaction, name);
    discard(transaction, GarbageKind::Parts, name.id, transaction.now());
    Ok(AbortMultipartOutcome::Aborted)
}

/// Removes what makes a multipart upload open.
pub(crate) fn close(transaction: &mut Transaction<'_>, name: &MultipartName) {
    transaction.delete(keys::multipart(name.bucket, &name.key, name.id));
    transaction.delete(keys::multipart_state(name.id));
}
