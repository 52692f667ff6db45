//! The lock on a folder that one server at a time may use.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

const FILE: &str = "ZAS_LOCK";

/// Keeps others out of a folder until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub(super) struct FolderLock(#[expect(dead_code, reason = "holds the lock")] File);

impl FolderLock {
    /// Takes the lock of `folder`; `None` while somebody else has it.
    pub(super) fn try_take(folder: &Path) -> io::Result<Option<Self>> {
        let mut options = File::options();
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join(FILE))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}
