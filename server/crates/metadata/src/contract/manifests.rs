use zas_core::{Digest, Holder, Reference};

use super::cases;
use super::setting::{Describe as _, Setting, committed, digest, manifest, names, origin, repository, tag};
use crate::{
    CommitManifest, CommitOutcome, DeleteManifestOutcome, ManifestStat, Precondition, Presence, Retyping,
    SharedManifest, StoredManifest,
};

cases![
    given_a_manifest_when_committed_then_it_resolves_by_digest_and_tag,
    given_a_manifest_when_asked_in_another_repository_or_by_another_name_then_unknown,
    given_a_manifest_when_committed_again_then_not_created,
    given_a_manifest_when_committed_under_another_media_type_then_that_is_served,
    given_a_manifest_when_committed_under_a_type_it_may_not_take_then_nothing_changed,
    given_required_blobs_that_are_absent_when_committed_then_exactly_they_are_named_and_nothing_changed,
    given_references_that_may_be_absent_when_committed_then_stored,
    given_a_reference_to_a_manifest_or_blob_when_either_is_there_then_accepted,
    given_a_reference_to_a_manifest_when_only_a_blob_is_there_then_missing,
    given_a_blob_of_another_repository_when_referred_to_then_missing,
    given_tags_when_one_conflicts_then_nothing_is_stored,
    given_tags_that_pointed_elsewhere_when_committed_then_displaced_with_their_old_digest,
    given_preconditions_when_committed_then_each_is_checked_for_its_tag,
    given_a_tag_at_this_digest_already_when_committed_then_every_precondition_holds,
    given_missing_blobs_and_a_conflict_when_committed_then_the_blobs_are_told,
    given_many_references_when_committed_then_all_are_kept,
    given_the_first_and_the_last_manifest_when_they_come_and_go_then_so_does_the_repository,
    given_a_large_body_when_resolved_then_byte_for_byte,
];

async fn stored(given: &Setting, holder: &Holder, digest: &Digest) -> StoredManifest {
    let reference = Reference::Digest(*digest);
    let stored = given.store.resolve_manifest(holder, &reference).await;
    stored.unwrap().unwrap()
}

async fn given_a_manifest_when_committed_then_it_resolves_by_digest_and_tag(given: Setting) {
    let ours = repository("ours");
    let manifest = manifest(&ours, "{m}")
        .tagged("latest", Precondition::Any)
        .tagged("v1", Precondition::Absent);

    assert_eq!(given.commit(manifest.clone()).await, committed(true));

    for reference in [
        Reference::Digest(manifest.digest),
        Reference::Tag(tag("latest")),
        Reference::Tag(tag("v1")),
    ] {
        let stored = given
            .store
            .resolve_manifest(&ours, &reference)
            .await
            .unwrap()
            .unwrap();
        let stat = given.store.stat_manifest(&ours, &reference).await.unwrap();
        assert_eq!(
            stat,
            Some(ManifestStat {
                digest: stored.digest,
                media_type: stored.media_type.clone(),
                size: stored.body.len() as u64,
            })
        );
        assert_eq!(
            (stored.digest, stored.media_type, stored.body),
            (
                manifest.digest,
                manifest.media_type.clone(),
                manifest.body.clone()
            )
        );
    }
    assert_eq!(
        given.store.resolve_tag(&ours, &tag("v1")).await.unwrap(),
        Some(manifest.digest)
    );
}

async fn given_a_manifest_when_asked_in_another_repository_or_by_another_name_then_unknown(given: Setting) {
    let ours = repository("ours");
    given
        .commit(manifest(&ours, "{m}").tagged("v1", Precondition::Any))
        .await;

    let ask = |holder: &'static str, reference: Reference| {
        let store = given.store.clone();
        async move {
            let holder = super::setting::repository(holder);
            assert_eq!(store.stat_manifest(&holder, &reference).await.unwrap(), None);
            store.resolve_manifest(&holder, &reference).await.unwrap()
        }
    };
    assert_eq!(ask("theirs", Reference::Digest(digest("{m}"))).await, None);
    assert_eq!(ask("theirs", Reference::Tag(tag("v1"))).await, None);
    assert_eq!(ask("ours", Reference::Digest(digest("other"))).await, None);
    assert_eq!(ask("ours", Reference::Tag(tag("v"))).await, None);
    assert_eq!(given.store.resolve_tag(&ours, &tag("v2")).await.unwrap(), None);
}

