//! Uploads whose bytes lie under several names.

use std::time::Duration;

use futures_util::StreamExt as _;
use zas_blobs::BlobStore as _;
use zas_core::{Digest, LocationName, UploadId};
use zas_metadata::{BlobContent, Extent, Lease, MAX_EXTENTS, Progress, Written};

use super::{GRACE, World, body, broken_body, client, content, granted, repository, world};
use crate::services::registry::{BlobBody, Chunk, Registry, RegistryError};

const NAME: &str = "team/app";

async fn start(registry: &Registry) -> UploadId {
    registry
        .start_upload(granted(&repository(NAME)), client("alice"))
        .await
        .unwrap()
}

async fn append(registry: &Registry, id: UploadId, bytes: &[u8]) -> Result<u64, RegistryError> {
    registry
        .append_chunk(granted(&repository(NAME)), id, Chunk::default(), body(bytes))
        .await
}

async fn finish(registry: &Registry, id: UploadId, digest: Digest, rest: &[u8]) -> Result<(), RegistryError> {
    registry
        .finish_upload(
            granted(&repository(NAME)),
            id,
            digest,
            Chunk::default(),
            body(rest),
        )
        .await
}

async fn extents(world: &World, digest: &Digest) -> Vec<Extent> {
    let holder = repository(NAME).into();
    let stat = world.metadata.stat_blob(&holder, digest, Lease::Leave);
    match stat.await.unwrap().unwrap().content {
        BlobContent::Extents(extents) => extents,
        BlobContent::Inline(_) => panic!("the blob is in the blob store"),
    }
}

async fn stored(world: &World) -> Vec<LocationName> {
    let mut names = world.blobs.scan(None, 100).await.unwrap();
    names.sort_unstable();
    names
}

async fn collect_doomed(world: &World) {
    world.clock.advance(Duration::from_secs(901));
    world.collector.collect().await.unwrap();
}

#[tokio::test]
async fn given_requests_with_and_without_bytes_when_finished_then_each_with_bytes_wrote_one_name() {
    let world = world();
    let bytes = content(300_000, 1);
    let id = start(&world.registry).await;
    append(&world.registry, id, &bytes[..100_000]).await.unwrap();
    append(&world.registry, id, b"").await.unwrap();
    append(&world.registry, id, &bytes[100_000..250_000])
        .await
        .unwrap();

    let digest = Digest::sha256_of(&bytes);
    finish(&world.registry, id, digest, &bytes[250_000..])
        .await
        .unwrap();

    let extents = extents(&world, &digest).await;
    let lengths: Vec<_> = extents.iter().map(|extent| extent.length).collect();
    assert_eq!(lengths, [100_000, 150_000, 50_000]);
    let names: Vec<_> = extents.iter().map(|extent| extent.location).collect();
    assert_eq!(stored(&world).await, names);
    assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
    assert_eq!(world.pull(&repository(NAME), &digest).await, bytes);
    collect_doomed(&world).await;
    assert_eq!(stored(&world).await, names, "nothing was doomed on the way");
}

#[tokio::test]
async fn given_a_long_request_that_breaks_off_when_resumed_then_its_runs_are_kept_and_never_grew() {
    let world = world();
    let registry = world.another(100_000);
    let bytes = content(450_000, 2);
    let id = start(&registry).await;
    let broken = registry
        .append_chunk(
            granted(&repository(NAME)),
            id,
            Chunk::default(),
            broken_body(&bytes[..330_000]),
        )
        .await;
    assert!(matches!(broken, Err(RegistryError::Interrupted(_))), "{broken:?}");
    let offset = registry
        .upload_offset(granted(&repository(NAME)), id)
        .await
        .unwrap();
    assert_eq!(offset, 330_000);

    let digest = Digest::sha256_of(&bytes);
    finish(&registry, id, digest, &bytes[330_000..]).await.unwrap();

    let extents = extents(&world, &digest).await;
    assert!(extents.len() >= 2, "{extents:?}");
    assert_eq!(extents.iter().map(|extent| extent.length).sum::<u64>(), 450_000);
    assert_eq!(world.pull(&repository(NAME), &digest).await, bytes);
}

#[tokio::test]
async fn given_a_request_that_is_refused_when_the_upload_goes_on_then_its_name_is_deleted() {
    let world = world();
    let bytes = content(200_000, 3);
    let digest = Digest::sha256_of(&bytes);
    let id = start(&world.registry).await;
    append(&world.registry, id, &bytes[..50_000]).await.unwrap();
    // A closing request that breaks off keeps nothing of what it sent.
    let broken = world
        .registry
        .finish_upload(
            granted(&repository(NAME)),
            id,
            digest,
            Chunk::default(),
            broken_body(&bytes[50_000..150_000]),
        )
        .await;
    assert!(matches!(broken, Err(RegistryError::Interrupted(_))));
    assert_eq!(stored(&world).await.len(), 2);

    finish(&world.registry, id, digest, &bytes[50_000..])
        .await
        .unwrap();
    collect_doomed(&world).await;

    let names: Vec<_> = extents(&world, &digest)
        .await
        .iter()
        .map(|extent| extent.location)
        .collect();
    assert_eq!(stored(&world).await, names);
    assert_eq!(names.len(), 2);
    assert_eq!(world.pull(&repository(NAME), &digest).await, bytes);
}

