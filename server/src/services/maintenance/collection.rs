//! Collecting blobs: links whose lease is over, then the bytes of what lost its last link.

use std::sync::Arc;

use arc_swap::ArcSwap;
use futures_util::future::join_all;
use tokio::sync::Notify;
use zas_blobs::BlobStore;
use zas_core::LocationName;
use zas_metadata::{MetadataStore, ReapOutcome};

use super::{CollectionSettings, Demand};
use crate::services::registry::{Registry, RegistryError, Result};

/// Entries taken from a queue at a time: one turn of a kind of work.
pub(super) const STEP: usize = 256;

/// Changes under way at a time: together they share a sync, and a push that comes between waits for all of them.
pub(super) const AT_A_TIME: usize = 16;

/// What one round of collection did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Links taken out of repositories because nothing refers to them and their lease is over.
    pub links: u64,
    /// Blobs that lost their last link.
    pub blobs: u64,
    /// Physical names whose bytes were deleted.
    pub deleted: u64,
    /// Uploads cancelled because they made no progress.
    pub uploads: u64,
    /// Physical names found without a row.
    pub orphans: u64,
    /// Physical names without a row that the last sweep left alone because they were too many.
    pub withheld: u64,
}

impl Collected {
    /// Counts what became of a due link; `false` when it is still to be looked at.
    fn count(&mut self, outcome: &ReapOutcome) -> bool {
        match outcome {
            ReapOutcome::LinkRemoved => self.links += 1,
            ReapOutcome::Doomed(_) => {
                self.links += 1;
                self.blobs += 1;
            }
            ReapOutcome::Kept(_) | ReapOutcome::Gone => {}
            // Queued again for later, or left where it is while the clocks are in doubt.
            ReapOutcome::Later => return false,
        }
        true
    }
}

/// Whether a kind of work has more to do in this round.
#[derive(Debug, Default)]
enum Work {
    #[default]
    Left,
    Done,
    Failed(RegistryError),
}

impl Work {
    fn is_left(&self) -> bool {
        matches!(self, Self::Left)
    }

    fn has_failed(&self) -> bool {
        matches!(self, Self::Failed(_))
    }

    /// Notes what came of a turn.
    fn end(&mut self, turn: Result<bool>) {
        *self = match turn {
            Ok(true) => Self::Left,
            Ok(false) => Self::Done,
            Err(error) => Self::Failed(error),
        };
    }
}

/// The kinds of work of one round.
#[derive(Debug, Default)]
struct Turns {
    expiring: Work,
    reaping: Work,
    draining: Work,
    sweeping: Work,
    deleting: Work,
}

impl Turns {
    fn are_left(&self) -> bool {
        [&self.expiring, &self.draining, &self.reaping, &self.deleting]
            .iter()
            .any(|work| work.is_left())
    }

    fn outcome(self) -> Result<()> {
        let all = [
            self.expiring,
            self.draining,
            self.reaping,
            self.sweeping,
            self.deleting,
        ];
        for work in all {
            if let Work::Failed(error) = work {
                return Err(error);
            }
        }
        Ok(())
    }
}

/// Collects what is no longer needed. Cost follows the garbage, not the content.
#[derive(Debug)]
pub struct Collector {
    pub(super) metadata: Arc<dyn MetadataStore>,
    pub(super) blobs: Arc<dyn BlobStore>,
    pub(super) registry: Registry,
    pub(super) demand: Arc<Demand>,
    pub(super) settings: ArcSwap<CollectionSettings>,
    pub(super) changed: Notify,
}

impl Collector {
    /// A collector over the stores of `registry`, which gives way to `demand`.
    pub fn new(
        metadata: Arc<dyn MetadataStore>,
        blobs: Arc<dyn BlobStore>,
        registry: Registry,
        demand: Arc<Demand>,
        settings: CollectionSettings,
    ) -> Self {
        let settings = ArcSwap::from_pointee(settings);
        Self {
            metadata,
            blobs,
            registry,
            demand,
            settings,
            changed: Notify::new(),
        }
    }

    /// One round of everything that is due. The kinds of work take turns, so that much of one does not hold up the
    /// others, and one that fails is left to the next round without them.
    ///
    /// # Errors
    /// The first failure of a store; what was done stays done, and the next round continues.
    pub async fn collect(&self) -> Result<Collected> {
        let mut collected = Collected::default();
        let mut turns = Turns::default();
        let mut expiry = self.begin_expiry().await?;
        turns.sweeping.end(self.sweep_orphans(&mut collected).await);
        while turns.are_left() {
            if turns.expiring.is_left() {
                let turn = self.expire_uploads(&mut expiry, &mut collected).await;
                turns.expiring.end(turn);
            }
            // Before the links: what goes may be what kept them.
            if turns.draining.is_left() {
                turns.draining.end(self.drain_garbage().await);
            }
            if turns.reaping.is_left() {
                turns.reaping.end(self.reap_links(&mut collected).await);
            }
            if turns.deleting.is_left() {
                turns.deleting.end(self.delete_doomed(&mut collected).await);
            }
        }
        // What the others doomed in their last turns.
        if !turns.deleting.has_failed() {
            turns.deleting.end(self.delete_doomed(&mut collected).await);
        }
        turns.outcome().map(|()| collected)
    }

    /// Looks at the next due links; whether more may be due.
    async fn reap_links(&self, collected: &mut Collected) -> Result<bool> {
        let due = self.metadata.take_due(STEP).await?;
        let mut progressed = false;
        // Those under way together share the syncs of their commits.
        for links in due.chunks(AT_A_TIME) {
            let reaping = join_all(links.iter().map(|link| self.metadata.reap(link)));
            for outcome in self.demand.give_way(reaping).await {
                progressed |= collected.count(&outcome?);
            }
        }
        Ok(due.len() == STEP && progressed)
    }

    /// Deletes the bytes of the next doomed names; whether there may be more.
    async fn delete_doomed(&self, collected: &mut Collected) -> Result<bool> {
        let doomed = self.metadata.take_doomed(STEP).await?;
        let mut progressed = false;
        for names in doomed.chunks(AT_A_TIME) {
            let deleting = join_all(names.iter().map(|name| self.delete(*name)));
            for deleted in self.demand.give_way(deleting).await {
                if deleted? {
                    progressed = true;
                    collected.deleted += 1;
                }
            }
        }
        Ok(doomed.len() == STEP && progressed)
    }

    /// Deletes bytes first and their row afterwards: a crash in between repeats a deletion, which succeeds. `false`: a
    /// reader of this process may still open them, and they are left for later.
    async fn delete(&self, name: LocationName) -> Result<bool> {
        if self.registry.is_read(name) {
            self.metadata.postpone_deletion(name).await?;
            return Ok(false);
        }
        self.blobs.delete(name).await?;
        self.metadata.forget_location(name).await?;
        Ok(true)
    }
}
