//! Optional APIs whose server is down for a while.

use super::*;

/// More than the time between two discoveries.
const LIMIT: Duration = Duration::from_secs(180);

fn reason(stage: &Stage, kind: &str) -> String {
    let store = stage.server.get(STORES, "store").unwrap_or_default();
    let conditions = store["status"]["conditions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let found = conditions.into_iter().find(|condition| condition["type"] == kind);
    found.map_or_else(String::new, |condition| {
        condition["reason"].as_str().unwrap_or_default().to_owned()
    })
}

#[tokio::test(start_paused = true)]
async fn given_a_route_when_its_api_is_down_during_a_discovery_then_that_is_told_and_the_route_stays() {
    let stage = Stage::start_with(|server| server.offer_routes());
    stage.store("store", json!({}));
    until("the Route is made", LIMIT, || stage.exists("routes", "store")).await;
    let made = stage.server.get("routes", "store").unwrap()["metadata"]["uid"].clone();

    stage.server.set_routes_down(true);
    until("the store says so", LIMIT, || {
        reason(&stage, "ExposureReady") == "APIUnavailable"
    })
    .await;
    stage.server.set_routes_down(false);
    until("the store knows better", LIMIT, || {
        reason(&stage, "ExposureReady") == "RouteNotAdmitted"
    })
    .await;

    let route = stage.server.get("routes", "store").expect("it was never deleted");
    assert_eq!(route["metadata"]["uid"], made);
    assert_eq!(
        stage.number("zas_operator_writes_total{kind=\"Route\",verb=\"delete\"}"),
        0
    );
    stage.stop().await;
}
