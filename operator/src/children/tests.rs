use std::collections::{BTreeMap, HashSet};

use serde_json::json;

use super::*;
use crate::labels;

fn key(kind: ChildKind, name: &str) -> ChildKey {
    ChildKey {
        kind,
        name: name.to_owned(),
    }
}

fn store(name: &str) -> StoreKey {
    StoreKey {
        namespace: "artifacts".to_owned(),
        name: name.to_owned(),
    }
}

fn observed(store: Option<&str>, resource_version: u64) -> Observed {
    Observed {
        uid: "one".to_owned(),
        resource_version,
        labels: store
            .map(|store| (labels::STORE.to_owned(), store.to_owned()))
            .into_iter()
            .collect(),
        ..Observed::default()
    }
}

#[test]
fn given_own_and_foreign_secrets_when_seen_then_the_foreign_ones_are_only_a_version() {
    let observations = Observations::default();
    let trigger = observations.seen(
        "artifacts",
        key(ChildKind::Secret, "mine"),
        observed(Some("a"), 7),
    );
    assert_eq!(trigger, [store("a")]);
    assert_eq!(
        observations.seen("artifacts", key(ChildKind::Secret, "theirs"), observed(None, 9)),
        []
    );
    assert_eq!(
        observations.version(ChildKind::Secret, "artifacts", "theirs"),
        Some(9)
    );
    assert_eq!(
        observations.version(ChildKind::Secret, "elsewhere", "theirs"),
        None
    );
    assert_eq!(
        observations.children(&store("a")).into_keys().collect::<Vec<_>>(),
        [key(ChildKind::Secret, "mine")]
    );
}

#[test]
fn given_a_child_when_its_label_is_taken_away_or_changed_then_its_store_hears_of_it_and_loses_it() {
    for (kind, label) in [
        (ChildKind::ConfigMap, None),
        (ChildKind::Service, None),
        (ChildKind::Service, Some("b")),
    ] {
        let observations = Observations::default();
        observations.seen("artifacts", key(kind, "child"), observed(Some("a"), 1));
        let triggers = observations.seen("artifacts", key(kind, "child"), observed(label, 2));
        assert_eq!(triggers.first(), Some(&store("a")), "{kind:?} {label:?}");
        assert_eq!(triggers.get(1), label.map(store).as_ref());
        assert!(observations.children(&store("a")).is_empty());
    }
}

#[test]
fn given_a_child_when_it_is_gone_without_its_label_then_its_store_hears_of_it() {
    let observations = Observations::default();
    observations.seen(
        "artifacts",
        key(ChildKind::Service, "child"),
        observed(Some("a"), 1),
    );
    assert_eq!(
        observations.gone("artifacts", &key(ChildKind::Service, "child"), None),
        Some(store("a"))
    );
    assert!(observations.children(&store("a")).is_empty());
}

#[test]
fn given_a_new_list_when_it_is_complete_then_what_it_lacks_is_gone() {
    let observations = Observations::default();
    for name in ["kept", "lost"] {
        observations.seen("artifacts", key(ChildKind::Secret, name), observed(Some(name), 1));
    }
    observations.seen(
        "artifacts",
        key(ChildKind::Service, "lost"),
        observed(Some("lost"), 1),
    );
    assert!(!observations.has_listed([ChildKind::Secret]));
    let present = HashSet::from([("artifacts".to_owned(), "kept".to_owned())]);
    assert_eq!(observations.listed(ChildKind::Secret, &present), [store("lost")]);
    assert_eq!(
        observations
            .children(&store("lost"))
            .into_keys()
            .collect::<Vec<_>>(),
        [key(ChildKind::Service, "lost")]
    );
    assert!(observations.has_listed([ChildKind::Secret]));
    assert_eq!(observations.version(ChildKind::Secret, "artifacts", "lost"), None);
    assert_eq!(
        observations.version(ChildKind::Secret, "artifacts", "kept"),
        Some(1)
    );
}

