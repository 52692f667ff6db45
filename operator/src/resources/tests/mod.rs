pub(crate) mod fixtures;

mod addresses;
mod alerts;
mod data;
mod everything;
mod pod;
mod pod_security;
mod pod_security_rules;
mod snapshots;

use serde_json::Value;

use super::Prepared;
use crate::children::ChildKind;
use fixtures::{Fixture, build};

/// All objects of a kind.
fn all(store: &Fixture, kind: ChildKind) -> Vec<Prepared> {
    let objects = build(store).into_iter();
    objects.filter(|object| object.key.kind == kind).collect()
}

/// The only object of a kind.
fn only(store: &Fixture, kind: ChildKind) -> Value {
    let mut objects = all(store, kind);
    assert_eq!(objects.len(), 1, "{kind:?}");
    objects.remove(0).object
}

/// What stands at a pointer, which must lead somewhere.
fn at<'a>(object: &'a Value, pointer: &str) -> &'a Value {
    object
        .pointer(pointer)
        .unwrap_or_else(|| panic!("nothing at {pointer} in {object}"))
}

/// The Pod that the Deployment makes.
fn pod_of(store: &Fixture) -> Value {
    at(&only(store, ChildKind::Deployment), "/spec/template/spec").clone()
}

/// The container of the server.
fn container_of(store: &Fixture) -> Value {
    at(&pod_of(store), "/containers/0").clone()
}