async fn given_a_manifest_when_committed_again_then_not_created(given: Setting) {
    let ours = repository("ours");
    let manifest = manifest(&ours, "{m}").tagged("v1", Precondition::Any);
    assert_eq!(given.commit(manifest.clone()).await, committed(true));
    assert_eq!(given.commit(manifest.clone()).await, committed(false));
    assert_eq!(
        given.commit(manifest.tagged("v2", Precondition::Any)).await,
        committed(false)
    );
    assert_eq!(
        given.store.resolve_tag(&ours, &tag("v2")).await.unwrap(),
        Some(digest("{m}"))
    );
}

async fn given_a_manifest_when_committed_under_another_media_type_then_that_is_served(given: Setting) {
    let ours = repository("ours");
    let mut manifest = manifest(&ours, "{m}");
    given.commit(manifest.clone()).await;

    manifest.media_type = "application/vnd.docker.distribution.manifest.v2+json"
        .parse()
        .unwrap();
    assert_eq!(given.commit(manifest.clone()).await, committed(false));

    let stored = given
        .store
        .resolve_manifest(&ours, &Reference::Digest(manifest.digest))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.media_type, manifest.media_type);
}

async fn given_a_manifest_when_committed_under_a_type_it_may_not_take_then_nothing_changed(given: Setting) {
    let ours = repository("ours");
    let subject = digest("subject");
    let first = manifest(&ours, "{m}")
        .about(&subject, "a/b")
        .tagged("a", Precondition::Any);
    given.commit(first.clone()).await;
    let before = stored(&given, &ours, &first.digest).await;

    let mut other = manifest(&ours, "{m}")
        .refers(&digest("absent"), Presence::Blob)
        .tagged("b", Precondition::Any);
    other.media_type = "application/vnd.oci.image.index.v1+json".parse().unwrap();
    other.retyping = Retyping::Refused;
    let refused = given.commit(other.clone()).await;

    assert_eq!(refused, CommitOutcome::TypeConflict(first.media_type.clone()));
    assert_eq!(stored(&given, &ours, &first.digest).await, before);
    assert_eq!(given.store.resolve_tag(&ours, &tag("b")).await.unwrap(), None);
    let referrers = given
        .store
        .list_referrers(&ours, &subject, None, None, 10, 1000)
        .await
        .unwrap();
    assert_eq!(referrers.descriptors.len(), 1);

    // The same type is no change, and another repository has a type of its own.
    let again = CommitManifest {
        retyping: Retyping::Refused,
        ..first
    };
    assert_eq!(given.commit(again).await, committed(false));
    other.holder = repository("theirs");
    other.references.clear();
    assert_eq!(given.commit(other).await, committed(true));
}

async fn given_required_blobs_that_are_absent_when_committed_then_exactly_they_are_named_and_nothing_changed(
    given: Setting,
) {
    let ours = repository("ours");
    let present = given.push_inline(&ours, "config").await;
    let manifest = manifest(&ours, "{m}")
        .refers(&digest("absent"), Presence::Blob)
        .refers(&present, Presence::Blob)
        .refers(&digest("gone"), Presence::ManifestOrBlob)
        .refers(&digest("optional"), Presence::Optional)
        .tagged("v1", Precondition::Any);

    let outcome = given.commit(manifest).await;

    assert_eq!(
        outcome,
        CommitOutcome::Missing(vec![digest("absent"), digest("gone")])
    );
    assert_eq!(given.store.resolve_tag(&ours, &tag("v1")).await.unwrap(), None);
    assert_eq!(
        given
            .store
            .resolve_manifest(&ours, &Reference::Digest(digest("{m}")))
            .await
            .unwrap(),
        None
    );
    assert_eq!(given.store.list_tags(&ours, None, 9).await.unwrap(), None);
}

async fn given_references_that_may_be_absent_when_committed_then_stored(given: Setting) {
    let ours = repository("ours");
    let index = manifest(&ours, "{i}").refers(&digest("absent"), Presence::Optional);
    assert_eq!(given.commit(index).await, committed(true));
}

async fn given_a_reference_to_a_manifest_or_blob_when_either_is_there_then_accepted(given: Setting) {
    let ours = repository("ours");
    let blob = given.push_inline(&ours, "layer").await;
    given.commit(manifest(&ours, "{child}")).await;
    let index = manifest(&ours, "{i}")
        .refers(&blob, Presence::ManifestOrBlob)
        .refers(&digest("{child}"), Presence::ManifestOrBlob);
    assert_eq!(given.commit(index).await, committed(true));

    let image = manifest(&ours, "{image}").refers(&digest("{child}"), Presence::Blob);
    assert_eq!(
        given.commit(image).await,
        CommitOutcome::Missing(vec![digest("{child}")])
    );
}

