use super::cases;
use super::setting::{
    DOOM_DELAY, Describe as _, GRACE, LEASE, MOMENT, Setting, digest, file, manifest, origin, repository,
    stray,
};
use crate::{DueLink, OrphanOutcome, Presence, ReapOutcome};

cases![
    given_an_unreferenced_blob_when_its_lease_is_over_then_row_and_bytes_go_in_that_order,
    given_an_inline_blob_when_collected_then_nothing_is_doomed,
    given_a_leased_blob_when_reaped_early_then_kept_until_the_lease_ends,
    given_a_referenced_blob_when_due_then_kept_and_not_asked_about_again,
    given_an_edge_written_before_its_blob_when_the_blob_comes_then_it_is_protected,
    given_an_edge_of_another_repository_when_due_then_it_protects_nothing_here,
    given_two_holders_when_one_is_reaped_then_the_blob_stays_for_the_other,
    given_a_reaped_link_with_a_later_edge_when_pushed_again_then_whole,
    given_a_link_deleted_by_a_client_when_it_was_the_last_then_the_blob_goes,
    given_a_link_deleted_by_a_client_when_others_hold_the_blob_then_it_stays,
    given_a_deleted_link_with_edges_when_the_blob_is_pushed_again_then_the_edges_protect_it,
    given_a_link_that_is_gone_when_reaped_then_gone,
    given_the_same_due_link_when_reaped_twice_then_the_second_finds_nothing,
    given_due_links_when_taken_then_the_oldest_first_and_at_most_as_many_as_asked,
    given_doomed_names_when_taken_then_the_oldest_first_and_until_they_are_forgotten,
    given_a_live_name_when_forgotten_then_it_stays,
    given_an_unknown_name_when_claimed_as_an_orphan_then_doomed_once,
    given_a_running_upload_when_its_name_is_claimed_as_an_orphan_then_known,
    given_a_collected_blob_when_pushed_again_then_it_has_new_bytes_and_the_old_ones_go,
    given_a_timing_when_changed_then_it_counts_from_now_on,
    given_a_push_that_relies_on_a_renewed_answer_when_collection_runs_then_the_blob_is_there,
];

async fn given_an_unreferenced_blob_when_its_lease_is_over_then_row_and_bytes_go_in_that_order(
    given: Setting,
) {
    let ours = repository("ours");
    let (layer, name) = given.push_file(&ours, "layer").await;

    given.pass(LEASE - MOMENT);
    assert_eq!(given.outcomes().await, []);
    given.pass(MOMENT);
    assert_eq!(given.outcomes().await, [ReapOutcome::Doomed(vec![name])]);

    assert_eq!(given.stat(&ours, &layer).await, None);
    assert_eq!(given.store.find_holders(&layer, 9).await.unwrap(), []);
    assert_eq!(
        given.store.claim_orphan(name).await.unwrap(),
        OrphanOutcome::Known
    );
    given.pass(DOOM_DELAY - MOMENT);
    assert_eq!(given.doomed().await, []);
    given.pass(MOMENT);
    assert_eq!(given.doomed().await, [name]);
    given.store.forget_location(name).await.unwrap();
    assert_eq!(given.doomed().await, []);
    assert_eq!(given.outcomes().await, []);
}

async fn given_an_inline_blob_when_collected_then_nothing_is_doomed(given: Setting) {
    let ours = repository("ours");
    let config = given.push_inline(&ours, "{}").await;
    given.pass(LEASE);
    assert_eq!(given.outcomes().await, [ReapOutcome::Doomed(vec![])]);
    assert_eq!(given.stat(&ours, &config).await, None);
    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, []);
    // And it can come back.
    given.push_inline(&ours, "{}").await;
    assert!(given.stat(&ours, &config).await.is_some());
}

