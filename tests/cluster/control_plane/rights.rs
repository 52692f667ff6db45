//! The rights of an installation, given to the operator of a test.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use k8s_openapi::api::rbac::v1::PolicyRule;
use serde_json::{Value, json};
use zas_cluster_tests::AuditEvent;

use crate::cluster::configuration;

/// The rights in the namespaces of stores.
pub(crate) fn in_namespaces_of_stores() -> Vec<PolicyRule> {
    rules("rbac/stores.yaml")
}

/// The rights in the operator's own namespace.
pub(crate) fn in_own_namespace() -> Vec<PolicyRule> {
    rules("rbac/lease.yaml")
}

/// The rules of the role in a generated file.
fn rules(file: &str) -> Vec<PolicyRule> {
    let path = configuration(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let documents: Vec<Value> = text
        .split("\n---")
        .map(|document| serde_saphyr::from_str(document).expect("generated files are YAML"))
        .collect();
    let role = documents.iter().find(|document| document["rules"].is_array());
    let rules = &role.expect("the file holds a role")["rules"];
    let rules: Vec<PolicyRule> = serde_json::from_value(rules.clone()).expect("they are rules");
    assert!(!rules.is_empty(), "{file} grants nothing");
    rules
}

/// A ServiceAccount `operator` in `home` that may work in `namespaces` and nowhere else.
pub(crate) fn of_namespaces(home: &str, namespaces: &[&str]) -> Vec<Value> {
    let mut objects = vec![service_account(home)];
    objects.extend(role(home, home, "operator-lease", &in_own_namespace()));
    for namespace in namespaces {
        objects.extend(role(namespace, home, "operator", &in_namespaces_of_stores()));
    }
    objects
}

/// A ServiceAccount `operator` in `home` that may work everywhere.
pub(crate) fn of_cluster(home: &str) -> Vec<Value> {
    let mut objects = vec![service_account(home)];
    objects.extend(role(home, home, "operator-lease", &in_own_namespace()));
    let name = format!("operator-of-{home}");
    objects.push(
        json!({"apiVersion": API, "kind": "ClusterRole", "metadata": {"name": name},
        "rules": in_namespaces_of_stores()}),
    );
    objects.push(
        json!({"apiVersion": API, "kind": "ClusterRoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": name}, "subjects": [subject(home)]}),
    );
    objects
}

const GROUP: &str = "rbac.authorization.k8s.io";
const API: &str = "rbac.authorization.k8s.io/v1";

fn service_account(home: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "operator", "namespace": home}})
}

fn subject(home: &str) -> Value {
    json!({"kind": "ServiceAccount", "name": "operator", "namespace": home})
}

fn role(namespace: &str, home: &str, name: &str, rules: &[PolicyRule]) -> [Value; 2] {
    let metadata = json!({"name": name, "namespace": namespace});
    [
        json!({"apiVersion": API, "kind": "Role", "metadata": metadata, "rules": rules}),
        json!({"apiVersion": API, "kind": "RoleBinding", "metadata": metadata,
            "roleRef": {"apiGroup": GROUP, "kind": "Role", "name": name}, "subjects": [subject(home)]}),
    ]
}

/// What all operators of this run have asked for: verb, group, resource with subresource.
static USED: Mutex<BTreeSet<(String, String, String)>> = Mutex::new(BTreeSet::new());

/// Notes what was asked for, and writes down which rights no test has needed yet. For people: some are for clusters
/// that this one is not.
pub(crate) fn note_used(events: &[AuditEvent]) {
    let mut used = USED.lock().expect("no test panics in here");
    used.extend(events.iter().map(|event| {
        let mut resource = event.resource.clone();
        if !event.subresource.is_empty() {
            resource = format!("{resource}/{}", event.subresource);
        }
        (event.verb.clone(), event.group.clone(), resource)
    }));
    let mut unused = Vec::new();
    for rule in in_namespaces_of_stores().iter().chain(&in_own_namespace()) {
        for group in rule.api_groups.iter().flatten() {
            for resource in rule.resources.iter().flatten() {
                let is_unused =
                    |verb: &&String| !used.contains(&((*verb).clone(), group.clone(), resource.clone()));
                unused.extend(
                    rule.verbs
                        .iter()
                        .filter(is_unused)
                        .map(|verb| format!("{verb} {resource} {group}\n")),
                );
            }
        }
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rights-that-no-test-needs.txt");
    fs::write(file, unused.concat()).expect("cargo's directory for tests is writable");
}
