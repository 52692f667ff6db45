//! Reading a file: from the page cache on the caller's thread, from the disk on another.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use zas_blocking::BLOB_READS;
use zas_core::LocationName;

use super::{blocking, storage, sys};
use crate::{BlobError, BlobReader, Result};

/// Below this the kernel's usual reading ahead brings the file in a few steps anyway.
const SEQUENTIAL_MIN: u64 = 4 * 1024 * 1024;

/// An open file. Its length is that of the moment when it was opened: nobody is given the name of a file that still grows.
#[derive(Debug)]
pub(super) struct FileReader {
    name: LocationName,
    file: Arc<File>,
    length: u64,
}

impl FileReader {
    /// Opens a file for reading.
    pub(super) fn open(name: LocationName, path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => BlobError::NotFound(name),
            _ => storage("open", &name, error),
        })?;
        let length = file
            .metadata()
            .map_err(|error| storage("open", &name, error))?
            .len();
        if length >= SEQUENTIAL_MIN {
            // Advice that is not taken costs speed alone.
            let _ = sys::advise_sequential(&file);
        }
        Ok(Self {
            name,
            file: Arc::new(file),
            length,
        })
    }

    /// Whether the name of the file is gone, so that only open handles keep its bytes.
    pub(super) fn is_deleted(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
    }
}

#[async_trait]
impl BlobReader for FileReader {
    fn length(&self) -> u64 {
        self.length
    }

    fn try_read(&self, offset: u64, length: usize) -> Option<Bytes> {
        let left = self.length.checked_sub(offset)?;
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(length);
        if wanted == 0 {
            return (length == 0).then(Bytes::new);
        }
        // Whatever is wrong, also a file system that cannot tell, the blocking read finds out and reports.
        let bytes = sys::read_from_memory(&self.file, offset, wanted).ok()?;
        (!bytes.is_empty()).then(|| bytes.into())
    }

    async fn read(&self, offset: u64, length: usize) -> Result<Bytes> {
        let (name, wanted) = (self.name, offset.saturating_add(length as u64));
        if wanted > self.length {
            return Err(BlobError::TooShort {
                name,
                length: self.length,
                wanted,
            });
        }
        let file = Arc::clone(&self.file);
        let bytes = blocking(&BLOB_READS, move || {
            sys::read(&file, offset, length).map_err(|error| storage("read", &name, error))
        })
        .await?;
        if bytes.len() < length {
            let length = offset.saturating_add(bytes.len() as u64);
            return Err(BlobError::TooShort { name, length, wanted });
        }
        Ok(bytes.into())
    }
}
