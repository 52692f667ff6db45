use bytes::Bytes;
use zas_core::{Digest, MediaType, Reference};
use zas_metadata::SharedManifest;

use super::{World, any_tags, granted, image, repository, world};
use crate::services::auth::Readable;
use crate::services::registry::{ManifestPushed, PushGrant, PushManifest, RegistryError};

async fn push(
    world: &World,
    body: &Bytes,
    tags: &[&str],
    grant: PushGrant<'_>,
) -> Result<ManifestPushed, RegistryError> {
    let tags = tags.iter().map(|tag| tag.parse().unwrap()).collect();
    let push = PushManifest {
        grant,
        digest: None,
        tags,
        media_type: None,
        body: body.clone(),
    };
    world.registry.push_manifest(push).await
}

#[tokio::test]
async fn given_rights_to_create_only_when_a_tag_exists_then_it_cannot_be_moved_but_repeated() {
    // Given
    let world = world();
    let name = repository("team/app");
    let config = world.push(&name, b"{}").await;
    let (first, second) = (
        image(&config, &[], ""),
        image(&config, &[], r#","annotations":{"a":"b"}"#),
    );
    push(&world, &first, &["v1"], PushGrant::NewTags(granted(&name)))
        .await
        .unwrap();

    // When, then
    push(&world, &first, &["v1"], PushGrant::NewTags(granted(&name)))
        .await
        .unwrap();
    let moved = push(&world, &second, &["v1"], PushGrant::NewTags(granted(&name))).await;
    assert!(matches!(
        moved,
        Err(RegistryError::TagForbidden { exists: true, .. })
    ));
    let all_or_nothing = push(&world, &second, &["v2", "v1"], PushGrant::NewTags(granted(&name))).await;
    assert!(matches!(all_or_nothing, Err(RegistryError::TagForbidden { .. })));
    let v2 = Reference::Tag("v2".parse().unwrap());
    assert!(matches!(
        world.registry.manifest(granted(&name), &v2).await,
        Err(RegistryError::ManifestUnknown { .. })
    ));
}

#[tokio::test]
async fn given_rights_to_create_only_when_content_is_pushed_under_another_type_then_it_keeps_its_own() {
    // Given an image whose bytes do not name their type.
    let world = world();
    let name = repository("team/app");
    let config = world.push(&name, b"{}").await;
    let text = String::from_utf8(image(&config, &[], "").to_vec()).unwrap();
    let body = Bytes::from(text.replace(&format!(r#""mediaType":"{}","#, MediaType::OCI_MANIFEST), ""));
    let push_as = |media_type: &str, tags: &[&str], may_move_tags: bool| {
        let push = PushManifest {
            grant: match (tags, may_move_tags) {
                ([], false) => PushGrant::Untagged(granted(&name), None),
                (_, false) => PushGrant::NewTags(granted(&name)),
                (_, true) => any_tags(&name),
            },
            digest: Some(Digest::sha256_of(&body)),
            tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
            media_type: Some(media_type.parse().unwrap()),
            body: body.clone(),
        };
        let registry = world.registry.clone();
        async move { registry.push_manifest(push).await }
    };
    let served = async |tag: &str| {
        let reference = Reference::Tag(tag.parse().unwrap());
        let manifest = world.registry.manifest(granted(&name), &reference).await;
        manifest.map(|manifest| manifest.media_type.to_string())
    };
    push_as(MediaType::OCI_MANIFEST, &["a"], false).await.unwrap();

    // When it is pushed as Docker's, under another tag and by digest alone.
    for tags in [&["b"][..], &[]] {
        let refused = push_as(MediaType::DOCKER_MANIFEST, tags, false).await;
        assert!(
            matches!(refused, Err(RegistryError::TypeForbidden { .. })),
            "{refused:?}"
        );
    }

    // Then
    assert_eq!(served("a").await.unwrap(), MediaType::OCI_MANIFEST);
    assert!(served("b").await.is_err());
    push_as(MediaType::DOCKER_MANIFEST, &["b"], true).await.unwrap();
    assert_eq!(served("a").await.unwrap(), MediaType::DOCKER_MANIFEST);
}

#[tokio::test]
async fn given_rights_to_update_only_when_a_tag_is_new_then_it_cannot_be_made() {
    let world = world();
    let name = repository("team/app");
    let config = world.push(&name, b"{}").await;
    let (first, second) = (
        image(&config, &[], ""),
        image(&config, &[], r#","annotations":{"a":"b"}"#),
    );
    let made = push(&world, &first, &["v1"], PushGrant::MovedTags(granted(&name))).await;
    assert!(matches!(
        made,
        Err(RegistryError::TagForbidden { exists: false, .. })
    ));
    push(&world, &first, &["v1"], any_tags(&name)).await.unwrap();
    push(&world, &second, &["v1"], PushGrant::MovedTags(granted(&name)))
        .await
        .unwrap();
}

#[tokio::test]
async fn given_absent_references_when_pushed_then_named_and_nothing_is_stored() {
    let world = world();
    let name = repository("team/app");
    let absent = Digest::sha256_of(b"absent");
    let body = image(&absent, &[absent], "");
    match push(&world, &body, &["v1"], any_tags(&name)).await {
        Err(RegistryError::ReferencesMissing { digests, .. }) => assert_eq!(digests, [absent]),
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        world.registry.list_tags(granted(&name), None, None).await,
        Err(RegistryError::RepositoryUnknown(_))
    ));
}

#[tokio::test]
async fn given_a_named_digest_when_the_body_has_another_then_refused() {
    let world = world();
    let name = repository("team/app");
    let config = world.push(&name, b"{}").await;
    let push = PushManifest {
        grant: any_tags(&name),
        digest: Some(Digest::sha256_of(b"other")),
        tags: vec![],
        media_type: None,
        body: image(&config, &[], ""),
    };
    assert!(matches!(
        world.registry.push_manifest(push).await,
        Err(RegistryError::DigestMismatch { .. })
    ));
}

#[tokio::test]
async fn given_a_manifest_with_many_tags_when_deleted_then_all_tags_go_with_it() {
    let world = world();
    let name = repository("team/app");
    let config = world.push(&name, b"{}").await;
    let body = image(&config, &[], "");
    let tags: Vec<String> = (0..2_500).map(|number| format!("v{number}")).collect();
    for some in tags.chunks(100) {
        let some: Vec<&str> = some.iter().map(String::as_str).collect();
        push(&world, &body, &some, any_tags(&name)).await.unwrap();
    }
    let digest = Digest::sha256_of(&body);
    world
        .registry
        .delete_manifest(granted(&name), &digest, SharedManifest::Delete)
        .await
        .unwrap();
    assert!(matches!(
        world.registry.list_tags(granted(&name), None, None).await,
        Err(RegistryError::RepositoryUnknown(_))
    ));
    let again = world
        .registry
        .delete_manifest(granted(&name), &digest, SharedManifest::Delete)
        .await;
    assert!(matches!(again, Err(RegistryError::ManifestUnknown { .. })));
}

#[tokio::test]
async fn given_a_shared_manifest_when_deleted_by_who_has_to_keep_it_then_refused_until_one_tag_is_left() {
    let world = world();
    let name = repository("team/app");
    let config = world.push(&name, b"{}").await;
    let body = image(&config, &[], "");
    push(&world, &body, &["v1", "v2"], any_tags(&name)).await.unwrap();
    let digest = Digest::sha256_of(&body);
    let delete = async || {
        let registry = &world.registry;
        registry
            .delete_manifest(granted(&name), &digest, SharedManifest::Keep)
            .await
    };
    let refused = delete().await;
    assert!(
        matches!(refused, Err(RegistryError::ManifestShared { .. })),
        "{refused:?}"
    );
    let tag = "v2".parse().unwrap();
    world.registry.delete_tag(granted(&name), &tag).await.unwrap();
    delete().await.unwrap();
}

#[tokio::test]
async fn given_a_mount_when_the_source_may_not_be_read_then_the_client_has_to_upload() {
    let world = world();
    let (source, target) = (repository("secret/app"), repository("team/app"));
    let digest = world.push(&source, b"layer").await;
    let none = Readable::in_test(|_| false);
    assert!(
        !world
            .registry
            .mount_blob(granted(&target), &digest, Some(&source), &none)
            .await
            .unwrap()
    );
    assert!(
        !world
            .registry
            .mount_blob(granted(&target), &digest, None, &none)
            .await
            .unwrap()
    );
    assert!(
        world
            .registry
            .blob_size(granted(&target), None, &digest)
            .await
            .is_err()
    );
    assert!(
        world
            .registry
            .mount_blob(granted(&target), &digest, None, &Readable::in_test(|_| true))
            .await
            .unwrap()
    );
    assert_eq!(world.pull(&target, &digest).await, b"layer");
}
