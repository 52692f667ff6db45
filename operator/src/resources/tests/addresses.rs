//! Services, network policy, Ingress and Route.

use serde_json::{Value, json};

use super::fixtures::{openshift, store, store_on};
use super::{all, at, only};
use crate::children::ChildKind;

fn services(spec: &str) -> (Value, Value) {
    let mut services = all(&store(spec), ChildKind::Service);
    assert_eq!(services.len(), 2);
    let metrics = services.pop().unwrap().object;
    (services.pop().unwrap().object, metrics)
}

#[test]
fn given_tls_or_not_when_built_then_port_and_protocol_of_the_service_follow() {
    for (spec, port, protocol) in [
        ("{}", 80, "http"),
        ("tls: {type: Secret, secretRef: {name: tls}}", 443, "https"),
    ] {
        let (public, _) = services(spec);
        let port_of = at(&public, "/spec/ports/0");
        assert_eq!(
            port_of,
            &json!({"name": "registry", "port": port, "targetPort": "registry", "protocol": "TCP",
                "appProtocol": protocol})
        );
    }
}

#[test]
fn given_a_load_balancer_when_built_then_it_never_publishes_the_operational_port() {
    let (public, metrics) = services("exposure: {service: {type: LoadBalancer}}");
    assert_eq!(at(&public, "/spec/ports").as_array().unwrap().len(), 1);
    assert_eq!(public["spec"]["type"], "LoadBalancer");
    assert_eq!(metrics["spec"]["type"], "ClusterIP");
    assert_eq!(at(&metrics, "/spec/ports/0/port"), 9090);
}

#[test]
fn given_a_service_monitor_when_compared_with_the_services_then_it_selects_only_the_metrics() {
    let spec = "monitoring: {serviceMonitor: {enabled: true, interval: 90s}}";
    let monitor = only(&store(spec), ChildKind::ServiceMonitor);
    let wanted = at(&monitor, "/spec/selector/matchLabels").as_object().unwrap();
    let (public, metrics) = services(spec);
    let selects = |service: &Value| {
        wanted
            .iter()
            .all(|(key, value)| service["metadata"]["labels"][key] == *value)
    };
    assert!(selects(&metrics) && !selects(&public), "{wanted:?}");
    assert_eq!(at(&monitor, "/spec/endpoints/0/interval"), "1m30s");
    assert_eq!(
        at(&monitor, "/spec/endpoints/0/port"),
        at(&metrics, "/spec/ports/0/name")
    );
}

#[test]
fn given_no_policy_when_built_then_everybody_reaches_the_registry_and_few_the_operational_port() {
    let policy = only(&store("http: {port: 8181}"), ChildKind::NetworkPolicy);
    assert_eq!(at(&policy, "/spec/policyTypes"), &json!(["Ingress"]));
    let registry = at(&policy, "/spec/ingress/0");
    assert_eq!(registry, &json!({"ports": [{"protocol": "TCP", "port": 8181}]}));
    let operations = at(&policy, "/spec/ingress/1");
    assert_eq!(at(operations, "/ports/0/port"), 9090);
    assert_eq!(
        at(operations, "/from/0/namespaceSelector/matchExpressions/0/values"),
        &json!([
            "monitoring",
            "openshift-monitoring",
            "openshift-user-workload-monitoring",
            "zot-artifact-store-operator"
        ])
    );
}

#[test]
fn given_stated_egress_when_built_then_name_resolution_is_added() {
    let policy = only(
        &store("network: {policy: {egress: [{ports: [{port: 443}]}], monitoringNamespaces: [mine]}}"),
        ChildKind::NetworkPolicy,
    );
    assert_eq!(at(&policy, "/spec/policyTypes"), &json!(["Ingress", "Egress"]));
    assert_eq!(at(&policy, "/spec/egress/0"), &json!({"ports": [{"port": 443}]}));
    let ports = at(&policy, "/spec/egress/1/ports").as_array().unwrap();
    for number in [53, 5353] {
        for protocol in ["TCP", "UDP"] {
            assert!(
                ports.contains(&json!({"protocol": protocol, "port": number})),
                "{ports:?}"
            );
        }
    }
    assert_eq!(
        at(
            &policy,
            "/spec/ingress/1/from/0/namespaceSelector/matchExpressions/0/values"
        ),
        &json!(["mine", "zot-artifact-store-operator"])
    );
}

#[test]
fn given_the_policy_switched_off_when_built_then_there_is_none() {
    let store = store("network: {policy: {enabled: false}}");
    assert!(all(&store, ChildKind::NetworkPolicy).is_empty());
}

fn route(spec: &str) -> Value {
    only(&store_on(openshift(), spec), ChildKind::Route)
}

const TLS: &str = "tls: {type: Secret, secretRef: {name: tls}}\n";

#[test]
fn given_a_route_when_built_then_its_termination_follows_tls_and_plain_http_is_redirected() {
    let passthrough = format!("{TLS}exposure: {{route: {{termination: passthrough}}}}");
    for (spec, termination) in [("{}", "edge"), (TLS, "reencrypt"), (&passthrough, "passthrough")] {
        let tls = at(&route(spec), "/spec/tls").clone();
        assert_eq!(
            tls,
            json!({"termination": termination, "insecureEdgeTerminationPolicy": "Redirect"})
        );
    }
}

#[test]
fn given_a_private_authority_when_built_then_only_reencryption_names_it() {
    let passthrough = format!("{TLS}exposure: {{route: {{termination: passthrough}}}}");
    for (spec, expected) in [(TLS, Some("PEM")), (&passthrough, None), ("{}", None)] {
        let mut store = store_on(openshift(), spec);
        store.server_authority = Some("PEM".to_owned());
        let route = only(&store, ChildKind::Route);
        let named = route.pointer("/spec/tls/destinationCACertificate");
        assert_eq!(named.and_then(Value::as_str), expected, "{spec}");
    }
}

#[test]
fn given_annotations_of_a_route_when_built_then_the_timeout_stays_unless_it_is_stated() {
    let timeout =
        |spec| route(spec)["metadata"]["annotations"]["haproxy.router.openshift.io/timeout"].clone();
    assert_eq!(timeout("{}"), "30m");
    assert_eq!(timeout("exposure: {route: {annotations: {other: kept}}}"), "30m");
    assert_eq!(
        timeout("exposure: {route: {annotations: {haproxy.router.openshift.io/timeout: 5m}}}"),
        "5m"
    );
}

#[test]
fn given_labels_of_a_route_when_built_then_the_operators_own_win() {
    let labels = route(
        "exposure: {route: {labels: {shard: public, app.kubernetes.io/managed-by: me}}}",
    )["metadata"]["labels"]
        .clone();
    assert_eq!(labels["shard"], "public");
    assert_eq!(labels["app.kubernetes.io/managed-by"], crate::labels::MANAGER);
}

#[test]
fn given_addresses_outside_when_built_then_they_lead_to_a_port_of_the_public_service() {
    let spec = "exposure: {ingress: {host: a.example.com}}";
    let store = store_on(openshift(), spec);
    let public = all(&store, ChildKind::Service).remove(0);
    let port = at(&public.object, "/spec/ports/0/name").clone();
    let ingress = only(&store, ChildKind::Ingress);
    let backend = at(&ingress, "/spec/rules/0/http/paths/0/backend/service");
    assert_eq!(backend, &json!({"name": public.key.name, "port": {"name": port}}));
    let route = only(&store, ChildKind::Route);
    assert_eq!(at(&route, "/spec/to/name"), &json!(public.key.name));
    assert_eq!(at(&route, "/spec/port/targetPort"), &port);
}
