//! What the committer and the readers share: the open database, if it is open, and the time.

use std::sync::{Arc, PoisonError, RwLock};

use zas_core::Timestamp;

use crate::clocks::{Clocks, DriftWatch};
use crate::lower_bound::LowerBound;
use crate::operations::listings;
use crate::ordered_map::{Changes, Effort, KeyRange, OrderedMap};
use crate::view::View;
use crate::{MetadataError, Page, Result, Timing, keys};

/// The state of an engine.
#[derive(Debug)]
pub(crate) struct Shared<M> {
    map: RwLock<State<M>>,
    timing: RwLock<Timing>,
    clocks: Clocks,
    drift: DriftWatch,
    /// Where the oldest uploads, due entries and doomed names are.
    pub(crate) queues: Queues,
}

/// Whether the database is there.
#[derive(Debug)]
enum State<M> {
    Open(Arc<M>),
    /// Nobody may change it.
    Readable(Arc<M>),
    Closed,
}

/// The tables that are read from the oldest row on.
#[derive(Debug)]
pub(crate) struct Queues {
    /// Unfinished uploads.
    pub(crate) uploads: LowerBound,
    /// Links to look at.
    pub(crate) due: LowerBound,
    /// Names whose bytes are to be deleted.
    pub(crate) doomed: LowerBound,
    /// What is to be given up bit by bit.
    pub(crate) garbage: LowerBound,
    /// Composites whose digest is not known.
    pub(crate) undigested: LowerBound,
}

impl<M: OrderedMap> Shared<M> {
    /// An engine over an open database.
    pub(crate) fn new(map: M, clocks: Clocks, timing: Timing) -> Self {
        let queues = Queues {
            uploads: LowerBound::new(keys::uploads()),
            due: LowerBound::new(keys::dues()),
            doomed: LowerBound::new(keys::dooms()),
            garbage: LowerBound::new(keys::all_garbage()),
            undigested: LowerBound::new(keys::all_undigested()),
        };
        let drift = DriftWatch::new(clocks.clone());
        Self {
            map: RwLock::new(State::Open(Arc::new(map))),
            timing: RwLock::new(timing),
            clocks,
            drift,
            queues,
        }
    }

    /// The database, to read from.
    pub(crate) fn map(&self) -> Result<Arc<M>> {
        match &*self.map.read().unwrap_or_else(PoisonError::into_inner) {
            State::Open(map) | State::Readable(map) => Ok(Arc::clone(map)),
            State::Closed => Err(MetadataError::Unavailable(
                "reopening the database after a failed write".to_owned(),
            )),
        }
    }

    /// The database, if it may be changed.
    pub(crate) fn map_to_change(&self) -> Option<Arc<M>> {
        match &*self.map.read().unwrap_or_else(PoisonError::into_inner) {
            State::Open(map) => Some(Arc::clone(map)),
            State::Readable(_) | State::Closed => None,
        }
    }

    /// Closes the database as soon as its present readers are done.
    pub(crate) fn stop(&self) {
        self.set(State::Closed);
    }

    /// Goes on with the database as it was found when opened again.
    pub(crate) fn resume(&self, map: M) {
        self.set(State::Open(Arc::new(map)));
    }

    /// Lets readers go on with the database as it was found when opened for them alone.
    pub(crate) fn resume_reading(&self, map: M) {
        self.set(State::Readable(Arc::new(map)));
    }

    fn set(&self, state: State<M>) {
        // Before the database is seen, so that no search in the old one teaches anything about the new one.
        self.queues.each(LowerBound::reset);
        *self.map.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// The time now.
    pub(crate) fn now(&self) -> Timestamp {
        self.clocks.wall.now()
    }

    /// How long things are kept.
    pub(crate) fn timing(&self) -> Timing {
        *self.timing.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes how long things are kept.
    pub(crate) fn set_timing(&self, timing: Timing) {
        *self.timing.write().unwrap_or_else(PoisonError::into_inner) = timing;
    }

    /// Whether the clocks are in doubt.
    pub(crate) fn is_collection_paused(&self) -> bool {
        self.drift.is_paused(self.timing().grace)
    }

    /// The oldest rows of a queue; `None` when a bounded effort did not get there.
    pub(crate) fn oldest<T>(
        &self,
        queue: &LowerBound,
        range: KeyRange,
        count: usize,
        effort: Effort,
        mut read: impl FnMut(&[u8], &[u8]) -> Option<T>,
    ) -> Result<Option<Page<T>>> {
        // In this order: a database that is opened again is seen only after the search has been told.
        let search = queue.search();
        let map = self.map()?;
        let range = range.starting_at(search.from());
        let mut first = None;
        let page = listings::page(&View::committed(&*map), &range, count, effort, |key, value| {
            first.get_or_insert_with(|| key.to_vec());
            read(key, value)
        })?;
        if count > 0 && page.is_some() {
            // Nothing found means that nothing is below the end of the range.
            search.found(first.as_ref().unwrap_or(&range.to.max(range.from)));
        }
        Ok(page)
    }
}

impl Queues {
    /// Takes written changes into account.
    pub(crate) fn note(&self, changes: &Changes) {
        self.each(|queue| queue.note(changes));
    }

    fn each(&self, visit: impl Fn(&LowerBound)) {
        visit(&self.uploads);
        visit(&self.due);
        visit(&self.doomed);
        visit(&self.garbage);
        visit(&self.undigested);
    }
}
