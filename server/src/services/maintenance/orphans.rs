//! Finding stored bytes that no row names: what a crash between bytes and row leaves behind.

use std::sync::{Mutex, PoisonError};

use zas_core::{Timestamp, UploadId};
use zas_metadata::OrphanOutcome;

use super::collection::{Collected, Collector};
use crate::services::registry::Result;

/// Names looked at in one round, so that a sweep of a large store is spread over many.
const NAMES_PER_ROUND: usize = 10_000;

/// Names read from the blob store at a time.
const STEP: usize = 1_000;

/// Where the sweep is and when the next one begins.
#[derive(Debug)]
pub(super) struct OrphanCursor(Mutex<Position>);

#[derive(Clone, Copy, Debug)]
struct Position {
    /// When the last whole sweep ended.
    rested_at: Timestamp,
    /// The last name looked at by the sweep that is under way.
    after: Option<UploadId>,
}

impl OrphanCursor {
    pub(super) fn starting_at(now: Timestamp) -> Self {
        Self(Mutex::new(Position {
            rested_at: now,
            after: None,
        }))
    }

    fn get(&self) -> Position {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, position: Position) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = position;
    }
}

impl Collector {
    /// Continues the sweep under way, or begins one when the last lies long enough back.
    pub(super) async fn sweep_orphans(&self, collected: &mut Collected) -> Result<()> {
        let pause = self.settings.load().orphan_sweep;
        let position = self.orphans.get();
        let now = self.clock.now();
        let is_resting = position.after.is_none() && now.since(position.rested_at) < pause;
        if pause.is_zero() || is_resting {
            return Ok(());
        }
        let mut after = position.after;
        for _ in 0..NAMES_PER_ROUND / STEP {
            let names = self.blobs.scan(after, STEP).await?;
            for name in &names {
                // Whether a name is known is decided by rows alone, never by its age.
                if self.metadata.claim_orphan(*name).await? == OrphanOutcome::Doomed {
                    tracing::info!(%name, "found bytes without a row");
                    collected.orphans += 1;
                }
                after = Some(*name);
            }
            if names.len() < STEP {
                self.orphans.set(Position {
                    rested_at: now,
                    after: None,
                });
                return Ok(());
            }
        }
        self.orphans.set(Position { after, ..position });
        Ok(())
    }
}
