//! Bytes under physical names.
//!
//! A name is written once, as a whole, and never used for anything else, so writing needs no renaming and a late writer
//! can hurt nobody. What the bytes mean, and whether they are right, is the concern of others.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod error;
#[cfg(any(test, feature = "contract"))]
mod faulty;
mod fs;
mod memory;
mod store;
mod write;

pub use error::{BlobError, Result};
#[cfg(any(test, feature = "contract"))]
pub use faulty::{FaultyBlobs, Operation};
pub use fs::{FilesystemBlobs, FilesystemSettings};
pub use memory::MemoryBlobs;
pub use store::{BlobReader, BlobStore, Capacity};
pub use write::{Batch, BatchSender, Batches, Write, batches};
