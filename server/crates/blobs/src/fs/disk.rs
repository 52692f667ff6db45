//! What durability depends on.

use std::fmt::Debug;
use std::fs::{self, File};
use std::io::{self, IoSlice, Write};
use std::path::Path;

use super::sys;

/// The effects on a disk whose failure or order matters: the seam where tests fill the disk, break it or watch it.
/// What is not overridden is the real thing.
pub(super) trait Disk: Debug + Send + Sync {
    /// How many bytes can still be written.
    fn free_bytes(&self, root: &Path) -> io::Result<u64> {
        sys::free_bytes(root)
    }

    /// Makes a directory, unless it is there.
    fn make_directory(&self, path: &Path) -> io::Result<()> {
        match fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made,
        }
    }

    /// Makes the entries of a directory durable.
    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    /// Makes a file, which must not be there, and opens it for writing.
    fn make_file(&self, path: &Path) -> io::Result<File> {
        File::create_new(path)
    }

    /// Writes some of the pieces at the position of the file, with one `writev`.
    fn write(&self, mut file: &File, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        file.write_vectored(pieces)
    }

    /// Makes the bytes of a file durable.
    fn sync_data(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }
}

/// The disk of this machine.
#[derive(Debug)]
pub(super) struct NativeDisk;

impl Disk for NativeDisk {}
