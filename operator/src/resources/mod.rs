//! The objects of a store, one kind per file. Pure: no client, no clock, and nothing that can fail. The same store
//! gives the same objects.

pub(crate) mod config_map;
pub(crate) mod deployment;
pub(crate) mod ingress;
pub(crate) mod network_policy;
pub(crate) mod persistent_volume_claim;
mod pod;
mod prepared;
pub(crate) mod prometheus_rule;
pub(crate) mod route;
pub(crate) mod secret;
pub(crate) mod service;
pub(crate) mod service_account;
pub(crate) mod service_monitor;

use std::collections::BTreeMap;

pub use prepared::{Prepared, metadata};

use crate::labels;
use crate::store::ResolvedStore;

/// The container of the server in its Pod.
pub const SERVER_CONTAINER: &str = "server";

/// The name of the port for clients, in the Pod and in the public Service.
const REGISTRY_PORT_NAME: &str = "registry";
/// The name of the port for probes and metrics, in the Pod and in the metrics Service.
const OPERATIONS_PORT_NAME: &str = "operations";
/// Tells the metrics Service from the public one.
const COMPONENT_LABEL: &str = "app.kubernetes.io/component";
/// The value of [`COMPONENT_LABEL`] on the metrics Service.
const METRICS_COMPONENT: &str = "metrics";

/// The labels of an object with those that were stated for it; the operator's own win.
fn labels_with(store: &ResolvedStore, stated: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut all = stated.clone();
    all.extend(labels::of(&store.key.name));
    all
}

/// The stated entries, or nothing when there are none: an empty map would be owned and fought over.
fn stated(entries: &BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
    (!entries.is_empty()).then(|| entries.clone())
}

/// As [`stated`], for lists.
fn stated_list<T: Clone>(entries: &[T]) -> Option<Vec<T>> {
    (!entries.is_empty()).then(|| entries.to_vec())
}

#[cfg(test)]
pub(crate) mod tests;
