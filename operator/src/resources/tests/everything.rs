//! What holds for every object.

use serde_json::Value;

use super::fixtures::{Fixture, build, openshift, store, store_on};
use crate::children::ChildKind;
use crate::labels;

fn stores() -> Vec<Fixture> {
    vec![
        store(include_str!("fixtures/minimal.yaml")),
        store(include_str!("fixtures/full.yaml")),
        store_on(openshift(), include_str!("fixtures/openshift_tls.yaml")),
        store_on(openshift(), include_str!("fixtures/full.yaml")),
        store(include_str!("fixtures/stopped.yaml")),
        store(include_str!("fixtures/delete.yaml")),
        store(include_str!("fixtures/existing_claim.yaml")),
    ]
}

fn nulls(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Null => found.push(path.to_owned()),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                nulls(item, &format!("{path}/{index}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                nulls(field, &format!("{path}/{name}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn given_any_store_when_built_then_nothing_is_null_but_the_strategy_that_must_be_owned() {
    for store in stores() {
        for prepared in build(&store) {
            let mut found = Vec::new();
            nulls(&prepared.object, "", &mut found);
            let expected: &[&str] = match prepared.key.kind {
                ChildKind::Deployment => &["/spec/strategy/rollingUpdate"],
                _ => &[],
            };
            assert_eq!(found, expected, "{:?}", prepared.key);
        }
    }
}

#[test]
fn given_any_store_when_built_then_objects_are_labelled_named_and_without_status() {
    for store in stores() {
        for prepared in build(&store) {
            let object = &prepared.object;
            assert_eq!(
                prepared.labels().get(labels::STORE).map(String::as_str),
                Some("store"),
                "{:?}",
                prepared.key
            );
            assert!(!prepared.key.name.is_empty(), "{object}");
            assert_eq!(object["metadata"]["namespace"], "artifacts");
            assert_eq!(object["kind"], prepared.key.kind.name());
            assert!(object.get("status").is_none(), "{object}");
        }
    }
}

#[test]
fn given_any_store_when_built_then_objects_come_in_the_order_of_application_and_bear_different_names() {
    for store in stores() {
        let keys: Vec<_> = build(&store).into_iter().map(|prepared| prepared.key).collect();
        assert!(keys.iter().map(|key| key.kind).is_sorted(), "{keys:?}");
        let mut distinct = keys.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), keys.len(), "{keys:?}");
    }
}

#[test]
fn given_the_same_store_when_built_twice_then_the_objects_are_the_same() {
    for store in stores() {
        assert_eq!(build(&store), build(&store));
    }
}

#[test]
fn given_a_store_when_built_then_what_can_be_made_again_is_owned_and_data_follow_the_policy() {
    for (spec, owns_data) in [("{}", false), ("deletionPolicy: Delete", true)] {
        for prepared in build(&store(spec)) {
            let owner = prepared.object.pointer("/metadata/ownerReferences/0/uid");
            let is_owned = !prepared.key.kind.is_data() || owns_data;
            assert_eq!(owner.is_some(), is_owned, "{:?} with {spec}", prepared.key);
        }
    }
}
