//! Opening the stores that the configuration names.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use zas_blobs::{BlobStore, FilesystemBlobs, FilesystemSettings, MemoryBlobs};
use zas_config::{BlobLocation, Configuration, MetadataLocation};
use zas_core::SystemIds;
use zas_metadata::{Clocks, MemoryMetadata, MetadataStore, Timing};

use super::folder_lock::FolderLock;
use super::pairing::Pair;
use super::{AppError, settings};
use crate::api::admin::Status;
use crate::extensions::Extensions;

/// Between two attempts to get what another process has.
const LOCK_PAUSE: Duration = Duration::from_millis(500);

/// The two stores.
#[derive(Clone, Debug)]
pub(super) struct Stores {
    pub(super) metadata: Arc<dyn MetadataStore>,
    pub(super) blobs: Arc<dyn BlobStore>,
    /// Keeps other servers out of the folder of the blobs, for as long as this process writes there.
    pub(super) lock: Option<Arc<FolderLock>>,
}

impl Stores {
    /// The same stores behind the extensions that put themselves in front of them.
    pub(super) fn behind(self, extensions: &Extensions) -> Self {
        Self {
            metadata: extensions.wrap_metadata(self.metadata),
            blobs: extensions.wrap_blobs(self.blobs),
            lock: self.lock,
        }
    }
}

/// Opens both, and makes sure that they are one store. `None`: told to stop while waiting for another process to release
/// them. `adopt`: they are one store from now on, whatever they were.
pub(super) async fn open(
    configuration: &Configuration,
    adopt: bool,
    clocks: &Clocks,
    status: &Status,
    stop: &CancellationToken,
) -> Result<Option<Stores>, AppError> {
    let Some(metadata) = open_metadata(configuration, clocks, status, stop).await? else {
        return Ok(None);
    };
    status.waiting("opening the blob store");
    let blobs = open_blobs(configuration)?;
    let pair = Pair {
        metadata: &*metadata,
        metadata_place: metadata_place(configuration),
        blobs: &*blobs,
        blobs_place: blobs_place(configuration),
    };
    // Before the lock as well: another store's folder is refused at once, also while its server runs.
    pair.check(adopt).await?;
    let Some(lock) = lock_blobs(configuration, status, stop).await? else {
        return Ok(None);
    };
    pair.join(adopt, &SystemIds::default()).await?;
    Ok(Some(between_failpoints(Stores {
        metadata,
        blobs,
        lock: lock.map(Arc::new),
    })))
}

fn metadata_place(configuration: &Configuration) -> String {
    match configuration.storage.metadata.location() {
        MetadataLocation::Memory => "memory".to_owned(),
        MetadataLocation::Rocksdb(path) => path.display().to_string(),
    }
}

fn blobs_place(configuration: &Configuration) -> String {
    match configuration.storage.blobs.location() {
        BlobLocation::Memory => "memory".to_owned(),
        BlobLocation::Filesystem(path) => path.display().to_string(),
    }
}

/// Waits for the folder of the blobs, if they are in one. `None`: told to stop.
async fn lock_blobs(
    configuration: &Configuration,
    status: &Status,
    stop: &CancellationToken,
) -> Result<Option<Option<FolderLock>>, AppError> {
    let BlobLocation::Filesystem(path) = configuration.storage.blobs.location() else {
        return Ok(Some(None));
    };
    loop {
        let lock = FolderLock::try_take(path).map_err(|error| AppError::Store {
            store: "blob",
            reason: format!("{}: {error}", path.display()),
        })?;
        if lock.is_some() {
            return Ok(Some(lock));
        }
        let reason = format!(
            "waiting for another process to release the blobs in {}",
            path.display()
        );
        tracing::warn!("{reason}");
        status.waiting(reason);
        tokio::select! {
            () = stop.cancelled() => return Ok(None),
            () = tokio::time::sleep(LOCK_PAUSE) => {}
        }
    }
}

#[cfg(not(feature = "failpoints"))]
fn between_failpoints(stores: Stores) -> Stores {
    stores
}

#[cfg(feature = "failpoints")]
fn between_failpoints(stores: Stores) -> Stores {
    use crate::services::failpoints::{FailingBlobs, FailingMetadata};
    Stores {
        metadata: Arc::new(FailingMetadata(stores.metadata)),
        blobs: Arc::new(FailingBlobs(stores.blobs)),
        lock: stores.lock,
    }
}

async fn open_metadata(
    configuration: &Configuration,
    clocks: &Clocks,
    status: &Status,
    stop: &CancellationToken,
) -> Result<Option<Arc<dyn MetadataStore>>, AppError> {
    let timing = settings::timing(configuration);
    match configuration.storage.metadata.location() {
        MetadataLocation::Memory => Ok(Some(Arc::new(MemoryMetadata::new(clocks.clone(), timing)))),
        MetadataLocation::Rocksdb(path) => open_rocksdb(path, timing, clocks, status, stop).await,
    }
}

#[cfg(feature = "rocksdb")]
async fn open_rocksdb(
    path: &Path,
    timing: Timing,
    clocks: &Clocks,
    status: &Status,
    stop: &CancellationToken,
) -> Result<Option<Arc<dyn MetadataStore>>, AppError> {
    use zas_blocking::METADATA_READS;
    use zas_metadata::{OpenError, RocksMetadata};

    let failed = |reason: String| AppError::Store {
        store: "metadata",
        reason,
    };
    loop {
        let opening = METADATA_READS.run({
            let (path, clocks) = (path.to_owned(), clocks.clone());
            move || RocksMetadata::open(&path, clocks, timing)
        });
        match opening.await.map_err(|panic| failed(panic.to_string()))? {
            Ok(store) => return Ok(Some(Arc::new(store))),
            Err(OpenError::Locked(_)) => {
                let reason = format!(
                    "waiting for another process to release the database in {}",
                    path.display()
                );
                tracing::warn!("{reason}");
                status.waiting(reason);
            }
            Err(error @ (OpenError::NewerFormat { .. } | OpenError::OlderFormat { .. })) => {
                return Err(AppError::OtherData(error.to_string()));
            }
            Err(error) => return Err(failed(error.to_string())),
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(None),
            () = tokio::time::sleep(LOCK_PAUSE) => {}
        }
    }
}

#[cfg(not(feature = "rocksdb"))]
#[expect(clippy::unused_async, reason = "has the shape of its twin")]
async fn open_rocksdb(
    _: &Path,
    _: Timing,
    _: &Clocks,
    _: &Status,
    _: &CancellationToken,
) -> Result<Option<Arc<dyn MetadataStore>>, AppError> {
    let reason =
        "this program was built without the feature rocksdb: use storage.metadata.engine: memory".to_owned();
    Err(AppError::Store {
        store: "metadata",
        reason,
    })
}

fn open_blobs(configuration: &Configuration) -> Result<Arc<dyn BlobStore>, AppError> {
    let blobs = &configuration.storage.blobs;
    match blobs.location() {
        BlobLocation::Memory => Ok(Arc::new(MemoryBlobs::new())),
        BlobLocation::Filesystem(path) => {
            let settings = FilesystemSettings {
                reserve_bytes: blobs.reserve.bytes(),
            };
            let store = FilesystemBlobs::open(path, settings);
            let store = store.map_err(|error| AppError::Store {
                store: "blob",
                reason: error.to_string(),
            })?;
            Ok(Arc::new(store))
        }
    }
}

#[cfg(test)]
mod tests;
