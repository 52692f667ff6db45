//! Which version a store runs, and when that changes.

use serde_json::{Value, json};
use zas_cluster_tests::eventually;
use zas_crd::ConditionType;

use crate::kind::DEPLOYMENT;
use crate::stage::{LIMIT, Stage};
use crate::status::{self, status};
use crate::worker::Worker;

fn release(stage: &Stage, version: &str) -> Worker {
    let image = format!("--server-image=registry.test/zas:{version}");
    stage.operator_with(&[&image, &format!("--server-version={version}")])
}

fn image(deployment: &Value) -> &str {
    deployment["spec"]["template"]["spec"]["containers"][0]["image"]
        .as_str()
        .unwrap()
}

#[tokio::test]
async fn given_manual_updates_when_the_operator_is_newer_then_the_update_waits_for_consent() {
    let stage = Stage::new("manual").await;
    let old = release(&stage, "0.3.0");
    stage
        .create_store("store", json!({"updatePolicy": "Manual"}))
        .await;
    stage.until_ready("store").await;
    let before = stage.present(DEPLOYMENT, "store").await;
    old.stop();

    let new = release(&stage, "0.4.0");
    stage
        .until_condition("store", ConditionType::UpdateAvailable, true, "UpdateAvailable")
        .await;
    stage.settle(&new, "store").await;

    let store = stage.stores().get("store").await.unwrap();
    assert_eq!(status(&store).pending_update.as_deref(), Some("0.4.0"));
    assert_eq!(
        stage.present(DEPLOYMENT, "store").await["spec"]["template"],
        before["spec"]["template"]
    );
    stage.change_spec("store", json!({"version": "0.4.0"})).await;
    let store = stage.until_ready("store").await;
    assert_eq!(
        image(&stage.present(DEPLOYMENT, "store").await),
        "registry.test/zas:0.4.0"
    );
    assert!(status(&store).pending_update.is_none());
    assert!(status::is(
        &store,
        ConditionType::UpdateAvailable,
        false,
        "UpToDate"
    ));
}

#[tokio::test]
async fn given_three_stores_when_the_operator_is_newer_then_they_restart_one_after_the_other() {
    let mut stage = Stage::new("queue").await;
    let names = ["a", "b", "c"];
    let old = release(&stage, "0.3.0");
    for name in names {
        stage.create_store(name, json!({})).await;
        stage.until_ready(name).await;
    }
    old.stop();
    stage.stop_pods();

    let _new = release(&stage, "0.4.0");
    let queued = eventually("two of three wait", LIMIT, async || {
        let mut queued = Vec::new();
        for name in names {
            let store = stage.stores().get(name).await.unwrap();
            if status::is(&store, ConditionType::Progressing, true, "RolloutQueued") {
                queued.push(name);
            }
        }
        (queued.len() == 2).then_some(queued)
    })
    .await;
    for name in names {
        let version = if queued.contains(&name) { "0.3.0" } else { "0.4.0" };
        let expected = format!("registry.test/zas:{version}");
        // That two wait is known before the third's Deployment is written.
        stage
            .until(DEPLOYMENT, name, "has the version of its turn", |deployment| {
                image(deployment) == expected
            })
            .await;
    }

    stage.run_pods();
    for name in names {
        stage
            .until(DEPLOYMENT, name, "is updated", |deployment| {
                image(deployment).ends_with("0.4.0")
            })
            .await;
        stage.until_ready(name).await;
    }
}

#[tokio::test]
async fn given_a_version_that_is_too_old_when_it_is_asked_for_then_the_store_is_degraded_and_serves_on() {
    let stage = Stage::new("old").await;
    let _operator = release(&stage, "0.3.0");
    stage.create_store("store", json!({})).await;
    stage.until_ready("store").await;
    let before = stage.present(DEPLOYMENT, "store").await;

    stage.change_spec("store", json!({"version": "0.1.0"})).await;
    let message = stage.until_degraded("store", "InvalidSpec").await;

    assert!(message.contains("0.1.0 is too old"), "{message}");
    assert_eq!(stage.present(DEPLOYMENT, "store").await["spec"], before["spec"]);
}
