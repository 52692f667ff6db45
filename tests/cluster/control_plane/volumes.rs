//! The claim of a store.

use std::time::{Duration, Instant};

use serde_json::json;
use zas_crd::ConditionType;

use crate::kind::{CLAIM, CONFIG_MAP, DEPLOYMENT, NETWORK_POLICY, STORE};
use crate::stage::Stage;
use crate::status::{self, status};

/// Claims of others are not watched: a store that waits for one is looked at every ten seconds. The rest is for a busy
/// machine.
const NEXT_LOOK: Duration = Duration::from_secs(20);

impl Stage {
    /// A storage class of this namespace's own whose volumes can grow, with a volume for a claim to be.
    fn offer_growing_volume(&self, claim: &str) -> String {
        let class = format!("growing-{}", self.namespace);
        self.install(&[
            json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": class},
            "provisioner": "example.com/nobody", "allowVolumeExpansion": true}),
        ]);
        self.offer_volume_of(claim, &class);
        class
    }
}

#[tokio::test]
async fn given_a_bound_claim_when_the_size_grows_then_the_claim_asks_for_more_and_keeps_its_data() {
    let stage = Stage::new("grow").await;
    let _operator = stage.operator();
    let class = stage.offer_growing_volume("data-store");
    stage
        .create_store(
            "store",
            json!({"dataVolume": {"size": "20Gi", "storageClassName": class}}),
        )
        .await;
    stage
        .until_condition("store", ConditionType::StorageReady, true, "AsExpected")
        .await;
    let before = stage.present(CLAIM, "data-store").await;

    stage
        .change_spec("store", json!({"dataVolume": {"size": "30Gi"}}))
        .await;

    let grown = stage
        .until(CLAIM, "data-store", "grows", |claim| {
            claim["spec"]["resources"]["requests"]["storage"] == "30Gi"
        })
        .await;
    assert_eq!(grown["metadata"]["uid"], before["metadata"]["uid"]);
    stage
        .until_store("store", |store| {
            let volume = status(store).data_volume;
            status::is_ready(store)
                && volume.is_some_and(|volume| volume.requested.as_deref() == Some("30Gi"))
        })
        .await;
}

#[tokio::test]
async fn given_a_class_whose_volumes_cannot_grow_when_the_size_does_then_that_is_said_and_all_else_is_done() {
    let mut stage = Stage::new("rigid").await;
    stage.expect_refusals();
    let _operator = stage.operator();
    stage.offer_volume("data-store");
    stage.create_store("store", json!({})).await;
    stage
        .until_condition("store", ConditionType::StorageReady, true, "AsExpected")
        .await;

    stage.until(NETWORK_POLICY, "store", "is there", |_| true).await;
    stage
        .change_spec(
            "store",
            json!({
                "dataVolume": {"size": "30Gi"}, "logging": {"level": "debug"}, "http": {"port": 8181},
                "network": {"policy": {"enabled": false}},
            }),
        )
        .await;
    let message = stage.until_degraded("store", "VolumeExpansionRefused").await;

    assert!(message.contains("data-store cannot grow"), "{message}");
    stage
        .until_condition(
            "store",
            ConditionType::StorageReady,
            false,
            "VolumeExpansionRefused",
        )
        .await;
    let claim = stage.present(CLAIM, "data-store").await;
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "20Gi");
    // Everything else of the same change is done.
    stage
        .until(DEPLOYMENT, "store", "is rolled", |deployment| {
            deployment["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"] == 8181
        })
        .await;
    stage
        .until(CONFIG_MAP, "store-settings", "follows", |settings| {
            settings["data"].to_string().contains("debug")
        })
        .await;
    stage.until_gone(NETWORK_POLICY, "store").await;
    stage
        .until_condition("store", ConditionType::Available, true, "AsExpected")
        .await;
}

#[tokio::test]
async fn given_a_retained_claim_when_its_store_comes_back_smaller_then_that_is_refused_and_the_claim_untouched()
 {
    let stage = Stage::new("shrink").await;
    let _operator = stage.operator();
    stage
        .create_store("store", json!({"dataVolume": {"size": "30Gi"}}))
        .await;
    stage.until_ready("store").await;
    stage.delete(STORE, "store").await;
    stage.until_gone(DEPLOYMENT, "store").await;
    let before = stage.present(CLAIM, "data-store").await;

    stage
        .create_store("store", json!({"dataVolume": {"size": "10Gi"}}))
        .await;
    let message = stage.until_degraded("store", "VolumeShrinkRefused").await;

    assert!(message.contains("10Gi") && message.contains("30Gi"), "{message}");
    stage
        .until_condition("store", ConditionType::StorageReady, false, "VolumeShrinkRefused")
        .await;
    let after = stage.present(CLAIM, "data-store").await;
    assert_eq!(
        (&after["spec"], &after["metadata"]["uid"]),
        (&before["spec"], &before["metadata"]["uid"])
    );
}

#[tokio::test]
async fn given_an_existing_claim_that_is_missing_when_it_is_created_then_the_store_uses_it_and_never_changes_it()
 {
    let stage = Stage::new("existing").await;
    let _operator = stage.operator();
    stage
        .create_store("store", json!({"dataVolume": {"existingClaim": "theirs"}}))
        .await;
    let message = stage.until_degraded("store", "VolumeMissing").await;
    assert!(message.contains("claim theirs"), "{message}");

    let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    stage.create(CLAIM, "theirs", json!({ "spec": spec })).await;
    let start = Instant::now();
    let store = stage.until_ready("store").await;
    assert!(start.elapsed() < NEXT_LOOK, "it took {:?}", start.elapsed());

    assert!(status(&store).data_volume.unwrap().adopted);
    assert!(stage.made(CLAIM).await.is_empty());
    let theirs = stage.present(CLAIM, "theirs").await;
    assert!(theirs["metadata"]["labels"].is_null() && theirs["metadata"]["ownerReferences"].is_null());
}

#[tokio::test]
async fn given_a_storage_class_that_does_not_exist_when_a_store_asks_for_it_then_it_is_named() {
    let stage = Stage::new("class").await;
    let _operator = stage.operator();
    stage
        .create_store("store", json!({"dataVolume": {"storageClassName": "nowhere"}}))
        .await;

    let message = stage
        .until_condition("store", ConditionType::StorageReady, false, "VolumePending")
        .await;

    assert!(message.contains("storage class nowhere"), "{message}");
}
