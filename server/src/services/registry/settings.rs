//! What an operator may change about the registry while it runs.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zas_config::{MissingReferences, Registry as RegistrySection};
use zas_core::RepositoryName;

/// The settings of the registry's operations.
#[derive(Clone, Debug)]
pub struct RegistrySettings {
    /// Largest manifest in bytes.
    pub manifest_size: usize,
    /// Most distinct references of one manifest.
    pub manifest_references: usize,
    /// Largest blob in bytes, if there is a limit.
    pub blob_size: Option<u64>,
    /// Uploads that may send bytes at the same time.
    pub concurrent_uploads: usize,
    /// Uploads that may be started and not ended.
    pub open_uploads: usize,
    /// Most entries of a page of tags or repositories.
    pub page_size: usize,
    /// Most entries of a page of referrers.
    pub referrers_count: usize,
    /// Most bytes of descriptors on a page of referrers.
    pub referrers_size: usize,
    /// Which absent references a repository accepts.
    pub registry: RegistrySection,
}

#[cfg(test)]
impl RegistrySettings {
    /// Limits that tests do not meet by accident, and reach when they mean to.
    pub(crate) fn in_test() -> Self {
        Self {
            manifest_size: 4 << 20,
            manifest_references: 100,
            blob_size: None,
            concurrent_uploads: 8,
            open_uploads: 1_000,
            page_size: 100,
            referrers_count: 100,
            referrers_size: 1 << 20,
            registry: RegistrySection::default(),
        }
    }
}

impl RegistrySettings {
    /// What `repository` does about references to content that it does not hold.
    pub fn missing_references(&self, repository: &RepositoryName) -> MissingReferences {
        self.registry.missing_references_of(repository)
    }
}

/// The budget for bytes that were received and are not written yet, shared by all uploads.
#[derive(Clone, Debug)]
pub struct UploadBudget {
    permits: Arc<Semaphore>,
    total: u32,
}

impl UploadBudget {
    /// A budget of `bytes`.
    pub fn new(bytes: usize) -> Self {
        let total = u32::try_from(bytes.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        Self {
            permits: Arc::new(Semaphore::new(total as usize)),
            total,
        }
    }

    /// How many bytes are taken.
    pub(super) fn used(&self) -> usize {
        (self.total as usize).saturating_sub(self.permits.available_permits())
    }

    /// Waits for a share of `bytes`. A piece larger than the whole budget takes all of it.
    pub(super) async fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let share = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.total);
        // The semaphore is never closed.
        Arc::clone(&self.permits).acquire_many_owned(share).await.ok()
    }
}
