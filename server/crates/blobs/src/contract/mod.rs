//! What every store of bytes must show, run on each of them; and what such tests need to write and read.
//!
//! The suite panics at the first promise that is broken, as tests do.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests, which other crates and other stores run as well"
)]

mod identity;
mod listing;
mod reading;
mod sharing;
mod stopping;
mod writing;

use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinHandle;
use zas_core::{LocationName, Timestamp, UploadId};

use crate::{Batch, BatchSender, BlobStore, Result, Write, batches};

/// The store under test.
type Store = Arc<dyn BlobStore>;

/// Checks all promises of [`BlobStore`] and [`crate::BlobReader`]; each on an empty store that `make` makes. Needs a
/// runtime of several threads to show what happens at the same time.
///
/// # Panics
/// When a promise is broken.
pub async fn suite<S: BlobStore>(make: impl Fn() -> S) {
    let make = || -> Store { Arc::new(make()) };
    writing::suite(&make).await;
    reading::suite(&make).await;
    stopping::suite(&make).await;
    listing::suite(&make).await;
    identity::suite(&make).await;
}

/// Checks what two stores over the same place promise each other; each promise on an empty place that `make` makes.
///
/// # Panics
/// When a promise is broken.
pub async fn sharing_suite<S: BlobStore>(make: impl Fn() -> (S, S)) {
    let make = || -> (Store, Store) {
        let (first, second) = make();
        (Arc::new(first), Arc::new(second))
    };
    sharing::suite(&make).await;
}

/// Bytes that look random and are the same for the same seed.
pub fn content(seed: u64, length: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}

/// The name that belongs to `number`. Names of consecutive numbers lie in different shards.
pub fn name(number: u64) -> LocationName {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    LocationName {
        upload: UploadId::new(Timestamp::from_millis(1_700_000_000_000 + number / 3), &random),
        start: 1,
        epoch: 1,
        ordinal: 0,
    }
}

/// Writes `content` as one batch.
///
/// # Errors
/// Those of [`BlobStore::write`].
pub async fn write(store: &dyn BlobStore, name: LocationName, content: &[u8]) -> Result<u64> {
    let (sender, write) = prepare(name);
    // There is room for one batch, and the receiver is in our hands.
    let _ = sender.send(batch(&Bytes::copy_from_slice(content))).await;
    drop(sender);
    store.write(write).await
}

/// All bytes of a name.
///
/// # Panics
/// When they cannot be read.
pub async fn open_and_read(store: &dyn BlobStore, name: LocationName) -> Bytes {
    let reader = store.open(name).await.expect("the name is stored");
    let length = usize::try_from(reader.length()).expect("the content fits memory");
    reader.read(0, length).await.expect("the bytes can be read")
}

/// A write and what feeds it.
fn prepare(name: LocationName) -> (BatchSender, Write) {
    let (sender, batches) = batches();
    (
        sender,
        Write {
            name,
            batches,
            expected: None,
        },
    )
}

fn batch(piece: &Bytes) -> Batch {
    Batch::new(vec![piece.clone()], None)
}

/// Feeds `content` in batches of `size` and ends.
async fn feed(sender: BatchSender, content: Bytes, size: usize) {
    for piece in content.chunks(size) {
        if sender.send(batch(&content.slice_ref(piece))).await.is_err() {
            return;
        }
    }
}

/// Runs a write beside the test.
fn start(store: &Store, write: Write) -> JoinHandle<Result<u64>> {
    let store = Arc::clone(store);
    tokio::spawn(async move { store.write(write).await })
}

/// Waits until the store took every batch that was sent, so it is writing now; or until it takes no more.
async fn taken(sender: &BatchSender) {
    while !sender.is_closed() && sender.capacity() < sender.max_capacity() {
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicU32, Ordering};

    use crate::{FilesystemBlobs, FilesystemSettings, MemoryBlobs};

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn given_memory_when_used_as_a_store_then_it_keeps_the_contract() {
        suite(MemoryBlobs::new).await;
        sharing_suite(|| {
            let store = MemoryBlobs::new();
            (store.clone(), store)
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn given_a_file_system_when_used_as_a_store_then_it_keeps_the_contract() {
        let directory = tempfile::tempdir().unwrap();
        suite(|| filesystem(&root(directory.path()))).await;
        sharing_suite(|| {
            let root = root(directory.path());
            (filesystem(&root), filesystem(&root))
        })
        .await;
    }

    fn root(below: &Path) -> PathBuf {
        static STORES: AtomicU32 = AtomicU32::new(0);
        below.join(STORES.fetch_add(1, Ordering::Relaxed).to_string())
    }

    fn filesystem(root: &Path) -> FilesystemBlobs {
        FilesystemBlobs::open(root, FilesystemSettings { reserve_bytes: 0 }).unwrap()
    }
}
