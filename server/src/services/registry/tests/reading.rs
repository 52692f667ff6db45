//! Mounting, deleting, listing and what is answered about content that is not there.

use bytes::Bytes;
use zas_core::{Digest, Reference, RepositoryName, Tag};
use zas_metadata::SharedManifest;

use super::{World, any_tags, body, client, content, granted, image, repository, world};
use crate::services::auth::Readable;
use crate::services::registry::{PushManifest, ReferrerQuery, RegistryError};

async fn push(world: &World, name: &RepositoryName, tags: &[&str], body: Bytes) -> Digest {
    let push = PushManifest {
        grant: any_tags(name),
        digest: None,
        tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
        media_type: None,
        body,
    };
    world.registry.push_manifest(push).await.unwrap().digest
}

#[tokio::test]
async fn given_a_blob_somewhere_when_mounted_then_from_where_the_caller_may_read_and_no_bytes_move() {
    let world = world();
    let [ours, theirs, other] = ["ours/app", "theirs/app", "other/app"].map(repository);
    let bytes = content(50_000, 1);
    let digest = world.push(&theirs, &bytes).await;
    let mount = async |from: Option<&RepositoryName>, to: &RepositoryName, prefix: &'static str| {
        let readable = Readable::in_test(move |name| name.as_str().starts_with(prefix));
        world
            .registry
            .mount_blob(granted(to), &digest, from, &readable)
            .await
    };

    assert!(!mount(Some(&other), &ours, "").await.unwrap());
    assert!(!mount(None, &ours, "nobody").await.unwrap());
    assert!(mount(Some(&theirs), &ours, "theirs").await.unwrap());
    assert_eq!(world.pull(&ours, &digest).await, bytes);
    // Without a source, any that may be read will do.
    assert!(mount(None, &other, "ours").await.unwrap());
    assert_eq!(world.pull(&other, &digest).await, bytes);

    let reserved = mount(None, &repository("s3/bucket"), "").await;
    assert!(
        matches!(reserved, Err(RegistryError::Reserved(_))),
        "{reserved:?}"
    );
}

#[tokio::test]
async fn given_a_blob_when_deleted_then_it_is_gone_from_that_repository_alone() {
    let world = world();
    let [ours, theirs] = ["ours/app", "theirs/app"].map(repository);
    let bytes = content(50_000, 2);
    let digest = world.push(&ours, &bytes).await;
    world.push(&theirs, &bytes).await;

    world.registry.delete_blob(granted(&ours), &digest).await.unwrap();

    let again = world.registry.delete_blob(granted(&ours), &digest).await;
    let size = world
        .registry
        .blob_size(granted(&ours), Some(granted(&ours)), &digest)
        .await;
    for answer in [
        again,
        size.map(drop),
        world.registry.open_blob(granted(&ours), &digest).await.map(drop),
    ] {
        assert!(
            matches!(answer, Err(RegistryError::BlobUnknown { .. })),
            "{answer:?}"
        );
    }
    assert_eq!(world.pull(&theirs, &digest).await, bytes);
    let reserved = world
        .registry
        .delete_blob(granted(&repository("s3/x")), &digest)
        .await;
    assert!(
        matches!(reserved, Err(RegistryError::Reserved(_))),
        "{reserved:?}"
    );
}

