//! Where a queue begins. The rows in front were deleted, and crossing what deletion leaves behind would make each
//! look at the oldest entry cost more than the one before.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ordered_map::{Changes, Family, KeyRange};

/// The remembered beginning of one queue: no row is below it.
#[derive(Debug)]
pub(crate) struct LowerBound {
    table: KeyRange,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    bound: Vec<u8>,
    /// The lowest key written while a search is under way, which the search may have missed. `None`: no search.
    search: Option<Option<Vec<u8>>>,
}

/// A search from the beginning. One at a time learns; others only look.
#[derive(Debug)]
pub(crate) struct Search<'a> {
    owner: &'a LowerBound,
    from: Vec<u8>,
    learns: bool,
}

impl LowerBound {
    /// A queue of which nothing is known.
    pub(crate) fn new(table: KeyRange) -> Self {
        let state = State {
            bound: table.from.clone(),
            search: None,
        };
        Self {
            table,
            state: Mutex::new(state),
        }
    }

    /// Takes written changes into account. To be called after the write and before its answer.
    pub(crate) fn note(&self, changes: &Changes) {
        let range = self.table.from.clone()..self.table.to.clone();
        let lowest = changes
            .of(Family::Queue)
            .range(range)
            .find(|(_, value)| value.is_some());
        let Some((lowest, _)) = lowest else { return };
        let mut state = self.lock();
        if *lowest < state.bound {
            state.bound.clone_from(lowest);
        }
        if let Some(missed) = &mut state.search
            && missed.as_ref().is_none_or(|missed| lowest < missed)
        {
            *missed = Some(lowest.clone());
        }
    }

    /// Forgets what is known; for a database that was opened again.
    pub(crate) fn reset(&self) {
        let mut state = self.lock();
        state.bound.clone_from(&self.table.from);
        // A search that is under way in the old database must not teach anything about the new one.
        if let Some(missed) = &mut state.search {
            *missed = Some(self.table.from.clone());
        }
    }

    /// Begins a search for the oldest row.
    pub(crate) fn search(&self) -> Search<'_> {
        let mut state = self.lock();
        let learns = state.search.is_none();
        if learns {
            state.search = Some(None);
        }
        Search {
            owner: self,
            from: state.bound.clone(),
            learns,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Search<'_> {
    /// Where to begin.
    pub(crate) fn from(&self) -> &[u8] {
        &self.from
    }

    /// Ends the search: every row that was there is at or above `first`.
    pub(crate) fn found(self, first: &[u8]) {
        if !self.learns {
            return;
        }
        let mut state = self.owner.lock();
        let missed = state.search.take().flatten();
        let first = missed.map_or_else(|| first.to_vec(), |missed| missed.min(first.to_vec()));
        state.bound = state.bound.clone().max(first);
    }
}

impl Drop for Search<'_> {
    fn drop(&mut self) {
        if self.learns {
            self.owner.lock().search = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::ordered_map::Key;

    fn queue() -> LowerBound {
        LowerBound::new(KeyRange {
            family: Family::Queue,
            from: vec![7],
            to: vec![8],
        })
    }

    fn put(key: &[u8]) -> Changes {
        let mut changes = Changes::default();
        changes.set(
            Key {
                family: Family::Queue,
                bytes: key.to_vec(),
            },
            Some(Bytes::new()),
        );
        changes
    }

    #[test]
    fn given_a_search_that_found_a_row_when_searched_again_then_from_there() {
        let queue = queue();
        queue.search().found(&[7, 5]);
        assert_eq!(queue.search().from(), [7, 5]);
    }

    #[test]
    fn given_a_bound_when_a_lower_row_is_written_then_it_falls_to_it() {
        let queue = queue();
        queue.search().found(&[7, 5]);
        queue.note(&put(&[7, 3]));
        assert_eq!(queue.search().from(), [7, 3]);
    }

    #[test]
    fn given_a_row_written_during_a_search_when_the_search_missed_it_then_the_bound_stays_below() {
        let queue = queue();
        let search = queue.search();
        queue.note(&put(&[7, 3]));
        queue.note(&put(&[7, 4]));
        search.found(&[7, 5]);
        assert_eq!(queue.search().from(), [7, 3]);
    }

    #[test]
    fn given_two_searches_when_both_end_then_only_the_first_teaches() {
        let queue = queue();
        let (first, second) = (queue.search(), queue.search());
        second.found(&[7, 9]);
        assert_eq!(queue.state.lock().unwrap().bound, [7]);
        first.found(&[7, 5]);
        assert_eq!(queue.search().from(), [7, 5]);
    }

    #[test]
    fn given_a_dropped_search_when_searched_again_then_the_next_one_learns() {
        let queue = queue();
        drop(queue.search());
        queue.search().found(&[7, 2]);
        assert_eq!(queue.search().from(), [7, 2]);
    }

    #[test]
    fn given_rows_of_other_tables_or_deletions_when_noted_then_nothing_changes() {
        let queue = queue();
        queue.search().found(&[7, 5]);
        queue.note(&put(&[6, 1]));
        queue.note(&put(&[8, 1]));
        let mut changes = Changes::default();
        changes.set(
            Key {
                family: Family::Queue,
                bytes: vec![7, 1],
            },
            None,
        );
        queue.note(&changes);
        assert_eq!(queue.search().from(), [7, 5]);
    }

    #[test]
    fn given_a_database_opened_again_when_a_search_was_under_way_then_nothing_is_known() {
        let queue = queue();
        queue.search().found(&[7, 5]);
        let search = queue.search();
        queue.reset();
        search.found(&[7, 6]);
        assert_eq!(queue.search().from(), [7]);
    }
}
