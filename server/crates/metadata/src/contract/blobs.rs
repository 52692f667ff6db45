use super::cases;
use super::setting::{GRACE, LEASE, MOMENT, Setting, digest, origin, repository};
use crate::{MountOutcome, ReapOutcome};

cases![
    given_a_blob_when_another_repository_asks_then_it_does_not_hold_it,
    given_an_unknown_blob_when_renewed_then_unknown,
    given_a_lease_in_its_first_half_when_renewed_then_it_stays,
    given_a_lease_in_its_second_half_when_renewed_then_it_is_whole_again,
    given_many_renewals_within_half_a_lease_when_counted_by_its_end_then_only_one_was_written,
    given_a_read_without_renewal_when_the_lease_ends_then_it_was_not_prolonged,
    given_a_blob_when_mounted_then_both_repositories_hold_it,
    given_a_mount_when_the_source_does_not_hold_the_blob_then_unknown,
    given_a_mount_onto_itself_when_made_then_the_lease_is_renewed,
    given_a_blob_when_unlinked_then_it_is_gone_at_once_for_that_repository_only,
    given_an_unlinked_blob_when_pushed_again_then_it_is_back,
    given_holders_when_sought_then_sorted_and_at_most_as_many_as_asked,
    given_a_second_push_when_the_first_lease_is_longer_then_it_is_not_shortened,
];

async fn given_a_blob_when_another_repository_asks_then_it_does_not_hold_it(given: Setting) {
    let (digest, _) = given.push_file(&repository("ours"), "layer").await;
    assert_eq!(given.stat(&repository("theirs"), &digest).await, None);
    assert_eq!(given.renew(&repository("theirs"), &digest).await, None);
    assert_eq!(given.stat(&repository("our"), &digest).await, None);
}

async fn given_an_unknown_blob_when_renewed_then_unknown(given: Setting) {
    assert_eq!(given.renew(&repository("ours"), &digest("nothing")).await, None);
    assert_eq!(given.stat(&repository("ours"), &digest("nothing")).await, None);
}

async fn given_a_lease_in_its_first_half_when_renewed_then_it_stays(given: Setting) {
    let ours = repository("ours");
    let (digest, name) = given.push_file(&ours, "layer").await;
    let end = given.now().plus(LEASE);

    given.pass(GRACE);
    assert!(given.renew(&ours, &digest).await.is_some());

    given.pass(GRACE - MOMENT);
    assert_eq!(given.outcomes().await, []);
    given.pass(MOMENT);
    assert_eq!(given.now(), end);
    assert_eq!(given.outcomes().await, [ReapOutcome::Doomed(vec![name])]);
}

async fn given_a_lease_in_its_second_half_when_renewed_then_it_is_whole_again(given: Setting) {
    let ours = repository("ours");
    let (digest, name) = given.push_file(&ours, "layer").await;

    given.pass(GRACE + MOMENT);
    assert!(given.renew(&ours, &digest).await.is_some());
    let end = given.now().plus(LEASE);

    given.pass(LEASE - MOMENT);
    assert_eq!(given.outcomes().await, [ReapOutcome::Kept(Some(end))]);
    assert!(given.stat(&ours, &digest).await.is_some());
    given.pass(MOMENT);
    assert_eq!(given.outcomes().await, [ReapOutcome::Doomed(vec![name])]);
}

async fn given_many_renewals_within_half_a_lease_when_counted_by_its_end_then_only_one_was_written(
    given: Setting,
) {
    let ours = repository("ours");
    let (digest, name) = given.push_file(&ours, "layer").await;
    given.pass(GRACE + MOMENT);
    given.renew(&ours, &digest).await.unwrap();
    let end = given.now().plus(LEASE);

    for _ in 0..10 {
        given.pass(GRACE / 10);
        given.renew(&ours, &digest).await.unwrap();
    }

    // The lease still ends where the first renewal put it: the others wrote nothing.
    given.pass(LEASE - GRACE);
    assert_eq!(given.now(), end);
    let outcomes = given.outcomes().await;
    assert_eq!(outcomes, [ReapOutcome::Doomed(vec![name])]);
}

async fn given_a_read_without_renewal_when_the_lease_ends_then_it_was_not_prolonged(given: Setting) {
    let ours = repository("ours");
    let (digest, name) = given.push_file(&ours, "layer").await;
    given.pass(LEASE - MOMENT);
    assert!(given.stat(&ours, &digest).await.is_some());
    given.pass(MOMENT);
    assert_eq!(given.outcomes().await, [ReapOutcome::Doomed(vec![name])]);
}

async fn given_a_blob_when_mounted_then_both_repositories_hold_it(given: Setting) {
    let (ours, theirs) = (repository("ours"), repository("theirs"));
    let (digest, _) = given.push_file(&ours, "layer").await;
    let source = given.stat(&ours, &digest).await.unwrap();

    let outcome = given
        .store
        .mount_blob(&origin(), &ours, &theirs, &digest)
        .await
        .unwrap();

    assert_eq!(outcome, MountOutcome::Mounted);
    let mounted = given.stat(&theirs, &digest).await.unwrap();
    assert_eq!((mounted.size, &mounted.content), (source.size, &source.content));
    assert_eq!(
        given.store.find_holders(&digest, 9).await.unwrap(),
        [ours, theirs]
    );
}

