//! A store in memory, for tests and trials: it behaves like a disk and forgets everything at the end of the process.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::fs;
use std::ops::Bound;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use bytes::Bytes;
use zas_core::{LocationName, StoreId};

use crate::{BlobError, BlobReader, BlobStore, Capacity, Result, Write};

/// Stores bytes in memory. Clones are stores over the same bytes.
#[derive(Clone, Debug, Default)]
pub struct MemoryBlobs {
    names: Arc<Mutex<Names>>,
    store_id: Arc<Mutex<Option<StoreId>>>,
}

#[derive(Debug, Default)]
struct Names {
    contents: BTreeMap<LocationName, Arc<Content>>,
    /// How many bytes all contents may have together.
    capacity: Option<u64>,
}

/// The bytes of one name. Like an open file it outlives its name.
#[derive(Default)]
struct Content(RwLock<Vec<u8>>);

impl MemoryBlobs {
    /// An empty store, bounded by the memory of the machine.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on all names together may have at most `capacity` bytes; `None`: as many as there is memory.
    /// A store that has more already takes nothing until enough is deleted.
    pub fn set_capacity(&self, capacity: Option<u64>) {
        self.lock().capacity = capacity;
    }

    fn lock(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make(&self, name: LocationName) -> Result<Arc<Content>> {
        let mut names = self.lock();
        names.check(0)?;
        match names.contents.entry(name) {
            Entry::Occupied(_) => Err(BlobError::Exists(name)),
            Entry::Vacant(place) => Ok(Arc::clone(place.insert(Arc::default()))),
        }
    }

    fn extend(&self, content: &Content, piece: &[u8]) -> Result<()> {
        // Held while writing, so that several writers together cannot exceed the capacity.
        let names = self.lock();
        names.check(piece.len() as u64)?;
        content.write().extend_from_slice(piece);
        Ok(())
    }
}

/// The memory of this machine, where the system tells.
static MACHINE_MEMORY: LazyLock<Option<u64>> = LazyLock::new(|| {
    let told = fs::read_to_string("/proc/meminfo").ok()?;
    let kibibytes = told.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = kibibytes.trim().strip_suffix(" kB")?.parse().ok()?;
    kibibytes.checked_mul(1024)
});

/// Refuses what this machine has no memory for, before it is waited for. An allocator that is asked promises more than
/// there is.
fn check_room(expected: Option<u64>) -> Result<()> {
    let memory = MACHINE_MEMORY.unwrap_or(isize::MAX as u64);
    if expected.is_some_and(|expected| expected > memory) {
        return Err(BlobError::Full {
            free: memory,
            reserve: 0,
        });
    }
    Ok(())
}

impl Names {
    fn free(&self) -> Option<u64> {
        let used: u64 = self.contents.values().map(|content| content.length()).sum();
        self.capacity.map(|capacity| capacity.saturating_sub(used))
    }

    fn is_full(&self) -> bool {
        self.free() == Some(0)
    }

    fn check(&self, more: u64) -> Result<()> {
        match self.free() {
            Some(free) if free < more || free == 0 => Err(BlobError::Full { free, reserve: 0 }),
            _ => Ok(()),
        }
    }
}

impl Content {
    fn read(&self) -> RwLockReadGuard<'_, Vec<u8>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<u8>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn length(&self) -> u64 {
        self.read().len() as u64
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Content")
            .field("length", &self.length())
            .finish()
    }
}

#[async_trait]
impl BlobStore for MemoryBlobs {
    async fn write(&self, mut write: Write) -> Result<u64> {
        check_room(write.expected)?;
        let content = self.make(write.name)?;
        while let Some(batch) = write.batches.recv().await {
            for piece in &*batch.pieces {
                self.extend(&content, piece)?;
            }
        }
        Ok(content.length())
    }

    async fn open(&self, name: LocationName) -> Result<Arc<dyn BlobReader>> {
        let content = self
            .lock()
            .contents
            .get(&name)
            .map(Arc::clone)
            .ok_or(BlobError::NotFound(name))?;
        let length = content.length();
        Ok(Arc::new(MemoryReader {
            name,
            length,
            content,
        }))
    }

    async fn delete(&self, name: LocationName) -> Result<()> {
        self.lock().contents.remove(&name);
        Ok(())
    }

    async fn scan(&self, after: Option<LocationName>, count: usize) -> Result<Vec<LocationName>> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(self
            .lock()
            .contents
            .range((start, Bound::Unbounded))
            .take(count)
            .map(|(name, _)| *name)
            .collect())
    }

    async fn store_id(&self) -> Result<Option<StoreId>> {
        Ok(*self.store_id.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn set_store_id(&self, id: StoreId) -> Result<()> {
        *self.store_id.lock().unwrap_or_else(PoisonError::into_inner) = Some(id);
        Ok(())
    }

    async fn probe(&self) -> Result<Capacity> {
        let names = self.lock();
        Ok(Capacity {
            free: names.free(),
            is_full: names.is_full(),
        })
    }
}

#[derive(Debug)]
struct MemoryReader {
    name: LocationName,
    length: u64,
    content: Arc<Content>,
}

impl MemoryReader {
    fn copy(&self, offset: u64, length: u64) -> Option<Bytes> {
        let start = usize::try_from(offset).ok()?;
        let end = usize::try_from(offset.checked_add(length)?).ok()?;
        self.content.read().get(start..end).map(Bytes::copy_from_slice)
    }
}

#[async_trait]
impl BlobReader for MemoryReader {
    fn length(&self) -> u64 {
        self.length
    }

    fn try_read(&self, offset: u64, length: usize) -> Option<Bytes> {
        let available = self.length.checked_sub(offset)?.min(length as u64);
        if available == 0 && length > 0 {
            return None;
        }
        self.copy(offset, available)
    }

    async fn read(&self, offset: u64, length: usize) -> Result<Bytes> {
        let wanted = offset.saturating_add(length as u64);
        self.copy(offset, length as u64)
            .filter(|_| wanted <= self.length)
            .ok_or(BlobError::TooShort {
                name: self.name,
                length: self.length,
                wanted,
            })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::batches;

    #[tokio::test]
    async fn given_a_length_that_no_machine_has_memory_for_when_announced_then_refused_before_a_byte_comes() {
        let store = MemoryBlobs::new();
        // The largest is more than addresses reach, the others no more than an allocator promises.
        for expected in [
            1_000_000_000_000_000,
            10_000_000_000_000,
            MACHINE_MEMORY.unwrap() + 1,
        ] {
            let (_sender, batches) = batches();
            let write = Write {
                name: crate::contract::name(1),
                batches,
                expected: Some(expected),
            };

            let refused = tokio::time::timeout(Duration::from_secs(5), store.write(write)).await;

            assert!(matches!(refused, Ok(Err(BlobError::Full { .. }))), "{refused:?}");
        }
        assert!(store.scan(None, 1).await.unwrap().is_empty());
    }
}
