//! Objects of the names that a store needs, which are there already.

use serde_json::{Value, json};
use zas_cluster_tests::AuditMark;
use zas_crd::ConditionType;

use crate::kind::{CLAIM, CONFIG_MAP, DEPLOYMENT, Kind, SECRET, SERVICE};
use crate::stage::Stage;
use crate::status;

fn deployment() -> Value {
    let labels = json!({"app": "theirs"});
    let pod = json!({"containers": [{"name": "theirs", "image": "theirs"}]});
    json!({"spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}})
}

fn claim() -> Value {
    json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}})
}

/// An object of somebody else under each name that a store needs.
fn foreign() -> [(Kind, &'static str, Value); 5] {
    [
        (DEPLOYMENT, "store", deployment()),
        (
            SERVICE,
            "store",
            json!({"spec": {"ports": [{"name": "theirs", "port": 1234}]}}),
        ),
        (CONFIG_MAP, "store-settings", json!({"data": {"theirs": "kept"}})),
        (SECRET, "store-admin", json!({"stringData": {"theirs": "kept"}})),
        (CLAIM, "data-store", claim()),
    ]
}

/// Everything that neither the test nor a controller changes meanwhile.
fn theirs(object: &Value) -> Value {
    let metadata = &object["metadata"];
    json!({"uid": metadata["uid"], "owners": metadata["ownerReferences"], "annotations": metadata["annotations"],
        "spec": object["spec"], "data": object["data"]})
}

async fn expect_conflict(kind: Kind, name: &str, content: Value) {
    let stage = Stage::new("conflict").await;
    stage.create(kind, name, content).await;
    let operator = stage.operator();
    let before = stage.present(kind, name).await;

    stage.create_store("store", json!({})).await;
    let message = stage.until_degraded("store", "ResourceConflict").await;
    // Another look changes nothing.
    let looks = operator.looks();
    stage
        .change_spec("store", json!({"logging": {"level": "debug"}}))
        .await;
    operator.looks_again(looks).await;

    assert!(
        message.contains(&format!("{} {name} exists already", kind.2)),
        "{message}"
    );
    assert_eq!(theirs(&stage.present(kind, name).await), theirs(&before));
    let resource = kind.resource().plural;
    let writes = stage.writes(AuditMark::default());
    assert!(
        !writes
            .iter()
            .any(|write| write.name == name && write.resource == resource),
        "{writes:?}"
    );
    assert!(!status::is_ready(&stage.stores().get("store").await.unwrap()));
}

#[tokio::test]
async fn given_a_foreign_object_under_each_name_when_a_store_is_created_then_it_is_degraded_and_the_object_untouched()
 {
    for (kind, name, content) in foreign() {
        expect_conflict(kind, name, content).await;
    }
}

#[tokio::test]
async fn given_a_conflict_when_the_foreign_object_is_deleted_then_the_store_gets_ready() {
    let stage = Stage::new("solved").await;
    let _operator = stage.operator();
    stage
        .create(CONFIG_MAP, "store-settings", json!({"data": {"theirs": "kept"}}))
        .await;
    stage.create_store("store", json!({})).await;
    stage.until_degraded("store", "ResourceConflict").await;

    stage.delete(CONFIG_MAP, "store-settings").await;

    stage.until_ready("store").await;
}

#[tokio::test]
async fn given_objects_with_the_label_of_the_store_and_no_controller_when_it_is_created_then_they_are_taken_over()
 {
    let stage = Stage::new("adopted").await;
    let label = json!({"zot.candlekeep.io/store": "store"});
    let mut before = Vec::new();
    for (kind, name, mut content) in foreign() {
        // The selector of a Deployment cannot change: one of another shape cannot be taken over.
        if kind != DEPLOYMENT {
            content["metadata"] = json!({ "labels": label });
            before.push((kind, name, stage.create(kind, name, content).await.metadata.uid));
        }
    }

    let _operator = stage.operator();
    stage.create_store("store", json!({})).await;
    stage.until_ready("store").await;

    assert_eq!(before.len(), 4);
    for (kind, name, uid) in before {
        let now = stage.present(kind, name).await;
        assert_eq!(
            now["metadata"]["uid"].as_str(),
            uid.as_deref(),
            "{} {name}",
            kind.2
        );
        assert_eq!(
            now["metadata"]["labels"]["app.kubernetes.io/managed-by"],
            "zot-artifact-store-operator"
        );
    }
    let secret = stage
        .until(SECRET, "store-admin", "has a password", |secret| {
            secret["data"]["password"].is_string()
        })
        .await;
    assert!(secret["data"]["theirs"].is_string(), "what was in it stays");
}

#[tokio::test]
async fn given_a_labelled_object_of_a_living_controller_when_the_store_is_created_then_it_stays_with_it() {
    let stage = Stage::new("controlled").await;
    let owner = stage.create(CONFIG_MAP, "owner", json!({})).await;
    let reference = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner.metadata.uid, "controller": true});
    let metadata = json!({"labels": {"zot.candlekeep.io/store": "store"}, "ownerReferences": [reference]});
    stage
        .create(
            CONFIG_MAP,
            "store-settings",
            json!({"metadata": metadata, "data": {"theirs": "kept"}}),
        )
        .await;

    let _operator = stage.operator();
    stage.create_store("store", json!({})).await;
    let message = stage.until_degraded("store", "ResourceConflict").await;

    assert!(message.contains("controlled by ConfigMap owner"), "{message}");
    assert_eq!(
        stage.present(CONFIG_MAP, "store-settings").await["data"],
        json!({"theirs": "kept"})
    );
    assert!(
        status::condition(
            &stage.stores().get("store").await.unwrap(),
            ConditionType::Degraded
        )
        .is_some()
    );
}