async fn given_a_reference_to_a_manifest_when_only_a_blob_is_there_then_missing(given: Setting) {
    let ours = repository("ours");
    let child = given.push_inline(&ours, "{child}").await;
    let index = manifest(&ours, "{i}").refers(&child, Presence::Manifest);
    assert_eq!(
        given.commit(index.clone()).await,
        CommitOutcome::Missing(vec![child])
    );
    given.commit(manifest(&ours, "{child}")).await;
    assert_eq!(given.commit(index).await, committed(true));
}

async fn given_a_blob_of_another_repository_when_referred_to_then_missing(given: Setting) {
    let (ours, theirs) = (repository("ours"), repository("theirs"));
    let blob = given.push_inline(&theirs, "layer").await;
    given.commit(manifest(&theirs, "{child}")).await;
    let image = manifest(&ours, "{m}")
        .refers(&blob, Presence::Blob)
        .refers(&digest("{child}"), Presence::ManifestOrBlob);
    assert_eq!(
        given.commit(image).await,
        CommitOutcome::Missing(vec![blob, digest("{child}")])
    );
}

async fn given_tags_when_one_conflicts_then_nothing_is_stored(given: Setting) {
    let ours = repository("ours");
    given
        .commit(
            manifest(&ours, "{old}")
                .tagged("v1", Precondition::Any)
                .tagged("v2", Precondition::Any),
        )
        .await;

    let new = manifest(&ours, "{new}")
        .tagged("v1", Precondition::Absent)
        .tagged("v2", Precondition::Equals(digest("{other}")))
        .tagged("v3", Precondition::Absent);
    let outcome = given.commit(new).await;

    assert_eq!(outcome, CommitOutcome::TagConflict(vec![tag("v1"), tag("v2")]));
    assert_eq!(
        given.store.resolve_tag(&ours, &tag("v1")).await.unwrap(),
        Some(digest("{old}"))
    );
    assert_eq!(given.store.resolve_tag(&ours, &tag("v3")).await.unwrap(), None);
    let new = Reference::Digest(digest("{new}"));
    assert_eq!(given.store.resolve_manifest(&ours, &new).await.unwrap(), None);
}

async fn given_tags_that_pointed_elsewhere_when_committed_then_displaced_with_their_old_digest(
    given: Setting,
) {
    let ours = repository("ours");
    given
        .commit(manifest(&ours, "{a}").tagged("v1", Precondition::Any))
        .await;
    given
        .commit(manifest(&ours, "{b}").tagged("v2", Precondition::Any))
        .await;

    let new = manifest(&ours, "{c}")
        .tagged("v2", Precondition::Any)
        .tagged("v3", Precondition::Any)
        .tagged("v1", Precondition::Any);
    let outcome = given.commit(new).await;

    let displaced = vec![(tag("v2"), digest("{b}")), (tag("v1"), digest("{a}"))];
    assert_eq!(
        outcome,
        CommitOutcome::Committed {
            created: true,
            displaced
        }
    );
    for name in ["v1", "v2", "v3"] {
        assert_eq!(
            given.store.resolve_tag(&ours, &tag(name)).await.unwrap(),
            Some(digest("{c}"))
        );
    }
    // The manifests that lost their tags stay.
    let old = given
        .store
        .resolve_manifest(&ours, &Reference::Digest(digest("{a}")))
        .await
        .unwrap();
    assert!(old.is_some());
}

