//! Repositories and buckets hold content side by side.

use zas_core::{BucketId, Holder, Reference};

use super::cases;
use super::setting::{
    DOOM_DELAY, Describe as _, LEASE, MOMENT, Setting, committed, digest, manifest, names, origin,
    repository, tag,
};
use crate::{Lease, MountOutcome, Precondition, Presence, ReapOutcome};

cases![
    given_a_repository_and_a_bucket_when_listed_then_neither_shows_what_the_other_holds,
    given_one_blob_held_by_both_when_holders_are_sought_then_repositories_come_first,
    given_a_bucket_made_anew_when_looked_into_then_nothing_of_the_old_one_is_there,
    given_an_upload_of_a_bucket_when_another_holder_names_it_then_unknown,
    given_a_blob_of_a_bucket_alone_when_the_bucket_lets_go_then_collected_as_a_repositorys_is,
    given_a_reference_in_a_repository_when_a_buckets_lease_ends_then_it_keeps_the_repositorys_link_alone,
];

fn bucket(number: u8) -> Holder {
    Holder::Bucket(BucketId::from_bytes([number; 16]))
}

async fn given_a_repository_and_a_bucket_when_listed_then_neither_shows_what_the_other_holds(given: Setting) {
    let (ours, bucket) = (repository("ours"), bucket(1));
    let subject = digest("subject");
    let in_repository = manifest(&ours, "{r}")
        .tagged("r", Precondition::Any)
        .about(&subject, "a/r");
    let in_bucket = manifest(&bucket, "{b}")
        .tagged("b", Precondition::Any)
        .about(&subject, "a/b");

    assert_eq!(given.commit(in_repository).await, committed(true));
    assert_eq!(given.commit(in_bucket).await, committed(true));

    for (holder, body, tagged) in [(&ours, "{r}", "r"), (&bucket, "{b}", "b")] {
        let tags = given.store.list_tags(holder, None, 10).await.unwrap().unwrap();
        assert_eq!(names(&tags), [tagged]);
        let referrers = given
            .store
            .list_referrers(holder, &subject, None, None, 10, 1 << 20)
            .await
            .unwrap();
        assert_eq!(
            referrers.descriptors,
            [format!("{{\"digest\":\"{}\"}}", digest(body))]
        );
        for other in ["{r}", "{b}"].into_iter().filter(|other| *other != body) {
            let reference = Reference::Digest(digest(other));
            let found = given.store.resolve_manifest(holder, &reference).await.unwrap();
            assert_eq!(found, None);
        }
    }
    let repositories = given.store.list_repositories("", None, 10).await.unwrap();
    assert_eq!(names(&repositories), ["ours"]);
}

async fn given_one_blob_held_by_both_when_holders_are_sought_then_repositories_come_first(given: Setting) {
    let (ours, bucket) = (repository("zz/ours"), bucket(0));
    let layer = given.push_inline(&bucket, "layer").await;
    given.push_inline(&ours, "layer").await;

    let holders = given.store.find_holders(&layer, 10).await.unwrap();
    assert_eq!(holders, [ours.clone(), bucket]);
    assert_eq!(given.store.find_holders(&layer, 1).await.unwrap(), [ours]);
}

async fn given_a_bucket_made_anew_when_looked_into_then_nothing_of_the_old_one_is_there(given: Setting) {
    let (old, new) = (bucket(1), bucket(2));
    let layer = given.push_inline(&old, "layer").await;
    let image = manifest(&old, "{m}")
        .refers(&layer, Presence::Blob)
        .tagged("t", Precondition::Any)
        .about(&layer, "a/b");
    given.commit(image).await;
    let (upload, _) = given.start(&old).await;

    assert_eq!(given.stat(&new, &layer).await, None);
    assert_eq!(given.store.resolve_tag(&new, &tag("t")).await.unwrap(), None);
    let tags = given.store.list_tags(&new, None, 10).await.unwrap().unwrap();
    assert_eq!(tags.entries, []);
    let referrers = given
        .store
        .list_referrers(&new, &layer, None, None, 10, 1 << 20)
        .await
        .unwrap();
    assert!(referrers.descriptors.is_empty());
    assert_eq!(given.store.stat_upload(&new, upload).await.unwrap(), None);
    // The content is there, but not the new bucket's to give.
    let mounted = given
        .store
        .mount_blob(&origin(), &new, &repository("ours"), &layer)
        .await
        .unwrap();
    assert_eq!(mounted, MountOutcome::Unknown);
}

async fn given_an_upload_of_a_bucket_when_another_holder_names_it_then_unknown(given: Setting) {
    let (id, _) = given.start(&bucket(1)).await;
    for other in [bucket(2), repository("ours")] {
        assert_eq!(given.store.stat_upload(&other, id).await.unwrap(), None);
        assert_eq!(given.store.claim_upload(&other, id).await.unwrap(), None);
    }
    let listed = given.store.list_uploads(None, 10).await.unwrap();
    assert_eq!(listed.entries[0].holder, bucket(1));
}

async fn given_a_blob_of_a_bucket_alone_when_the_bucket_lets_go_then_collected_as_a_repositorys_is(
    given: Setting,
) {
    let bucket = bucket(1);
    let (layer, name) = given.push_file(&bucket, "layer").await;
    given.store.unlink_blob(&origin(), &bucket, &layer).await.unwrap();

    assert_eq!(given.outcomes().await, [ReapOutcome::Doomed(vec![name])]);
    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, [name]);
}

async fn given_a_reference_in_a_repository_when_a_buckets_lease_ends_then_it_keeps_the_repositorys_link_alone(
    given: Setting,
) {
    let (ours, bucket) = (repository("ours"), bucket(1));
    let layer = given.push_inline(&bucket, "layer").await;
    let mounted = given
        .store
        .mount_blob(&origin(), &bucket, &ours, &layer)
        .await
        .unwrap();
    assert_eq!(mounted, MountOutcome::Mounted);
    given
        .commit(manifest(&ours, "{m}").refers(&layer, Presence::Blob))
        .await;

    given.pass(LEASE + MOMENT);

    let outcomes = given.collect().await;
    let of = |holder: &Holder| {
        let found = outcomes.iter().find(|(due, _)| due.holder == *holder);
        found.map(|(_, outcome)| outcome.clone())
    };
    assert_eq!(of(&bucket), Some(ReapOutcome::LinkRemoved));
    assert_eq!(of(&ours), Some(ReapOutcome::Kept(None)));
    let kept = given.store.stat_blob(&ours, &layer, Lease::Leave).await.unwrap();
    assert!(kept.is_some());
}
