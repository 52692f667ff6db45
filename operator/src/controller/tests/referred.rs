//! Objects that stores refer to, and that others make or forget.

use super::*;

const LIMIT: Duration = Duration::from_secs(5);

impl Stage {
    async fn expect(&self, kind: &str, reason: &str, words: &str) {
        let is = || {
            let condition = self.condition("store", kind);
            condition.is_some_and(|(is, message)| is == reason && message.contains(words))
        };
        until(&format!("{kind} {reason} {words}"), LIMIT, is).await;
    }
}

#[tokio::test(start_paused = true)]
async fn given_objects_that_the_pod_refers_to_when_they_are_missing_then_they_are_named_and_their_coming_heals()
 {
    let stage = Stage::start();
    let settings = json!({"secretKeyRef": {"name": "env", "key": "token"}});
    let optional = json!({"configMapKeyRef": {"name": "never", "key": "k", "optional": true}});
    stage.store(
        "store",
        json!({
            "image": {"pullSecretRefs": [{"name": "pull"}]},
            "pod": {
                "extraEnv": [{"name": "A", "valueFrom": settings}, {"name": "B", "valueFrom": optional}],
                "extraVolumes": [{"name": "v", "configMap": {"name": "files", "items": [{"key": "f", "path": "f"}]}}],
            },
        }),
    );
    for words in ["Secret pull", "Secret env", "ConfigMap files"] {
        stage.expect("Degraded", "SecretMissing", words).await;
    }
    assert!(!stage.exists("deployments", "store"), "it could not start");

    let logins = json!({"stringData": {".dockerconfigjson": "{}"}});
    stage.server.put("secrets", "pull", &logins);
    stage
        .server
        .put("secrets", "env", &json!({"stringData": {"other": "x"}}));
    stage.expect("Degraded", "SecretInvalid", "no key token").await;
    stage
        .server
        .put("secrets", "env", &json!({"stringData": {"token": ""}}));
    stage.expect("Degraded", "ConfigMapMissing", "files").await;
    stage
        .server
        .put("configmaps", "files", &json!({"binaryData": {"f": "AA=="}}));
    until("the server", LIMIT, || stage.exists("deployments", "store")).await;
    stage.expect("Degraded", "AsExpected", "").await;
    stage.stop().await;
}

#[tokio::test(start_paused = true)]
async fn given_an_ingress_without_its_certificate_when_that_comes_then_only_the_condition_changes() {
    let stage = Stage::start();
    stage.store(
        "store",
        json!({"exposure": {"ingress": {"host": "a.example.com", "tlsSecretRef": {"name": "tls"}}}}),
    );
    stage
        .expect(
            "ExposureReady",
            "SecretMissing",
            "spec.exposure.ingress.tlsSecretRef",
        )
        .await;
    assert!(stage.exists("ingresses", "store") && stage.exists("deployments", "store"));
    stage.server.put(
        "secrets",
        "tls",
        &json!({"stringData": {"tls.crt": "x", "tls.key": "y"}}),
    );
    stage.expect("ExposureReady", "SecretInvalid", "tls.crt").await;
    let certificate = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
    let key = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";
    let pair = json!({"stringData": {"tls.crt": certificate, "tls.key": key}});
    stage.server.put("secrets", "tls", &pair);
    stage.expect("ExposureReady", "IngressPending", "").await;
    stage.stop().await;
}

#[tokio::test(start_paused = true)]
async fn given_a_claim_that_a_store_names_when_it_waits_or_loses_its_volume_then_that_is_told() {
    let stage = Stage::start();
    stage.store("store", json!({"dataVolume": {"existingClaim": "old"}}));
    stage.expect("StorageReady", "VolumeMissing", "old").await;
    let phase = |phase: &str| {
        stage.server.put(
            "persistentvolumeclaims",
            "old",
            &json!({"status": {"phase": phase}}),
        );
    };
    phase("Pending");
    let limit = Duration::from_secs(30);
    let is = |reason: &str| {
        stage
            .condition("store", "StorageReady")
            .is_some_and(|(is, _)| is == reason)
    };
    until("pending", limit, || is("VolumePending")).await;
    until("the server", limit, || stage.exists("deployments", "store")).await;
    phase("Bound");
    until("bound", limit, || is("AsExpected")).await;
    stage.stop().await;
}