async fn given_preconditions_when_committed_then_each_is_checked_for_its_tag(given: Setting) {
    let ours = repository("ours");
    given
        .commit(manifest(&ours, "{a}").tagged("t", Precondition::Absent))
        .await;
    let push = |body: &'static str, precondition| {
        let given = given.clone();
        async move {
            given
                .commit(manifest(&repository("ours"), body).tagged("t", precondition))
                .await
        }
    };
    let conflict = CommitOutcome::TagConflict(vec![tag("t")]);

    assert_eq!(push("{b}", Precondition::Absent).await, conflict);
    assert_eq!(push("{b}", Precondition::Equals(digest("{x}"))).await, conflict);
    let moved = CommitOutcome::Committed {
        created: true,
        displaced: vec![(tag("t"), digest("{a}"))],
    };
    assert_eq!(push("{b}", Precondition::Equals(digest("{a}"))).await, moved);
    let moved = CommitOutcome::Committed {
        created: true,
        displaced: vec![(tag("t"), digest("{b}"))],
    };
    assert_eq!(push("{c}", Precondition::Any).await, moved);

    let absent = manifest(&ours, "{d}").tagged("u", Precondition::Equals(digest("{a}")));
    assert_eq!(
        given.commit(absent).await,
        CommitOutcome::TagConflict(vec![tag("u")])
    );
}

async fn given_a_tag_at_this_digest_already_when_committed_then_every_precondition_holds(given: Setting) {
    let ours = repository("ours");
    given
        .commit(manifest(&ours, "{a}").tagged("t", Precondition::Absent))
        .await;
    for precondition in [
        Precondition::Any,
        Precondition::Absent,
        Precondition::Equals(digest("{x}")),
    ] {
        // The answer may have been lost: the same request again succeeds.
        assert_eq!(
            given
                .commit(manifest(&ours, "{a}").tagged("t", precondition))
                .await,
            committed(false)
        );
    }
}

async fn given_missing_blobs_and_a_conflict_when_committed_then_the_blobs_are_told(given: Setting) {
    let ours = repository("ours");
    given
        .commit(manifest(&ours, "{a}").tagged("t", Precondition::Any))
        .await;
    let new = manifest(&ours, "{b}")
        .refers(&digest("absent"), Presence::Blob)
        .tagged("t", Precondition::Absent);
    assert_eq!(
        given.commit(new).await,
        CommitOutcome::Missing(vec![digest("absent")])
    );
}

async fn given_many_references_when_committed_then_all_are_kept(given: Setting) {
    let ours = repository("ours");
    let layer = given.push_inline(&ours, "layer").await;
    let mut index = manifest(&ours, "{i}").refers(&layer, Presence::Blob);
    for number in 0..4095 {
        index = index.refers(&digest(&number.to_string()), Presence::Optional);
    }
    assert_eq!(given.commit(index).await, committed(true));
    given.pass(super::setting::LEASE);
    assert_eq!(given.outcomes().await, [crate::ReapOutcome::Kept(None)]);

    let deleted = given
        .store
        .delete_manifest(&origin(), &ours, &digest("{i}"), SharedManifest::Delete)
        .await
        .unwrap();
    assert_eq!(deleted, DeleteManifestOutcome::Deleted);
    given.pass(super::setting::GRACE);
    assert_eq!(given.outcomes().await, [crate::ReapOutcome::Doomed(vec![])]);
}

async fn given_the_first_and_the_last_manifest_when_they_come_and_go_then_so_does_the_repository(
    given: Setting,
) {
    let ours = repository("ours");
    let listed = || async { names(&given.store.list_repositories("", None, 9).await.unwrap()) };
    // A blob or an upload makes no repository.
    given.push_inline(&ours, "layer").await;
    given.start(&ours).await;
    assert_eq!(listed().await, Vec::<String>::new());

    given.commit(manifest(&ours, "{a}")).await;
    given.commit(manifest(&ours, "{b}")).await;
    given.commit(manifest(&repository("ours/too"), "{a}")).await;
    assert_eq!(listed().await, ["ours", "ours/too"]);
    given
        .store
        .delete_manifest(&origin(), &ours, &digest("{a}"), SharedManifest::Delete)
        .await
        .unwrap();
    assert_eq!(listed().await, ["ours", "ours/too"]);
    given
        .store
        .delete_manifest(&origin(), &ours, &digest("{b}"), SharedManifest::Delete)
        .await
        .unwrap();
    assert_eq!(listed().await, ["ours/too"]);
    given.commit(manifest(&ours, "{a}")).await;
    assert_eq!(listed().await, ["ours", "ours/too"]);
}

async fn given_a_large_body_when_resolved_then_byte_for_byte(given: Setting) {
    let ours = repository("ours");
    let body: String = (0..400_000)
        .map(|number| char::from(b'a' + (number % 23) as u8))
        .collect();
    let manifest = manifest(&ours, &body);
    given.commit(manifest.clone()).await;
    let stored = given
        .store
        .resolve_manifest(&ours, &Reference::Digest(manifest.digest))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.body, manifest.body);
}
