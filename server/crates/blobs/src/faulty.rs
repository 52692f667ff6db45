//! A store that fails on demand, for the tests of what stands on a store.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;
use zas_core::{LocationName, StoreId};

use crate::{Batch, BlobError, BlobReader, BlobStore, Capacity, Result, Write};

/// Something that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// [`BlobStore::write`], before anything is written.
    Write,
    /// [`BlobStore::open`].
    Open,
    /// [`BlobReader::read`]; [`BlobReader::try_read`] does not count and answers `None` meanwhile.
    Read,
    /// [`BlobStore::delete`].
    Delete,
    /// [`BlobStore::scan`].
    Scan,
    /// [`BlobStore::probe`].
    Probe,
}

/// Stands in front of another store and fails as told.
#[derive(Debug)]
pub struct FaultyBlobs {
    inner: Arc<dyn BlobStore>,
    faults: Arc<Mutex<Faults>>,
}

#[derive(Debug, Default)]
struct Faults {
    failing: HashMap<Operation, u64>,
    stalled: HashSet<Operation>,
    write_fails_after: Option<u64>,
    is_full: bool,
}

impl FaultyBlobs {
    /// A store that does what `inner` does until told otherwise.
    pub fn new(inner: Arc<dyn BlobStore>) -> Self {
        Self {
            inner,
            faults: Arc::default(),
        }
    }

    /// The next `times` calls of `operation` fail with [`BlobError::Storage`]; zero heals it.
    pub fn fail(&self, operation: Operation, times: u64) {
        lock(&self.faults).failing.insert(operation, times);
    }

    /// From here on calls of `operation` do not end.
    pub fn stall(&self, operation: Operation) {
        lock(&self.faults).stalled.insert(operation);
    }

    /// The next write takes the first `bytes` bytes that come and then fails with [`BlobError::Storage`].
    pub fn fail_write_after(&self, bytes: u64) {
        lock(&self.faults).write_fails_after = Some(bytes);
    }

    /// Whether writes are refused with [`BlobError::Full`] and the probe says so.
    pub fn set_full(&self, is_full: bool) {
        lock(&self.faults).is_full = is_full;
    }

    /// Lets the inner store write exactly `bytes` bytes, or all there are, and fails.
    async fn write_in_part(&self, mut write: Write, bytes: u64) -> Result<u64> {
        let mut taken = Vec::new();
        let mut left = bytes;
        while left > 0 {
            let Some(batch) = write.batches.recv().await else {
                break;
            };
            taken.push(cut(batch, &mut left));
        }
        let (sender, batches) = mpsc::channel(taken.len().max(1));
        for batch in taken {
            // The channel has room for all of them.
            let _ = sender.send(batch).await;
        }
        drop(sender);
        self.inner.write(Write { batches, ..write }).await?;
        Err(injected("write"))
    }
}

impl Faults {
    fn check(&mut self, operation: Operation) -> Result<()> {
        match self.failing.get_mut(&operation) {
            Some(times) if *times > 0 => {
                *times -= 1;
                Err(injected("test"))
            }
            _ => Ok(()),
        }
    }
}

async fn check(faults: &Mutex<Faults>, operation: Operation) -> Result<()> {
    if lock(faults).stalled.contains(&operation) {
        std::future::pending::<()>().await;
    }
    lock(faults).check(operation)
}

fn lock(faults: &Mutex<Faults>) -> MutexGuard<'_, Faults> {
    faults.lock().unwrap_or_else(PoisonError::into_inner)
}

fn injected(action: &'static str) -> BlobError {
    let source = io::Error::other("injected failure");
    BlobError::Storage {
        action,
        name: "faulty store".to_owned(),
        source,
    }
}

/// The first `left` bytes of a batch.
fn cut(batch: Batch, left: &mut u64) -> Batch {
    let mut pieces = Vec::with_capacity(batch.pieces.len());
    for piece in &*batch.pieces {
        let length = usize::try_from(*left).unwrap_or(usize::MAX).min(piece.len());
        *left -= length as u64;
        pieces.push(piece.slice(..length));
    }
    Batch {
        pieces: pieces.into(),
        permit: batch.permit,
    }
}

#[async_trait]
impl BlobStore for FaultyBlobs {
    async fn write(&self, write: Write) -> Result<u64> {
        check(&self.faults, Operation::Write).await?;
        let (is_full, fails_after) = {
            let mut faults = lock(&self.faults);
            (faults.is_full, faults.write_fails_after.take())
        };
        if is_full {
            return Err(BlobError::Full { free: 0, reserve: 0 });
        }
        match fails_after {
            Some(bytes) => self.write_in_part(write, bytes).await,
            None => self.inner.write(write).await,
        }
    }