async fn given_a_leased_blob_when_reaped_early_then_kept_until_the_lease_ends(given: Setting) {
    let ours = repository("ours");
    let (layer, _) = given.push_file(&ours, "layer").await;
    given.pass(GRACE + MOMENT);
    given.renew(&ours, &layer).await.unwrap();
    let end = given.now().plus(LEASE);
    let early = DueLink {
        due_at: end,
        holder: ours.clone(),
        digest: layer,
    };
    assert_eq!(
        given.store.reap(&early).await.unwrap(),
        ReapOutcome::Kept(Some(end))
    );

    given.pass(GRACE);
    assert_eq!(given.outcomes().await, [ReapOutcome::Kept(Some(end))]);
    assert_eq!(given.outcomes().await, []);
    assert!(given.stat(&ours, &layer).await.is_some());
}

async fn given_a_referenced_blob_when_due_then_kept_and_not_asked_about_again(given: Setting) {
    let ours = repository("ours");
    let (layer, _) = given.push_file(&ours, "layer").await;
    given
        .commit(manifest(&ours, "{a}").refers(&layer, Presence::Blob))
        .await;

    given.pass(LEASE);

    assert_eq!(given.outcomes().await, [ReapOutcome::Kept(None)]);
    given.pass(LEASE * 100);
    assert_eq!(given.outcomes().await, []);
    assert!(given.stat(&ours, &layer).await.is_some());
}

async fn given_an_edge_written_before_its_blob_when_the_blob_comes_then_it_is_protected(given: Setting) {
    let ours = repository("ours");
    given
        .commit(manifest(&ours, "{a}").refers(&digest("layer"), Presence::Optional))
        .await;
    let (layer, _) = given.push_file(&ours, "layer").await;
    given.pass(LEASE);
    assert_eq!(given.outcomes().await, [ReapOutcome::Kept(None)]);
    assert!(given.stat(&ours, &layer).await.is_some());
}

async fn given_an_edge_of_another_repository_when_due_then_it_protects_nothing_here(given: Setting) {
    let (ours, theirs) = (repository("ours"), repository("ours/too"));
    let (layer, name) = given.push_file(&ours, "layer").await;
    given
        .commit(manifest(&theirs, "{a}").refers(&layer, Presence::Optional))
        .await;
    given.pass(LEASE);
    assert_eq!(given.outcomes().await, [ReapOutcome::Doomed(vec![name])]);
}

async fn given_two_holders_when_one_is_reaped_then_the_blob_stays_for_the_other(given: Setting) {
    let (ours, theirs) = (repository("ours"), repository("theirs"));
    let (layer, name) = given.push_file(&ours, "layer").await;
    given.pass(GRACE);
    given
        .store
        .mount_blob(&origin(), &ours, &theirs, &layer)
        .await
        .unwrap();

    given.pass(GRACE);
    assert_eq!(given.outcomes().await, [ReapOutcome::LinkRemoved]);

    assert_eq!(given.stat(&ours, &layer).await, None);
    assert!(given.stat(&theirs, &layer).await.is_some());
    given.pass(GRACE);
    assert_eq!(given.outcomes().await, [ReapOutcome::Doomed(vec![name])]);
}

async fn given_a_reaped_link_with_a_later_edge_when_pushed_again_then_whole(given: Setting) {
    let ours = repository("ours");
    let (layer, first) = given.push_file(&ours, "layer").await;
    given.pass(LEASE);
    assert_eq!(given.outcomes().await, [ReapOutcome::Doomed(vec![first])]);
    given
        .commit(manifest(&ours, "{a}").refers(&layer, Presence::Optional))
        .await;
    assert_eq!(given.stat(&ours, &layer).await, None);

    let (_, second) = given.push_file(&ours, "layer").await;

    assert_eq!(
        given.stat(&ours, &layer).await.unwrap().content,
        file(second, "layer").content
    );
    given.pass(LEASE);
    assert_eq!(given.outcomes().await, [ReapOutcome::Kept(None)]);
    assert_eq!(given.doomed().await, [first]);
}

async fn given_a_link_deleted_by_a_client_when_it_was_the_last_then_the_blob_goes(given: Setting) {
    let ours = repository("ours");
    let (layer, name) = given.push_file(&ours, "layer").await;
    given.store.unlink_blob(&origin(), &ours, &layer).await.unwrap();
    assert_eq!(given.outcomes().await, [ReapOutcome::Doomed(vec![name])]);
    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, [name]);
    given.pass(LEASE);
    // The entry of the old lease finds nothing.
    assert_eq!(given.outcomes().await, [ReapOutcome::Gone]);
    assert_eq!(given.outcomes().await, []);
}

