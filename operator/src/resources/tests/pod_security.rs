//! The Pod is one that restrictive clusters admit.

use super::fixtures::{kubernetes, openshift, store, store_on};
use super::pod_of;
use super::pod_security_rules::{restricted, restricted_v2};

#[test]
fn given_stores_when_built_then_the_pod_is_restricted() {
    for spec in [
        include_str!("fixtures/minimal.yaml"),
        include_str!("fixtures/full.yaml"),
        include_str!("fixtures/openshift_tls.yaml"),
        include_str!("fixtures/existing_claim.yaml"),
    ] {
        for platform in [kubernetes(), openshift()] {
            assert_eq!(
                restricted(&pod_of(&store_on(platform, spec))),
                Vec::<String>::new()
            );
        }
    }
}

#[test]
fn given_stores_on_openshift_when_built_then_the_constraint_restricted_v2_admits_the_pod() {
    for spec in [
        include_str!("fixtures/minimal.yaml"),
        include_str!("fixtures/openshift_tls.yaml"),
    ] {
        assert_eq!(
            restricted_v2(&pod_of(&store_on(openshift(), spec))),
            Vec::<String>::new()
        );
    }
}

#[test]
fn given_pods_that_are_not_restricted_when_checked_then_the_rules_notice() {
    for stated in [
        "securityContext: {runAsUser: 0}",
        "containerSecurityContext: {privileged: true}",
        "containerSecurityContext: {capabilities: {add: [NET_ADMIN]}}",
        "containerSecurityContext: {capabilities: {drop: []}}",
        "containerSecurityContext: {runAsUser: 0}",
        "securityContext: {seccompProfile: {type: Unconfined}}",
    ] {
        let pod = pod_of(&store(&format!("pod: {{{stated}}}")));
        assert!(!restricted(&pod).is_empty(), "{stated}");
    }
    let with_group = pod_of(&store("{}"));
    assert_eq!(restricted(&with_group), Vec::<String>::new());
    assert_eq!(restricted_v2(&with_group), ["fsGroup is chosen by the cluster"]);
}
