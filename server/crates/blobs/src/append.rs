//! The way of bytes from a request into a store: batches over a bounded channel, within a global budget.

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use zas_core::{Hashing, UploadId};

/// Batches in flight for one upload. With the sender's batch size of 512 KiB an upload holds at most 2 MiB.
const BATCHES_IN_FLIGHT: usize = 4;

/// Some consecutive bytes of an upload as they were received, without copying them together.
#[derive(Debug)]
pub struct Batch {
    /// The pieces in order.
    pub pieces: Vec<Bytes>,
    /// Their share of the global upload budget, given back when the batch is dropped.
    pub permit: Option<OwnedSemaphorePermit>,
}

impl Batch {
    /// How many bytes the pieces have together.
    pub fn length(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.len() as u64).sum()
    }
}

/// The receiving side of a request, feeding a store.
pub type BatchSender = mpsc::Sender<Batch>;

/// The storing side. The end of the channel is the end of the bytes, whether the client finished or went away:
/// whoever sent them knows which.
pub type Batches = mpsc::Receiver<Batch>;

/// A channel that holds back the sender when the store is slower.
pub fn batches() -> (BatchSender, Batches) {
    mpsc::channel(BATCHES_IN_FLIGHT)
}

/// Bytes to be appended to a name.
#[derive(Debug)]
pub struct Append {
    /// The physical name; made when `offset` is zero and it does not exist.
    pub name: UploadId,
    /// Where to write: zero, or an offset that an earlier append of the name returned or sent as a checkpoint.
    /// Whatever lies behind it is cut off first: it was never acknowledged.
    pub offset: u64,
    /// The hashes of the bytes below `offset`, which take in the new ones.
    pub hashes: Vec<Hashing>,
    /// The bytes.
    pub batches: Batches,
    /// How many bytes will come, when the client said so; a hint for preallocation, not a promise.
    pub expected: Option<u64>,
    /// Gets word each time all bytes so far became durable, about every 256 MiB. `None` for a request whose loss
    /// loses nothing acknowledged.
    pub checkpoints: Option<mpsc::Sender<Checkpoint>>,
}

/// A durable point in the middle of an append.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// All bytes below it survive power loss.
    pub offset: u64,
    /// The hashes of exactly those bytes.
    pub hashes: Vec<Hashing>,
}

/// The end of an append. All bytes below `offset`, and the name itself, survive power loss.
#[derive(Clone, Debug)]
pub struct Appended {
    /// How long the content is now.
    pub offset: u64,
    /// The hashes of all of it.
    pub hashes: Vec<Hashing>,
}
