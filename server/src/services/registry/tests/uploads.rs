use zas_core::{Algorithm, ChunkRange, Digest};
use zas_metadata::INLINE_LIMIT;

use super::{body, client, content, granted, repository, world};
use crate::services::registry::{Chunk, RegistryError, UploadTarget};

pub(super) fn chunk(first: u64, bytes: &[u8]) -> Chunk {
    let last = first + bytes.len() as u64 - 1;
    Chunk {
        range: Some(ChunkRange { first, last }),
        length: Some(bytes.len() as u64),
        ..Chunk::default()
    }
}

pub(super) async fn start(world: &super::World, name: &str) -> UploadTarget {
    let repository = repository(name);
    let id = world
        .registry
        .start_upload(granted(&repository), client("alice"))
        .await
        .unwrap();
    UploadTarget { repository, id }
}

#[tokio::test]
async fn given_sizes_around_the_inline_limit_when_pushed_at_once_then_each_is_pulled_back() {
    let world = world();
    let name = repository("team/app");
    for length in [
        0,
        1,
        INLINE_LIMIT - 1,
        INLINE_LIMIT,
        INLINE_LIMIT + 1,
        100_000,
        3_000_000,
    ] {
        let bytes = content(length, 7);
        let digest = world.push(&name, &bytes).await;
        assert_eq!(world.pull(&name, &digest).await, bytes, "{length} bytes");
    }
}

#[tokio::test]
async fn given_chunks_that_grow_past_the_inline_limit_when_finished_then_the_blob_is_whole() {
    let world = world();
    for sizes in [
        vec![10, 20],
        vec![INLINE_LIMIT, 1],
        vec![5_000, 30_000, 7],
        vec![40_000, 40_000],
        vec![1, 1, 1],
    ] {
        // Given
        let target = start(&world, "team/app").await;
        let bytes = content(sizes.iter().sum(), sizes.len() as u8);
        let mut offset = 0;

        // When
        for size in &sizes {
            let piece = &bytes[offset..offset + size];
            let reached = world
                .registry
                .append_chunk(
                    granted(&target.repository),
                    target.id,
                    chunk(offset as u64, piece),
                    body(piece),
                )
                .await
                .unwrap();
            offset += size;
            assert_eq!(reached, offset as u64, "{sizes:?}");
            assert_eq!(
                world
                    .registry
                    .upload_offset(granted(&target.repository), target.id)
                    .await
                    .unwrap(),
                offset as u64
            );
        }
        let digest = Digest::sha256_of(&bytes);
        world
            .registry
            .finish_upload(
                granted(&target.repository),
                target.id,
                digest,
                Chunk::default(),
                body(&[]),
            )
            .await
            .unwrap();

        // Then
        assert_eq!(world.pull(&target.repository, &digest).await, bytes, "{sizes:?}");
        assert!(matches!(
            world
                .registry
                .upload_offset(granted(&target.repository), target.id)
                .await,
            Err(RegistryError::UploadUnknown(_))
        ));
    }
}

#[tokio::test]
async fn given_a_last_chunk_in_the_closing_request_when_finished_then_it_counts() {
    let world = world();
    for (first, last) in [(10, 10), (10, 50_000), (50_000, 10), (50_000, 50_000)] {
        let target = start(&world, "team/app").await;
        let bytes = content(first + last, 3);
        world
            .registry
            .append_chunk(
                granted(&target.repository),
                target.id,
                Chunk::default(),
                body(&bytes[..first]),
            )
            .await
            .unwrap();
        let digest = Digest::sha256_of(&bytes);
        let closing = chunk(first as u64, &bytes[first..]);
        world
            .registry
            .finish_upload(
                granted(&target.repository),
                target.id,
                digest,
                closing,
                body(&bytes[first..]),
            )
            .await
            .unwrap();
        assert_eq!(world.pull(&target.repository, &digest).await, bytes);
    }
}

