//! Giving up, bit by bit, what consists of many parts: objects that were deleted, multipart uploads that were aborted or
//! whose bucket is gone.

use zas_metadata::GarbageOutcome;

use super::collection::Collector;
use crate::services::registry::Result;

/// Steps of a turn. Each is a large change, so they are made one after the other: who writes meanwhile waits for one of
/// them at most.
const STEPS: usize = 16;

impl Collector {
    /// Makes the next steps; whether there is more to do now.
    pub(super) async fn drain_garbage(&self) -> Result<bool> {
        let garbage = self.metadata.take_garbage(STEPS).await?;
        let mut progressed = false;
        for entry in &garbage {
            let outcome = self.demand.give_way(self.metadata.drain_garbage(entry)).await?;
            progressed |= outcome != GarbageOutcome::Later;
        }
        Ok(progressed)
    }
}
