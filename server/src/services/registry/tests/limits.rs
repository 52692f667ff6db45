//! Limits of uploads: how large, how many at once, how many open.

use zas_core::Digest;

use super::uploads::{chunk, start};
use super::{body, client, content, granted, repository, world};
use crate::services::registry::{Chunk, Registry, RegistryError, UploadTarget};

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