#[tokio::test]
async fn given_tags_when_listed_and_deleted_then_in_order_page_by_page_and_the_manifest_stays() {
    let world = world();
    let name = repository("tags/app");
    let config = world.push(&name, b"{}").await;
    let digest = push(&world, &name, &["v2", "v1", "latest"], image(&config, &[], "")).await;

    let first = world
        .registry
        .list_tags(granted(&name), None, Some(2))
        .await
        .unwrap();
    let tags = |entries: &[Tag]| {
        entries
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!((tags(&first.entries).as_str(), first.more), ("latest v1", true));
    let rest = world
        .registry
        .list_tags(granted(&name), Some("v1"), None)
        .await
        .unwrap();
    assert_eq!((tags(&rest.entries).as_str(), rest.more), ("v2", false));

    let latest: Tag = "latest".parse().unwrap();
    world.registry.delete_tag(granted(&name), &latest).await.unwrap();
    let again = world.registry.delete_tag(granted(&name), &latest).await;
    let resolved = world
        .registry
        .manifest(granted(&name), &Reference::Tag(latest.clone()))
        .await;
    for answer in [again, resolved.map(drop)] {
        assert!(
            matches!(answer, Err(RegistryError::ManifestUnknown { .. })),
            "{answer:?}"
        );
    }
    assert!(
        world
            .registry
            .manifest(granted(&name), &Reference::Digest(digest))
            .await
            .is_ok()
    );

    let reserved = world
        .registry
        .delete_tag(granted(&repository("s3/x")), &latest)
        .await;
    assert!(
        matches!(reserved, Err(RegistryError::Reserved(_))),
        "{reserved:?}"
    );
    let absent = world
        .registry
        .list_tags(granted(&repository("no/such")), None, None)
        .await;
    assert!(
        matches!(absent, Err(RegistryError::RepositoryUnknown(_))),
        "{absent:?}"
    );
}

#[tokio::test]
async fn given_referrers_of_several_types_when_listed_page_by_page_then_each_wanted_one_appears_once() {
    // Given three referrers of each of three types
    let world = world();
    let name = repository("referrers/app");
    let config = world.push(&name, b"{}").await;
    let subject = push(&world, &name, &["v1"], image(&config, &[], "")).await;
    for kind in ["a/sbom", "b/signature", "c/note"] {
        for number in 0..3 {
            let extra = format!(
                r#","artifactType":"{kind}","annotations":{{"n":"{number}"}},"subject":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{subject}","size":1}}"#
            );
            push(&world, &name, &[], image(&config, &[], &extra)).await;
        }
    }

    // When, then
    for (types, expected) in [
        (vec![], 9),
        (vec!["a/sbom"], 3),
        (vec!["c/note", "a/sbom", "a/sbom"], 6),
        (vec!["b/signature", "no/such"], 3),
        (vec!["no/such"], 0),
    ] {
        for count in [1, 2, 3, 50] {
            let mut query = ReferrerQuery {
                artifact_types: types.iter().map(ToString::to_string).collect(),
                after: None,
                count: Some(count),
            };
            let mut seen = Vec::new();
            loop {
                let page = world
                    .registry
                    .list_referrers(granted(&name), &subject, &query)
                    .await
                    .unwrap();
                assert!(page.descriptors.len() <= count);
                seen.extend(page.descriptors);
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
            assert_eq!(seen.len(), expected, "{types:?} by {count}");
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), expected, "{types:?} by {count}");
        }
    }
    let none = ReferrerQuery {
        count: Some(0),
        ..ReferrerQuery::default()
    };
    let page = world
        .registry
        .list_referrers(granted(&name), &subject, &none)
        .await
        .unwrap();
    assert!(page.descriptors.is_empty() && page.next.is_none());
}

#[tokio::test]
async fn given_manifests_that_cannot_be_accepted_when_pushed_then_the_reason_is_told() {
    let world = world();
    let name = repository("refused/app");
    let refused = async |name: &RepositoryName, body: Bytes| {
        let push = PushManifest {
            grant: any_tags(name),
            digest: None,
            tags: Vec::new(),
            media_type: None,
            body,
        };
        world.registry.push_manifest(push).await.unwrap_err()
    };
    let large = Bytes::from(vec![b' '; (4 << 20) + 1]);
    assert!(matches!(
        refused(&name, large).await,
        RegistryError::ManifestTooLarge { limit: 4_194_304 }
    ));
    let nonsense = Bytes::from_static(b"nonsense");
    assert!(matches!(
        refused(&name, nonsense.clone()).await,
        RegistryError::ManifestInvalid(_)
    ));
    assert!(matches!(
        refused(&repository("s3/x"), nonsense).await,
        RegistryError::Reserved(_)
    ));
    let absent = Digest::sha256_of(b"absent");
    let deleted = world
        .registry
        .delete_manifest(granted(&name), &absent, SharedManifest::Delete)
        .await;
    assert!(
        matches!(deleted, Err(RegistryError::ManifestUnknown { .. })),
        "{deleted:?}"
    );
    let deleted = world
        .registry
        .delete_manifest(granted(&repository("s3/x")), &absent, SharedManifest::Delete)
        .await;
    assert!(matches!(deleted, Err(RegistryError::Reserved(_))), "{deleted:?}");
}

#[tokio::test]
async fn given_another_page_size_when_reconfigured_then_it_counts_at_once() {
    let world = world();
    let name = repository("pages/app");
    let config = world.push(&name, b"{}").await;
    push(&world, &name, &["v1", "v2", "v3"], image(&config, &[], "")).await;
    let mut settings = super::settings();
    settings.page_size = 1;
    settings.blob_size = Some(10);
    world.registry.reconfigure(settings);
    assert_eq!(
        world
            .registry
            .list_tags(granted(&name), None, Some(50))
            .await
            .unwrap()
            .entries
            .len(),
        1
    );
    for length in [11, 60_000] {
        let bytes = content(length, 3);
        let digest = Digest::sha256_of(&bytes);
        let pushed = world
            .registry
            .push_blob(granted(&name), client("alice"), digest, None, body(&bytes))
            .await;
        assert!(
            matches!(pushed, Err(RegistryError::BlobTooLarge { limit: 10 })),
            "{pushed:?}"
        );
    }
}