#[tokio::test]
async fn given_two_processes_over_the_same_stores_when_both_write_an_upload_then_the_later_one_wins() {
    // Given a request in one process whose body does not end
    let world = world();
    let (first, second) = (world.another(1 << 30), world.another(1 << 30));
    let bytes = content(200_000, 4);
    let digest = Digest::sha256_of(&bytes);
    let id = start(&first).await;
    append(&first, id, &bytes[..60_000]).await.unwrap();
    let (more, gate) = (
        bytes[60_000..120_000].to_vec(),
        std::sync::Arc::new(tokio::sync::Notify::new()),
    );
    let opened = std::sync::Arc::clone(&gate);
    let slow: super::RequestBody<'static> =
        Box::pin(body(&more).chain(futures_util::stream::once(async move {
            opened.notified().await;
            Ok(bytes::Bytes::new())
        })));
    let local = tokio::task::LocalSet::new();
    let stale = local.spawn_local(async move {
        first
            .append_chunk(granted(&repository(NAME)), id, Chunk::default(), slow)
            .await
    });

    local
        .run_until(async {
            while world.blobs.scan(None, 10).await.unwrap().len() < 2 {
                tokio::task::yield_now().await;
            }

            // When
            finish(&second, id, digest, &bytes[60_000..]).await.unwrap();
            gate.notify_one();

            // Then
            let refused = stale.await.unwrap();
            assert!(
                matches!(
                    refused,
                    Err(RegistryError::Superseded(_) | RegistryError::UploadUnknown(_))
                ),
                "{refused:?}"
            );
        })
        .await;
    assert_eq!(world.pull(&repository(NAME), &digest).await, bytes);
    collect_doomed(&world).await;
    let names: Vec<_> = extents(&world, &digest)
        .await
        .iter()
        .map(|extent| extent.location)
        .collect();
    assert_eq!(
        stored(&world).await,
        names,
        "what the first process wrote last is gone"
    );
}

#[tokio::test]
async fn given_an_upload_with_as_many_runs_as_there_may_be_when_more_bytes_come_then_refused_with_what_fits()
{
    let world = world();
    let id = start(&world.registry).await;
    let claim = world
        .metadata
        .claim_upload(&repository(NAME).into(), id)
        .await
        .unwrap()
        .unwrap();
    let bytes = content(MAX_EXTENTS, 5);
    let mut hashing = zas_core::Hashing::new(zas_core::Algorithm::Sha256);
    hashing.update(&bytes);
    let extents = (0..MAX_EXTENTS as u32).map(|ordinal| Extent {
        location: claim.epoch.name(id, ordinal),
        offset: 0,
        length: 1,
    });
    let written = Written {
        extents: extents.collect(),
        is_last: true,
    };
    let progress = Progress {
        offset: bytes.len() as u64,
        hashes: vec![hashing.state()],
        inline: None,
    };
    let saved = world.metadata.save_progress(id, claim.epoch, progress, written);
    saved.await.unwrap();
    let digest = Digest::sha256_of(&bytes);

    for refused in [
        append(&world.registry, id, b"more").await.map(drop),
        finish(&world.registry, id, digest, b"more").await,
    ] {
        assert!(
            matches!(refused, Err(RegistryError::TooManyPieces { pieces: MAX_EXTENTS, min_length }) if min_length > 1),
            "{refused:?}"
        );
    }
    finish(&world.registry, id, digest, b"").await.unwrap();
    assert_eq!(self::extents(&world, &digest).await.len(), MAX_EXTENTS);
}

#[tokio::test]
async fn given_a_reader_of_many_runs_when_the_blob_is_collected_then_it_reads_on_and_the_bytes_go_after_it() {
    // Given a reader that has opened the first run alone
    let world = world();
    let bytes = content(300_000, 6);
    let digest = Digest::sha256_of(&bytes);
    let id = start(&world.registry).await;
    for piece in bytes.chunks(100_000) {
        append(&world.registry, id, piece).await.unwrap();
    }
    finish(&world.registry, id, digest, b"").await.unwrap();
    let name = repository(NAME);
    let blob = world.registry.open_blob(granted(&name), &digest).await.unwrap();
    let BlobBody::Stored(runs) = blob.body else {
        panic!("too large for a row")
    };

    // When
    world.registry.delete_blob(granted(&name), &digest).await.unwrap();
    world.clock.advance(GRACE * 4);
    world.collector.collect().await.unwrap();
    collect_doomed(&world).await;

    // Then
    let mut read = Vec::new();
    for run in &runs {
        let extent = run.extent();
        let reader = run.open().await.unwrap();
        read.extend_from_slice(&reader.read(extent.offset, extent.length as usize).await.unwrap());
    }
    assert!(read == bytes);
    drop(runs);
    collect_doomed(&world).await;
    assert_eq!(stored(&world).await, []);
}
