//! Uploads whose connection breaks off, and requests that are repeated.

use zas_core::Digest;

use super::uploads::{chunk, start};
use super::{body, broken_body, content, granted, repository, world};
use crate::services::registry::{Chunk, RegistryError, UploadTarget};

#[tokio::test]
async fn given_a_connection_lost_in_a_chunk_when_resumed_from_the_reported_offset_then_the_blob_is_whole() {
    let world = world();
    for lost_at in [10, 15_000, 70_000] {
        // Given
        let target = start(&world, "team/app").await;
        let bytes = content(100_000, 5);
        let broken = world
            .registry
            .append_chunk(
                granted(&target.repository),
                target.id,
                Chunk::default(),
                broken_body(&bytes[..lost_at]),
            )
            .await;
        assert!(matches!(broken, Err(RegistryError::Interrupted(_))), "{broken:?}");

        // When
        let offset = usize::try_from(
            world
                .registry
                .upload_offset(granted(&target.repository), target.id)
                .await
                .unwrap(),
        )
        .unwrap();
        let rest = &bytes[offset..];
        let digest = Digest::sha256_of(&bytes);
        world
            .registry
            .finish_upload(
                granted(&target.repository),
                target.id,
                digest,
                chunk(offset as u64, rest),
                body(rest),
            )
            .await
            .unwrap();

        // Then
        assert_eq!(offset, lost_at);
        assert_eq!(world.pull(&target.repository, &digest).await, bytes);
    }
}

#[tokio::test]
async fn given_a_connection_lost_in_the_closing_request_when_repeated_then_the_bytes_do_not_count_twice() {
    let world = world();
    for length in [1_000, 100_000] {
        let target = start(&world, "team/app").await;
        let bytes = content(length, 5);
        let digest = Digest::sha256_of(&bytes);
        let half = broken_body(&bytes[..length / 2]);
        let broken = world
            .registry
            .finish_upload(
                granted(&target.repository),
                target.id,
                digest,
                Chunk::default(),
                half,
            )
            .await;
        assert!(matches!(broken, Err(RegistryError::Interrupted(_))));
        world
            .registry
            .finish_upload(
                granted(&target.repository),
                target.id,
                digest,
                Chunk::default(),
                body(&bytes),
            )
            .await
            .unwrap();
        assert_eq!(world.pull(&target.repository, &digest).await, bytes);
    }
}

#[tokio::test]
async fn given_a_finished_upload_when_its_closing_request_is_repeated_then_it_succeeds_again() {
    let world = world();
    let target = start(&world, "team/app").await;
    let bytes = content(50_000, 2);
    let digest = Digest::sha256_of(&bytes);
    for _ in 0..2 {
        world
            .registry
            .finish_upload(
                granted(&target.repository),
                target.id,
                digest,
                Chunk::default(),
                body(&bytes),
            )
            .await
            .unwrap();
    }
    let other = UploadTarget {
        repository: repository("team/other"),
        ..target
    };
    let elsewhere = world
        .registry
        .finish_upload(
            granted(&other.repository),
            other.id,
            digest,
            Chunk::default(),
            body(&bytes),
        )
        .await;
    assert!(matches!(elsewhere, Err(RegistryError::UploadUnknown(_))));
}

#[tokio::test]
async fn given_a_stuck_writer_when_another_request_continues_then_the_stuck_one_gives_way() {
    // Given a request whose body never ends
    let world = world();
    let target = start(&world, "team/app").await;
    let bytes = content(50_000, 6);
    let stuck_body: super::RequestBody<'static> = {
        use futures_util::StreamExt;
        Box::pin(body(&bytes[..30_000]).chain(futures_util::stream::pending()))
    };
    let (registry, stuck_target) = (world.registry.clone(), target.clone());
    let local = tokio::task::LocalSet::new();
    let stuck = local.spawn_local(async move {
        registry
            .append_chunk(
                granted(&stuck_target.repository),
                stuck_target.id,
                Chunk::default(),
                stuck_body,
            )
            .await
    });

    // When
    local
        .run_until(async {
            while !world.registry.is_being_written(target.id) {
                tokio::task::yield_now().await;
            }
            let digest = Digest::sha256_of(&bytes);
            world
                .registry
                .finish_upload(
                    granted(&target.repository),
                    target.id,
                    digest,
                    chunk(0, &bytes),
                    body(&bytes),
                )
                .await
                .unwrap();
            // Then
            assert!(matches!(stuck.await.unwrap(), Err(RegistryError::Superseded(_))));
            assert_eq!(world.pull(&target.repository, &digest).await, bytes);
        })
        .await;
}
