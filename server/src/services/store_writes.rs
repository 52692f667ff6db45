//! Whether the stores take writes: tried again and again in the background, for the readiness probe, the metrics and the
//! log. A store that takes none still serves whoever reads.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use zas_blobs::BlobStore;
use zas_metadata::MetadataStore;

use super::metrics::Reading;

/// Between two attempts.
const PAUSE: Duration = Duration::from_secs(5);

/// A store that takes no write within this time takes none from clients either.
const PATIENCE: Duration = Duration::from_secs(2);

/// The labels of the stores, as in the metrics of their operations.
const STORES: [&str; 2] = ["metadata", "blobs"];

/// Why each store took no write, as of the last attempt.
#[derive(Debug, Default)]
pub struct StoreWrites(Mutex<BTreeMap<&'static str, String>>);

impl StoreWrites {
    /// What keeps which store from taking writes; empty when both take them, or nobody has tried yet.
    pub fn failures(&self) -> Vec<String> {
        let failures = self.lock();
        let named = failures.iter();
        named
            .map(|(store, reason)| format!("{store}: {reason}"))
            .collect()
    }

    /// What the metrics say about each store.
    pub fn readings(self: &Arc<Self>) -> Vec<Reading> {
        let writes = Arc::clone(self);
        let help = "Whether a store takes no writes, while what it has can be read, by store";
        vec![Reading::gauges(
            "store_writes_failing",
            help,
            "store",
            move || {
                let failures = writes.lock();
                let failing = |store| u64::from(failures.contains_key(store));
                STORES.map(|store| (store, failing(store))).to_vec()
            },
        )]
    }

    /// Tries both until `stop` fires. A store that hangs is not tried again before it has answered.
    pub async fn watch(&self, metadata: &dyn MetadataStore, blobs: &dyn BlobStore, stop: &CancellationToken) {
        let trying = async {
            tokio::join!(
                self.watch_one("metadata", || try_metadata(metadata)),
                self.watch_one("blobs", || try_blobs(blobs)),
            )
        };
        tokio::select! {
            () = stop.cancelled() => {}
            _ = trying => {}
        }
    }

    async fn watch_one<F: Future<Output = Result<(), String>>>(
        &self,
        store: &'static str,
        attempt: impl Fn() -> F,
    ) {
        loop {
            let mut attempt = pin!(attempt());
            let outcome = match tokio::time::timeout(PATIENCE, &mut attempt).await {
                Ok(outcome) => outcome,
                Err(_) => {
                    self.note(store, Err("a write does not end".to_owned()));
                    attempt.await
                }
            };
            self.note(store, outcome);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Notes what came of an attempt. What was not known before is logged.
    fn note(&self, store: &'static str, outcome: Result<(), String>) {
        let mut failures = self.lock();
        match outcome {
            Ok(()) => {
                if failures.remove(store).is_some() {
                    tracing::info!(store, "the store takes writes again");
                }
            }
            Err(reason) => {
                if !failures.contains_key(store) {
                    tracing::error!(store, %reason, "the store takes no writes: pulls go on, pushes fail");
                }
                failures.insert(store, reason);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn try_metadata(metadata: &dyn MetadataStore) -> Result<(), String> {
    metadata.ping().await.map_err(|error| error.to_string())
}

async fn try_blobs(blobs: &dyn BlobStore) -> Result<(), String> {
    let capacity = blobs.probe().await.map_err(|error| error.to_string())?;
    if capacity.is_full {
        return Err("the free space is below storage.blobs.reserve".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use zas_blobs::{FaultyBlobs, MemoryBlobs, Operation};
    use zas_metadata::{Clocks, MemoryMetadata, Timing};

    use super::*;

    fn of_blobs(writes: &StoreWrites) -> Vec<String> {
        let mut failures = writes.failures();
        failures.retain(|line| line.starts_with("blobs: "));
        failures
    }

    async fn until(writes: &StoreWrites, expected: &[&str]) {
        for _ in 0..60 {
            if of_blobs(writes) == expected {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        panic!("{:?} instead of {expected:?}", writes.failures());
    }

    #[tokio::test(start_paused = true)]
    async fn given_a_store_that_takes_no_writes_when_watched_then_the_reason_is_told_until_it_takes_them_again()
     {
        // Given
        let writes = Arc::<StoreWrites>::default();
        let blobs = Arc::new(FaultyBlobs::new(Arc::new(MemoryBlobs::new())));
        let timing = Timing {
            grace: Duration::from_secs(60),
            doom_delay: Duration::ZERO,
        };
        let metadata = MemoryMetadata::new(Clocks::system(), timing);
        let stop = CancellationToken::new();
        let watching = tokio::spawn({
            let (writes, blobs, stop) = (Arc::clone(&writes), Arc::clone(&blobs), stop.clone());
            async move { writes.watch(&metadata, &*blobs, &stop).await }
        });
        until(&writes, &[]).await;

        // When, then
        blobs.set_full(true);
        until(&writes, &["blobs: the free space is below storage.blobs.reserve"]).await;
        blobs.set_full(false);
        until(&writes, &[]).await;
        blobs.fail(Operation::Probe, u64::MAX);
        until(&writes, &["blobs: test faulty store: injected failure"]).await;
        blobs.fail(Operation::Probe, 0);
        until(&writes, &[]).await;
        blobs.stall(Operation::Probe);
        until(&writes, &["blobs: a write does not end"]).await;

        // When told to stop, then also beside a store that hangs
        stop.cancel();
        watching.await.unwrap();
    }
}
