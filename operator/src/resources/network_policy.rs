//! Who may reach the server, and where it may connect to.

use std::collections::BTreeSet;

use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort,
    NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{Prepared, metadata};
use crate::children::ChildKind;
use crate::store::ResolvedStore;
use crate::{labels, layout};

/// Where Prometheus runs on OpenShift and in most other clusters.
const MONITORING_NAMESPACES: [&str; 3] = [
    "openshift-monitoring",
    "openshift-user-workload-monitoring",
    "monitoring",
];
/// Name resolution: the usual port, and the one on which OpenShift's Pods listen behind it.
const NAME_RESOLUTION_PORTS: [i32; 2] = [53, 5353];
/// Kubernetes labels every namespace with its name.
const NAMESPACE_LABEL: &str = "kubernetes.io/metadata.name";

/// The NetworkPolicy, unless it is switched off.
pub(crate) fn build(store: &ResolvedStore) -> Option<Prepared> {
    let settings = store.spec.network.policy.clone().unwrap_or_default();
    if settings.enabled == Some(false) {
        return None;
    }
    let limits_egress = !settings.egress.is_empty();
    let mut types = vec!["Ingress".to_owned()];
    types.extend(limits_egress.then(|| "Egress".to_owned()));
    let policy = NetworkPolicy {
        metadata: metadata(store, store.names.store(), Some(store.owner())),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(LabelSelector {
                match_labels: Some(labels::selector(&store.key.name)),
                ..LabelSelector::default()
            }),
            policy_types: Some(types),
            ingress: Some(vec![
                registry(store),
                operations(store, &settings.monitoring_namespaces),
            ]),
            egress: limits_egress.then(|| with_name_resolution(settings.egress)),
        }),
    };
    Some(Prepared::new(ChildKind::NetworkPolicy, &policy))
}

/// Everybody: routers and load balancers come from addresses that no selector names.
fn registry(store: &ResolvedStore) -> NetworkPolicyIngressRule {
    NetworkPolicyIngressRule {
        ports: Some(vec![port("TCP", store.port())]),
        ..NetworkPolicyIngressRule::default()
    }
}

fn operations(store: &ResolvedStore, stated: &[String]) -> NetworkPolicyIngressRule {
    let monitoring: Vec<String> = if stated.is_empty() {
        MONITORING_NAMESPACES.map(str::to_owned).to_vec()
    } else {
        stated.to_vec()
    };
    let mut namespaces: BTreeSet<String> = monitoring.into_iter().collect();
    namespaces.insert(store.operator_namespace.clone());
    let selector = LabelSelector {
        match_expressions: Some(vec![LabelSelectorRequirement {
            key: NAMESPACE_LABEL.to_owned(),
            operator: "In".to_owned(),
            values: Some(namespaces.into_iter().collect()),
        }]),
        ..LabelSelector::default()
    };
    NetworkPolicyIngressRule {
        ports: Some(vec![port("TCP", layout::OPERATIONS_PORT)]),
        from: Some(vec![NetworkPolicyPeer {
            namespace_selector: Some(selector),
            ..NetworkPolicyPeer::default()
        }]),
    }
}

fn with_name_resolution(mut rules: Vec<NetworkPolicyEgressRule>) -> Vec<NetworkPolicyEgressRule> {
    let ports = NAME_RESOLUTION_PORTS
        .into_iter()
        .flat_map(|number| ["UDP", "TCP"].map(|protocol| port(protocol, number)));
    rules.push(NetworkPolicyEgressRule {
        ports: Some(ports.collect()),
        ..NetworkPolicyEgressRule::default()
    });
    rules
}

fn port(protocol: &str, number: i32) -> NetworkPolicyPort {
    NetworkPolicyPort {
        protocol: Some(protocol.to_owned()),
        port: Some(IntOrString::Int(number)),
        ..NetworkPolicyPort::default()
    }
}
