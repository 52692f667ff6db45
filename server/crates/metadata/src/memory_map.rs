//! The ordered map in memory: for tests and for stores that need not outlive the process.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use bytes::Bytes;

use crate::Result;
use crate::ordered_map::{Changes, Durability, Effort, Family, Key, KeyRange, OrderedMap, ScanEnd, Visitor};

/// Rows in memory; clones share them. Nothing survives the process, so both durabilities mean the same.
#[derive(Clone, Debug, Default)]
pub struct MemoryMap(Arc<RwLock<Families>>);

#[derive(Debug, Default)]
struct Families {
    meta: BTreeMap<Vec<u8>, Bytes>,
    data: BTreeMap<Vec<u8>, Bytes>,
    queue: BTreeMap<Vec<u8>, Bytes>,
}

impl Families {
    fn of(&self, family: Family) -> &BTreeMap<Vec<u8>, Bytes> {
        match family {
            Family::Meta => &self.meta,
            Family::Data => &self.data,
            Family::Queue => &self.queue,
        }
    }

    fn of_mut(&mut self, family: Family) -> &mut BTreeMap<Vec<u8>, Bytes> {
        match family {
            Family::Meta => &mut self.meta,
            Family::Data => &mut self.data,
            Family::Queue => &mut self.queue,
        }
    }
}

impl MemoryMap {
    fn read(&self) -> RwLockReadGuard<'_, Families> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OrderedMap for MemoryMap {
    fn get(&self, key: &Key) -> Result<Option<Bytes>> {
        Ok(self.read().of(key.family).get(&key.bytes).cloned())
    }

    fn multi_get(&self, family: Family, keys: &[Vec<u8>]) -> Result<Vec<Option<Bytes>>> {
        let families = self.read();
        Ok(keys
            .iter()
            .map(|key| families.of(family).get(key).cloned())
            .collect())
    }

    fn scan(&self, range: &KeyRange, _effort: Effort, visit: &mut Visitor<'_>) -> Result<ScanEnd> {
        if range.from >= range.to {
            return Ok(ScanEnd::Complete);
        }
        let families = self.read();
        let bounds = (
            Bound::Included(range.from.as_slice()),
            Bound::Excluded(range.to.as_slice()),
        );
        for (key, value) in families.of(range.family).range::<[u8], _>(bounds) {
            if visit(key, value).is_break() {
                break;
            }
        }
        Ok(ScanEnd::Complete)
    }

    fn tidy(&self, _range: &KeyRange) -> Result<()> {
        Ok(())
    }

    fn write(&self, changes: &Changes, _durability: Durability) -> Result<()> {
        let mut families = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for family in Family::ALL {
            let rows = families.of_mut(family);
            for (key, value) in changes.of(family) {
                match value {
                    Some(value) => rows.insert(key.clone(), value.clone()),
                    None => rows.remove(key),
                };
            }
        }
        Ok(())
    }
}
