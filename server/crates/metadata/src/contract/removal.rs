use zas_core::Reference;

use super::cases;
use super::setting::{
    Describe as _, GRACE, LEASE, MOMENT, Setting, committed, digest, manifest, origin, repository, tag,
};
use crate::{DeleteManifestOutcome, Page, Precondition, Presence, ReapOutcome, SharedManifest};

cases![
    given_a_manifest_when_deleted_then_it_and_its_tags_are_gone,
    given_no_manifest_when_deleted_then_unknown,
    given_a_manifest_with_many_tags_when_deleted_then_in_steps_of_a_thousand,
    given_exactly_a_thousand_tags_when_deleted_then_in_one_step,
    given_several_tags_when_a_shared_manifest_is_to_be_kept_then_nothing_changed,
    given_a_manifest_when_deleted_then_its_blobs_live_for_a_grace,
    given_two_manifests_with_one_blob_when_one_is_deleted_then_the_blob_stays,
    given_the_same_manifest_in_two_repositories_when_deleted_in_one_then_the_other_is_whole,
    given_a_child_of_an_index_when_deleted_then_a_client_may,
    given_a_manifest_committed_with_fewer_references_when_collected_then_the_dropped_blob_goes,
];

async fn given_a_manifest_when_deleted_then_it_and_its_tags_are_gone(given: Setting) {
    let ours = repository("ours");
    given
        .commit(manifest(&ours, "{keep}").tagged("keep", Precondition::Any))
        .await;
    given
        .commit(
            manifest(&ours, "{a}")
                .tagged("t", Precondition::Any)
                .tagged("u", Precondition::Any),
        )
        .await;

    let outcome = given
        .store
        .delete_manifest(&origin(), &ours, &digest("{a}"), SharedManifest::Delete)
        .await
        .unwrap();

    assert_eq!(outcome, DeleteManifestOutcome::Deleted);
    assert_eq!(given.store.resolve_tag(&ours, &tag("t")).await.unwrap(), None);
    let gone = given
        .store
        .resolve_manifest(&ours, &Reference::Digest(digest("{a}")))
        .await
        .unwrap();
    assert_eq!(gone, None);
    let page = given.store.list_tags(&ours, None, 9).await.unwrap().unwrap();
    assert_eq!(
        page,
        Page {
            entries: vec![tag("keep")],
            more: false
        }
    );
    let again = given
        .store
        .delete_manifest(&origin(), &ours, &digest("{a}"), SharedManifest::Delete)
        .await
        .unwrap();
    assert_eq!(again, DeleteManifestOutcome::Unknown);
    assert_eq!(given.commit(manifest(&ours, "{a}")).await, committed(true));
}

async fn given_no_manifest_when_deleted_then_unknown(given: Setting) {
    given.commit(manifest(&repository("theirs"), "{a}")).await;
    let outcome = given
        .store
        .delete_manifest(
            &origin(),
            &repository("ours"),
            &digest("{a}"),
            SharedManifest::Delete,
        )
        .await
        .unwrap();
    assert_eq!(outcome, DeleteManifestOutcome::Unknown);
}

async fn tag_many(given: &Setting, body: &str, count: usize) {
    let mut tagged = manifest(&repository("ours"), body);
    for number in 0..count {
        tagged = tagged.tagged(&format!("t{number:05}"), Precondition::Any);
    }
    given.commit(tagged).await;
}

async fn given_a_manifest_with_many_tags_when_deleted_then_in_steps_of_a_thousand(given: Setting) {
    let ours = repository("ours");
    tag_many(&given, "{a}", 2500).await;
    let delete = || async {
        given
            .store
            .delete_manifest(&origin(), &ours, &digest("{a}"), SharedManifest::Delete)
            .await
            .unwrap()
    };
    let left = || async {
        given
            .store
            .list_tags(&ours, None, 9999)
            .await
            .unwrap()
            .map_or(0, |page| page.entries.len())
    };

    assert_eq!(
        (delete().await, left().await),
        (DeleteManifestOutcome::More, 1500)
    );
    // Between the steps the manifest is there, and may even be tagged anew.
    given
        .commit(manifest(&ours, "{a}").tagged("new", Precondition::Absent))
        .await;
    assert_eq!((delete().await, left().await), (DeleteManifestOutcome::More, 501));
    assert_eq!(
        (delete().await, left().await),
        (DeleteManifestOutcome::Deleted, 0)
    );
    assert_eq!(delete().await, DeleteManifestOutcome::Unknown);
    assert_eq!(given.store.list_tags(&ours, None, 9).await.unwrap(), None);
}

async fn given_exactly_a_thousand_tags_when_deleted_then_in_one_step(given: Setting) {
    tag_many(&given, "{a}", 1000).await;
    let outcome = given
        .store
        .delete_manifest(
            &origin(),
            &repository("ours"),
            &digest("{a}"),
            SharedManifest::Delete,
        )
        .await
        .unwrap();
    assert_eq!(outcome, DeleteManifestOutcome::Deleted);
}

