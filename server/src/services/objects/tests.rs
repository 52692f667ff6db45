//! Objects over stores in memory.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use zas_blobs::MemoryBlobs;
use zas_core::{BucketId, Clock, IdSource as _, ManualClock, SystemIds, Timestamp};
use zas_metadata::{CreateBucketOutcome, MemoryMetadata, MetadataStore, NewBucket, Origin, Owner, Timing};
use zas_s3::checksum::ChecksumAlgorithm;

use super::{NewObject, ObjectBody, Objects, ObjectsParts};
use crate::services::auth::{Actor, Granted, OwnedBucket, OwnedObject};
use crate::services::capacity::Client;
use crate::services::content::RequestBody;
use crate::services::registry::{Registry, RegistryParts, RegistrySettings};

struct World {
    objects: Objects,
    metadata: Arc<dyn MetadataStore>,
    bucket: BucketId,
    target: OwnedObject,
}

/// Objects with a bucket of alice.
async fn world() -> World {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::starting_at(Timestamp::from_millis(
        1_800_000_000_000,
    )));
    let timing = Timing {
        grace: Duration::from_secs(3600),
        doom_delay: Duration::from_secs(900),
    };
    let ids = Arc::new(SystemIds::default());
    let metadata: Arc<dyn MetadataStore> = Arc::new(MemoryMetadata::new(Arc::clone(&clock), timing));
    let bucket = BucketId::new(ids.upload_id(clock.now()));
    let alice = Actor::local(&"alice".parse().unwrap());
    let origin = Origin {
        operation: [1; 16],
        actor: alice.to_string(),
    };
    let new = NewBucket {
        name: "builds".parse().unwrap(),
        id: bucket,
        owner: Owner {
            issuer: alice.issuer().to_owned(),
            subject: alice.subject().to_owned(),
        },
        region: "us-east-1".to_owned(),
    };
    let created = metadata.create_bucket(&origin, new).await.unwrap();
    assert!(matches!(created, CreateBucketOutcome::Created(_)));
    let parts = RegistryParts {
        metadata: Arc::clone(&metadata),
        blobs: Arc::new(MemoryBlobs::new()),
        clock: Arc::clone(&clock),
        ids: Arc::clone(&ids) as _,
    };
    let objects = Objects::new(ObjectsParts {
        metadata: Arc::clone(&metadata),
        clock,
        ids,
        registry: Registry::new(parts, RegistrySettings::in_test(), 1 << 20),
    });
    let target = OwnedObject {
        bucket: OwnedBucket {
            name: "builds".parse().unwrap(),
            owner: alice,
        },
        key: "key".parse().unwrap(),
        version: None,
    };
    World {
        objects,
        metadata,
        bucket,
        target,
    }
}

fn body(bytes: RequestBody<'_>, length: u64) -> ObjectBody<'_> {
    ObjectBody {
        bytes,
        length,
        algorithm: ChecksumAlgorithm::Crc64Nvme,
        verify: Box::new(|_| Ok(())),
        client: Client::default(),
    }
}

impl World {
    async fn open_uploads(&self) -> usize {
        self.metadata.list_uploads(None, 9).await.unwrap().entries.len()
    }
}

#[tokio::test]
async fn given_a_client_that_goes_away_in_the_middle_when_its_request_is_dropped_then_no_upload_is_left() {
    // Given
    let world = world().await;
    let begun = stream::iter([Ok(Bytes::from(vec![7; 100_000]))]).chain(stream::pending());
    let put = world.objects.put_object(
        Granted::in_test(&world.target),
        world.bucket,
        NewObject::default(),
        body(Box::pin(begun), 200_000),
    );

    // When
    let unfinished = tokio::time::timeout(Duration::from_millis(200), put).await;

    // Then
    assert!(unfinished.is_err(), "it waits for the rest");
    let mut left = world.open_uploads().await;
    for _ in 0..100 {
        if left == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        left = world.open_uploads().await;
    }
    assert_eq!(left, 0);
    // And one that is whole is stored.
    let whole = stream::iter([Ok(Bytes::from(vec![7; 100_000]))]);
    let stored = world.objects.put_object(
        Granted::in_test(&world.target),
        world.bucket,
        NewObject::default(),
        body(Box::pin(whole), 100_000),
    );
    assert_eq!(stored.await.unwrap().computed.length, 100_000);
    assert_eq!(world.open_uploads().await, 0);
}
