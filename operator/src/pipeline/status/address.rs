//! Where a store is reached.

use zas_crd::{Endpoint, EndpointScope};

use super::Input;
use crate::children::{ChildKind, Facts, RouteFacts, ServiceFacts};

/// Inside the cluster, by the name of its Service.
const INTERNAL: &str = "registry-internal";

/// The address for clients: what the resource states, else Route, Ingress, load balancer or Service, in this order.
/// Absent while the one that was asked for is not admitted.
pub(super) fn url(input: Input<'_>) -> Option<String> {
    if let Some(stated) = &input.resource.spec.http.external_url {
        return Some(stated.clone());
    }
    let store = &input.built()?.store;
    if store.has_route {
        return route(input)?
            .admitted_host
            .as_ref()
            .map(|host| format!("https://{host}"));
    }
    if let Some(ingress) = &store.spec.exposure.ingress {
        let scheme = if ingress.tls_secret_ref.is_some() {
            "https"
        } else {
            "http"
        };
        return has_ingress_address(input).then(|| format!("{scheme}://{}", ingress.host));
    }
    if wants_load_balancer(input) {
        let host = service(input)?.load_balancer.clone()?;
        return Some(service_url(input, &host));
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

pub(super) fn has_ingress_address(input: Input<'_>) -> bool {
    let seen = input.child(ChildKind::Ingress, &input.name());
    matches!(seen.map(|seen| &seen.facts), Some(Facts::Ingress(facts)) if facts.has_address)
}

pub(super) fn service(input: Input<'_>) -> Option<&ServiceFacts> {
    match &input.child(ChildKind::Service, &input.name())?.facts {
        Facts::Service(facts) => Some(facts),
        _ => None,
    }
}

pub(super) fn wants_load_balancer(input: Input<'_>) -> bool {
    let service = input.resource.spec.exposure.service.as_ref();
    service.and_then(|service| service.service_type) == Some(zas_crd::ServiceType::LoadBalancer)
}

fn internal(input: Input<'_>) -> Option<String> {
    let store = &input.built()?.store;
    service(input)?;
    Some(service_url(
        input,
        &format!("{}.{}.svc", store.key.name, store.key.namespace),
    ))
}

/// The address of the Service under this host; the port is left out where it is the scheme's own.
fn service_url(input: Input<'_>, host: &str) -> String {
    let Some(built) = input.built() else {
        return String::new();
    };
    let scheme = if built.store.speaks_tls() { "https" } else { "http" };
    match (scheme, built.store.service_port()) {
        ("https", 443) | ("http", 80) => format!("{scheme}://{host}"),
        (_, port) => format!("{scheme}://{host}:{port}"),
    }
}
