//! How many bytes of all uploads together wait to be written.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

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
    pub(crate) fn used(&self) -> usize {
        (self.total as usize).saturating_sub(self.permits.available_permits())
    }

    /// Waits for a share of `bytes`. A piece larger than the whole budget takes all of it.
    pub(super) async fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let share = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.total);
        // The semaphore is never closed.
        Arc::clone(&self.permits).acquire_many_owned(share).await.ok()
    }
}
