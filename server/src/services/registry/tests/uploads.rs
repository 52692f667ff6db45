use zas_core::{Algorithm, ChunkRange, Digest};
use zas_metadata::INLINE_LIMIT;

use super::{body, broken_body, client, content, granted, repository, world};
use crate::services::registry::{Chunk, Registry, RegistryError, UploadTarget};

fn chunk(first: u64, bytes: &[u8]) -> Chunk {
    let last = first + bytes.len() as u64 - 1;
    Chunk {
        range: Some(ChunkRange { first, last }),
        length: Some(bytes.len() as u64),
        ..Chunk::default()
    }
}

async fn start(world: &super::World, name: &str) -> UploadTarget {
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
async fn given_a_blob_over_the_limit_when_pushed_then_refused_and_nothing_remains() {
    let world = world();
    let name = repository("team/app");
    let bytes = content((8 << 20) + 1, 1);
    let digest = Digest::sha256_of(&bytes);
    let refused = world
        .registry
        .push_blob(granted(&name), client("alice"), digest, None, body(&bytes))
        .await;
    assert!(matches!(refused, Err(RegistryError::BlobTooLarge { .. })));
    assert!(
        world
            .metadata
            .list_uploads(None, 10)
            .await
            .unwrap()
            .entries
            .is_empty()
    );
}

#[tokio::test]
async fn given_an_announced_length_over_the_limit_when_pushed_then_refused_before_anything_is_read() {
    // Given
    let world = world();
    let target = start(&world, "team/app").await;
    let unread = || -> super::RequestBody<'static> {
        Box::pin(futures_util::stream::poll_fn(|_| panic!("somebody reads")))
    };
    let bytes = content(60_000, 1);
    let digest = Digest::sha256_of(&bytes);
    world
        .registry
        .append_chunk(
            granted(&target.repository),
            target.id,
            chunk(0, &bytes),
            body(&bytes),
        )
        .await
        .unwrap();
    let rest = Chunk {
        length: Some((8 << 20) - 59_999),
        ..Chunk::default()
    };

    // When
    let name = &target.repository;
    let whole = world.registry.push_blob(
        granted(name),
        client("alice"),
        digest,
        Some(1_000_000_000_000_000),
        unread(),
    );
    let refusals = [
        whole.await.map(|_| ()),
        world
            .registry
            .append_chunk(granted(&target.repository), target.id, rest, unread())
            .await
            .map(|_| ()),
        world
            .registry
            .finish_upload(granted(&target.repository), target.id, digest, rest, unread())
            .await,
    ];

    // Then
    for refused in refusals {
        assert!(
            matches!(refused, Err(RegistryError::BlobTooLarge { limit: 8_388_608 })),
            "{refused:?}"
        );
    }
    world
        .registry
        .finish_upload(
            granted(&target.repository),
            target.id,
            digest,
            Chunk::default(),
            body(b""),
        )
        .await
        .unwrap();
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

#[tokio::test]
async fn given_as_many_uploads_as_allowed_when_one_more_comes_then_it_is_told_to_wait() {
    let world = world();
    let name = repository("team/app");
    let mut settings = super::settings();
    settings.concurrent_uploads = 0;
    world.registry.reconfigure(settings);
    let bytes = content(10, 0);
    let refused = world
        .registry
        .push_blob(
            granted(&name),
            client("alice"),
            Digest::sha256_of(&bytes),
            None,
            body(&bytes),
        )
        .await;
    assert!(matches!(refused, Err(RegistryError::TooManyUploads { .. })));
    world.registry.reconfigure(super::settings());
    world.push(&name, &bytes).await;
}

#[tokio::test]
async fn given_as_many_open_uploads_as_allowed_when_one_more_is_started_then_refused_until_one_ends() {
    // Given
    let world = world();
    let name = repository("team/app");
    let mut settings = super::settings();
    settings.open_uploads = 3;
    world.registry.reconfigure(settings);
    let start = async |actor| world.registry.start_upload(granted(&name), client(actor)).await;
    let mut targets = Vec::new();
    for actor in ["alice", "bob", "carol"] {
        let id = start(actor).await.unwrap();
        targets.push(UploadTarget {
            repository: name.clone(),
            id,
        });
    }

    // When, then
    for (ending, next) in [("finish", "dave"), ("cancel", "erin"), ("expire", "frank")] {
        let refused = start(next).await;
        assert!(
            matches!(refused, Err(RegistryError::TooManyOpenUploads { .. })),
            "{ending}"
        );
        let target = targets.pop().unwrap();
        match ending {
            "finish" => {
                let bytes = content(100, 1);
                let digest = Digest::sha256_of(&bytes);
                let finished = world
                    .registry
                    .finish_upload(
                        granted(&target.repository),
                        target.id,
                        digest,
                        Chunk::default(),
                        body(&bytes),
                    )
                    .await;
                finished.unwrap();
            }
            "cancel" => world
                .registry
                .cancel_upload(granted(&target.repository), target.id)
                .await
                .unwrap(),
            _ => {
                let open = world.metadata.list_uploads(None, 10).await.unwrap().entries;
                let upload = open.iter().find(|upload| upload.id == target.id).unwrap();
                assert!(world.registry.expire_upload(upload).await.unwrap());
            }
        }
        start(next).await.unwrap();
    }
    assert!(start("alice").await.is_err());
}

#[tokio::test]
async fn given_open_uploads_of_an_earlier_process_when_counted_then_they_take_places_until_they_end() {
    // Given
    let world = world();
    let name = repository("team/app");
    for _ in 0..5 {
        world
            .registry
            .start_upload(granted(&name), client("alice"))
            .await
            .unwrap();
    }
    let mut settings = super::settings();
    settings.open_uploads = 5;
    let parts = world.parts();
    let registry = Registry::new(parts, settings, 1 << 20);
    registry
        .start_upload(granted(&name), client("bob"))
        .await
        .unwrap();

    // When
    registry.count_open_uploads().await.unwrap();

    // Then
    let refused = registry.start_upload(granted(&name), client("carol")).await;
    assert!(matches!(refused, Err(RegistryError::TooManyOpenUploads { .. })));
    for upload in world.metadata.list_uploads(None, 10).await.unwrap().entries {
        registry.expire_upload(&upload).await.unwrap();
    }
    registry
        .start_upload(granted(&name), client("carol"))
        .await
        .unwrap();
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
