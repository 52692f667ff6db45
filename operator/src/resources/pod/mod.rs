//! The Pod of the server. Only what needs a restart stands in it: a change of it is a rollout.

mod container;
mod environment;
mod probes;
mod security;
mod volumes;

use k8s_openapi::api::core::v1::{LocalObjectReference, PodSpec, PodTemplateSpec, TopologySpreadConstraint};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};

use super::{labels_with, stated, stated_list};
use crate::labels;
use crate::store::{Release, ResolvedStore};

/// Enough for requests in flight; uploads resume.
const GRACE_SECONDS: i32 = 30;

/// The Pod of the server.
pub(super) fn template(store: &ResolvedStore, release: &Release) -> PodTemplateSpec {
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(labels_with(store, &store.spec.pod.labels)),
            annotations: stated(&store.spec.pod.annotations),
            ..ObjectMeta::default()
        }),
        spec: Some(spec(store, release)),
    }
}

/// How long a replacement may take when the old server uses all its grace and the new one all its patience.
pub(super) fn rollout_seconds(store: &ResolvedStore) -> i32 {
    grace_seconds(store).saturating_add(probes::startup_budget_seconds(store))
}

fn spec(store: &ResolvedStore, release: &Release) -> PodSpec {
    let settings = &store.spec.pod;
    PodSpec {
        service_account_name: Some(account(store)),
        // The server asks the API server for nothing.
        automount_service_account_token: Some(false),
        // A Service called "zas" would put ZAS_PORT into the environment.
        enable_service_links: Some(false),
        termination_grace_period_seconds: Some(grace_seconds(store).into()),
        image_pull_secrets: stated_list(&pull_secrets(store)),
        security_context: Some(security::pod(store)),
        node_selector: stated(&settings.node_selector),
        tolerations: stated_list(&settings.tolerations),
        affinity: settings.affinity.clone(),
        topology_spread_constraints: Some(spread(store)),
        priority_class_name: settings.priority_class_name.clone(),
        containers: vec![container::server(store, release)],
        volumes: Some(volumes::volumes(store, release)),
        ..PodSpec::default()
    }
}

fn account(store: &ResolvedStore) -> String {
    let existing = store.spec.service_account.name.as_deref();
    existing.unwrap_or(store.names.store()).to_owned()
}

fn grace_seconds(store: &ResolvedStore) -> i32 {
    let stated = store.spec.pod.termination_grace_period_seconds;
    stated.unwrap_or(GRACE_SECONDS)
}

fn pull_secrets(store: &ResolvedStore) -> Vec<LocalObjectReference> {
    let references = store.spec.image.pull_secret_refs.iter();
    references
        .map(|reference| LocalObjectReference {
            name: reference.name.clone(),
        })
        .collect()
}

/// The stated constraints, or zones and nodes, softly: a Pod that cannot be spread still runs.
fn spread(store: &ResolvedStore) -> Vec<TopologySpreadConstraint> {
    let stated = &store.spec.pod.topology_spread_constraints;
    if !stated.is_empty() {
        return stated.clone();
    }
    let softly = |topology_key: &str| TopologySpreadConstraint {
        max_skew: 1,
        topology_key: topology_key.to_owned(),
        when_unsatisfiable: "ScheduleAnyway".to_owned(),
        label_selector: Some(LabelSelector {
            match_labels: Some(labels::selector(&store.key.name)),
            ..LabelSelector::default()
        }),
        ..TopologySpreadConstraint::default()
    };
    vec![
        softly("topology.kubernetes.io/zone"),
        softly("kubernetes.io/hostname"),
    ]
}
