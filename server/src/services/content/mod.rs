//! Content: bytes of any length on their way from a client into the blob store, and back.
//!
//! Whoever receives content claims an upload, and with it the names that its bytes are written under. Bytes are hashed
//! once, here, beside their writing. Reading opens what is stored run by run.

mod body;
mod budget;
mod pieces;
mod readers;
mod stored;
mod suspects;
#[cfg(test)]
mod tests;
mod write;

use std::sync::Arc;

use zas_blobs::BlobStore;

pub use body::{BodyError, RequestBody};
pub use budget::UploadBudget;
pub use stored::{ContentRun, StoredRun};
pub use suspects::Suspects;
pub use write::{ContentError, Hash, Names, WrittenContent};

pub(crate) use body::{Head, InterruptedHead, Transfer, Transferring, read_head};
pub(crate) use write::{Bound, is_hashed_at_once};

use readers::Readers;

/// A run of bytes ends at this length where progress is saved: a request that breaks off may have to send so much again.
const RUN_BYTES: u64 = 256 * 1024 * 1024;

/// The bytes of content in a blob store. Cheap to clone: clones share everything.
#[derive(Clone, Debug)]
pub struct Content {
    blobs: Arc<dyn BlobStore>,
    budget: UploadBudget,
    readers: Arc<Readers>,
    suspects: Arc<Suspects>,
    run_bytes: u64,
}

impl Content {
    /// Content in this store; `upload_buffer` bounds the bytes received and not yet written, of all uploads together.
    pub fn new(blobs: Arc<dyn BlobStore>, upload_buffer: usize) -> Self {
        Self {
            blobs,
            budget: UploadBudget::new(upload_buffer),
            readers: Arc::default(),
            suspects: Arc::default(),
            run_bytes: RUN_BYTES,
        }
    }

    /// Saves progress about every `bytes` bytes instead of every 256 MiB.
    #[must_use]
    pub fn with_run_bytes(mut self, bytes: u64) -> Self {
        self.run_bytes = bytes;
        self
    }

    /// Blobs whose bytes are in doubt.
    pub fn suspects(&self) -> &Arc<Suspects> {
        &self.suspects
    }

    /// About how long a run of bytes is where progress is saved.
    pub(crate) fn run_bytes(&self) -> u64 {
        self.run_bytes
    }

    /// The bytes that may be received and not yet written.
    pub(crate) fn budget(&self) -> &UploadBudget {
        &self.budget
    }
}
