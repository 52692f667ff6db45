//! Giving up bit by bit. What goes in a step is found outside, where a search may take its time: nobody adds to it any
//! more.

use std::ops::ControlFlow;

use zas_core::{BucketId, UploadId};

use super::{discard, opening, parts, reading};
use crate::keys::Elements;
use crate::ordered_map::{Effort, Key, KeyRange};
use crate::transaction::Transaction;
use crate::view::{Found, View};
use crate::{Garbage, GarbageKind, GarbageOutcome, MultipartName, Result, keys};

/// Rows, and physical names, that go in one step.
const STEP: usize = 64;

/// What goes in a step.
#[derive(Debug, Default)]
pub(crate) struct Share {
    /// The rows of parts of this composite or upload, by their numbers.
    parts: Vec<u16>,
    /// Open uploads of a bucket.
    uploads: Vec<MultipartName>,
    /// Rows that lead to nothing.
    rows: Vec<Key>,
    /// Whether nothing is left then.
    is_last: bool,
}

/// What is found about garbage.
#[derive(Debug)]
pub(crate) enum Look {
    /// This reference keeps it.
    Kept(Key),
    /// This goes next.
    Share(Share),
}

/// Where deleted rows are in the way of a check that the one thread that writes will make: nobody else may ever write
/// enough for the database to merge them away by itself.
pub(crate) fn cluttered(view: &View<'_>, garbage: &Garbage) -> Result<Option<KeyRange>> {
    if garbage.kind != GarbageKind::Composite {
        return Ok(None);
    }
    let edges = keys::composite_edges(garbage.id);
    let found = view.find(&edges, Effort::Bounded, |_| true)?;
    Ok((found == Found::Unsure).then_some(edges))
}

/// Looks at garbage, without a bound.
pub(crate) fn look(view: &View<'_>, garbage: &Garbage) -> Result<Look> {
    let id = garbage.id;
    Ok(Look::Share(match garbage.kind {
        GarbageKind::Composite => {
            let edges = keys::composite_edges(id);
            if let Found::Row(key) = view.find(&edges, Effort::Unbounded, |_| true)? {
                return Ok(Look::Kept(key));
            }
            all_of(view, id)?
        }
        GarbageKind::Parts => all_of(view, id)?,
        GarbageKind::Leftovers => leftovers(view, id)?,
        GarbageKind::Bucket => uploads_of(view, BucketId::from_bytes(id.to_bytes()))?,
    }))
}

fn all_of(view: &View<'_>, id: UploadId) -> Result<Share> {
    let parts = numbers(view, id, |_| true)?;
    let mut rows = Vec::new();
    if parts.len() < STEP {
        rows = keys_of(view, &keys::part_lists(id), |_| true)?;
    }
    let is_last = parts.len() < STEP && rows.len() < STEP;
    if is_last {
        rows.extend([keys::composite(id), keys::undigested(id)]);
    }
    Ok(Share {
        parts,
        rows,
        is_last,
        ..Share::default()
    })
}

fn leftovers(view: &View<'_>, id: UploadId) -> Result<Share> {
    let Some((attempt, listed)) = reading::listed_numbers(view, id)? else {
        // The whole composite went meanwhile.
        return Ok(Share {
            is_last: true,
            ..Share::default()
        });
    };
    let parts = numbers(view, id, |number| listed.binary_search(&number).is_err())?;
    let held = keys::part_lists_of(id, attempt);
    let is_of_another = |key: &[u8]| !(held.from.as_slice() <= key && key < held.to.as_slice());
    let rows = keys_of(view, &keys::part_lists(id), is_of_another)?;
    let is_last = parts.len() < STEP && rows.len() < STEP;
    Ok(Share {
        parts,
        rows,
        is_last,
        ..Share::default()
    })
}

fn uploads_of(view: &View<'_>, bucket: BucketId) -> Result<Share> {
    let mut uploads = Vec::new();
    for key in keys_of(view, &keys::multiparts(bucket, ""), |_| true)? {
        let mut elements = Elements::of(&key.bytes);
        elements.bucket();
        if let (Some(key), Some(id)) = (elements.object_key(), elements.id()) {
            uploads.push(MultipartName { bucket, key, id });
        }
    }
    let is_last = uploads.len() < STEP;
    Ok(Share {
        uploads,
        is_last,
        ..Share::default()
    })
}

/// The numbers of the first parts that are wanted.
fn numbers(view: &View<'_>, id: UploadId, is_wanted: impl Fn(u16) -> bool) -> Result<Vec<u16>> {
    let number = |key: &[u8]| {
        let mut elements = Elements::of(key);
        elements.id()?;
        elements.part_number()
    };
    let keys = keys_of(view, &keys::parts(id), |key| number(key).is_some_and(&is_wanted))?;
    Ok(keys.iter().filter_map(|key| number(&key.bytes)).collect())
}

/// The first keys that are wanted.
fn keys_of(view: &View<'_>, range: &KeyRange, is_wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<Key>> {
    let mut keys = Vec::new();
    view.scan(range, Effort::Unbounded, &mut |key, _| {
        if is_wanted(key) {
            keys.push(Key {
                family: range.family,
                bytes: key.to_vec(),
            });
        }
        if keys.len() == STEP {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    Ok(keys)
}

/// Makes the step that was found outside a moment ago.
pub(crate) fn drain(
    transaction: &mut Transaction<'_>,
    garbage: &Garbage,
    look: Look,
) -> Result<GarbageOutcome> {
    let (view, entry) = (transaction.view(), keys::garbage(garbage));
    if garbage.due_at > transaction.now() {
        return Ok(GarbageOutcome::Later);
    }
    if !view.has(&entry)? {
        return Ok(GarbageOutcome::Done);
    }
    let share = match look {
        Look::Kept(edge) => {
            if !view.has(&edge)? {
                return Ok(GarbageOutcome::Later);
            }
            // Whoever removes the reference makes an entry of its own.
            transaction.delete(entry);
            return Ok(GarbageOutcome::Kept);
        }
        Look::Share(share) => share,
    };
    if garbage.kind == GarbageKind::Composite {
        match view.find(&keys::composite_edges(garbage.id), Effort::Bounded, |_| true)? {
            Found::Nothing => {}
            Found::Row(_) | Found::Unsure => return Ok(GarbageOutcome::Later),
        }
    }
    let (mut names, mut removed) = (0, 0);
    for number in &share.parts {
        if names >= STEP {
            break;
        }
        names += parts::remove(transaction, garbage.id, *number)?;
        removed += 1;
    }
    for upload in &share.uploads {
        opening::close(transaction, upload);
        discard(transaction, GarbageKind::Parts, upload.id, transaction.now());
    }
    if removed < share.parts.len() {
        return Ok(GarbageOutcome::More);
    }
    for row in share.rows {
        transaction.delete(row);
    }
    if !share.is_last {
        return Ok(GarbageOutcome::More);
    }
    transaction.delete(entry);
    Ok(GarbageOutcome::Done)
}
