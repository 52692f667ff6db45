//! Which stored bytes are being read in this process: their names are not deleted meanwhile.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zas_core::{LocationName, UploadId};

/// Counts the readers of what each upload has written: a content is mostly of one upload, however many runs it has.
#[derive(Debug, Default)]
pub(super) struct Readers(Mutex<HashMap<UploadId, usize>>);

/// Keeps names from being deleted until it is dropped.
#[derive(Debug)]
pub(super) struct Hold {
    readers: Arc<Readers>,
    uploads: Vec<UploadId>,
}

impl Readers {
    /// Keeps these names.
    pub(super) fn hold(self: &Arc<Self>, names: impl Iterator<Item = LocationName>) -> Hold {
        let mut uploads: Vec<UploadId> = names.map(|name| name.upload).collect();
        uploads.dedup();
        let mut counts = self.lock();
        for upload in &uploads {
            *counts.entry(*upload).or_default() += 1;
        }
        drop(counts);
        Hold {
            readers: Arc::clone(self),
            uploads,
        }
    }

    /// Whether somebody reads this name, or another of its upload.
    pub(super) fn hold_name(&self, name: LocationName) -> bool {
        self.lock().contains_key(&name.upload)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UploadId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut counts = self.readers.lock();
        for upload in &self.uploads {
            if let Some(count) = counts.get_mut(upload) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(upload);
                }
            }
        }
    }
}
