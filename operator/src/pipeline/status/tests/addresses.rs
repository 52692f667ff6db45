//! Where a store can be reached, and whether.

use zas_crd::{ConditionReason, ConditionType};

use super::*;

#[test]
fn given_ways_to_reach_a_store_when_reported_then_the_outermost_that_is_admitted_is_its_url() {
    let url = |scene: Scene| scene.settled().status().url;
    assert_eq!(url(scene("{}")).as_deref(), Some("http://store.artifacts.svc"));
    assert_eq!(
        url(scene("{}").with_service(443, true)).as_deref(),
        Some("https://store.artifacts.svc")
    );
    assert_eq!(
        url(scene("{}").with_service(5000, false)).as_deref(),
        Some("http://store.artifacts.svc:5000")
    );
    let stated = "http: {externalUrl: 'https://artifacts.example.com'}";
    assert_eq!(
        url(scene(stated)).as_deref(),
        Some("https://artifacts.example.com")
    );
}

#[test]
fn given_an_ingress_when_it_has_no_address_then_there_is_no_url_and_the_store_is_not_ready() {
    let spec = "exposure: {ingress: {host: store.example.com, tlsSecretRef: {name: tls}}}";
    let waiting = scene(spec).settled();
    assert_eq!(waiting.status().url, None);
    waiting.assert(
        ConditionType::ExposureReady,
        false,
        ConditionReason::IngressPending,
    );
    waiting.assert(ConditionType::Ready, false, ConditionReason::IngressPending);
    let facts = Facts::Ingress(IngressFacts {
        has_address: true,
        host: Some("store.example.com".to_owned()),
        has_tls: true,
    });
    let admitted = waiting.with(ChildKind::Ingress, "store", facts);
    assert_eq!(
        admitted.status().url.as_deref(),
        Some("https://store.example.com")
    );
    assert_eq!(admitted.status().endpoints.len(), 2);
    admitted.assert(ConditionType::Ready, true, ConditionReason::AsExpected);
}

#[test]
fn given_a_route_when_the_router_decides_then_the_url_or_the_refusal_is_told() {
    let waiting = scene_on(fixtures::openshift(), "{}").settled();
    waiting.assert(
        ConditionType::ExposureReady,
        false,
        ConditionReason::RouteNotAdmitted,
    );
    let admitted = RouteFacts {
        admitted_host: Some("store.apps.example.com".to_owned()),
        refusal: None,
    };
    let admitted = waiting.with(ChildKind::Route, "store", Facts::Route(admitted));
    assert_eq!(
        admitted.status().url.as_deref(),
        Some("https://store.apps.example.com")
    );
    let refused = RouteFacts {
        admitted_host: None,
        refusal: Some("host taken".to_owned()),
    };
    let refused = admitted.with(ChildKind::Route, "store", Facts::Route(refused));
    refused.assert(ConditionType::Degraded, true, ConditionReason::RouteNotAdmitted);
}

#[test]
fn given_a_load_balancer_when_it_gets_an_address_then_that_is_the_url() {
    let spec = "exposure: {service: {type: LoadBalancer}}";
    let waiting = scene(spec).settled();
    waiting.assert(
        ConditionType::ExposureReady,
        false,
        ConditionReason::LoadBalancerPending,
    );
    let facts = ServiceFacts {
        load_balancer: Some("192.0.2.7".to_owned()),
        is_load_balanced: true,
        port: Some(80),
        ..ServiceFacts::default()
    };
    let admitted = waiting.with(ChildKind::Service, "store", Facts::Service(facts));
    assert_eq!(admitted.status().url.as_deref(), Some("http://192.0.2.7"));
}

/// A store on OpenShift that is reached by its Route.
fn exposed() -> Scene {
    let admitted = RouteFacts {
        admitted_host: Some("store.apps.example.com".to_owned()),
        refusal: None,
    };
    let mut scene = scene_on(fixtures::openshift(), "updatePolicy: Manual")
        .settled()
        .with(ChildKind::Route, "store", Facts::Route(admitted));
    scene.pending_update = Some("0.3.0".to_owned());
    scene
}

#[test]
fn given_a_store_that_serves_when_it_is_paused_or_blocked_then_addresses_and_updates_are_still_told() {
    let before = exposed().status();
    assert_eq!(before.url.as_deref(), Some("https://store.apps.example.com"));
    let problem = Problem::new(ConditionReason::InvalidSpec, "a rule is broken");
    for outcome in [Outcome::Paused, Outcome::Blocked(vec![problem])] {
        let mut scene = exposed();
        scene.outcome = Some(outcome);
        let status = scene.status();
        assert_eq!(
            (&status.url, &status.endpoints, &status.pending_update),
            (&before.url, &before.endpoints, &before.pending_update)
        );
        scene.assert(ConditionType::ExposureReady, true, ConditionReason::AsExpected);
        scene.assert(
            ConditionType::UpdateAvailable,
            true,
            ConditionReason::UpdateAvailable,
        );
    }
}

#[test]
fn given_a_route_that_cannot_be_as_asked_when_reported_then_exposure_says_so_and_the_old_address_stays() {
    let mut long = exposed();
    let label = "a".repeat(64);
    long.resource.spec.exposure =
        serde_saphyr::from_str(&format!("route: {{host: {label}.example.com}}")).unwrap();
    let mut unseen = exposed();
    unseen.platform = fixtures::openshift().without_answer_for(ChildKind::Route, "503");
    for (scene, reason) in [
        (long, ConditionReason::HostInvalid),
        (unseen, ConditionReason::APIUnavailable),
    ] {
        scene.assert(ConditionType::ExposureReady, false, reason);
        scene.assert(ConditionType::Degraded, true, reason);
        scene.assert(ConditionType::Available, true, ConditionReason::AsExpected);
        assert_eq!(
            scene.status().url.as_deref(),
            Some("https://store.apps.example.com")
        );
    }
}

#[test]
fn given_an_ingress_whose_certificate_is_missing_when_reported_then_the_store_is_not_ready_and_says_which() {
    let mut scene = scene("exposure: {ingress: {host: store.example.com, tlsSecretRef: {name: tls}}}")
        .settled()
        .with(
            ChildKind::Ingress,
            "store",
            Facts::Ingress(IngressFacts {
                has_address: true,
                host: Some("store.example.com".to_owned()),
                has_tls: true,
            }),
        );
    let problem = Problem::new(ConditionReason::SecretMissing, "Secret tls does not exist");
    scene.references.problems.push((Component::Ingress, problem));
    scene.assert(
        ConditionType::ExposureReady,
        false,
        ConditionReason::SecretMissing,
    );
    scene.assert(ConditionType::Ready, false, ConditionReason::SecretMissing);
    scene.assert(ConditionType::Available, true, ConditionReason::AsExpected);
}
