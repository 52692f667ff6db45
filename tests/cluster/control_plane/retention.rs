//! What outlives a store.

use serde_json::{Value, json};
use zas_cluster_tests::eventually;

use crate::kind::{CLAIM, DEPLOYMENT, REPLICA_SET, SECRET, STORE};
use crate::stage::{LIMIT, Stage, named};
use crate::status::status;

/// A store whose resource was deleted while no operator ran, and the password that it had.
async fn deleted_without_operator(stage: &Stage, policy: &str) -> Value {
    let operator = stage.operator();
    stage
        .create_store("store", json!({"deletionPolicy": policy}))
        .await;
    stage.until_ready("store").await;
    let password = stage.present(SECRET, "store-admin").await["data"]["password"].clone();
    assert!(password.is_string());
    operator.kill();
    stage.delete(STORE, "store").await;
    stage.until_gone(STORE, "store").await;
    stage.until_gone(DEPLOYMENT, "store").await;
    password
}

async fn until_left(stage: &Stage, expected: &[&str]) {
    eventually("the garbage collector has finished", LIMIT, async || {
        (named(&stage.everything_made().await) == expected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn given_the_policy_retain_when_the_store_is_deleted_without_an_operator_then_data_and_password_stay() {
    let stage = Stage::new("retain").await;
    deleted_without_operator(&stage, "Retain").await;

    until_left(
        &stage,
        &["PersistentVolumeClaim data-store", "Secret store-admin"],
    )
    .await;
    let claim = stage.present(CLAIM, "data-store").await;
    assert!(
        claim["metadata"]["ownerReferences"].is_null() && claim["metadata"]["deletionTimestamp"].is_null()
    );
}

#[tokio::test]
async fn given_the_policy_delete_when_the_store_is_deleted_without_an_operator_then_nothing_stays() {
    let stage = Stage::new("delete").await;
    deleted_without_operator(&stage, "Delete").await;

    until_left(&stage, &[]).await;
    eventually("its ReplicaSets are gone", LIMIT, async || {
        let sets = stage.api(REPLICA_SET).list(&Default::default()).await.unwrap();
        sets.items.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn given_retained_data_when_the_store_is_created_again_then_it_has_its_claim_and_its_password() {
    let stage = Stage::new("again").await;
    let password = deleted_without_operator(&stage, "Retain").await;
    let claim = stage.present(CLAIM, "data-store").await;
    // Creation is known by the second.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;

    let _operator = stage.operator();
    stage.create_store("store", json!({})).await;
    let store = stage.until_ready("store").await;

    let again = stage.present(CLAIM, "data-store").await;
    assert_eq!(again["metadata"]["uid"], claim["metadata"]["uid"]);
    assert_eq!(
        stage.present(SECRET, "store-admin").await["data"]["password"],
        password
    );
    assert!(status(&store).data_volume.unwrap().adopted);
}

#[tokio::test]
async fn given_a_store_when_its_policy_is_switched_then_data_and_password_are_owned_or_not() {
    let stage = Stage::new("switch").await;
    let _operator = stage.operator();
    stage.create_store("store", json!({})).await;
    let store = stage.until_ready("store").await;

    for (policy, is_owned) in [("Delete", true), ("Retain", false), ("Delete", true)] {
        stage
            .change_spec("store", json!({"deletionPolicy": policy}))
            .await;
        for (kind, name) in [(CLAIM, "data-store"), (SECRET, "store-admin")] {
            let owned = stage
                .until(kind, name, &format!("follows {policy}"), |object| {
                    object["metadata"]["ownerReferences"].is_array() == is_owned
                })
                .await;
            let owner = &owned["metadata"]["ownerReferences"][0]["uid"];
            assert!(!is_owned || owner.as_str() == store.metadata.uid.as_deref());
        }
    }
    assert!(stage.present(SECRET, "store-admin").await["data"]["password"].is_string());
}
