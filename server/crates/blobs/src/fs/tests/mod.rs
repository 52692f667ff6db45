//! What only a file system has: syncs, space, descriptors, threads.

mod durability;
mod files;
mod space;
mod test_disk;
mod threads;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;
use zas_core::LocationName;

use self::test_disk::TestDisk;
use super::{FilesystemBlobs, FilesystemSettings};
use crate::contract::name;
use crate::{Batch, BatchSender, Write, batches};

const MIB: u64 = 1024 * 1024;

/// Long enough for the slowest machine; only a failure takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The folder of a name.
fn shard(number: u64) -> String {
    let upload = name(number).upload.to_string();
    upload[upload.len() - 2..].to_owned()
}

/// A store on a disk that does as it is told.
struct Fixture {
    store: Arc<FilesystemBlobs>,
    disk: Arc<TestDisk>,
    directory: TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self::with_reserve(0)
    }

    fn with_reserve(reserve_bytes: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let disk = Arc::new(TestDisk::new(directory.path()));
        let settings = FilesystemSettings { reserve_bytes };
        let store =
            FilesystemBlobs::on(Arc::clone(&disk) as _, &directory.path().join("blobs"), settings).unwrap();
        disk.forget();
        Self {
            store: Arc::new(store),
            disk,
            directory,
        }
    }

    /// Whether a file is there.
    fn is_stored(&self, name: LocationName) -> bool {
        self.store.shared.layout.file(name).try_exists().unwrap()
    }

    /// The length of a stored file, and how much of the disk it takes.
    fn usage(&self, name: LocationName) -> (u64, u64) {
        use std::os::unix::fs::MetadataExt;
        let metadata = std::fs::metadata(self.store.shared.layout.file(name)).unwrap();
        (metadata.len(), metadata.blocks() * 512)
    }
}

/// A write that announces `expected` bytes; and its sender, which holds the end open.
fn prepare(name: LocationName, expected: Option<u64>) -> (BatchSender, Write) {
    let (sender, batches) = batches();
    (
        sender,
        Write {
            name,
            batches,
            expected,
        },
    )
}

async fn send(sender: &BatchSender, bytes: Bytes) -> bool {
    sender.send(Batch::new(vec![bytes], None)).await.is_ok()
}

async fn until(mut condition: impl FnMut() -> bool) {
    let holds = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, holds)
        .await
        .expect("it happens before long");
}
