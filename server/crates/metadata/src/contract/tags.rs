use super::cases;
use super::setting::{Describe as _, Setting, digest, manifest, origin, repository, tag};
use crate::{DeleteTagOutcome, Precondition, SharedManifest};

cases![
    given_a_tag_when_deleted_then_it_is_gone_and_the_manifest_stays,
    given_no_tag_when_deleted_then_unknown,
    given_a_precondition_that_fails_when_deleted_then_conflict_and_it_stays,
    given_a_deleted_tag_when_the_manifest_is_deleted_then_a_new_tag_of_that_name_stays,
];

async fn given_a_tag_when_deleted_then_it_is_gone_and_the_manifest_stays(given: Setting) {
    let ours = repository("ours");
    for precondition in [Precondition::Any, Precondition::Equals(digest("{a}"))] {
        given
            .commit(manifest(&ours, "{a}").tagged("t", Precondition::Any))
            .await;

        let outcome = given
            .store
            .delete_tag(&origin(), &ours, &tag("t"), precondition)
            .await
            .unwrap();

        assert_eq!(outcome, DeleteTagOutcome::Deleted(Some(digest("{a}"))));
        assert_eq!(given.store.resolve_tag(&ours, &tag("t")).await.unwrap(), None);
        let manifest = given
            .store
            .resolve_manifest(&ours, &zas_core::Reference::Digest(digest("{a}")))
            .await;
        assert!(manifest.unwrap().is_some());
        assert!(
            given
                .store
                .list_tags(&ours, None, 9)
                .await
                .unwrap()
                .unwrap()
                .entries
                .is_empty()
        );
    }
}

async fn given_no_tag_when_deleted_then_unknown(given: Setting) {
    let ours = repository("ours");
    given
        .commit(manifest(&ours, "{a}").tagged("t", Precondition::Any))
        .await;
    for precondition in [
        Precondition::Any,
        Precondition::Absent,
        Precondition::Equals(digest("{a}")),
    ] {
        let outcome = given
            .store
            .delete_tag(&origin(), &ours, &tag("u"), precondition)
            .await
            .unwrap();
        assert_eq!(outcome, DeleteTagOutcome::Unknown);
    }
}

async fn given_a_precondition_that_fails_when_deleted_then_conflict_and_it_stays(given: Setting) {
    let ours = repository("ours");
    given
        .commit(manifest(&ours, "{a}").tagged("t", Precondition::Any))
        .await;
    for precondition in [Precondition::Absent, Precondition::Equals(digest("{b}"))] {
        let outcome = given
            .store
            .delete_tag(&origin(), &ours, &tag("t"), precondition)
            .await
            .unwrap();
        assert_eq!(outcome, DeleteTagOutcome::Conflict);
    }
    assert_eq!(
        given.store.resolve_tag(&ours, &tag("t")).await.unwrap(),
        Some(digest("{a}"))
    );
}

async fn given_a_deleted_tag_when_the_manifest_is_deleted_then_a_new_tag_of_that_name_stays(given: Setting) {
    let ours = repository("ours");
    given
        .commit(
            manifest(&ours, "{a}")
                .tagged("t", Precondition::Any)
                .tagged("u", Precondition::Any),
        )
        .await;
    given
        .store
        .delete_tag(&origin(), &ours, &tag("t"), Precondition::Any)
        .await
        .unwrap();
    given
        .commit(
            manifest(&ours, "{b}")
                .tagged("t", Precondition::Absent)
                .tagged("u", Precondition::Any),
        )
        .await;

    given
        .store
        .delete_manifest(&origin(), &ours, &digest("{a}"), SharedManifest::Delete)
        .await
        .unwrap();

    assert_eq!(
        given.store.resolve_tag(&ours, &tag("t")).await.unwrap(),
        Some(digest("{b}"))
    );
    assert_eq!(
        given.store.resolve_tag(&ours, &tag("u")).await.unwrap(),
        Some(digest("{b}"))
    );
}