    async fn open(&self, name: LocationName) -> Result<Arc<dyn BlobReader>> {
        check(&self.faults, Operation::Open).await?;
        let inner = self.inner.open(name).await?;
        Ok(Arc::new(FaultyReader {
            inner,
            faults: Arc::clone(&self.faults),
        }))
    }

    async fn delete(&self, name: LocationName) -> Result<()> {
        check(&self.faults, Operation::Delete).await?;
        self.inner.delete(name).await
    }

    async fn scan(&self, after: Option<LocationName>, count: usize) -> Result<Vec<LocationName>> {
        check(&self.faults, Operation::Scan).await?;
        self.inner.scan(after, count).await
    }

    async fn store_id(&self) -> Result<Option<StoreId>> {
        self.inner.store_id().await
    }

    async fn set_store_id(&self, id: StoreId) -> Result<()> {
        self.inner.set_store_id(id).await
    }

    async fn probe(&self) -> Result<Capacity> {
        check(&self.faults, Operation::Probe).await?;
        let capacity = self.inner.probe().await?;
        let is_full = lock(&self.faults).is_full;
        Ok(Capacity {
            free: if is_full { Some(0) } else { capacity.free },
            is_full: is_full || capacity.is_full,
        })
    }
}

#[derive(Debug)]
struct FaultyReader {
    inner: Arc<dyn BlobReader>,
    faults: Arc<Mutex<Faults>>,
}

#[async_trait]
impl BlobReader for FaultyReader {
    fn length(&self) -> u64 {
        self.inner.length()
    }

    fn try_read(&self, offset: u64, length: usize) -> Option<Bytes> {
        let is_failing = lock(&self.faults)
            .failing
            .get(&Operation::Read)
            .is_some_and(|times| *times > 0);
        if is_failing {
            None
        } else {
            self.inner.try_read(offset, length)
        }
    }

    async fn read(&self, offset: u64, length: usize) -> Result<Bytes> {
        check(&self.faults, Operation::Read).await?;
        self.inner.read(offset, length).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryBlobs;
    use crate::contract::{name, open_and_read, write};

    fn faulty() -> FaultyBlobs {
        FaultyBlobs::new(Arc::new(MemoryBlobs::new()))
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn given_no_orders_when_the_contract_runs_then_the_decorator_keeps_it() {
        crate::contract::suite(faulty).await;
    }

    #[tokio::test]
    async fn given_each_operation_told_to_fail_once_when_called_twice_then_only_the_first_fails() {
        let store = faulty();
        write(&store, name(1), b"content").await.unwrap();
        for operation in [
            Operation::Write,
            Operation::Open,
            Operation::Read,
            Operation::Delete,
            Operation::Scan,
            Operation::Probe,
        ] {
            store.fail(operation, 1);
            let reader = if operation == Operation::Open {
                None
            } else {
                Some(store.open(name(1)).await.unwrap())
            };
            let mut outcomes = Vec::new();
            for _ in 0..2 {
                outcomes.push(match operation {
                    Operation::Write => write(&store, name(2), b"content").await.map(drop),
                    Operation::Open => store.open(name(1)).await.map(drop),
                    Operation::Read => reader.as_ref().unwrap().read(0, 7).await.map(drop),
                    Operation::Delete => store.delete(name(9)).await,
                    Operation::Scan => store.scan(None, 1).await.map(drop),
                    Operation::Probe => store.probe().await.map(drop),
                });
            }
            assert!(
                matches!(outcomes[0], Err(BlobError::Storage { .. })),
                "{operation:?}"
            );
            assert!(outcomes[1].is_ok(), "{operation:?}");
        }
    }

    #[tokio::test]
    async fn given_a_write_that_fails_in_the_middle_when_read_then_exactly_the_first_bytes_are_there() {
        let store = faulty();
        store.fail_write_after(4);

        let failed = write(&store, name(1), b"content").await;

        assert!(matches!(failed, Err(BlobError::Storage { .. })));
        assert_eq!(open_and_read(&store, name(1)).await, &b"cont"[..]);
    }

    #[tokio::test]
    async fn given_a_full_store_when_used_then_only_writes_are_refused() {
        let store = faulty();
        write(&store, name(1), b"content").await.unwrap();
        store.set_full(true);

        assert!(matches!(
            write(&store, name(2), b"more").await,
            Err(BlobError::Full { .. })
        ));
        assert!(store.probe().await.unwrap().is_full);
        assert_eq!(open_and_read(&store, name(1)).await, &b"content"[..]);

        store.set_full(false);
        write(&store, name(2), b"more").await.unwrap();
        assert!(!store.probe().await.unwrap().is_full);
    }
}
