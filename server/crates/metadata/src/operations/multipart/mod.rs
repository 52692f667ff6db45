//! Multipart uploads: open under their bucket and key, their parts under their id, which becomes a composite's.

pub(crate) mod completion;
pub(crate) mod draining;
pub(crate) mod listing;
pub(crate) mod opening;
pub(crate) mod parts;
pub(crate) mod reading;

use zas_core::{Timestamp, UploadId};

use crate::rows::EmptyRow;
use crate::transaction::Transaction;
use crate::{Garbage, GarbageKind, keys};

/// Has something given up from `due_at` on.
pub(crate) fn discard(transaction: &mut Transaction<'_>, kind: GarbageKind, id: UploadId, due_at: Timestamp) {
    let garbage = Garbage { due_at, kind, id };
    transaction.put(keys::garbage(&garbage), &EmptyRow);
}
