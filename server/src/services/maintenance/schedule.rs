//! The pace of maintenance.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::collection::{Collected, Collector};

/// What an operator may change about collection while it runs. Grace and doom delay belong to the metadata store,
/// which applies them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CollectionSettings {
    /// Whether anything is collected.
    pub enabled: bool,
    /// The pause between rounds.
    pub interval: Duration,
    /// An upload without progress for so long is cancelled.
    pub upload_expiry: Duration,
    /// The pause between sweeps for bytes without a row; zero means never.
    pub orphan_sweep: Duration,
}

impl Collector {
    /// Puts new settings in force at once.
    pub fn reconfigure(&self, settings: CollectionSettings) {
        self.settings.store(Arc::new(settings));
        self.changed.notify_one();
    }

    /// Collects at the configured pace until `stop` fires. `report` hears of every round.
    pub async fn run(&self, stop: &CancellationToken, report: impl Fn(Result<Collected, ()>)) {
        loop {
            let pause = self.settings.load().interval;
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.changed.notified() => continue,
                () = tokio::time::sleep(pause) => {}
            }
            if !self.settings.load().enabled {
                continue;
            }
            match self.collect().await {
                Ok(collected) => {
                    if collected != Collected::default() {
                        tracing::info!(?collected, "collected garbage");
                    }
                    report(Ok(collected));
                }
                Err(error) => {
                    tracing::warn!(%error, "collection stopped early and will be tried again");
                    report(Err(()));
                }
            }
        }
    }
}