async fn given_a_link_deleted_by_a_client_when_others_hold_the_blob_then_it_stays(given: Setting) {
    let (ours, theirs) = (repository("ours"), repository("theirs"));
    let (layer, _) = given.push_file(&ours, "layer").await;
    given
        .store
        .mount_blob(&origin(), &ours, &theirs, &layer)
        .await
        .unwrap();
    given.store.unlink_blob(&origin(), &ours, &layer).await.unwrap();
    assert_eq!(given.outcomes().await, [ReapOutcome::Gone]);
    assert!(given.stat(&theirs, &layer).await.is_some());
}

async fn given_a_deleted_link_with_edges_when_the_blob_is_pushed_again_then_the_edges_protect_it(
    given: Setting,
) {
    let ours = repository("ours");
    let (layer, first) = given.push_file(&ours, "layer").await;
    given
        .commit(manifest(&ours, "{a}").refers(&layer, Presence::Blob))
        .await;
    given.store.unlink_blob(&origin(), &ours, &layer).await.unwrap();
    assert_eq!(given.outcomes().await, [ReapOutcome::Doomed(vec![first])]);

    given.push_file(&ours, "layer").await;

    given.pass(LEASE);
    assert_eq!(
        given.outcomes().await,
        [ReapOutcome::Kept(None), ReapOutcome::Kept(None)][..1]
    );
    assert!(given.stat(&ours, &layer).await.is_some());
}

async fn given_a_link_that_is_gone_when_reaped_then_gone(given: Setting) {
    let due = DueLink {
        due_at: given.now(),
        holder: repository("ours"),
        digest: digest("layer"),
    };
    assert_eq!(given.store.reap(&due).await.unwrap(), ReapOutcome::Gone);
}

async fn given_the_same_due_link_when_reaped_twice_then_the_second_finds_nothing(given: Setting) {
    let ours = repository("ours");
    let (_, name) = given.push_file(&ours, "layer").await;
    given.pass(LEASE);
    let due = given.store.take_due(1).await.unwrap().remove(0);
    assert_eq!(
        given.store.reap(&due).await.unwrap(),
        ReapOutcome::Doomed(vec![name])
    );
    assert_eq!(given.store.reap(&due).await.unwrap(), ReapOutcome::Gone);
    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, [name]);
}

async fn given_due_links_when_taken_then_the_oldest_first_and_at_most_as_many_as_asked(given: Setting) {
    let ours = repository("ours");
    let mut expected = Vec::new();
    for number in 0..250 {
        given.pass(MOMENT);
        let (layer, _) = given.push_file(&ours, &format!("layer {number}")).await;
        expected.push(DueLink {
            due_at: given.now().plus(LEASE),
            holder: ours.clone(),
            digest: layer,
        });
    }
    given.pass(LEASE - MOMENT * 100);
    assert_eq!(given.store.take_due(1000).await.unwrap(), expected[..150]);
    assert_eq!(given.store.take_due(10).await.unwrap(), expected[..10]);
    // Taking is looking: only reaping removes.
    assert_eq!(given.store.take_due(10).await.unwrap(), expected[..10]);
    for due in &expected[..10] {
        given.store.reap(due).await.unwrap();
    }
    assert_eq!(given.store.take_due(3).await.unwrap(), expected[10..13]);
    given.pass(MOMENT * 100);
    assert_eq!(given.store.take_due(1000).await.unwrap(), expected[10..]);
}

