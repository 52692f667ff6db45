//! Open files, so that a hot blob is not looked up and opened for every request.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use zas_core::LocationName;

use super::reader::FileReader;
use super::sys;

/// Enough for the hot blobs of a busy registry; each costs a descriptor and about 1 KiB of kernel memory.
const MAX_HANDLES: u64 = 1024;

/// The share of the descriptors of this process that may be kept open: the others are for connections.
const SHARE_OF_LIMIT: u64 = 4;

/// The files read most recently. Deleted names are dropped at once: an open file keeps its disk space.
#[derive(Debug)]
pub(super) struct HandleCache(Mutex<LruCache<LocationName, Arc<FileReader>>>);

impl HandleCache {
    /// A cache whose size respects the limit of open files.
    pub(super) fn new() -> Self {
        let limit = sys::open_files_limit().unwrap_or(MAX_HANDLES);
        let handles = (limit / SHARE_OF_LIMIT).min(MAX_HANDLES);
        Self::of(
            usize::try_from(handles)
                .ok()
                .and_then(NonZeroUsize::new)
                .unwrap_or(NonZeroUsize::MIN),
        )
    }

    fn of(handles: NonZeroUsize) -> Self {
        Self(Mutex::new(LruCache::new(handles)))
    }

    pub(super) fn get(&self, name: LocationName) -> Option<Arc<FileReader>> {
        self.lock().get(&name).map(Arc::clone)
    }

    /// Keeps a reader, unless its file was deleted meanwhile.
    pub(super) fn keep(&self, name: LocationName, reader: &Arc<FileReader>) {
        // Bound to a name, because closing a file can take long and must not happen under the lock.
        let _evicted = self.lock().push(name, Arc::clone(reader));
        // A deletion removes the file first and forgets the handle then. So either it finds the handle that was kept
        // just now, or the file is seen to be deleted here.
        if reader.is_deleted() {
            self.forget(name);
        }
    }

    pub(super) fn forget(&self, name: LocationName) {
        let _forgotten = self.lock().pop(&name);
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<LocationName, Arc<FileReader>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::contract;

    fn reader(directory: &Path, number: u64) -> (LocationName, Arc<FileReader>) {
        let name = contract::name(number);
        let path = directory.join(name.to_string());
        fs::write(&path, b"content").unwrap();
        (name, Arc::new(FileReader::open(name, &path).unwrap()))
    }

    #[test]
    fn given_more_files_than_handles_when_kept_then_the_least_recently_used_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let cache = HandleCache::of(NonZeroUsize::new(2).unwrap());
        let readers: Vec<_> = (1..=3).map(|number| reader(directory.path(), number)).collect();
        cache.keep(readers[0].0, &readers[0].1);
        cache.keep(readers[1].0, &readers[1].1);
        assert!(cache.get(readers[0].0).is_some());

        cache.keep(readers[2].0, &readers[2].1);

        let kept = readers
            .iter()
            .map(|(name, _)| cache.get(*name).is_some())
            .collect::<Vec<_>>();
        assert_eq!(kept, [true, false, true]);
        assert_eq!(Arc::strong_count(&readers[1].1), 1);
    }

    #[test]
    fn given_a_file_deleted_after_it_was_opened_when_kept_then_it_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let cache = HandleCache::new();
        let (name, reader) = reader(directory.path(), 1);
        fs::remove_file(directory.path().join(name.to_string())).unwrap();

        cache.keep(name, &reader);

        assert!(cache.get(name).is_none());
    }
}
