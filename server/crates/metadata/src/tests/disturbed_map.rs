//! An ordered map that fails, waits and counts when told to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use bytes::Bytes;

use crate::ordered_map::{Changes, Durability, Effort, Family, Key, KeyRange, OrderedMap, ScanEnd, Visitor};
use crate::{MetadataError, OpenError, Result};

/// What becomes of the next writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum WriteMode {
    /// They are made.
    #[default]
    Made,
    /// They fail and nothing is written.
    FailedBefore,
    /// They are written and fail all the same.
    FailedAfter,
    /// They panic.
    Panicked,
}

/// What a write was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) rows: usize,
    pub(super) bytes: usize,
    pub(super) durability: Durability,
}

/// Decides about a map and remembers what happened to it.
#[derive(Debug, Default)]
pub(super) struct Control {
    mode: Mutex<WriteMode>,
    written: Mutex<Vec<Written>>,
    refused_openings: Mutex<usize>,
    is_held: Mutex<bool>,
    released: Condvar,
    waiting: AtomicBool,
    /// The database can be opened for reading when it cannot be opened otherwise.
    pub(super) is_readable: AtomicBool,
    /// Bounded scans end early.
    pub(super) is_full_of_deletions: AtomicBool,
    /// Tidying up ends that.
    pub(super) is_tidied_up: AtomicBool,
}

impl Control {
    pub(super) fn set_mode(&self, mode: WriteMode) {
        *self.mode.lock().unwrap() = mode;
    }

    /// Refuses to open the database this many times.
    pub(super) fn refuse_openings(&self, times: usize) {
        *self.refused_openings.lock().unwrap() = times;
    }

    pub(super) fn refusals_left(&self) -> usize {
        *self.refused_openings.lock().unwrap()
    }

    /// Makes writes wait.
    pub(super) fn hold(&self) {
        *self.is_held.lock().unwrap() = true;
    }

    /// Whether a write waits.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::SeqCst)
    }

    pub(super) fn release(&self) {
        *self.is_held.lock().unwrap() = false;
        self.released.notify_all();
    }

    /// The writes since the last call.
    pub(super) fn take_written(&self) -> Vec<Written> {
        std::mem::take(&mut self.written.lock().unwrap())
    }

    pub(super) fn open<M>(self: &Arc<Self>, map: M) -> std::result::Result<DisturbedMap<M>, OpenError> {
        let mut refused = self.refused_openings.lock().unwrap();
        if *refused > 0 {
            *refused -= 1;
            return Err(OpenError::Locked("still in use".to_owned()));
        }
        drop(refused);
        Ok(DisturbedMap::new(map, Arc::clone(self)))
    }

    pub(super) fn open_to_read<M>(
        self: &Arc<Self>,
        map: M,
    ) -> std::result::Result<DisturbedMap<M>, OpenError> {
        if self.is_readable.load(Ordering::SeqCst) {
            return Ok(DisturbedMap::new(map, Arc::clone(self)));
        }
        Err(OpenError::Failed("the disk is gone".to_owned()))
    }

    fn wait_until_released(&self) {
        self.waiting.store(true, Ordering::SeqCst);
        let held = self.is_held.lock().unwrap();
        drop(self.released.wait_while(held, |held| *held).unwrap());
        self.waiting.store(false, Ordering::SeqCst);
    }
}

#[derive(Debug)]
pub(super) struct DisturbedMap<M> {
    map: M,
    control: Arc<Control>,
}

impl<M> DisturbedMap<M> {
    pub(super) fn new(map: M, control: Arc<Control>) -> Self {
        Self { map, control }
    }
}

impl<M: OrderedMap> OrderedMap for DisturbedMap<M> {
    fn get(&self, key: &Key) -> Result<Option<Bytes>> {
        self.map.get(key)
    }

    fn multi_get(&self, family: Family, keys: &[Vec<u8>]) -> Result<Vec<Option<Bytes>>> {
        self.map.multi_get(family, keys)
    }

    fn scan(&self, range: &KeyRange, effort: Effort, visit: &mut Visitor<'_>) -> Result<ScanEnd> {
        if effort == Effort::Bounded && self.control.is_full_of_deletions.load(Ordering::SeqCst) {
            return Ok(ScanEnd::TooManyDeleted);
        }
        self.map.scan(range, effort, visit)
    }

    fn tidy(&self, range: &KeyRange) -> Result<()> {
        if self.control.is_tidied_up.load(Ordering::SeqCst) {
            self.control.is_full_of_deletions.store(false, Ordering::SeqCst);
        }
        self.map.tidy(range)
    }

    fn write(&self, changes: &Changes, durability: Durability) -> Result<()> {
        self.control.wait_until_released();
        let mode = *self.control.mode.lock().unwrap();
        let failed = || Err(MetadataError::Unavailable("no space left on device".to_owned()));
        match mode {
            WriteMode::FailedBefore => return failed(),
            WriteMode::Panicked => panic!("a bug below"),
            WriteMode::Made | WriteMode::FailedAfter => self.map.write(changes, durability)?,
        }
        let rows = Family::ALL.iter().map(|family| changes.of(*family).len()).sum();
        self.control.written.lock().unwrap().push(Written {
            rows,
            bytes: changes.bytes(),
            durability,
        });
        if mode == WriteMode::FailedAfter {
            failed()
        } else {
            Ok(())
        }
    }
}
