//! Blobs whose stored bytes are not theirs any more: nobody gets them, nothing new refers to them, and the next upload
//! of their digest heals them.

use zas_core::{Digest, Timestamp};

use crate::keys::Elements;
use crate::operations::listings;
use crate::ordered_map::Effort;
use crate::rows::{BlobRow, EmptyRow, Payload, Row as _, ScrubRow, StoredContent};
use crate::transaction::Transaction;
use crate::view::{Found, View};
use crate::{BlobContent, DamageOutcome, Page, Result, ScrubEntry, ScrubPosition, keys};

/// Takes a blob out of use if its bytes are still where they were found damaged; `None`: they could not be read out
/// of its rows at all.
pub(crate) fn mark(
    transaction: &mut Transaction<'_>,
    digest: &Digest,
    seen: Option<&BlobContent>,
) -> Result<DamageOutcome> {
    let key = keys::blob(digest);
    let view = transaction.view();
    if !view.has(&key)? {
        return Ok(DamageOutcome::Changed);
    }
    let row = view.row_to_replace::<BlobRow>(&key)?;
    if content(&view, digest, row.as_ref())?.as_ref() != seen {
        return Ok(DamageOutcome::Changed);
    }
    if view.has(&keys::damaged(digest))? {
        return Ok(DamageOutcome::Already);
    }
    if let Some(row) = row {
        let damaged_since = Some(transaction.now());
        transaction.put(key, &BlobRow { damaged_since, ..row });
    }
    transaction.put(keys::damaged(digest), &EmptyRow);
    Ok(DamageOutcome::Marked)
}

/// Blobs in the order of their digests, also damaged ones.
pub(crate) fn blobs(
    view: &View<'_>,
    after: Option<&Digest>,
    count: usize,
    effort: Effort,
) -> Result<Option<Page<ScrubEntry>>> {
    let mut range = keys::blobs();
    if let Some(after) = after {
        range = range.after(&keys::blob(after));
    }
    let rows = listings::page(view, &range, count, effort, |key, value| {
        let digest = Elements::of(key).digest()?;
        Some((digest, BlobRow::decode(&bytes::Bytes::copy_from_slice(value))))
    })?;
    let Some(rows) = rows else { return Ok(None) };
    let mut entries = Vec::with_capacity(rows.entries.len());
    for (digest, row) in rows.entries {
        entries.push(entry(view, digest, row.as_ref())?);
    }
    let more = rows.more;
    Ok(Some(Page { entries, more }))
}

/// One blob to be checked.
pub(crate) fn blob(view: &View<'_>, digest: &Digest) -> Result<Option<ScrubEntry>> {
    let key = keys::blob(digest);
    if !view.has(&key)? {
        return Ok(None);
    }
    let row = view.row_to_replace::<BlobRow>(&key)?;
    entry(view, *digest, row.as_ref()).map(Some)
}

fn entry(view: &View<'_>, digest: Digest, row: Option<&BlobRow>) -> Result<ScrubEntry> {
    Ok(ScrubEntry {
        digest,
        content: content(view, &digest, row)?,
        is_damaged: view.has(&keys::damaged(&digest))?,
    })
}

/// Puts a blob in use again whose bytes were found to be its own after all.
pub(crate) fn clear(
    transaction: &mut Transaction<'_>,
    digest: &Digest,
    seen: &BlobContent,
) -> Result<DamageOutcome> {
    let (view, key) = (transaction.view(), keys::blob(digest));
    let Some(row) = view.row_to_replace::<BlobRow>(&key)? else {
        return Ok(DamageOutcome::Changed);
    };
    if content(&view, digest, Some(&row))?.as_ref() != Some(seen) {
        return Ok(DamageOutcome::Changed);
    }
    let damaged_since = None;
    transaction.put(key, &BlobRow { damaged_since, ..row });
    transaction.delete(keys::damaged(digest));
    Ok(DamageOutcome::Cleared)
}

/// Damaged blobs in the order of their digests.
pub(crate) fn list(view: &View<'_>, count: usize, effort: Effort) -> Result<Option<Page<Digest>>> {
    listings::page(view, &keys::all_damaged(), count, effort, |key, _| {
        Elements::of(key).digest()
    })
}

/// Whether any blob is damaged, so that nobody else pays for it.
pub(crate) fn is_empty(view: &View<'_>) -> Result<bool> {
    let found = view.find(&keys::all_damaged(), Effort::Bounded, |_| true)?;
    Ok(found == Found::Nothing)
}

/// How far the check of all blobs is; `now` when there never was one.
pub(crate) fn position(view: &View<'_>, now: Timestamp) -> Result<ScrubPosition> {
    let row = view.row_to_replace::<ScrubRow>(&keys::scrub())?;
    Ok(row.map_or(
        ScrubPosition {
            after: None,
            rested_at: now,
        },
        |row| ScrubPosition {
            after: row.after,
            rested_at: row.rested_at,
        },
    ))
}

/// Saves how far the check of all blobs is.
pub(crate) fn save_position(transaction: &mut Transaction<'_>, position: ScrubPosition) -> Result<()> {
    let ScrubPosition { after, rested_at } = position;
    let present = transaction.view().row_to_replace::<ScrubRow>(&keys::scrub())?;
    let row = ScrubRow {
        after,
        rested_at,
        unknown: present.map(|row| row.unknown).unwrap_or_default(),
    };
    transaction.put(keys::scrub(), &row);
    Ok(())
}

/// What the rows of a blob say about its bytes; `None` when they cannot be read.
fn content(view: &View<'_>, digest: &Digest, row: Option<&BlobRow>) -> Result<Option<BlobContent>> {
    Ok(match row.map(|row| &row.content) {
        None => None,
        Some(StoredContent::Extents(extents)) => Some(BlobContent::Extents(extents.clone())),
        Some(StoredContent::Inline) => view
            .row_to_replace::<Payload>(&keys::blob_data(digest))?
            .map(|Payload(bytes)| BlobContent::Inline(bytes)),
    })
}
