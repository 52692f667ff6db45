//! A store on a native file system.
//!
//! # Syncs
//! Waiting for the disk is what a small upload costs, so there is no sync without a reason. A write does exactly one
//! `fdatasync` of its file and then one `fsync` of its shard directory, however large the content is. The first write
//! of a process into each of the 256 shards adds one `fsync` of the root. Reading, deleting and probing sync nothing: a
//! deletion undone by power loss is found by the sweep.

mod disk;
mod handle_cache;
mod identity;
mod layout;
mod reader;
mod scan;
mod sys;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt::Display;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use zas_blocking::{BLOB_PROBES, BLOB_READS, BLOB_UPKEEP, BLOB_WRITES, Pool};
use zas_core::{LocationName, StoreId};

use self::disk::{Disk, NativeDisk};
use self::handle_cache::HandleCache;
use self::layout::Layout;
use self::reader::FileReader;
use self::scan::ForeignFiles;
use self::writer::{Stop, Turn, Writer};
use crate::{BlobError, BlobReader, BlobStore, Capacity, Result, Write};

/// A file with this name is made and removed to see that the disk takes files.
const PROBE_FILE: &str = ".probe";

/// How a [`FilesystemBlobs`] treats its disk.
#[derive(Clone, Copy, Debug)]
pub struct FilesystemSettings {
    /// Free bytes below which nothing is written. Each running write may go 64 MiB below before it notices.
    pub reserve_bytes: u64,
}

/// Stores bytes in files.
#[derive(Debug)]
pub struct FilesystemBlobs {
    shared: Arc<Shared>,
}

/// What the threads that do the work need.
#[derive(Debug)]
struct Shared {
    layout: Layout,
    disk: Arc<dyn Disk>,
    reserve: u64,
    handles: HandleCache,
    foreign: ForeignFiles,
}

impl FilesystemBlobs {
    /// Opens the store below `root`, which is made when it is missing. Reads nothing, however much is stored.
    ///
    /// # Errors
    /// [`BlobError::Storage`] when `root` is no directory or cannot be made.
    pub fn open(root: &Path, settings: FilesystemSettings) -> Result<Self> {
        Self::on(Arc::new(NativeDisk), root, settings)
    }

    fn on(disk: Arc<dyn Disk>, root: &Path, settings: FilesystemSettings) -> Result<Self> {
        let layout = Layout::open(root, &*disk).map_err(|error| storage("open", &root.display(), error))?;
        let shared = Shared {
            layout,
            disk,
            reserve: settings.reserve_bytes,
            handles: HandleCache::new(),
            foreign: ForeignFiles::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }
}

#[async_trait]
impl BlobStore for FilesystemBlobs {
    async fn write(&self, mut write: Write) -> Result<u64> {
        let stop = Stop::default();
        let _stop_on_drop = stop.on_drop();

        let first = write.batches.recv().await;
        let shared = Arc::clone(&self.shared);
        let mut turn = blocking(&BLOB_WRITES, move || {
            Box::new(Writer::open(shared, write, stop)?).run(first)
        })
        .await?;
        loop {
            let mut writer = match turn {
                Turn::Paused(writer) => writer,
                Turn::Finished(length) => return Ok(length),
            };
            let next = writer.batches.recv().await;
            turn = blocking(&BLOB_WRITES, move || writer.run(next)).await?;
        }
    }

    async fn open(&self, name: LocationName) -> Result<Arc<dyn BlobReader>> {
        if let Some(reader) = self.shared.handles.get(name) {
            return Ok(reader);
        }
        let shared = Arc::clone(&self.shared);
        let reader = blocking(&BLOB_READS, move || {
            let reader = Arc::new(FileReader::open(name, &shared.layout.file(name))?);
            shared.handles.keep(name, &reader);
            Ok(reader)
        });
        Ok(reader.await?)
    }

    async fn delete(&self, name: LocationName) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        blocking(&BLOB_UPKEEP, move || {
            let deleted = remove(&shared.layout.file(name));
            shared.handles.forget(name);
            deleted.map_err(|error| storage("delete", &name, error))
        })
        .await
    }

    async fn scan(&self, after: Option<LocationName>, count: usize) -> Result<Vec<LocationName>> {
        let shared = Arc::clone(&self.shared);
        blocking(&BLOB_UPKEEP, move || {
            scan::scan(&shared.layout, &shared.foreign, after, count)
                .map_err(|error| storage("scan", &shared.layout.root().display(), error))
        })
        .await
    }

    async fn store_id(&self) -> Result<Option<StoreId>> {
        let shared = Arc::clone(&self.shared);
        // Among the readers: it is how readiness is asked for, also while a write hangs.
        blocking(&BLOB_READS, move || {
            let root = shared.layout.root();
            identity::read(root).map_err(|error| storage("read the store id in", &root.display(), error))
        })
        .await
    }

    async fn set_store_id(&self, id: StoreId) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        blocking(&BLOB_PROBES, move || {
            let root = shared.layout.root();
            identity::write(root, &*shared.disk, id)
                .map_err(|error| storage("write the store id in", &root.display(), error))
        })
        .await
    }

    async fn probe(&self) -> Result<Capacity> {
        let shared = Arc::clone(&self.shared);
        blocking(&BLOB_PROBES, move || shared.probe()).await
    }
}

impl Shared {
    fn free_bytes(&self) -> Result<u64> {
        let root = self.layout.root();
        self.disk
            .free_bytes(root)
            .map_err(|error| storage("ask for the free space of", &root.display(), error))
    }

    /// Refuses when the reserve would not be left after `more` bytes.
    fn check_space(&self, more: u64) -> Result<()> {
        let free = self.free_bytes()?;
        if free < self.reserve.saturating_add(more) {
            return Err(BlobError::Full {
                free,
                reserve: self.reserve,
            });
        }
        Ok(())
    }

    fn write_failed(&self, action: &'static str, name: LocationName, error: io::Error) -> BlobError {
        if is_full(&error) {
            return BlobError::Full {
                free: self.free_bytes().unwrap_or(0),
                reserve: self.reserve,
            };
        }
        storage(action, &name, error)
    }

    fn probe(&self) -> Result<Capacity> {
        let free = self.free_bytes()?;
        let path = self.layout.root().join(PROBE_FILE);
        let made = remove(&path)
            .and_then(|()| self.disk.make_file(&path))
            .and_then(|_| remove(&path));
        let is_full = match made {
            Ok(()) => free < self.reserve,
            Err(error) if is_full(&error) => true,
            // Another store over the same folder looks as well.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => free < self.reserve,
            Err(error) => return Err(storage("write", &path.display(), error)),
        };
        Ok(Capacity {
            free: Some(free),
            is_full,
        })
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn storage(action: &'static str, name: &dyn Display, source: io::Error) -> BlobError {
    BlobError::Storage {
        action,
        name: name.to_string(),
        source,
    }
}

/// Does on another thread what may wait for the disk.
async fn blocking<T: Send + 'static>(
    pool: &'static Pool,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = pool.run(work).await;
    done.unwrap_or_else(|panic| {
        Err(storage(
            "wait for",
            &"the thread at work",
            io::Error::other(panic),
        ))
    })
}