async fn given_several_tags_when_a_shared_manifest_is_to_be_kept_then_nothing_changed(given: Setting) {
    let ours = repository("ours");
    let delete = || async {
        given
            .store
            .delete_manifest(&origin(), &ours, &digest("{a}"), SharedManifest::Keep)
            .await
            .unwrap()
    };
    for count in [1001, 2] {
        tag_many(&given, "{a}", count).await;
        assert_eq!(delete().await, DeleteManifestOutcome::Kept, "{count} tags");
        let tags = given.store.list_tags(&ours, None, 9999).await.unwrap().unwrap();
        assert_eq!(tags.entries.len(), 1001);
    }
    // A tag that moved away does not count.
    given
        .store
        .delete_manifest(&origin(), &ours, &digest("{a}"), SharedManifest::Delete)
        .await
        .unwrap();
    given
        .store
        .delete_manifest(&origin(), &ours, &digest("{a}"), SharedManifest::Delete)
        .await
        .unwrap();
    tag_many(&given, "{a}", 2).await;
    given
        .commit(manifest(&ours, "{b}").tagged("t00001", Precondition::Any))
        .await;
    assert_eq!(delete().await, DeleteManifestOutcome::Deleted);
    assert_eq!(delete().await, DeleteManifestOutcome::Unknown);
}

async fn given_a_manifest_when_deleted_then_its_blobs_live_for_a_grace(given: Setting) {
    let ours = repository("ours");
    let (layer, name) = given.push_file(&ours, "layer").await;
    given
        .commit(manifest(&ours, "{a}").refers(&layer, Presence::Blob))
        .await;
    given.pass(LEASE * 3);
    assert_eq!(given.outcomes().await, [ReapOutcome::Kept(None)]);

    given
        .store
        .delete_manifest(&origin(), &ours, &digest("{a}"), SharedManifest::Delete)
        .await
        .unwrap();

    given.pass(GRACE - MOMENT);
    assert_eq!(given.outcomes().await, []);
    assert!(given.stat(&ours, &layer).await.is_some());
    given.pass(MOMENT);
    assert_eq!(given.outcomes().await, [ReapOutcome::Doomed(vec![name])]);
    assert_eq!(given.stat(&ours, &layer).await, None);
}

async fn given_two_manifests_with_one_blob_when_one_is_deleted_then_the_blob_stays(given: Setting) {
    let ours = repository("ours");
    let (layer, _) = given.push_file(&ours, "layer").await;
    given
        .commit(manifest(&ours, "{a}").refers(&layer, Presence::Blob))
        .await;
    given
        .commit(manifest(&ours, "{b}").refers(&layer, Presence::Blob))
        .await;
    given
        .store
        .delete_manifest(&origin(), &ours, &digest("{a}"), SharedManifest::Delete)
        .await
        .unwrap();

    given.pass(LEASE * 3);

    assert!(
        given
            .outcomes()
            .await
            .iter()
            .all(|outcome| *outcome == ReapOutcome::Kept(None))
    );
    assert!(given.stat(&ours, &layer).await.is_some());
    assert_eq!(given.outcomes().await, []);
}

async fn given_the_same_manifest_in_two_repositories_when_deleted_in_one_then_the_other_is_whole(
    given: Setting,
) {
    let (ours, theirs) = (repository("ours"), repository("theirs"));
    let (layer, _) = given.push_file(&ours, "layer").await;
    given
        .store
        .mount_blob(&origin(), &ours, &theirs, &layer)
        .await
        .unwrap();
    for holder in [&ours, &theirs] {
        let image = manifest(holder, "{a}")
            .refers(&layer, Presence::Blob)
            .tagged("t", Precondition::Any);
        given.commit(image).await;
    }
    given
        .store
        .delete_manifest(&origin(), &ours, &digest("{a}"), SharedManifest::Delete)
        .await
        .unwrap();

    given.pass(LEASE * 3);
    given.collect().await;

    assert_eq!(given.stat(&ours, &layer).await, None);
    assert!(given.stat(&theirs, &layer).await.is_some());
    let stored = given
        .store
        .resolve_manifest(&theirs, &Reference::Tag(tag("t")))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.body, "{a}");
}

async fn given_a_child_of_an_index_when_deleted_then_a_client_may(given: Setting) {
    let ours = repository("ours");
    given.commit(manifest(&ours, "{child}")).await;
    given
        .commit(manifest(&ours, "{i}").refers(&digest("{child}"), Presence::ManifestOrBlob))
        .await;

    let outcome = given
        .store
        .delete_manifest(&origin(), &ours, &digest("{child}"), SharedManifest::Delete)
        .await
        .unwrap();

    assert_eq!(outcome, DeleteManifestOutcome::Deleted);
}

async fn given_a_manifest_committed_with_fewer_references_when_collected_then_the_dropped_blob_goes(
    given: Setting,
) {
    let ours = repository("ours");
    let (first, name) = given.push_file(&ours, "first").await;
    let (second, _) = given.push_file(&ours, "second").await;
    let image = manifest(&ours, "{a}");
    given
        .commit(
            image
                .clone()
                .refers(&first, Presence::Blob)
                .refers(&second, Presence::Blob),
        )
        .await;
    given.commit(image.refers(&second, Presence::Blob)).await;

    given.pass(LEASE);

    let outcomes = given.outcomes().await;
    assert!(
        outcomes.contains(&ReapOutcome::Doomed(vec![name])),
        "{outcomes:?}"
    );
    assert_eq!(given.stat(&ours, &first).await, None);
    assert!(given.stat(&ours, &second).await.is_some());
}
