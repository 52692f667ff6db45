//! One operation at work: what it sees and what it changes.

use zas_core::Timestamp;

use crate::Timing;
use crate::ordered_map::{Changes, Key};
use crate::rows::Row;
use crate::view::View;

/// An operation's view and its changes. The view does not show the operation's own changes.
pub(crate) struct Transaction<'a> {
    view: View<'a>,
    changes: Changes,
    now: Timestamp,
    timing: Timing,
    start: u64,
    uses_start: bool,
}

impl<'a> Transaction<'a> {
    /// An operation that begins at `now`.
    pub(crate) fn new(view: View<'a>, now: Timestamp, timing: Timing, start: u64) -> Self {
        Self {
            view,
            changes: Changes::default(),
            now,
            timing,
            start,
            uses_start: false,
        }
    }

    /// What the operation sees.
    pub(crate) fn view(&self) -> View<'a> {
        self.view
    }

    /// The time of the whole operation.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// How long things are kept.
    pub(crate) fn timing(&self) -> Timing {
        self.timing
    }

    /// Which opening of the store this is. Nobody hears the number before it is durable that it is taken.
    pub(crate) fn start(&mut self) -> u64 {
        self.uses_start = true;
        self.start
    }

    /// Whether the operation uses the start number.
    pub(crate) fn uses_start(&self) -> bool {
        self.uses_start
    }

    /// Writes a row.
    pub(crate) fn put<R: Row>(&mut self, key: Key, row: &R) {
        self.changes.set(key, Some(row.encode()));
    }

    /// Removes a row.
    pub(crate) fn delete(&mut self, key: Key) {
        self.changes.set(key, None);
    }

    /// Drops every change so far.
    pub(crate) fn undo(&mut self) {
        self.changes = Changes::default();
    }

    /// The changes, for the group.
    pub(crate) fn into_changes(self) -> Changes {
        self.changes
    }
}
