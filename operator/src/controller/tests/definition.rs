//! Definitions of the resource that are not the operator's own.

use zas_crd::definition;

use super::*;

/// Longer than the operator waits between two discoveries.
const LONG: Duration = Duration::from_secs(200);

#[tokio::test(start_paused = true)]
async fn given_an_older_definition_when_it_is_renewed_then_stores_name_what_it_lacked_until_then() {
    let mut definition = definition::definition().unwrap();
    let own = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"].take();
    let mut older = own.clone();
    older["description"] = "A store.".into();
    let fields = older["properties"]["spec"]["properties"].as_object_mut();
    fields.unwrap().remove("logging");
    let stage = Stage::start_with(|server| server.publish_schema(older));
    stage.store("store", json!({}));
    let degraded = |reason: &str, words: &str| {
        let condition = stage.condition("store", "Degraded");
        condition.is_some_and(|(is, message)| is == reason && message.contains(words))
    };
    until("it is told", LONG, || degraded("CRDOutdated", "spec.logging")).await;
    assert_eq!(stage.number("zas_operator_crd_outdated"), 1);

    stage.server.publish_schema(own);
    until("it is healed", LONG, || degraded("AsExpected", "")).await;
    assert_eq!(stage.number("zas_operator_crd_outdated"), 0);
    assert_eq!(stage.number("zas_operator_crd_differs"), 0);
    stage.stop().await;
}
