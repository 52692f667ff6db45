//! Where names are on the disk: `<root>/<last two hexadecimal digits of the upload's id>/<name>`.
//!
//! The last digits are random, so the 256 shards grow evenly; the first ones are the time.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use zas_core::LocationName;

use super::disk::Disk;

/// The paths below a root, and which of its directories are known to survive power loss.
#[derive(Debug)]
pub(super) struct Layout {
    root: PathBuf,
    durable_shards: [AtomicBool; 256],
}

impl Layout {
    /// Makes the root, and what is missing above it, and makes it durable.
    pub(super) fn open(root: &Path, disk: &dyn Disk) -> io::Result<Self> {
        let root = std::path::absolute(root)?;
        make_durable_directory(&root, disk)?;
        Ok(Self {
            root,
            durable_shards: [const { AtomicBool::new(false) }; 256],
        })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn shard(&self, shard: u8) -> PathBuf {
        self.root.join(format!("{shard:02x}"))
    }

    pub(super) fn file(&self, name: LocationName) -> PathBuf {
        self.shard(shard_of(name)).join(name.to_string())
    }

    /// Makes the directory of a shard and its entry in the root durable. Does nothing when this process knows that it
    /// is; a directory of an earlier process may have been made without a sync.
    pub(super) fn make_shard(&self, shard: u8, disk: &dyn Disk) -> io::Result<()> {
        if self.is_durable(shard).load(Ordering::Acquire) {
            return Ok(());
        }
        disk.make_directory(&self.shard(shard))?;
        disk.sync_directory(&self.root)?;
        self.is_durable(shard).store(true, Ordering::Release);
        Ok(())
    }

    /// Somebody removed the directory of a shard behind our back: the next write makes it again.
    pub(super) fn forget_shard(&self, shard: u8) {
        self.is_durable(shard).store(false, Ordering::Release);
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "there are 256 shards, one for each value of the index"
    )]
    fn is_durable(&self, shard: u8) -> &AtomicBool {
        &self.durable_shards[usize::from(shard)]
    }
}

/// The shard of a name: the last byte of its upload's id.
pub(super) fn shard_of(name: LocationName) -> u8 {
    let [.., last] = name.upload.to_bytes();
    last
}

fn make_durable_directory(path: &Path, disk: &dyn Disk) -> io::Result<()> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_durable_directory(parent, disk)?;
            disk.make_directory(path)?;
        }
        Err(error) if is_there(path, &error) => {
            return sync_above(path, disk);
        }
        Err(error) => return Err(error),
        Ok(()) => {}
    }
    disk.sync_directory(parent)
}

/// Makes the entries durable that lead to a directory on its file system: an earlier process may have died between
/// making one and syncing it.
fn sync_above(path: &Path, disk: &dyn Disk) -> io::Result<()> {
    let device = path.metadata()?.dev();
    for parent in path.ancestors().skip(1) {
        // Where a file system is mounted, what is above it was not made by us.
        if parent.metadata()?.dev() != device {
            return Ok(());
        }
        match disk.sync_directory(parent) {
            // Whoever may not look into it did not make anything in it.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
            synced => synced?,
        }
    }
    Ok(())
}

/// Whether making a directory failed because there is one; a read-only or foreign parent is reported first.
fn is_there(path: &Path, error: &io::Error) -> bool {
    use io::ErrorKind::{AlreadyExists, PermissionDenied, ReadOnlyFilesystem};
    matches!(
        error.kind(),
        AlreadyExists | PermissionDenied | ReadOnlyFilesystem
    ) && path.is_dir()
}

#[cfg(test)]
mod tests {
    use zas_core::{Timestamp, UploadId};

    use super::*;
    use crate::fs::disk::NativeDisk;

    #[test]
    fn given_a_name_when_placed_then_the_last_two_digits_of_its_upload_are_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::open(directory.path(), &NativeDisk).unwrap();
        let mut random = [0; 10];
        random[9] = 0x0a;
        let name = LocationName {
            upload: UploadId::new(Timestamp::from_millis(1), &random),
            start: 3,
            epoch: 2,
            ordinal: 1,
        };

        assert_eq!(
            layout.file(name),
            directory.path().join("0a").join(name.to_string())
        );
        assert!(name.to_string().ends_with("0a.3.2.1"));
    }

    #[test]
    fn given_a_root_that_is_a_file_when_opened_then_refused() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, b"").unwrap();

        assert_eq!(
            Layout::open(&file, &NativeDisk).unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
        assert_eq!(
            Layout::open(&file.join("below"), &NativeDisk).unwrap_err().kind(),
            io::ErrorKind::NotADirectory
        );
    }
}
