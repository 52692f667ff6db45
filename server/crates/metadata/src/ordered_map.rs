//! What the embedded engines need from a database: sorted keys, bounded seeks and atomic writes.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

use bytes::Bytes;

use crate::Result;

/// Keys that are stored and tuned together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Small rows.
    Meta,
    /// Manifest bodies and inline blobs.
    Data,
    /// Short-lived rows that are read from the oldest on.
    Queue,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 3] = [Self::Meta, Self::Data, Self::Queue];
}

/// The place of one row.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Where it is kept.
    pub family: Family,
    /// What it sorts by.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}/{}", self.family, self.bytes.escape_ascii())
    }
}

/// The keys from `from` up to but without `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// Where they are kept.
    pub family: Family,
    /// The first key that may be in it.
    pub from: Vec<u8>,
    /// The first key past it.
    pub to: Vec<u8>,
}

impl KeyRange {
    /// The same range without the keys up to and with `key`.
    #[must_use]
    pub fn after(mut self, key: &Key) -> Self {
        let mut next = key.bytes.clone();
        next.push(0);
        self.from = self.from.max(next);
        self
    }

    /// The same range without the keys below `key`.
    #[must_use]
    pub fn starting_at(mut self, key: &[u8]) -> Self {
        if self.from.as_slice() < key {
            self.from = key.to_vec();
        }
        self
    }
}

/// How many deleted rows a scan may cross.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Several hundred in a row at most; then it ends with [`ScanEnd::TooManyDeleted`].
    Bounded,
    /// Any number.
    Unbounded,
}

/// Why a scan ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanEnd {
    /// The range was seen whole or the visitor had enough.
    Complete,
    /// Too many deleted rows were in the way; there may be rows behind them.
    TooManyDeleted,
}

/// Whether a write waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It survives power loss when it returns.
    Synced,
    /// It survives the end of the process, and power loss once a later synced write has returned.
    Written,
}

/// Takes one row of a scan.
pub(crate) type Visitor<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// A sorted map of bytes with atomic writes. Reads see every write that returned before they began.
pub trait OrderedMap: fmt::Debug + Send + Sync + 'static {
    /// The value of a key.
    fn get(&self, key: &Key) -> Result<Option<Bytes>>;

    /// The values of several keys of one family, as they are at one moment.
    fn multi_get(&self, family: Family, keys: &[Vec<u8>]) -> Result<Vec<Option<Bytes>>>;

    /// Visits the rows of a range in ascending order, as they are at one moment.
    fn scan(&self, range: &KeyRange, effort: Effort, visit: &mut Visitor<'_>) -> Result<ScanEnd>;

    /// Merges the deleted rows of a range away, as far as nobody reads them. Blocks for as long as it takes to write
    /// what is near them anew.
    fn tidy(&self, range: &KeyRange) -> Result<()>;

    /// Makes all changes or none. After an error it is not known which.
    fn write(&self, changes: &Changes, durability: Durability) -> Result<()>;
}

/// Rows to be put (`Some`) and deleted (`None`), each key once.
#[derive(Debug, Default)]
pub struct Changes {
    meta: BTreeMap<Vec<u8>, Option<Bytes>>,
    data: BTreeMap<Vec<u8>, Option<Bytes>>,
    queue: BTreeMap<Vec<u8>, Option<Bytes>>,
    bytes: usize,
}

impl Changes {
    /// The changes of one family in key order.
    pub fn of(&self, family: Family) -> &BTreeMap<Vec<u8>, Option<Bytes>> {
        match family {
            Family::Meta => &self.meta,
            Family::Data => &self.data,
            Family::Queue => &self.queue,
        }
    }

    /// Adds a change; the last one of a key counts.
    pub fn set(&mut self, key: Key, value: Option<Bytes>) {
        self.bytes += key.bytes.len() + value.as_ref().map_or(0, Bytes::len);
        self.family_mut(key.family).insert(key.bytes, value);
    }

    /// Adds later changes.
    pub fn append(&mut self, later: Self) {
        self.bytes += later.bytes;
        self.meta.extend(later.meta);
        self.data.extend(later.data);
        self.queue.extend(later.queue);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        Family::ALL.iter().all(|family| self.of(*family).is_empty())
    }

    /// About how many bytes they are; never less.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn family_mut(&mut self, family: Family) -> &mut BTreeMap<Vec<u8>, Option<Bytes>> {
        match family {
            Family::Meta => &mut self.meta,
            Family::Data => &mut self.data,
            Family::Queue => &mut self.queue,
        }
    }
}
