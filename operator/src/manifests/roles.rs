//! Rights as roles: what the operator may do, and what people may do with stores.

use std::fmt::Write;

use zas_crd::{GROUP, PLURAL};

use super::{GeneratedFile, HEADER, LEASE_ROLE, NAME};
use crate::rbac::{PEOPLE, RIGHTS, Reach};

/// The files of `config/rbac`.
pub(super) fn files() -> Vec<GeneratedFile> {
    vec![
        GeneratedFile {
            path: "config/rbac/service_account.yaml",
            text: service_account(),
        },
        GeneratedFile {
            path: "config/rbac/stores.yaml",
            text: stores(),
        },
        GeneratedFile {
            path: "config/rbac/lease.yaml",
            text: lease(),
        },
        GeneratedFile {
            path: "config/rbac/people.yaml",
            text: people(),
        },
    ]
}

/// The rules of one reach, each under its reason, as entries of `rules`.
pub(super) fn rules(reach: Reach) -> String {
    let mut text = String::new();
    for right in RIGHTS.iter().filter(|right| right.reach == reach) {
        let _ = writeln!(text, "# {}", right.because);
        text.push_str(&rule(right.group, right.resources, right.verbs));
    }
    text
}

/// The rules of people, by the name of the cluster's role that they are added to. Scaling is a way of editing.
pub(super) fn rules_of_people(verbs: &[&str]) -> String {
    let scale = format!("{PLURAL}/scale");
    let status = format!("{PLURAL}/status");
    rule(GROUP, &[PLURAL, &scale], verbs) + &rule(GROUP, &[&status], &["get"])
}

fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> String {
    format!(
        "- apiGroups: {}\n  resources: {}\n  verbs: {}\n",
        list(&[group]),
        list(resources),
        list(verbs)
    )
}

/// A list in one line.
fn list(items: &[&str]) -> String {
    let quoted: Vec<String> = items.iter().map(|item| format!("\"{item}\"")).collect();
    format!("[{}]", quoted.join(", "))
}

/// The labels of the operator's own objects. Not those of [`crate::labels::SELECTOR`], which mark what it makes.
pub(super) fn labels() -> String {
    format!(
        "  labels:\n    app.kubernetes.io/name: {NAME}\n    app.kubernetes.io/part-of: zot-artifact-store\n"
    )
}

fn service_account() -> String {
    format!(
        "{HEADER}\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {NAME}
  namespace: {NAME}
{}# The Pod asks for its token itself; nothing else that names this account gets one.
automountServiceAccountToken: false
",
        labels()
    )
}

fn stores() -> String {
    format!(
        "{HEADER}\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {NAME}
{labels}rules:
{rules}---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {NAME}
{labels}{binding}",
        labels = labels(),
        rules = rules(Reach::Stores),
        binding = binding("ClusterRole", NAME),
    )
}

fn lease() -> String {
    format!(
        "{HEADER}\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {LEASE_ROLE}
  namespace: {NAME}
{labels}rules:
{rules}---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {LEASE_ROLE}
  namespace: {NAME}
{labels}{binding}",
        labels = labels(),
        rules = rules(Reach::Own),
        binding = binding("Role", LEASE_ROLE),
    )
}

fn binding(kind: &str, role: &str) -> String {
    format!(
        "\
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {kind}
  name: {role}
subjects:
- kind: ServiceAccount
  name: {NAME}
  namespace: {NAME}
"
    )
}

fn people() -> String {
    let roles = PEOPLE.iter().map(|(name, verbs, because)| {
        format!(
            "\
# Added to the cluster's role {name}: {because}.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: zot-artifact-store-{name}
{labels}    rbac.authorization.k8s.io/aggregate-to-{name}: \"true\"
rules:
{rules}",
            labels = labels(),
            rules = rules_of_people(verbs),
        )
    });
    format!("{HEADER}{}", roles.collect::<Vec<_>>().join("---\n"))
}
