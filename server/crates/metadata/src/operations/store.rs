//! What is said of the store as a whole: which one it is, whether anything is in it, how far its maintenance is.

use zas_core::{LocationName, StoreId, Timestamp};

use crate::ordered_map::Effort;
use crate::rows::{StartRow, StoreRow, SweepRow};
use crate::transaction::Transaction;
use crate::view::{Found, View};
use crate::{Result, SweepPosition, keys};

/// The store that these rows belong to; `None`: nobody has said so.
pub(crate) fn id(view: &View<'_>) -> Result<Option<StoreId>> {
    let row = view.row::<StoreRow>(&keys::store())?;
    Ok(row.map(|StoreRow(id)| id))
}

/// Says which store these rows belong to.
pub(crate) fn set_id(transaction: &mut Transaction<'_>, id: StoreId) {
    transaction.put(keys::store(), &StoreRow(id));
}

/// The start number of a store that was opened just now, which is to be written before anybody hears of it: higher than
/// every number of a start before.
pub(crate) fn next_start(view: &View<'_>, now: Timestamp) -> Result<u64> {
    let key = keys::start();
    let counted = match view.row_to_replace::<StartRow>(&key)? {
        Some(StartRow(last)) => last,
        None if view.has(&key)? => now.millis(),
        None => 0,
    };
    Ok(counted.saturating_add(1))
}

/// Whether there is no content and nothing that leads to stored bytes.
pub(crate) fn is_empty(view: &View<'_>) -> Result<bool> {
    for range in keys::contents() {
        if view.find(&range, Effort::Unbounded, |_| true)? != Found::Nothing {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Those of `names` that no row knows. An unreadable row knows its name.
pub(crate) fn unknown_names(view: &View<'_>, names: &[LocationName]) -> Result<Vec<LocationName>> {
    let mut unknown = Vec::new();
    for name in names {
        if !super::locations::is_known(view, *name).unwrap_or(true) {
            unknown.push(*name);
        }
    }
    Ok(unknown)
}

/// How far the sweep is; `None` when there never was one.
pub(crate) fn sweep_position(view: &View<'_>) -> Result<Option<SweepPosition>> {
    let row = view.row_to_replace::<SweepRow>(&keys::sweep())?;
    Ok(row.map(|row| SweepPosition {
        after: row.after,
        rested_at: row.rested_at,
        names: row.names,
        orphans: row.orphans,
        left: row.left,
        withheld: row.withheld,
    }))
}

/// Saves how far the sweep is.
pub(crate) fn save_sweep_position(transaction: &mut Transaction<'_>, position: SweepPosition) -> Result<()> {
    let present = transaction.view().row_to_replace::<SweepRow>(&keys::sweep())?;
    let row = SweepRow {
        after: position.after,
        rested_at: position.rested_at,
        names: position.names,
        orphans: position.orphans,
        left: position.left,
        withheld: position.withheld,
        unknown: present.map(|row| row.unknown).unwrap_or_default(),
    };
    transaction.put(keys::sweep(), &row);
    Ok(())
}
