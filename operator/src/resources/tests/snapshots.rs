//! Every object of typical stores, as it is sent.

use serde_json::Value;

use super::fixtures::{Fixture, build, openshift, store, store_on};
use crate::store::ProxySettings;

/// Compares with the snapshot of this name. Keys are sorted: their order depends on features of other crates.
fn assert_objects(name: &str, store: &Fixture) {
    let objects: Vec<Value> = build(store).into_iter().map(|prepared| prepared.object).collect();
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_yaml_snapshot!(name, objects);
    });
}

#[test]
fn given_an_empty_spec_when_built_then_everything_has_its_default() {
    let store = store(include_str!("fixtures/minimal.yaml"));
    assert_objects("minimal", &store);
}

#[test]
fn given_every_field_when_built_then_each_reaches_its_object() {
    let mut store = store(include_str!("fixtures/full.yaml"));
    store.proxy = ProxySettings {
        http: Some("http://proxy.example.com:3128".to_owned()),
        https: Some("http://proxy.example.com:3128".to_owned()),
        none: Some(".svc".to_owned()),
    };
    assert_objects("full", &store);
}

#[test]
fn given_tls_on_openshift_when_built_then_the_route_encrypts_again() {
    let mut store = store_on(openshift(), include_str!("fixtures/openshift_tls.yaml"));
    store.server_authority =
        Some("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n".to_owned());
    assert_objects("openshift_tls", &store);
}

#[test]
fn given_a_stopped_store_when_built_then_only_the_pods_are_gone() {
    let store = store(include_str!("fixtures/stopped.yaml"));
    assert_objects("stopped", &store);
}

#[test]
fn given_the_policy_delete_when_built_then_the_data_are_owned() {
    let store = store(include_str!("fixtures/delete.yaml"));
    assert_objects("delete", &store);
}

#[test]
fn given_an_existing_claim_when_built_then_it_is_mounted_and_not_made() {
    let store = store(include_str!("fixtures/existing_claim.yaml"));
    assert_objects("existing_claim", &store);
}
