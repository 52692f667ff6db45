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
    /// How much of what is stored one sweep may doom, in percent.
    pub orphan_share: u32,
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
            // A round that is broken off is like one that a crash ends: the next start goes on with it.
            let round = tokio::select! {
                () = stop.cancelled() => return,
                round = self.collect() => round,
            };
            match round {
                Ok(collected) => {
                    let done = Collected {
                        withheld: 0,
                        ..collected
                    };
                    if done != Collected::default() {
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

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
    use zas_blobs::{BlobStore as _, FaultyBlobs, MemoryBlobs, Operation};
    use zas_core::{BucketId, Clock, Digest, IdSource as _, ManualClock, SystemIds};
    use zas_metadata::{
        MemoryMetadata, MetadataStore, MultipartName, NewBucket, NewMultipart, NewPartContent,
        ObjectAttributes, Origin, Owner, PutPart, Timing,
    };

    use super::*;
    use crate::services::auth::Granted;
    use crate::services::capacity::Client;
    use crate::services::registry::{Registry, RegistryParts, RegistrySettings};

    const INTERVAL: Duration = Duration::from_secs(60);

    struct World {
        collector: Arc<Collector>,
        blobs: Arc<FaultyBlobs>,
        clock: Arc<ManualClock>,
        registry: Registry,
        stop: CancellationToken,
        rounds: UnboundedReceiver<Result<Collected, ()>>,
    }

    fn settings() -> CollectionSettings {
        CollectionSettings {
            enabled: true,
            interval: INTERVAL,
            upload_expiry: INTERVAL * 100,
            orphan_sweep: Duration::from_secs(1),
            orphan_share: 5,
        }
    }

    /// A collector that is running, in a time that passes when everybody waits.
    fn start(settings: CollectionSettings) -> World {
        let clock = Arc::new(ManualClock::default());
        let wall: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let timing = Timing {
            grace: Duration::from_secs(1),
            doom_delay: Duration::ZERO,
        };
        let metadata: Arc<dyn MetadataStore> = Arc::new(MemoryMetadata::new(Arc::clone(&wall), timing));
        let blobs = Arc::new(FaultyBlobs::new(Arc::new(MemoryBlobs::new())));
        let parts = RegistryParts {
            metadata: Arc::clone(&metadata),
            blobs: Arc::<FaultyBlobs>::clone(&blobs),
            clock: Arc::clone(&wall),
            ids: Arc::new(SystemIds::default()),
        };
        let registry = Registry::new(parts, RegistrySettings::in_test(), 1 << 20);
        let store = Arc::<FaultyBlobs>::clone(&blobs);
        let collector = Arc::new(Collector::new(
            metadata,
            store,
            registry.clone(),
            Arc::default(),
            settings,
        ));
        let (stop, (report, rounds)) = (CancellationToken::new(), unbounded_channel());
        tokio::spawn({
            let (collector, stop) = (Arc::clone(&collector), stop.clone());
            async move { collector.run(&stop, |round| report.send(round).unwrap()).await }
        });
        World {
            collector,
            blobs,
            clock,
            registry,
            stop,
            rounds,
        }
    }

    impl World {
        /// Time passes until the next round has ended.
        async fn round(&mut self) -> Result<Collected, ()> {
            self.rounds.recv().await.unwrap()
        }

        async fn expect_no_round(&mut self) {
            tokio::time::sleep(INTERVAL * 5).await;
            assert!(self.rounds.try_recv().is_err());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn given_an_aborted_multipart_upload_when_a_round_has_passed_then_its_parts_are_given_up() {
        // Given
        let world = start(CollectionSettings {
            enabled: false,
            ..settings()
        });
        let metadata = &world.collector.metadata;
        let origin = Origin {
            operation: [0; 16],
            actor: String::new(),
        };
        let ids = SystemIds::default();
        let id = || ids.upload_id(world.clock.now());
        let bucket = NewBucket {
            name: "first".parse().unwrap(),
            id: BucketId::new(id()),
            owner: Owner::default(),
            region: String::new(),
        };
        let name = MultipartName {
            bucket: bucket.id,
            key: "k".parse().unwrap(),
            id: id(),
        };
        metadata.create_bucket(&origin, bucket).await.unwrap();
        let multipart = NewMultipart {
            name: name.clone(),
            initiator: Owner::default(),
            attributes: ObjectAttributes::default(),
        };
        metadata.create_multipart(&origin, multipart).await.unwrap();
        for number in 1..=100 {
            let part = PutPart {
                multipart: name.clone(),
                number,
                etag: String::new(),
                checksum: None,
                content: NewPartContent::Inline(bytes::Bytes::from_static(b"x")),
            };
            metadata.put_part(&origin, part).await.unwrap();
        }
        metadata.abort_multipart(&origin, &name).await.unwrap();
        assert_eq!(metadata.take_garbage(9).await.unwrap().len(), 1);

        // When
        world.collector.collect().await.unwrap();

        // Then
        assert_eq!(metadata.take_garbage(9).await.unwrap(), []);
    }

    #[tokio::test(start_paused = true)]
    async fn given_garbage_when_time_passes_then_each_round_is_reported_also_one_that_fails() {
        // Given
        let mut world = start(settings());
        world.round().await.unwrap();
        let bytes = vec![7; 20_000];
        let body = Box::pin(futures_util::stream::iter([Ok(bytes::Bytes::from(
            bytes.clone(),
        ))]));
        let digest = Digest::sha256_of(&bytes);
        let repository = "garbage/repository".parse().unwrap();
        // Bytes are hashed and written by other threads, and while all of this one wait for them no time is to be skipped.
        tokio::time::resume();
        world
            .registry
            .push_blob(
                Granted::in_test(&repository),
                Client::default(),
                digest,
                None,
                body,
            )
            .await
            .unwrap();
        tokio::time::pause();
        world.clock.advance(Duration::from_secs(10));
        world.blobs.fail(Operation::Scan, 1);

        // When, then: rounds may have passed before there was anything to do or to fail.
        while world.round().await.is_ok() {}
        while !world.blobs.scan(None, 1).await.unwrap().is_empty() {
            world.clock.advance(Duration::from_secs(10));
            world.round().await.unwrap();
        }
        assert_eq!(world.round().await, Ok(Collected::default()));
    }

    #[tokio::test(start_paused = true)]
    async fn given_a_round_under_way_when_told_to_stop_then_it_is_broken_off() {
        let mut world = start(settings());
        world.round().await.unwrap();
        world.clock.advance(Duration::from_secs(10));
        world.blobs.stall(Operation::Scan);
        world.expect_no_round().await;

        world.stop.cancel();

        let ended = tokio::time::timeout(INTERVAL, world.rounds.recv()).await;
        assert_eq!(ended, Ok(None));
    }

    #[tokio::test(start_paused = true)]
    async fn given_new_settings_when_running_then_the_pace_changes_at_once_and_off_means_off() {
        let mut world = start(settings());
        let slower = CollectionSettings {
            interval: INTERVAL * 10,
            ..settings()
        };
        let off = CollectionSettings {
            enabled: false,
            ..settings()
        };
        world.collector.reconfigure(slower);
        world.expect_no_round().await;
        world.collector.reconfigure(settings());
        assert_eq!(world.round().await, Ok(Collected::default()));
        world.collector.reconfigure(off);
        world.expect_no_round().await;
        world.collector.reconfigure(settings());
        assert_eq!(world.round().await, Ok(Collected::default()));
        world.stop.cancel();
        assert_eq!(world.rounds.recv().await, None);
    }
}
