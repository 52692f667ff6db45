//! Finding stored bytes that no row names: what a crash between bytes and row leaves behind.
//!
//! A sweep passes over all names twice. The first pass counts: when more than a small share of the names has no row, the
//! rows are more likely lost than the bytes abandoned (an old backup of the database, another store's database), and
//! nothing is doomed. Otherwise the second pass dooms them.

use std::time::Duration;

use zas_core::Timestamp;
use zas_metadata::{OrphanOutcome, SweepPosition};

use super::collection::{Collected, Collector};
use crate::services::registry::Result;

/// Names looked at in one round, so that a sweep of a large store is spread over many.
const NAMES_PER_ROUND: usize = 10_000;

/// Names read from the blob store at a time.
const STEP: usize = 1_000;

/// So many names may be doomed whatever their share: uploads that power loss took the rows of.
const ALWAYS_ALLOWED: u64 = 16;

/// A sweep that left names alone is repeated after this time, or sooner if sweeps are more frequent.
const RETRY_AFTER: Duration = Duration::from_hours(1);

impl Collector {
    /// Continues the sweep under way, or begins one when the last lies long enough back. One turn is all of a round:
    /// never is more left.
    pub(super) async fn sweep_orphans(&self, collected: &mut Collected) -> Result<bool> {
        let now = self.metadata.now().await?;
        let Some(mut position) = self.metadata.sweep_position().await? else {
            // The first look of all is where the first pause begins.
            let resting = SweepPosition::resting_since(now);
            self.metadata.save_sweep_position(resting).await?;
            return Ok(false);
        };
        collected.withheld = position.withheld;
        if self.is_resting(&position, now) {
            return Ok(false);
        }
        for _ in 0..NAMES_PER_ROUND / STEP {
            let is_last = self.look_at_names(&mut position, collected).await?;
            if is_last && self.end_pass(&mut position, now) {
                break;
            }
        }
        collected.withheld = position.withheld;
        self.metadata.save_sweep_position(position).await?;
        Ok(false)
    }

    fn is_resting(&self, position: &SweepPosition, now: Timestamp) -> bool {
        let pause = self.settings.load().orphan_sweep;
        let is_under_way = position.after.is_some() || position.left.is_some();
        let pause_now = if position.withheld > 0 {
            pause.min(RETRY_AFTER)
        } else {
            pause
        };
        pause.is_zero() || !is_under_way && now.since(position.rested_at) < pause_now
    }

    /// Looks at the next names; whether they were the last.
    async fn look_at_names(&self, position: &mut SweepPosition, collected: &mut Collected) -> Result<bool> {
        let names = self.blobs.scan(position.after, STEP).await?;
        // Whether a name is known is decided by rows alone, never by its age.
        let orphans = self.metadata.find_orphans(&names).await?;
        match position.left {
            None => {
                position.names += names.len() as u64;
                position.orphans += orphans.len() as u64;
            }
            Some(mut left) => {
                let allowed = usize::try_from(left).unwrap_or(usize::MAX);
                for name in orphans.into_iter().take(allowed) {
                    if self.metadata.claim_orphan(name).await? == OrphanOutcome::Doomed {
                        tracing::info!(%name, "found bytes without a row");
                        collected.orphans += 1;
                        left -= 1;
                    }
                }
                position.left = Some(left);
            }
        }
        position.after = names.last().copied().or(position.after);
        Ok(names.len() < STEP)
    }

    /// Goes over to the next pass; whether there is none.
    fn end_pass(&self, position: &mut SweepPosition, now: Timestamp) -> bool {
        let (names, orphans) = (position.names, position.orphans);
        let share = u64::from(self.settings.load().orphan_share);
        let allowed = (names.saturating_mul(share) / 100).max(ALWAYS_ALLOWED);
        let is_counted = position.left.is_none() && orphans > 0;
        if is_counted && orphans <= allowed {
            position.after = None;
            position.left = Some(allowed);
            return false;
        }
        *position = SweepPosition::resting_since(now);
        if is_counted {
            position.withheld = orphans;
            tracing::error!(
                names,
                orphans,
                allowed,
                "the sweep left all bytes alone: of {names} stored names {orphans} have no row, and {allowed} may be \
                 deleted at once. Are these the rows of these bytes? If so, raise collection.orphanShare"
            );
        }
        true
    }
}
