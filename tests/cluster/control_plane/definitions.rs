//! Stored resources and installed definitions that are not those of this operator.

use serde_json::{Value, json};

use crate::cluster;
use crate::kind::{DEPLOYMENT, STORE};
use crate::stage::{Reach, Stage};

/// The definition as it is installed, changed.
fn replace_definition(stage: &Stage, change: impl FnOnce(&mut Value)) {
    let text = std::fs::read_to_string(cluster::configuration("crd/zotartifactstore_crd.yaml")).unwrap();
    let mut definition: Value = serde_saphyr::from_str(&text).unwrap();
    change(&mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]);
    let file = stage.cluster.scratch("definition").join("crd.json");
    std::fs::write(&file, definition.to_string()).unwrap();
    stage.cluster.apply_crds(&file);
}

#[tokio::test]
async fn given_a_stored_resource_that_cannot_be_read_when_the_operator_starts_then_the_others_are_looked_after()
 {
    let stage = Stage::on(cluster::own(), "malformed", Reach::Namespace).await;
    let loose = || json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    replace_definition(&stage, |schema| schema["properties"]["spec"] = loose());
    // The API server takes the new schema in a little later than it says so.
    zas_cluster_tests::eventually("a malformed resource is stored", crate::stage::LIMIT, async || {
        let malformed = json!({"apiVersion": zas_crd::API_VERSION, "kind": zas_crd::KIND, "metadata": {"name": "malformed"},
            "spec": {"paused": "perhaps", "pod": 7}});
        stage.try_create(STORE, malformed).await.then_some(())
    })
    .await;
    replace_definition(&stage, |_| {});

    let operator = stage.operator();
    stage.create_store("store", json!({})).await;
    stage.until_ready("store").await;

    assert!(stage.get(DEPLOYMENT, "malformed").await.is_none());
    assert!(operator.looks() > 0.0);
}

#[tokio::test]
async fn given_a_definition_without_a_field_of_the_status_when_the_operator_reports_then_the_others_are_written()
 {
    let stage = Stage::on(cluster::own(), "outdated", Reach::Namespace).await;
    replace_definition(&stage, |schema| {
        let fields = schema["properties"]["status"]["properties"]
            .as_object_mut()
            .unwrap();
        assert!(fields.remove("updatedReplicas").is_some());
    });
    let operator = stage.operator();
    stage.create_store("store", json!({})).await;

    let message = stage.until_degraded("store", "CRDOutdated").await;

    println!("{message}");
    let store = stage.stores().get("store").await.unwrap();
    assert_eq!(store.status.unwrap().updated_replicas, None);
    assert_eq!(operator.number("zas_operator_crd_outdated"), 1.0);
    stage.present(DEPLOYMENT, "store").await;
}