fn application(generation: Option<i64>) -> Application {
    Application {
        desired: [1; 32],
        uid: "one".to_owned(),
        resource_version: 10,
        generation,
        controller: Some("owner".to_owned()),
        labels: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
        annotations: BTreeMap::new(),
    }
}

#[test]
fn given_an_application_when_the_object_is_unchanged_or_only_its_status_is_then_it_is_intact() {
    let labels = BTreeMap::from([
        ("a".to_owned(), "b".to_owned()),
        ("more".to_owned(), "x".to_owned()),
    ]);
    let seen = |resource_version, generation| Observed {
        uid: "one".to_owned(),
        resource_version,
        generation,
        labels: labels.clone(),
        controller: Some("owner".to_owned()),
        ..Observed::default()
    };
    assert!(application(None).is_intact(&[1; 32], &seen(10, None)));
    assert!(
        application(None).is_intact(&[1; 32], &seen(9, None)),
        "an older view says nothing"
    );
    assert!(
        application(Some(3)).is_intact(&[1; 32], &seen(12, Some(3))),
        "a status"
    );

    assert!(
        !application(None).is_intact(&[1; 32], &seen(12, None)),
        "a change"
    );
    assert!(
        !application(Some(3)).is_intact(&[1; 32], &seen(12, Some(4))),
        "another specification"
    );
    assert!(
        !application(Some(3)).is_intact(&[2; 32], &seen(10, Some(3))),
        "something else is wanted"
    );
    let mut other = seen(10, Some(3));
    other.uid = "two".to_owned();
    assert!(
        !application(Some(3)).is_intact(&[1; 32], &other),
        "another incarnation"
    );
    let mut unlabelled = seen(12, Some(3));
    unlabelled.labels.remove("a");
    assert!(
        !application(Some(3)).is_intact(&[1; 32], &unlabelled),
        "a label was taken away"
    );
    let mut disowned = seen(12, Some(3));
    disowned.controller = None;
    assert!(
        !application(Some(3)).is_intact(&[1; 32], &disowned),
        "its owner was taken away"
    );
    let mut leaving = seen(10, Some(3));
    leaving.is_leaving = true;
    assert!(
        !application(Some(3)).is_intact(&[1; 32], &leaving),
        "it is being deleted"
    );
}

#[test]
fn given_a_deployment_when_read_then_its_progress_and_image_are_known() {
    let object = json!({
        "spec": {"replicas": 1, "template": {"spec": {"containers": [
            {"name": "sidecar", "image": "other"}, {"name": "server", "image": "zas:1"}]}}},
        "status": {"observedGeneration": 4, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1,
            "availableReplicas": 1, "conditions": [
                {"type": "Progressing", "status": "False", "message": "it took too long"}]}
    });
    let Facts::Deployment(facts) = Facts::of(ChildKind::Deployment, &object) else {
        panic!("no facts")
    };
    assert_eq!(facts.image.as_deref(), Some("zas:1"));
    assert_eq!(
        (facts.observed_generation, facts.available, facts.wanted),
        (4, 1, 1)
    );
    assert_eq!(facts.stuck.as_deref(), Some("it took too long"));
    assert_eq!(facts.failure, None);
}

#[test]
fn given_routes_when_read_then_admission_and_refusal_are_told_apart() {
    let admitted = json!({"status": {"ingress": [
        {"host": "a.example.com", "conditions": [{"type": "Admitted", "status": "True"}]}]}});
    let refused = json!({"status": {"ingress": [
        {"host": "a.example.com", "conditions": [{"type": "Admitted", "status": "False", "message": "taken"}]}]}});
    let facts = |object| match Facts::of(ChildKind::Route, &object) {
        Facts::Route(facts) => facts,
        other => panic!("{other:?}"),
    };
    assert_eq!(facts(admitted).admitted_host.as_deref(), Some("a.example.com"));
    let refused = facts(refused);
    assert_eq!(
        (refused.admitted_host, refused.refusal.as_deref()),
        (None, Some("taken"))
    );
}
