//! A server that runs where the operator cannot reach it.

use super::*;

/// Nobody listens there.
const ADDRESS: &str = "127.83.90.71";

/// Longer than the operator goes on asking such a server.
const LONG: Duration = Duration::from_secs(120);

const LOOKS: &str = "zas_operator_reconciles_total";

/// What controllers and a kubelet write when the server runs.
fn run_server(stage: &Stage, store: &str) {
    let claim = json!({"status": {"phase": "Bound"}});
    stage
        .server
        .put("persistentvolumeclaims", &format!("data-{store}"), &claim);
    let service = json!({"spec": {"clusterIP": ADDRESS}});
    stage
        .server
        .put("services", &format!("{store}-metrics"), &service);
    let deployment = stage.server.get("deployments", store).expect("it was made");
    let generation = &deployment["metadata"]["generation"];
    let status = json!({"observedGeneration": generation, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1});
    stage
        .server
        .put("deployments", store, &json!({ "status": status }));
}

fn is_available(stage: &Stage, store: &str) -> bool {
    let store = stage.server.get(STORES, store).unwrap_or_default();
    let conditions = store["status"]["conditions"].as_array().cloned();
    let mut conditions = conditions.unwrap_or_default().into_iter();
    conditions.any(|condition| condition["type"] == "Available" && condition["status"] == "True")
}

#[tokio::test(start_paused = true)]
async fn given_a_server_that_cannot_be_reached_when_its_store_is_settled_then_that_is_no_reason_to_look_at_it_again()
 {
    let stage = Stage::start();
    stage.store("store", json!({}));
    until("the store is made", LONG, || stage.exists("deployments", "store")).await;
    run_server(&stage, "store");
    until("the store is available", LONG, || is_available(&stage, "store")).await;
    // What was written comes back by the watches.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let looks = stage.number(LOOKS);

    tokio::time::sleep(LONG).await;

    assert_eq!(stage.number(LOOKS), looks);
    stage.stop().await;
}