#[tokio::test]
async fn given_a_chunk_out_of_order_when_sent_then_it_is_refused_and_the_upload_survives() {
    // Given
    let world = world();
    let target = start(&world, "team/app").await;
    let bytes = content(60_000, 9);
    world
        .registry
        .append_chunk(
            granted(&target.repository),
            target.id,
            chunk(0, &bytes[..20_000]),
            body(&bytes[..20_000]),
        )
        .await
        .unwrap();

    // When
    let early = world
        .registry
        .append_chunk(
            granted(&target.repository),
            target.id,
            chunk(40_000, &bytes[40_000..]),
            body(&bytes[40_000..]),
        )
        .await;
    let overlap = world
        .registry
        .append_chunk(
            granted(&target.repository),
            target.id,
            chunk(10_000, &bytes[10_000..]),
            body(&bytes[10_000..]),
        )
        .await;

    // Then
    assert!(matches!(
        early,
        Err(RegistryError::OutOfOrder {
            expected: 20_000,
            found: 40_000,
            ..
        })
    ));
    assert!(matches!(
        overlap,
        Err(RegistryError::OutOfOrder {
            expected: 20_000,
            found: 10_000,
            ..
        })
    ));
    let rest = chunk(20_000, &bytes[20_000..]);
    world
        .registry
        .append_chunk(
            granted(&target.repository),
            target.id,
            rest,
            body(&bytes[20_000..]),
        )
        .await
        .unwrap();
    let digest = Digest::sha256_of(&bytes);
    world
        .registry
        .finish_upload(
            granted(&target.repository),
            target.id,
            digest,
            Chunk::default(),
            body(&[]),
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn given_a_body_shorter_than_its_range_when_sent_then_nothing_of_it_is_kept() {
    let world = world();
    for length in [100, 50_000] {
        let target = start(&world, "team/app").await;
        let bytes = content(length, 1);
        let lying = Chunk {
            length: None,
            ..chunk(0, &content(length + 5, 1))
        };
        let refused = world
            .registry
            .append_chunk(granted(&target.repository), target.id, lying, body(&bytes))
            .await;
        assert!(
            matches!(refused, Err(RegistryError::SizeMismatch { .. })),
            "{refused:?}"
        );
        assert_eq!(
            world
                .registry
                .upload_offset(granted(&target.repository), target.id)
                .await
                .unwrap(),
            0
        );
    }
}

#[tokio::test]
async fn given_a_wrong_digest_when_finished_then_refused_and_the_right_one_still_works() {
    let world = world();
    for length in [100, 100_000] {
        let target = start(&world, "team/app").await;
        let bytes = content(length, 8);
        world
            .registry
            .append_chunk(
                granted(&target.repository),
                target.id,
                Chunk::default(),
                body(&bytes),
            )
            .await
            .unwrap();
        let wrong = Digest::sha256_of(b"something else");
        let refused = world
            .registry
            .finish_upload(
                granted(&target.repository),
                target.id,
                wrong,
                Chunk::default(),
                body(&[]),
            )
            .await;
        assert!(matches!(refused, Err(RegistryError::DigestMismatch { .. })));
        let right = Digest::sha256_of(&bytes);
        world
            .registry
            .finish_upload(
                granted(&target.repository),
                target.id,
                right,
                Chunk::default(),
                body(&[]),
            )
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn given_sha512_announced_or_shown_at_the_end_when_finished_then_both_are_verified() {
    let world = world();
    for (length, announced) in [
        (100, None),
        (100_000, None),
        (100, Some(Algorithm::Sha512)),
        (100_000, Some(Algorithm::Sha512)),
    ] {
        let target = start(&world, "team/app").await;
        let bytes = content(length, 4);
        let first = Chunk {
            algorithm: announced,
            ..Chunk::default()
        };
        world
            .registry
            .append_chunk(granted(&target.repository), target.id, first, body(&bytes))
            .await
            .unwrap();
        let wrong = Algorithm::Sha512.digest(b"x");
        let refused = world
            .registry
            .finish_upload(
                granted(&target.repository),
                target.id,
                wrong,
                Chunk::default(),
                body(&[]),
            )
            .await;
        assert!(matches!(refused, Err(RegistryError::DigestMismatch { .. })));
        let digest = Algorithm::Sha512.digest(&bytes);
        world
            .registry
            .finish_upload(
                granted(&target.repository),
                target.id,
                digest,
                Chunk::default(),
                body(&[]),
            )
            .await
            .unwrap();
        assert_eq!(world.pull(&target.repository, &digest).await, bytes);
    }
}

#[tokio::test]
async fn given_a_cancelled_upload_when_asked_for_then_unknown() {
    let world = world();
    let target = start(&world, "team/app").await;
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
    world
        .registry
        .cancel_upload(granted(&target.repository), target.id)
        .await
        .unwrap();
    assert!(matches!(
        world
            .registry
            .upload_offset(granted(&target.repository), target.id)
            .await,
        Err(RegistryError::UploadUnknown(_))
    ));
    assert!(matches!(
        world
            .registry
            .cancel_upload(granted(&target.repository), target.id)
            .await,
        Err(RegistryError::UploadUnknown(_))
    ));
}

#[tokio::test]
async fn given_a_reserved_name_when_pushed_to_then_refused() {
    let world = world();
    let name = repository("s3/bucket");
    assert!(matches!(
        world.registry.start_upload(granted(&name), client("alice")).await,
        Err(RegistryError::Reserved(_))
    ));
}
