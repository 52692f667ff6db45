//! A store of bytes that fails: what was acknowledged stays true, and the client can go on.

use std::sync::Arc;

use zas_blobs::{BlobError, FaultyBlobs, Operation};
use zas_core::Digest;

use super::{World, body, client, content, granted, repository, world_behind};
use crate::services::registry::{BlobBody, Chunk, RegistryError, UploadTarget};

fn world() -> (World, Arc<FaultyBlobs>) {
    let mut faulty = None;
    let world = world_behind(|blobs| {
        let store = Arc::new(FaultyBlobs::new(blobs));
        faulty = Some(Arc::clone(&store));
        store
    });
    (world, faulty.unwrap())
}

fn chunk() -> Chunk {
    Chunk::default()
}

#[tokio::test]
async fn given_a_full_disk_when_pushed_then_refused_as_full_and_works_again_with_space() {
    let (world, blobs) = world();
    let name = repository("full/app");
    let bytes = content(100_000, 1);
    let digest = Digest::sha256_of(&bytes);
    blobs.set_full(true);
    let refused = world
        .registry
        .push_blob(granted(&name), client("alice"), digest, None, body(&bytes))
        .await;
    assert!(
        matches!(refused, Err(RegistryError::Blobs(BlobError::Full { .. }))),
        "{refused:?}"
    );
    assert!(world.registry.open_blob(granted(&name), &digest).await.is_err());
    // What fits a row needs no space on the disk.
    world.push(&name, b"{}").await;

    blobs.set_full(false);
    world.push(&name, &bytes).await;
    assert_eq!(world.pull(&name, &digest).await, bytes);
}

#[tokio::test]
async fn given_a_full_disk_when_the_body_does_not_come_then_refused_without_it() {
    let (world, blobs) = world();
    let name = repository("full/app");
    blobs.set_full(true);
    let digest = Digest::sha256_of(b"never sent");
    let silent = Box::pin(futures_util::stream::pending());
    let pushing = world
        .registry
        .push_blob(granted(&name), client("alice"), digest, Some(1_000_000), silent);
    let refused = tokio::time::timeout(std::time::Duration::from_secs(10), pushing).await;
    assert!(
        matches!(refused, Ok(Err(RegistryError::Blobs(BlobError::Full { .. })))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn given_a_disk_that_fails_in_a_chunk_when_resumed_from_the_reported_offset_then_the_blob_is_whole() {
    let (world, blobs) = world();
    let name = repository("failing/app");
    let bytes = content(300_000, 2);
    let digest = Digest::sha256_of(&bytes);
    let id = world
        .registry
        .start_upload(granted(&name), client("alice"))
        .await
        .unwrap();
    let target = UploadTarget {
        repository: name.clone(),
        id,
    };
    blobs.fail_write_after(120_000);
    let failed = world
        .registry
        .append_chunk(granted(&target.repository), target.id, chunk(), body(&bytes))
        .await;
    assert!(
        matches!(failed, Err(RegistryError::Blobs(BlobError::Storage { .. }))),
        "{failed:?}"
    );

    let offset = usize::try_from(
        world
            .registry
            .upload_offset(granted(&target.repository), target.id)
            .await
            .unwrap(),
    )
    .unwrap();
    assert!(offset <= 120_000, "{offset}");
    world
        .registry
        .finish_upload(
            granted(&target.repository),
            target.id,
            digest,
            chunk(),
            body(&bytes[offset..]),
        )
        .await
        .unwrap();
    assert_eq!(world.pull(&name, &digest).await, bytes);
}

#[tokio::test]
async fn given_bytes_that_cannot_be_read_when_pulled_or_hashed_again_then_an_error_and_later_all_is_well() {
    let (world, blobs) = world();
    let name = repository("unreadable/app");
    let bytes = content(100_000, 3);
    let digest = world.push(&name, &bytes).await;
    blobs.fail(Operation::Open, 1);
    let failed = world.registry.open_blob(granted(&name), &digest).await;
    assert!(matches!(failed, Err(RegistryError::Blobs(_))), "{failed:?}");
    blobs.fail(Operation::Read, 1);
    let opened = world.registry.open_blob(granted(&name), &digest).await.unwrap();
    let BlobBody::Stored(parts) = opened.body else {
        panic!("too large for a row")
    };
    assert!(parts[0].open().await.unwrap().read(0, 10).await.is_err());
    assert_eq!(world.pull(&name, &digest).await, bytes);

    // SHA-512 shown at the end alone is computed from what is stored.
    let other = content(100_000, 4);
    let named = zas_core::Algorithm::Sha512.digest(&other);
    let id = world
        .registry
        .start_upload(granted(&name), client("alice"))
        .await
        .unwrap();
    let target = UploadTarget {
        repository: name.clone(),
        id,
    };
    world
        .registry
        .append_chunk(granted(&target.repository), target.id, chunk(), body(&other))
        .await
        .unwrap();
    blobs.fail(Operation::Read, 1);
    let finish = async || {
        world
            .registry
            .finish_upload(granted(&target.repository), target.id, named, chunk(), body(b""))
            .await
    };
    let failed = finish().await;
    assert!(matches!(failed, Err(RegistryError::Blobs(_))), "{failed:?}");
    finish().await.unwrap();
    assert_eq!(world.pull(&name, &named).await, other);
}

#[tokio::test]
async fn given_a_store_that_fails_when_collecting_then_the_round_stops_and_the_next_one_goes_on() {
    let (world, blobs) = world();
    let name = repository("collected/app");
    let digest = world.push(&name, &content(100_000, 5)).await;
    world.registry.delete_blob(granted(&name), &digest).await.unwrap();
    world.clock.advance(super::GRACE * 4);
    world.collector.collect().await.unwrap();
    world.clock.advance(super::GRACE * 4);
    blobs.fail(Operation::Delete, 1);
    assert!(world.collector.collect().await.is_err());
    let collected = world.collector.collect().await.unwrap();
    assert_eq!(collected.deleted, 1, "{collected:?}");
}
