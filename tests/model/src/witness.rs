//! What was seen to happen, so that no proof is about a world in which nothing happens.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU32, Ordering};

/// Something that has to happen in some run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A writer's operation was refused for its epoch.
    Fenced,
    /// An idle upload was cancelled.
    Expired,
    /// A finish found the digest present.
    Deduplicated,
    /// A finish put its bytes in the place of stored ones.
    Replaced,
    /// A lease was renewed.
    Renewed,
    /// A blob was mounted.
    Mounted,
    /// A blob was taken out by a client.
    Unlinked,
    /// A manifest was committed.
    Committed,
    /// Collection kept a link for its edge.
    Kept,
    /// Collection removed a link.
    Reaped,
    /// A blob outlived one of its links.
    HeldElsewhere,
    /// The sweep left a known name alone.
    SweepKept,
    /// The sweep doomed a name without a row.
    Orphaned,
    /// Bytes were deleted.
    Deleted,
    /// A crash or power loss in the middle of an upload.
    CrashedInUpload,
    /// Power loss turned unsynced bytes into zeros.
    BytesLost,
    /// A closing PUT was repeated and answered from the link.
    PutRetried,
    /// An upload went on from an offset saved before.
    Resumed,
    /// A successor took the place of a running writer in one process.
    Succeeded,
    /// A download read its bytes.
    Downloaded,
    /// A claim was lost.
    ClaimLost,
    /// A claim or an abort doomed a name that was not listed.
    UnlistedDoomed,
    /// A state with nothing left to do, whose garbage was collected to the end.
    Drained,
}

/// All events.
pub const ALL: [Event; 23] = [
    Event::Fenced,
    Event::Expired,
    Event::Deduplicated,
    Event::Replaced,
    Event::Renewed,
    Event::Mounted,
    Event::Unlinked,
    Event::Committed,
    Event::Kept,
    Event::Reaped,
    Event::HeldElsewhere,
    Event::SweepKept,
    Event::Orphaned,
    Event::Deleted,
    Event::CrashedInUpload,
    Event::BytesLost,
    Event::PutRetried,
    Event::Resumed,
    Event::Succeeded,
    Event::Downloaded,
    Event::ClaimLost,
    Event::UnlistedDoomed,
    Event::Drained,
];

/// The events seen so far.
#[derive(Debug, Default)]
pub struct Witness(AtomicU32);

impl Witness {
    /// Notes an event.
    pub fn note(&self, event: Event) {
        let bit = 1 << event as u32;
        if self.0.load(Ordering::Relaxed) & bit == 0 {
            self.0.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Whether an event was seen.
    pub fn saw(&self, event: Event) -> bool {
        self.0.load(Ordering::Relaxed) & (1 << event as u32) != 0
    }
}
