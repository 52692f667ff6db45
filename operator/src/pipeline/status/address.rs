//! Where a store is reached. What is there says so, so that a store which is paused or blocked keeps its addresses.

use kube::ResourceExt;
use zas_crd::{Endpoint, EndpointScope};

use super::Input;
use crate::children::{ChildKind, Facts, IngressFacts, RouteFacts, ServiceFacts};
use crate::pipeline::plan::Component;

/// Inside the cluster, by the name of its Service.
const INTERNAL: &str = "registry-internal";

/// The address for clients: what the resource states, else Route, Ingress, load balancer or Service, in this order.
/// Absent while the one that was asked for is not admitted.
pub(super) fn url(input: Input<'_>) -> Option<String> {
    if let Some(stated) = &input.resource.spec.http.external_url {
        return Some(stated.clone());
    }
    if input.expects(Component::Route, ChildKind::Route) {
        let host = route(input)?.admitted_host.as_ref();
        return host.map(|host| format!("https://{host}"));
    }
    if input.expects(Component::Ingress, ChildKind::Ingress) {
        let facts = ingress(input).filter(|facts| facts.has_address)?;
        let scheme = if facts.has_tls { "https" } else { "http" };
        return facts.host.as_ref().map(|host| format!("{scheme}://{host}"));
    }
    let facts = service(input)?;
    if wants_load_balancer(input) {
        let host = facts.load_balancer.as_ref()?;
        return Some(service_url(facts, host));
    }
    internal(input)
}

/// Every address, outside first.
pub(super) fn endpoints(input: Input<'_>) -> Vec<Endpoint> {
    let internal = internal(input);
    let external = url(input).filter(|url| Some(url) != internal.as_ref());
    let endpoint = |name: &str, scope, url| Endpoint {
        name: name.to_owned(),
        scope,
        url,
    };
    external
        .map(|url| endpoint("registry", EndpointScope::External, url))
        .into_iter()
        .chain(internal.map(|url| endpoint(INTERNAL, EndpointScope::Internal, url)))
        .collect()
}

pub(super) fn route(input: Input<'_>) -> Option<&RouteFacts> {
    match &input.child(ChildKind::Route, &input.name())?.facts {
        Facts::Route(facts) => Some(facts),
        _ => None,
    }
}

pub(super) fn ingress(input: Input<'_>) -> Option<&IngressFacts> {
    match &input.child(ChildKind::Ingress, &input.name())?.facts {
        Facts::Ingress(facts) => Some(facts),
        _ => None,
    }
}

pub(super) fn service(input: Input<'_>) -> Option<&ServiceFacts> {
    match &input.child(ChildKind::Service, &input.name())?.facts {
        Facts::Service(facts) => Some(facts),
        _ => None,
    }
}

/// Whether clients are to come by a load balancer.
pub(super) fn wants_load_balancer(input: Input<'_>) -> bool {
    if input.carried_out().is_none() {
        return service(input).is_some_and(|facts| facts.is_load_balanced);
    }
    let service = input.resource.spec.exposure.service.as_ref();
    service.and_then(|service| service.service_type) == Some(zas_crd::ServiceType::LoadBalancer)
}

fn internal(input: Input<'_>) -> Option<String> {
    let namespace = input.resource.namespace().unwrap_or_default();
    let host = format!("{}.{namespace}.svc", input.name());
    Some(service_url(service(input)?, &host))
}

/// The address of the Service under this host; the port is left out where it is the scheme's own.
fn service_url(facts: &ServiceFacts, host: &str) -> String {
    let scheme = if facts.speaks_tls { "https" } else { "http" };
    match (scheme, facts.port) {
        ("https", Some(443)) | ("http", Some(80)) | (_, None) => format!("{scheme}://{host}"),
        (_, Some(port)) => format!("{scheme}://{host}:{port}"),
    }
}
