//! What the operator leaves undone: paused stores, hosts that may not be claimed, and events of nothing.

use serde_json::json;
use zas_crd::ConditionType;

use crate::kind::{DEPLOYMENT, EVENT, INGRESS, SERVICE};
use crate::stage::Stage;
use crate::status::{self, status};

#[tokio::test]
async fn given_a_paused_store_when_things_change_then_only_the_status_is_written_until_it_goes_on() {
    let stage = Stage::new("paused").await;
    let operator = stage.operator();
    stage.create_store("store", json!({})).await;
    stage.settle(&operator, "store").await;
    stage.change_spec("store", json!({"paused": true})).await;
    stage
        .until_condition("store", ConditionType::Paused, true, "Paused")
        .await;
    let mark = stage.mark();

    stage.delete(SERVICE, "store").await;
    stage.change_spec("store", json!({"http": {"port": 8181}})).await;
    stage
        .until_condition("store", ConditionType::Paused, true, "Paused")
        .await;
    stage
        .merge(DEPLOYMENT, "store", json!({"spec": {"replicas": 0}}))
        .await;
    let store = stage
        .until_store("store", |store| status(store).replicas == Some(0))
        .await;

    assert!(status::is(
        &store,
        ConditionType::Available,
        false,
        "NoReadyReplicas"
    ));
    let mut writes = stage.writes(mark);
    writes.retain(|write| write.subresource != "status" && write.resource != "events");
    assert!(writes.is_empty(), "{writes:#?}");
    stage.change_spec("store", json!({"paused": false})).await;
    stage.until_ready("store").await;
    stage.present(SERVICE, "store").await;
}

#[tokio::test]
async fn given_allowed_hosts_when_a_store_claims_another_then_it_gets_everything_but_that() {
    let stage = Stage::new("hosts").await;
    let _operator = stage.operator_with(&["--allowed-host-suffixes=apps.example.com"]);
    stage
        .create_store(
            "store",
            json!({"exposure": {"ingress": {"host": "bank.example.com"}}}),
        )
        .await;

    let message = stage.until_degraded("store", "HostNotAllowed").await;

    assert!(
        message.contains("bank.example.com") && message.contains("apps.example.com"),
        "{message}"
    );
    assert!(stage.get(INGRESS, "store").await.is_none());
    stage.present(DEPLOYMENT, "store").await;
    stage
        .change_spec(
            "store",
            json!({"exposure": {"ingress": {"host": "store.apps.example.com"}}}),
        )
        .await;
    stage.until(INGRESS, "store", "is there", |_| true).await;
}

#[tokio::test]
async fn given_a_store_when_its_state_changes_then_events_tell_it_and_looks_without_news_tell_nothing() {
    let stage = Stage::new("events").await;
    let operator = stage.operator();
    stage.create_store("store", json!({})).await;
    stage.settle(&operator, "store").await;
    let before = stage.events().await;
    assert!(
        before
            .iter()
            .any(|(kind, reason, _)| kind == "Normal" && reason == "AsExpected"),
        "{before:?}"
    );
    stage.force_look(&operator, "store").await;
    stage.force_look(&operator, "store").await;
    assert_eq!(stage.events().await, before);

    stage
        .change_spec("store", json!({"access": {"adminRef": {"name": "nobody"}}}))
        .await;
    stage.until_degraded("store", "SecretMissing").await;
    stage.force_look(&operator, "store").await;

    let mut after = stage.events().await;
    after.retain(|event| !before.contains(event));
    assert!(
        after.iter().any(|(kind, reason, note)| kind == "Warning"
            && reason == "SecretMissing"
            && note.contains("nobody")),
        "{after:?}"
    );
}

impl Stage {
    /// Type, reason and note of all events about stores.
    async fn events(&self) -> Vec<(String, String, String)> {
        let list = self.api(EVENT).list(&Default::default()).await.unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let about_stores = list
            .items
            .iter()
            .filter(|event| event.data["regarding"]["kind"] == "ZotArtifactStore");
        let mut events: Vec<_> = about_stores
            .map(|event| {
                (
                    text(&event.data["type"]),
                    text(&event.data["reason"]),
                    text(&event.data["note"]),
                )
            })
            .collect();
        events.sort_unstable();
        events
    }
}
