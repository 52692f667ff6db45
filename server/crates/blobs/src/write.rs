//! The way of bytes into a store: batches over a bounded channel.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use zas_core::LocationName;

/// Batches in flight between two sides. With batches of 512 KiB they hold at most 1 MiB.
const BATCHES_IN_FLIGHT: usize = 2;

/// Some consecutive bytes of an upload as they were received, without copying them together. Clones share the bytes.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The pieces in order.
    pub pieces: Arc<[Bytes]>,
    /// Their share of the global upload budget, given back when the last clone of the batch is dropped.
    pub permit: Option<Arc<OwnedSemaphorePermit>>,
}

impl Batch {
    /// These pieces, with their share of the budget.
    pub fn new(pieces: Vec<Bytes>, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            pieces: pieces.into(),
            permit: permit.map(Arc::new),
        }
    }

    /// How many bytes the pieces have together.
    pub fn length(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.len() as u64).sum()
    }
}

/// The side that has the bytes.
pub type BatchSender = mpsc::Sender<Batch>;

/// The side that takes them. The end of the channel is the end of the bytes, whether the client finished or went away:
/// whoever sent them knows which.
pub type Batches = mpsc::Receiver<Batch>;

/// A channel that holds back the sender when the other side is slower.
pub fn batches() -> (BatchSender, Batches) {
    mpsc::channel(BATCHES_IN_FLIGHT)
}

/// Bytes to be written under a new name.
#[derive(Debug)]
pub struct Write {
    /// The physical name, which nobody ever wrote before.
    pub name: LocationName,
    /// The bytes.
    pub batches: Batches,
    /// How many bytes will come, when the client said so; a hint for preallocation, not a promise.
    pub expected: Option<u64>,
}