async fn given_a_mount_when_the_source_does_not_hold_the_blob_then_unknown(given: Setting) {
    let (ours, theirs, third) = (repository("ours"), repository("theirs"), repository("third"));
    let (digest, _) = given.push_file(&ours, "layer").await;

    let outcome = given
        .store
        .mount_blob(&origin(), &theirs, &third, &digest)
        .await
        .unwrap();

    assert_eq!(outcome, MountOutcome::Unknown);
    assert_eq!(given.stat(&third, &digest).await, None);
}

async fn given_a_mount_onto_itself_when_made_then_the_lease_is_renewed(given: Setting) {
    let ours = repository("ours");
    let (digest, _) = given.push_file(&ours, "layer").await;
    given.pass(LEASE);

    let outcome = given
        .store
        .mount_blob(&origin(), &ours, &ours, &digest)
        .await
        .unwrap();

    assert_eq!(outcome, MountOutcome::Mounted);
    let end = given.now().plus(LEASE);
    assert_eq!(given.outcomes().await, [ReapOutcome::Kept(Some(end))]);
}

async fn given_a_blob_when_unlinked_then_it_is_gone_at_once_for_that_repository_only(given: Setting) {
    let (ours, theirs) = (repository("ours"), repository("theirs"));
    let (digest, _) = given.push_file(&ours, "layer").await;
    given
        .store
        .mount_blob(&origin(), &ours, &theirs, &digest)
        .await
        .unwrap();

    assert!(given.store.unlink_blob(&origin(), &ours, &digest).await.unwrap());

    assert_eq!(given.stat(&ours, &digest).await, None);
    assert_eq!(given.renew(&ours, &digest).await, None);
    assert!(given.stat(&theirs, &digest).await.is_some());
    assert!(!given.store.unlink_blob(&origin(), &ours, &digest).await.unwrap());
    assert_eq!(given.store.find_holders(&digest, 9).await.unwrap(), [theirs]);
}

async fn given_an_unlinked_blob_when_pushed_again_then_it_is_back(given: Setting) {
    let ours = repository("ours");
    let (digest, _) = given.push_file(&ours, "layer").await;
    given.store.unlink_blob(&origin(), &ours, &digest).await.unwrap();

    let (_, second) = given.push_file(&ours, "layer").await;

    let stat = given.stat(&ours, &digest).await.unwrap();
    assert_eq!(stat.upload, Some(second.upload));
    assert_eq!(stat.content, super::setting::file(second, "layer").content);
    // The entry that the deletion left finds the new link leased.
    let end = given.now().plus(LEASE);
    assert_eq!(given.outcomes().await, [ReapOutcome::Kept(Some(end))]);
}

async fn given_holders_when_sought_then_sorted_and_at_most_as_many_as_asked(given: Setting) {
    let ours = repository("m");
    let (digest, _) = given.push_file(&ours, "layer").await;
    let (other, _) = given.push_file(&ours, "other").await;
    for name in ["z", "a/b", "a-b", "a"] {
        given
            .store
            .mount_blob(&origin(), &ours, &repository(name), &digest)
            .await
            .unwrap();
    }

    let all = given.store.find_holders(&digest, 32).await.unwrap();

    assert_eq!(all, ["a", "a-b", "a/b", "m", "z"].map(repository));
    assert_eq!(given.store.find_holders(&digest, 2).await.unwrap(), all[..2]);
    assert_eq!(given.store.find_holders(&other, 32).await.unwrap(), [ours]);
    assert_eq!(
        given
            .store
            .find_holders(&super::setting::digest("none"), 32)
            .await
            .unwrap(),
        []
    );
}

async fn given_a_second_push_when_the_first_lease_is_longer_then_it_is_not_shortened(given: Setting) {
    let ours = repository("ours");
    let (layer, _) = given.push_file(&ours, "layer").await;
    let end = given.now().plus(LEASE);
    given.store.set_timing(crate::Timing {
        grace: MOMENT,
        doom_delay: MOMENT,
    });

    let (_, name) = given.push_file(&ours, "layer").await;
    given
        .store
        .mount_blob(&origin(), &ours, &ours, &layer)
        .await
        .unwrap();
    // Somebody who looks at the link sooner finds the first lease.
    let due = crate::DueLink {
        due_at: given.now(),
        holder: ours.clone(),
        digest: layer,
    };
    given.pass(MOMENT * 10);

    assert_eq!(
        given.store.reap(&due).await.unwrap(),
        ReapOutcome::Kept(Some(end))
    );
    given.pass(LEASE);
    assert_eq!(given.outcomes().await, [ReapOutcome::Doomed(vec![name])]);
}
