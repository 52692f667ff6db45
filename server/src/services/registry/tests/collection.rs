use std::time::Duration;

use zas_blobs::BlobStore;
use zas_core::{LocationName, Timestamp, UploadId};
use zas_metadata::SharedManifest;

use super::{
    GRACE, World, any_tags, body, client, collection_settings, content, granted, image, repository, world,
};
use crate::services::maintenance::CollectionSettings;
use crate::services::registry::{Chunk, PushManifest, UploadTarget};

#[tokio::test]
async fn given_a_blob_that_nothing_refers_to_when_its_lease_is_over_then_row_and_bytes_go() {
    // Given
    let world = world();
    let name = repository("team/app");
    let digest = world.push(&name, &content(100_000, 1)).await;

    // When
    world.clock.advance(GRACE);
    world.collector.collect().await.unwrap();
    assert_eq!(
        world
            .registry
            .blob_size(granted(&name), None, &digest)
            .await
            .unwrap(),
        100_000
    );
    world.clock.advance(GRACE + Duration::from_secs(1));
    let collected = world.collector.collect().await.unwrap();

    // Then
    assert_eq!((collected.links, collected.blobs, collected.deleted), (1, 1, 0));
    assert!(
        world
            .registry
            .blob_size(granted(&name), None, &digest)
            .await
            .is_err()
    );
    world.clock.advance(GRACE);
    assert_eq!(world.collector.collect().await.unwrap().deleted, 1);
    assert!(world.blobs.scan(None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn given_a_blob_in_a_manifest_when_time_passes_then_it_stays_until_the_manifest_is_deleted() {
    // Given
    let world = world();
    let name = repository("team/app");
    let layer = world.push(&name, &content(100_000, 1)).await;
    let config = world.push(&name, b"{}").await;
    let push = PushManifest {
        grant: any_tags(&name),
        digest: None,
        tags: vec![],
        media_type: None,
        body: image(&config, &[layer], ""),
    };
    let pushed = world.registry.push_manifest(push).await.unwrap();

    // When, then
    world.clock.advance(GRACE * 100);
    world.collector.collect().await.unwrap();
    assert_eq!(world.pull(&name, &layer).await.len(), 100_000);
    world
        .registry
        .delete_manifest(granted(&name), &pushed.digest, SharedManifest::Delete)
        .await
        .unwrap();
    world.collector.collect().await.unwrap();
    assert_eq!(world.pull(&name, &layer).await.len(), 100_000);
    world.clock.advance(GRACE * 2);
    world.collector.collect().await.unwrap();
    assert!(
        world
            .registry
            .blob_size(granted(&name), None, &layer)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn given_a_pusher_that_looks_again_when_the_lease_is_short_then_the_yes_renews_it() {
    let world = world();
    let name = repository("team/app");
    let digest = world.push(&name, &content(50, 1)).await;
    for _ in 0..5 {
        world.clock.advance(GRACE + GRACE / 2);
        assert_eq!(
            world
                .registry
                .blob_size(granted(&name), Some(granted(&name)), &digest)
                .await
                .unwrap(),
            50
        );
        world.collector.collect().await.unwrap();
    }
    world.clock.advance(GRACE * 3);
    world.collector.collect().await.unwrap();
    assert!(
        world
            .registry
            .blob_size(granted(&name), Some(granted(&name)), &digest)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn given_an_upload_without_progress_when_it_expires_then_it_is_cancelled_and_its_bytes_go() {
    // Given
    let world = world();
    let repository = repository("team/app");
    let id = world
        .registry
        .start_upload(granted(&repository), client("alice"))
        .await
        .unwrap();
    let target = UploadTarget { repository, id };
    world
        .registry
        .append_chunk(
            granted(&target.repository),
            target.id,
            Chunk::default(),
            body(&content(100_000, 1)),
        )
        .await
        .unwrap();

    // When
    world.clock.advance(GRACE * 23);
    assert_eq!(world.collector.collect().await.unwrap().uploads, 0);
    world.clock.advance(GRACE * 2);
    let collected = world.collector.collect().await.unwrap();

    // Then
    assert_eq!(collected.uploads, 1);
    assert!(
        world
            .registry
            .upload_offset(granted(&target.repository), target.id)
            .await
            .is_err()
    );
    world.clock.advance(GRACE);
    world.collector.collect().await.unwrap();
    assert!(world.blobs.scan(None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn given_bytes_without_a_row_when_swept_then_they_go_and_known_ones_stay() {
    // Given bytes that a crash left behind
    let world = world();
    let name = repository("team/app");
    let kept = content(100_000, 1);
    let digest = world.push(&name, &kept).await;
    world.collector.collect().await.unwrap();
    store_orphan(&world, 1).await;

    // When
    world.clock.advance(GRACE + Duration::from_secs(1));
    let collected = world.collector.collect().await.unwrap();
    world.clock.advance(Duration::from_secs(901));
    world.collector.collect().await.unwrap();

    // Then
    assert_eq!(collected.orphans, 1);
    assert_eq!(world.blobs.scan(None, 10).await.unwrap().len(), 1);
    assert_eq!(world.pull(&name, &digest).await, kept);
}

/// Bytes that no row names.
async fn store_orphan(world: &World, seed: u8) {
    let name = LocationName {
        upload: UploadId::new(Timestamp::from_millis(5), &[seed; 10]),
        start: 1,
        epoch: 1,
        ordinal: 0,
    };
    zas_blobs::contract::write(&*world.blobs, name, b"x")
        .await
        .unwrap();
}

#[tokio::test]
async fn given_many_bytes_without_rows_when_swept_then_all_are_left_alone_and_said_until_more_are_allowed() {
    // Given the bytes of a store whose rows are lost
    let world = world();
    world.collector.collect().await.unwrap();
    for seed in 0..20 {
        store_orphan(&world, seed).await;
    }

    // When
    world.clock.advance(GRACE);
    let collected = world.collector.collect().await.unwrap();

    // Then
    assert_eq!((collected.orphans, collected.withheld), (0, 20));
    let later = world.collector.collect().await.unwrap();
    assert_eq!(
        (later.orphans, later.withheld),
        (0, 20),
        "it is said all the time"
    );

    // When
    world.collector.reconfigure(CollectionSettings {
        orphan_share: 100,
        ..collection_settings()
    });
    world.clock.advance(GRACE);

    // Then
    let collected = world.collector.collect().await.unwrap();
    assert_eq!((collected.orphans, collected.withheld), (20, 0));
    world.clock.advance(GRACE);
    world.collector.collect().await.unwrap();
    assert!(world.blobs.scan(None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn given_many_abandoned_uploads_when_collected_then_other_garbage_does_not_wait_for_all_of_them() {
    // Given
    let world = world();
    let name = repository("team/app");
    for _ in 0..2_000 {
        world
            .registry
            .start_upload(granted(&name), client("alice"))
            .await
            .unwrap();
    }
    let digest = world.push(&name, b"garbage").await;
    world.clock.advance(GRACE * 25);

    // When
    let round = world.collector.collect();
    let gone = async {
        while world.metadata.inspect_blob(&digest).await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = gone => {}
        round = round => panic!("{round:?} ended first"),
    }

    // Then
    let left = world.metadata.list_uploads(None, 2_000).await.unwrap();
    assert!(
        left.entries.len() > 500,
        "{} uploads are left",
        left.entries.len()
    );
    // A batch may have been under way when the round was dropped, so nobody knows how many this one finds.
    assert!(world.collector.collect().await.unwrap().uploads > 0);
    let left = world.metadata.list_uploads(None, 1).await.unwrap();
    assert!(left.entries.is_empty());
}
