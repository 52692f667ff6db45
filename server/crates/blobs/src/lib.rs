//! Bytes under physical names.
//!
//! A name is the id of the upload that wrote the bytes. It is never used for anything else, so writing needs no
//! renaming and a late writer can hurt nobody. What the bytes mean is the metadata store's concern.

mod append;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod error;
#[cfg(any(test, feature = "contract"))]
mod faulty;
mod fs;
mod memory;
mod running;
mod store;

pub use append::{Append, Appended, Batch, BatchSender, Batches, Checkpoint, batches};
pub use error::{BlobError, Result};
#[cfg(any(test, feature = "contract"))]
pub use faulty::{FaultyBlobs, Operation};
pub use fs::{FilesystemBlobs, FilesystemSettings};
pub use memory::MemoryBlobs;
pub use store::{BlobReader, BlobStore, Capacity};
