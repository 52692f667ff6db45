//! The check of stored bytes over stores in memory.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use zas_blobs::{BlobStore, MemoryBlobs};
use zas_core::{Clock, Digest, LocationName, ManualClock, RepositoryName, SystemIds};
use zas_metadata::{BlobContent, Lease, MemoryMetadata, MetadataStore, Timing};

use super::{ScrubSettings, Scrubbed, Scrubber};
use crate::services::auth::Granted;
use crate::services::capacity::Client;
use crate::services::content::Suspects;
use crate::services::registry::{Registry, RegistryError, RegistryParts, RegistrySettings};

const PAUSE: Duration = Duration::from_hours(1);

struct World {
    registry: Registry,
    metadata: Arc<dyn MetadataStore>,
    blobs: Arc<MemoryBlobs>,
    clock: Arc<ManualClock>,
    suspects: Arc<Suspects>,
    ours: RepositoryName,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let wall: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let timing = Timing {
            grace: PAUSE,
            doom_delay: Duration::ZERO,
        };
        let metadata: Arc<dyn MetadataStore> = Arc::new(MemoryMetadata::new(Arc::clone(&wall), timing));
        let blobs = Arc::new(MemoryBlobs::new());
        let parts = RegistryParts {
            metadata: Arc::clone(&metadata),
            blobs: Arc::<MemoryBlobs>::clone(&blobs),
            clock: wall,
            ids: Arc::new(SystemIds::default()),
        };
        let registry = Registry::new(parts, RegistrySettings::in_test(), 1 << 20);
        Self {
            suspects: registry.suspects(),
            registry,
            metadata,
            blobs,
            clock,
            ours: "ours/layers".parse().unwrap(),
        }
    }

    async fn push(&self, seed: u8) -> Digest {
        let bytes = vec![seed; 40_000];
        let digest = Digest::sha256_of(&bytes);
        let body = Box::pin(futures_util::stream::iter([Ok(Bytes::from(bytes))]));
        self.registry
            .push_blob(
                Granted::in_test(&self.ours),
                Client::default(),
                digest,
                None,
                body,
            )
            .await
            .unwrap();
        digest
    }

    /// Puts other bytes in the place of a blob's, or none.
    async fn damage(&self, digest: &Digest, instead: Option<Vec<u8>>) {
        let stat = self
            .metadata
            .stat_blob(&(&self.ours).into(), digest, Lease::Leave)
            .await;
        let BlobContent::Extents(extents) = stat.unwrap().unwrap().content else {
            panic!("the blob is in the blob store");
        };
        let name = extents.first().unwrap().location;
        self.blobs.delete(name).await.unwrap();
        let Some(bytes) = instead else { return };
        self.store(name, bytes).await;
    }

    async fn store(&self, name: LocationName, bytes: Vec<u8>) {
        zas_blobs::contract::write(&*self.blobs, name, &bytes)
            .await
            .unwrap();
    }

    fn scrubber(&self) -> Scrubber {
        let settings = ScrubSettings {
            pause: PAUSE,
            rate: u64::MAX,
        };
        Scrubber::new(
            Arc::clone(&self.metadata),
            Arc::<MemoryBlobs>::clone(&self.blobs),
            Arc::clone(&self.suspects),
            settings,
        )
    }

    /// What one look at the clock led to.
    async fn scrub(&self) -> Vec<Scrubbed> {
        let done = Mutex::new(Vec::new());
        let report = |step| done.lock().unwrap().push(step);
        self.scrubber().pass_when_due(&report).await.unwrap();
        done.into_inner().unwrap()
    }

    async fn is_readable(&self, digest: &Digest) -> bool {
        match self
            .registry
            .open_blob(Granted::in_test(&self.ours), digest)
            .await
        {
            Ok(_) => true,
            Err(RegistryError::BlobDamaged { .. }) => false,
            Err(error) => panic!("{error}"),
        }
    }
}

fn count(done: &[Scrubbed], wanted: Scrubbed) -> usize {
    done.iter().filter(|step| **step == wanted).count()
}

#[tokio::test]
async fn given_flipped_shortened_and_missing_bytes_when_a_pass_is_due_then_those_blobs_alone_are_damaged() {
    // Given
    let world = World::new();
    let (sound, flipped) = (world.push(1).await, world.push(2).await);
    let (short, missing) = (world.push(3).await, world.push(4).await);
    let mut bytes = vec![2; 40_000];
    bytes[20_000] ^= 1;
    world.damage(&flipped, Some(bytes)).await;
    world.damage(&short, Some(vec![3; 39_999])).await;
    world.damage(&missing, None).await;
    assert!(world.is_readable(&flipped).await, "nobody has looked yet");
    assert_eq!(
        count(&world.scrub().await, Scrubbed::Checked(40_000)),
        0,
        "not due yet"
    );

    // When
    world.clock.advance(PAUSE);
    let done = world.scrub().await;

    // Then
    assert_eq!(count(&done, Scrubbed::FoundDamaged), 3, "{done:?}");
    assert_eq!(done.last(), Some(&Scrubbed::Damaged(3)));
    assert!(world.is_readable(&sound).await);
    for damaged in [flipped, short, missing] {
        assert!(!world.is_readable(&damaged).await);
        // Who may push is told to.
        let head = world
            .registry
            .blob_size(
                Granted::in_test(&world.ours),
                Some(Granted::in_test(&world.ours)),
                &damaged,
            )
            .await;
        assert!(matches!(head, Err(RegistryError::BlobUnknown { .. })), "{head:?}");
    }
    world.push(2).await;
    assert!(world.is_readable(&flipped).await);
}

#[tokio::test]
async fn given_missing_bytes_when_a_reader_misses_them_then_they_are_checked_at_once() {
    let world = World::new();
    let blob = world.push(1).await;
    world.damage(&blob, None).await;
    assert!(!world.is_readable(&blob).await);

    let done = Mutex::new(Vec::new());
    let report = |step| done.lock().unwrap().push(step);
    world.scrubber().check_next_suspect(&report).await;

    let done = done.into_inner().unwrap();
    assert_eq!(count(&done, Scrubbed::FoundDamaged), 1, "{done:?}");
}

#[tokio::test]
async fn given_damaged_blobs_when_their_bytes_are_back_then_they_are_in_use() {
    let world = World::new();
    let blob = world.push(1).await;
    world.damage(&blob, None).await;
    world.scrub().await;
    for (step, expected) in [(Scrubbed::FoundDamaged, 1), (Scrubbed::FoundSound, 0)] {
        world.clock.advance(PAUSE);
        assert_eq!(count(&world.scrub().await, step), expected);
    }

    let entry = world.metadata.inspect_blob(&blob).await.unwrap().unwrap();
    let BlobContent::Extents(extents) = entry.content.unwrap() else {
        panic!("the blob is in the blob store");
    };
    world
        .store(extents.first().unwrap().location, vec![1; 40_000])
        .await;
    world.clock.advance(PAUSE);

    assert_eq!(count(&world.scrub().await, Scrubbed::FoundSound), 1);
    assert!(world.is_readable(&blob).await);
}

#[tokio::test]
async fn given_a_store_whose_bytes_are_all_gone_when_scrubbed_then_it_stops_and_waits_for_it() {
    let world = World::new();
    for seed in 0..40 {
        let blob = world.push(seed).await;
        world.damage(&blob, None).await;
    }
    world.scrub().await;
    world.clock.advance(PAUSE);
    let done = world.scrub().await;
    assert_eq!(count(&done, Scrubbed::FoundDamaged), 16, "{done:?}");
}
