//! Parts of a store that can be switched, on clusters that have their kinds and on clusters that have not.

use serde_json::json;
use zas_crd::ConditionType;

use crate::cluster;
use crate::kind::{DEPLOYMENT, INGRESS, NETWORK_POLICY, PROMETHEUS_RULE, ROUTE, SERVICE_MONITOR};
use crate::stage::{Reach, Stage};
use crate::status::{self, status};

fn everything(is_on: bool) -> serde_json::Value {
    let ingress = is_on.then(|| json!({"host": "store.example.com"}));
    json!({
        "exposure": {"ingress": ingress, "route": {"enabled": is_on}},
        "monitoring": {"serviceMonitor": {"enabled": is_on}, "prometheusRule": {"enabled": is_on}},
        "network": {"policy": {"enabled": is_on}},
    })
}

#[tokio::test]
async fn given_all_features_when_they_are_switched_off_then_their_objects_go_and_nothing_else() {
    let stage = Stage::on(cluster::extended(), "features", Reach::Namespace).await;
    let _operator = stage.operator();
    stage.create_store("store", everything(true)).await;
    let kinds = [ROUTE, INGRESS, NETWORK_POLICY, SERVICE_MONITOR, PROMETHEUS_RULE];
    for kind in kinds {
        stage.until(kind, "store", "is there", |_| true).await;
    }

    stage.change_spec("store", everything(false)).await;

    for kind in kinds {
        stage.until_gone(kind, "store").await;
    }
    stage.until_ready("store").await;
    stage.change_spec("store", everything(true)).await;
    for kind in kinds {
        stage.until(kind, "store", "is there again", |_| true).await;
    }
}

#[tokio::test]
async fn given_a_route_when_the_router_admits_or_refuses_it_then_the_store_tells_its_address_or_the_reason() {
    let stage = Stage::on(cluster::extended(), "route", Reach::Namespace).await;
    let _operator = stage.operator();
    stage
        .create_store(
            "store",
            json!({"exposure": {"route": {"host": "store.example.com"}}}),
        )
        .await;
    stage
        .until_condition("store", ConditionType::ExposureReady, false, "RouteNotAdmitted")
        .await;
    let admission = |holds: &str, message: &str| {
        json!({"ingress": [{"host": "store.example.com", "routerName": "default",
            "conditions": [{"type": "Admitted", "status": holds, "message": message}]}]})
    };

    stage
        .report(
            ROUTE,
            "store",
            admission("False", "a route in another namespace has this host"),
        )
        .await;
    let message = stage.until_degraded("store", "RouteNotAdmitted").await;
    assert!(message.contains("a route in another namespace"), "{message}");

    stage.report(ROUTE, "store", admission("True", "")).await;
    let store = stage.until_ready("store").await;
    assert_eq!(status(&store).url.as_deref(), Some("https://store.example.com"));
}

#[tokio::test]
async fn given_a_cluster_without_optional_kinds_when_they_are_installed_later_then_the_store_gets_what_it_lacks()
 {
    let stage = Stage::on(cluster::own(), "later", Reach::Cluster).await;
    let _operator = stage.any_operator("operator", &["--discovery-interval=1"]);
    let monitoring = json!({"serviceMonitor": {"enabled": true}, "prometheusRule": {"enabled": true}});
    stage
        .create_store(
            "store",
            json!({"monitoring": monitoring, "exposure": {"route": {"enabled": true}}}),
        )
        .await;

    let message = stage.until_degraded("store", "APIMissing").await;
    for field in [
        "spec.monitoring.serviceMonitor",
        "spec.monitoring.prometheusRule",
        "spec.exposure.route",
    ] {
        assert!(message.contains(field), "{message}");
    }
    stage.present(DEPLOYMENT, "store").await;
    stage
        .until_store("store", |store| {
            status::is(store, ConditionType::Available, true, "AsExpected")
        })
        .await;
    stage.cluster.install_monitoring_crds();
    stage.cluster.install_route_crd();

    for kind in [ROUTE, SERVICE_MONITOR, PROMETHEUS_RULE] {
        stage.until(kind, "store", "is there", |_| true).await;
    }
    stage
        .until_condition("store", ConditionType::Degraded, false, "AsExpected")
        .await;
}
