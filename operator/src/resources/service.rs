//! The addresses of the store inside the cluster.

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use zas_crd::{IpFamilyPolicy, ServiceType};

use super::{
    COMPONENT_LABEL, METRICS_COMPONENT, OPERATIONS_PORT_NAME, Prepared, REGISTRY_PORT_NAME, metadata, stated,
    stated_list,
};
use crate::children::ChildKind;
use crate::store::ResolvedStore;
use crate::{labels, layout};

/// The public Service, and the one of the operational port.
pub(crate) fn build(store: &ResolvedStore) -> Vec<Prepared> {
    vec![
        Prepared::new(ChildKind::Service, &public(store)),
        Prepared::new(ChildKind::Service, &metrics(store)),
    ]
}

fn public(store: &ResolvedStore) -> Service {
    let exposed = store.spec.exposure.service.clone().unwrap_or_default();
    let mut metadata = metadata(store, store.names.store(), Some(store.owner()));
    metadata.annotations = stated(&exposed.annotations);
    let protocol = if store.speaks_tls() { "https" } else { "http" };
    Service {
        metadata,
        spec: Some(ServiceSpec {
            type_: Some(
                exposed
                    .service_type
                    .unwrap_or(ServiceType::ClusterIp)
                    .as_str()
                    .to_owned(),
            ),
            load_balancer_class: exposed.load_balancer_class,
            load_balancer_source_ranges: stated_list(&exposed.load_balancer_source_ranges),
            external_traffic_policy: exposed
                .external_traffic_policy
                .map(|policy| policy.as_str().to_owned()),
            ip_family_policy: Some(
                exposed
                    .ip_family_policy
                    .unwrap_or(IpFamilyPolicy::PreferDualStack)
                    .as_str()
                    .to_owned(),
            ),
            ports: Some(vec![port(REGISTRY_PORT_NAME, store.service_port(), protocol)]),
            ..selecting(store)
        }),
        ..Service::default()
    }
}

fn metrics(store: &ResolvedStore) -> Service {
    let mut metadata = metadata(store, store.names.metrics_service(), Some(store.owner()));
    metadata
        .labels
        .get_or_insert_default()
        .insert(COMPONENT_LABEL.to_owned(), METRICS_COMPONENT.to_owned());
    Service {
        metadata,
        spec: Some(ServiceSpec {
            type_: Some(ServiceType::ClusterIp.as_str().to_owned()),
            ip_family_policy: Some(IpFamilyPolicy::PreferDualStack.as_str().to_owned()),
            // A server that is not ready is the one whose numbers and reasons are wanted.
            publish_not_ready_addresses: Some(true),
            ports: Some(vec![port(OPERATIONS_PORT_NAME, layout::OPERATIONS_PORT, "http")]),
            ..selecting(store)
        }),
        ..Service::default()
    }
}

fn selecting(store: &ResolvedStore) -> ServiceSpec {
    ServiceSpec {
        selector: Some(labels::selector(&store.key.name)),
        ..ServiceSpec::default()
    }
}

fn port(name: &str, number: i32, protocol: &str) -> ServicePort {
    ServicePort {
        name: Some(name.to_owned()),
        port: number,
        target_port: Some(IntOrString::String(name.to_owned())),
        protocol: Some("TCP".to_owned()),
        app_protocol: Some(protocol.to_owned()),
        ..ServicePort::default()
    }
}
