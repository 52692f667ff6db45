//! The sample with every field.

use serde_json::json;
use zas_cluster_tests::eventually;

use crate::cluster;
use crate::kind::{CONFIG_MAP, DEPLOYMENT, INGRESS, PROMETHEUS_RULE, ROUTE, SERVICE, SERVICE_MONITOR};
use crate::references::{CERTIFICATE, HTPASSWD, PRIVATE_KEY};
use crate::stage::{LIMIT, Reach, Stage};
use crate::status::{self, status};

/// Everything that the sample refers to, with a certificate of the server and its key.
pub(crate) async fn install_what_it_needs(stage: &Stage, certificate: &str, key: &str) {
    stage.install(&[
        json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
        "metadata": {"name": "business-critical"}, "value": 1000}),
    ]);
    let certificate = [
        ("tls.crt", certificate),
        ("tls.key", key),
        ("ca.crt", certificate),
    ];
    stage.create_secret("store-tls", &certificate).await;
    stage.create_secret("route-tls", &certificate).await;
    stage.create_secret("ingress-tls", &certificate).await;
    stage.create_secret("users", &[("htpasswd", HTPASSWD)]).await;
    stage
        .create_secret(
            "store-administrator",
            &[("username", "root"), ("password", "secret")],
        )
        .await;
    stage
        .create_secret("registry-credentials", &[(".dockerconfigjson", "{}")])
        .await;
    stage.create_secret("credentials", &[("any", "thing")]).await;
    stage
        .create(CONFIG_MAP, "files", json!({"data": {"current": "x"}}))
        .await;
    stage
        .create(
            CONFIG_MAP,
            "corporate-ca",
            json!({"data": {"ca-bundle.crt": CERTIFICATE}}),
        )
        .await;
}

/// In place of a router, an Ingress controller and a load balancer.
pub(crate) async fn expose(stage: &Stage) {
    let balancer = || json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}});
    for kind in [INGRESS, SERVICE] {
        stage.until(kind, "store", "is there", |_| true).await;
        stage.report(kind, "store", balancer()).await;
    }
    stage.until(ROUTE, "store", "is there", |_| true).await;
    let admitted = json!([{"type": "Admitted", "status": "True"}]);
    let router =
        json!({"host": "artifacts.apps.example.com", "routerName": "default", "conditions": admitted});
    stage.report(ROUTE, "store", json!({ "ingress": [router] })).await;
}

#[tokio::test]
async fn given_the_full_sample_and_what_it_refers_to_when_it_is_applied_then_the_store_gets_ready() {
    let stage = Stage::on(cluster::extended(), "full", Reach::Cluster).await;
    let namespace = format!("--watch-namespace={}", stage.namespace);
    let operator = stage.any_operator("operator", &[&namespace]);
    install_what_it_needs(&stage, CERTIFICATE, PRIVATE_KEY).await;

    let sample = cluster::configuration("samples/zotartifactstore_full.yaml");
    stage.apply_here(&std::fs::read_to_string(sample).unwrap());
    expose(&stage).await;
    let store = stage.until_ready("store").await;

    let report = status(&store);
    assert_eq!(report.url.as_deref(), Some("https://artifacts.example.com"));
    assert_eq!(report.admin_ref.unwrap().name, "store-administrator");
    for kind in [SERVICE_MONITOR, PROMETHEUS_RULE, DEPLOYMENT] {
        stage.present(kind, "store").await;
    }
    let mark = stage.settle(&operator, "store").await;
    stage.force_look(&operator, "store").await;
    stage.expect_no_writes(mark);
    eventually("one Pod runs", LIMIT, async || {
        let store = stage.stores().get("store").await.unwrap();
        status::is_ready(&store).then_some(())
    })
    .await;
}