async fn given_doomed_names_when_taken_then_the_oldest_first_and_until_they_are_forgotten(given: Setting) {
    let ours = repository("ours");
    let mut names = Vec::new();
    for _ in 0..5 {
        let (id, epoch) = given.start(&ours).await;
        names.push((id, epoch));
    }
    // Doomed in the reverse order of their making.
    names.reverse();
    for (id, epoch) in &names {
        given.pass(MOMENT);
        given.store.abort_upload(&origin(), *id, *epoch).await.unwrap();
    }
    let names: Vec<_> = names.into_iter().map(|(id, epoch)| epoch.name(id, 0)).collect();
    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, names);
    assert_eq!(given.store.take_doomed(2).await.unwrap(), names[..2]);

    given.store.forget_location(names[0]).await.unwrap();
    given.store.forget_location(names[0]).await.unwrap();

    assert_eq!(given.doomed().await, names[1..]);
    // A forgotten name that turns up again is an orphan.
    assert_eq!(
        given.store.claim_orphan(names[0]).await.unwrap(),
        OrphanOutcome::Doomed
    );
}

async fn given_a_live_name_when_forgotten_then_it_stays(given: Setting) {
    let ours = repository("ours");
    let (layer, name) = given.push_file(&ours, "layer").await;
    given.store.forget_location(name).await.unwrap();
    assert_eq!(
        given.store.claim_orphan(name).await.unwrap(),
        OrphanOutcome::Known
    );
    assert!(given.stat(&ours, &layer).await.is_some());
}

async fn given_an_unknown_name_when_claimed_as_an_orphan_then_doomed_once(given: Setting) {
    let name = stray(given.id());
    assert_eq!(
        given.store.claim_orphan(name).await.unwrap(),
        OrphanOutcome::Doomed
    );
    given.pass(MOMENT);
    assert_eq!(
        given.store.claim_orphan(name).await.unwrap(),
        OrphanOutcome::Known
    );
    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, [name]);
}

async fn given_a_running_upload_when_its_name_is_claimed_as_an_orphan_then_known(given: Setting) {
    let ours = repository("ours");
    let (id, epoch) = given.start(&ours).await;
    let name = epoch.name(id, 0);
    assert_eq!(
        given.store.claim_orphan(name).await.unwrap(),
        OrphanOutcome::Known
    );
    given.finish_file(&ours, id, epoch, "layer").await;
    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, []);
}

async fn given_a_collected_blob_when_pushed_again_then_it_has_new_bytes_and_the_old_ones_go(given: Setting) {
    let ours = repository("ours");
    let (layer, first) = given.push_file(&ours, "layer").await;
    given.pass(LEASE);
    given.collect().await;

    let (_, second) = given.push_file(&ours, "layer").await;

    assert_eq!(
        given.stat(&ours, &layer).await.unwrap().content,
        file(second, "layer").content
    );
    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, [first]);
    given.store.forget_location(first).await.unwrap();
    assert!(given.stat(&ours, &layer).await.is_some());
}

async fn given_a_timing_when_changed_then_it_counts_from_now_on(given: Setting) {
    let ours = repository("ours");
    let (_, first) = given.push_file(&ours, "first").await;
    given.store.set_timing(crate::Timing {
        grace: MOMENT,
        doom_delay: MOMENT,
    });
    let (_, second) = given.push_file(&ours, "second").await;

    given.pass(MOMENT * 2);
    assert_eq!(given.outcomes().await, [ReapOutcome::Doomed(vec![second])]);
    given.pass(MOMENT);
    assert_eq!(given.doomed().await, [second]);
    given.pass(LEASE);
    assert_eq!(given.outcomes().await, [ReapOutcome::Doomed(vec![first])]);
}

async fn given_a_push_that_relies_on_a_renewed_answer_when_collection_runs_then_the_blob_is_there(
    given: Setting,
) {
    let ours = repository("ours");
    let (layer, _) = given.push_file(&ours, "layer").await;
    // Whatever the age of the lease, a positive answer holds for a grace.
    for age in [
        MOMENT,
        GRACE - MOMENT,
        GRACE,
        GRACE + MOMENT,
        LEASE - MOMENT,
        LEASE,
    ] {
        given.pass(age);
        assert!(given.renew(&ours, &layer).await.is_some());
        given.pass(GRACE - MOMENT);
        given.collect().await;
        assert!(
            given.stat(&ours, &layer).await.is_some(),
            "lost at the age of {age:?}"
        );
        // Start over with a whole lease.
        given.push_file(&ours, "layer").await;
    }
}
