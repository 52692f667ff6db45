use super::cases;
use super::setting::{
    DOOM_DELAY, Describe as _, LEASE, Setting, committed, digest, manifest, origin, repository,
};
use crate::{
    CommitOutcome, DamageOutcome, FinishOutcome, Lease, MetadataError, MountOutcome, OrphanOutcome, Presence,
    ReapOutcome, ScrubPosition,
};

cases![
    given_blobs_when_listed_then_in_order_of_digest_with_their_bytes,
    given_a_damaged_blob_when_asked_for_then_it_is_damaged_and_not_mounted,
    given_a_damaged_blob_when_a_manifest_requires_it_then_it_is_missing,
    given_a_damaged_blob_when_pushed_again_then_it_is_healed_for_every_repository,
    given_a_damaged_inline_blob_when_pushed_again_then_it_is_healed,
    given_a_blob_that_moved_when_marked_as_it_was_then_it_is_left_alone,
    given_a_damaged_blob_when_found_sound_again_then_it_is_in_use,
    given_a_damaged_blob_when_its_last_link_goes_then_nothing_is_left,
    given_a_scrub_when_its_position_is_saved_then_it_is_read_again,
];

async fn given_blobs_when_listed_then_in_order_of_digest_with_their_bytes(given: Setting) {
    let ours = repository("ours");
    let mut expected = vec![given.push_inline(&ours, "small").await];
    for content in ["one", "two", "three"] {
        expected.push(given.push_file(&ours, content).await.0);
    }
    expected.sort();

    let first = given.store.list_blobs(None, 3).await.unwrap();
    assert!(first.more);
    let rest = given.store.list_blobs(Some(&expected[2]), 3).await.unwrap();
    assert!(!rest.more);

    let found = first.entries.iter().chain(&rest.entries);
    for (entry, digest) in found.zip(&expected) {
        assert_eq!(entry.digest, *digest);
        let held = given.stat(&ours, digest).await.unwrap();
        assert_eq!(entry.content.as_ref(), Some(&held.content));
    }
    assert_eq!(first.entries.len() + rest.entries.len(), expected.len());
}

/// Marks a blob as damaged as it is.
async fn mark(given: &Setting, holder: &zas_core::Holder, digest: &zas_core::Digest) {
    let held = given.stat(holder, digest).await.unwrap();
    let outcome = given.store.mark_damaged(digest, Some(&held.content)).await;
    assert_eq!(outcome.unwrap(), DamageOutcome::Marked);
    let again = given.store.mark_damaged(digest, Some(&held.content)).await;
    assert_eq!(again.unwrap(), DamageOutcome::Already);
}

async fn given_a_damaged_blob_when_asked_for_then_it_is_damaged_and_not_mounted(given: Setting) {
    let (ours, theirs) = (repository("ours"), repository("theirs"));
    let (layer, _) = given.push_file(&ours, "layer").await;
    assert_eq!(given.store.list_damaged(9).await.unwrap().entries, []);

    mark(&given, &ours, &layer).await;

    for lease in [Lease::Leave, Lease::Renew] {
        let answer = given.store.stat_blob(&ours, &layer, lease).await;
        assert!(matches!(answer, Err(MetadataError::Corrupt(_))), "{answer:?}");
    }
    let mounted = given.store.mount_blob(&origin(), &ours, &theirs, &layer).await;
    assert_eq!(mounted.unwrap(), MountOutcome::Unknown);
    assert_eq!(given.store.list_damaged(9).await.unwrap().entries, [layer]);
}

async fn given_a_damaged_blob_when_a_manifest_requires_it_then_it_is_missing(given: Setting) {
    let ours = repository("ours");
    let (layer, _) = given.push_file(&ours, "layer").await;
    let sound = given.push_inline(&ours, "config").await;
    mark(&given, &ours, &layer).await;

    let image = |presence| {
        manifest(&ours, "{}")
            .refers(&sound, Presence::Blob)
            .refers(&layer, presence)
    };
    let refused = given.commit(image(Presence::Blob)).await;
    assert_eq!(refused, CommitOutcome::Missing(vec![layer]));
    assert_eq!(given.commit(image(Presence::Optional)).await, committed(true));
}

async fn given_a_damaged_blob_when_pushed_again_then_it_is_healed_for_every_repository(given: Setting) {
    // Given
    let (ours, theirs) = (repository("ours"), repository("theirs"));
    let (layer, damaged) = given.push_file(&ours, "layer").await;
    given
        .store
        .mount_blob(&origin(), &ours, &theirs, &layer)
        .await
        .unwrap();
    mark(&given, &ours, &layer).await;

    // When
    let (id, epoch) = given.start(&theirs).await;
    let outcome = given.finish_file(&theirs, id, epoch, "layer").await;

    // Then
    assert_eq!(outcome, FinishOutcome::Healed);
    assert!(given.stat(&ours, &layer).await.is_some());
    assert!(given.stat(&theirs, &layer).await.is_some());
    assert_eq!(given.store.list_damaged(9).await.unwrap().entries, []);
    let image = manifest(&ours, "{}").refers(&layer, Presence::Blob);
    assert_eq!(given.commit(image).await, committed(true));
    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, [damaged]);
    let name = epoch.name(id, 0);
    assert_eq!(
        given.store.claim_orphan(name).await.unwrap(),
        OrphanOutcome::Known
    );
}

async fn given_a_damaged_inline_blob_when_pushed_again_then_it_is_healed(given: Setting) {
    let ours = repository("ours");
    let small = given.push_inline(&ours, "small").await;
    mark(&given, &ours, &small).await;
    let outcome = given.finish_inline(&ours, given.id(), None, "small").await;
    assert_eq!(outcome, FinishOutcome::Healed);
    assert!(given.stat(&ours, &small).await.is_some());
    let outcome = given.finish_inline(&ours, given.id(), None, "small").await;
    assert_eq!(outcome, FinishOutcome::Existed);
}

async fn given_a_blob_that_moved_when_marked_as_it_was_then_it_is_left_alone(given: Setting) {
    let ours = repository("ours");
    let (layer, _) = given.push_file(&ours, "layer").await;
    let before = given.stat(&ours, &layer).await.unwrap().content;
    mark(&given, &ours, &layer).await;
    given.push_file(&ours, "layer").await;

    let outcome = given.store.mark_damaged(&layer, Some(&before)).await;
    assert_eq!(outcome.unwrap(), DamageOutcome::Changed);
    assert!(given.stat(&ours, &layer).await.is_some());
    let unknown = given.store.mark_damaged(&digest("nothing"), Some(&before)).await;
    assert_eq!(unknown.unwrap(), DamageOutcome::Changed);
}

async fn given_a_damaged_blob_when_found_sound_again_then_it_is_in_use(given: Setting) {
    let ours = repository("ours");
    let (layer, _) = given.push_file(&ours, "layer").await;
    let content = given.stat(&ours, &layer).await.unwrap().content;
    mark(&given, &ours, &layer).await;
    let entry = given.store.inspect_blob(&layer).await.unwrap().unwrap();
    assert!(entry.is_damaged);
    assert_eq!(entry.content.as_ref(), Some(&content));

    let outcome = given.store.clear_damage(&layer, &content).await.unwrap();

    assert_eq!(outcome, DamageOutcome::Cleared);
    assert!(given.stat(&ours, &layer).await.is_some());
    assert!(
        !given
            .store
            .inspect_blob(&layer)
            .await
            .unwrap()
            .unwrap()
            .is_damaged
    );
    assert_eq!(given.store.list_damaged(9).await.unwrap().entries, []);
    assert_eq!(given.store.inspect_blob(&digest("nothing")).await.unwrap(), None);
}

async fn given_a_damaged_blob_when_its_last_link_goes_then_nothing_is_left(given: Setting) {
    let ours = repository("ours");
    let (layer, name) = given.push_file(&ours, "layer").await;
    mark(&given, &ours, &layer).await;
    given.pass(LEASE);
    assert_eq!(given.outcomes().await, [ReapOutcome::Doomed(vec![name])]);
    assert_eq!(given.store.list_damaged(9).await.unwrap().entries, []);
    assert_eq!(given.stat(&ours, &layer).await, None);
}

async fn given_a_scrub_when_its_position_is_saved_then_it_is_read_again(given: Setting) {
    let never = given.store.scrub_position().await.unwrap();
    let expected = ScrubPosition {
        after: None,
        rested_at: given.now(),
    };
    assert_eq!(never, expected);
    let saved = ScrubPosition {
        after: Some(digest("layer")),
        ..expected
    };
    given.store.save_scrub_position(saved).await.unwrap();
    given.pass(LEASE);
    assert_eq!(given.store.scrub_position().await.unwrap(), saved);
}
