//! What others do to the objects of a store.

use serde_json::{Value, json};
use zas_cluster_tests::eventually;

use crate::kind::{CLAIM, CONFIG_MAP, DEPLOYMENT, INGRESS, NETWORK_POLICY, SECRET, SERVICE, SERVICE_ACCOUNT};
use crate::stage::{LIMIT, Stage};
use crate::worker::Worker;

/// A store with an object of every kind, settled.
async fn settled_store(stage: &Stage) -> Worker {
    let operator = stage.operator();
    stage.offer_volume("data-store");
    let ingress = json!({"host": "store.example.com", "className": "test"});
    stage
        .create_store("store", json!({"exposure": {"ingress": ingress}}))
        .await;
    expose(stage).await;
    stage.settle(&operator, "store").await;
    operator
}

/// In place of an Ingress controller.
async fn expose(stage: &Stage) {
    stage.until(INGRESS, "store", "is there", |_| true).await;
    stage
        .report(
            INGRESS,
            "store",
            json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}),
        )
        .await;
}

/// What the operator answers for: all but the status and what the API server and the controllers add.
fn content(object: &Value) -> Value {
    let mut object = object.clone();
    let metadata = json!({
        "labels": object["metadata"]["labels"],
        "annotations": object["metadata"]["annotations"],
        "ownerReferences": object["metadata"]["ownerReferences"],
    });
    object["metadata"] = metadata;
    // The controller of Deployments counts the templates that it has seen.
    if let Some(annotations) = object["metadata"]["annotations"].as_object_mut() {
        annotations.remove("deployment.kubernetes.io/revision");
    }
    object.as_object_mut().unwrap().remove("status");
    object
}

#[tokio::test]
async fn given_a_store_when_each_of_its_objects_is_deleted_then_it_is_made_again() {
    let stage = Stage::new("deleted").await;
    let _operator = settled_store(&stage).await;

    for ((kind, name), before) in stage.everything_made().await {
        // Releasing the volume of a claim takes somebody who is not there.
        if kind == CLAIM {
            continue;
        }
        stage.delete(kind, &name).await;
        let again = stage
            .until(kind, &name, "is made again", |now| {
                now["metadata"]["uid"] != before["metadata"]["uid"]
            })
            .await;
        for (label, value) in again["metadata"]["labels"].as_object().unwrap() {
            assert_eq!(*value, before["metadata"]["labels"][label], "{} {name}", kind.2);
        }
    }
    expose(&stage).await;
    stage.until_ready("store").await;
    let secret = stage
        .until(SECRET, "store-admin", "has a password", |secret| {
            secret["data"].is_object()
        })
        .await;
    assert!(secret["data"]["password"].is_string() && secret["data"]["username"].is_string());
}

#[tokio::test]
async fn given_a_store_when_its_unbound_claim_is_deleted_then_it_is_made_again() {
    let stage = Stage::new("claim").await;
    let _operator = stage.operator();
    stage.create_store("store", json!({})).await;
    stage.until_ready("store").await;
    let before = stage.present(CLAIM, "data-store").await;

    stage.delete(CLAIM, "data-store").await;

    stage
        .until(CLAIM, "data-store", "is made again", |now| {
            now["metadata"]["uid"] != before["metadata"]["uid"]
        })
        .await;
    stage.until_ready("store").await;
}

#[tokio::test]
async fn given_a_store_when_its_objects_are_altered_then_every_one_is_repaired() {
    let stage = Stage::new("altered").await;
    let _operator = settled_store(&stage).await;
    let label = || json!({"metadata": {"labels": {"zot.candlekeep.io/store": "another", "app.kubernetes.io/name": "x"}}});
    let no_manager = || json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": null}}});
    let pods = json!([{"namespaceSelector": {}}]);

    for (kind, name, alteration) in [
        (DEPLOYMENT, "store", json!({"spec": {"replicas": 0}})),
        (
            DEPLOYMENT,
            "store",
            json!({"spec": {"template": {"spec": {"enableServiceLinks": true}}}}),
        ),
        (
            DEPLOYMENT,
            "store",
            json!({"metadata": {"annotations": {"zot.candlekeep.io/version": "9.9.9"}}}),
        ),
        (
            SERVICE,
            "store",
            json!({"spec": {"selector": {"zot.candlekeep.io/store": "another"}}}),
        ),
        (SERVICE, "store-metrics", label()),
        (
            NETWORK_POLICY,
            "store",
            json!({"spec": {"ingress": [{"from": pods}]}}),
        ),
        (
            CONFIG_MAP,
            "store-settings",
            json!({"data": {"config.yaml": "log: {}"}}),
        ),
        (INGRESS, "store", json!({"spec": {"ingressClassName": "another"}})),
        (
            SERVICE_ACCOUNT,
            "store",
            json!({"automountServiceAccountToken": true}),
        ),
        (SECRET, "store-admin", no_manager()),
        (CLAIM, "data-store", no_manager()),
        (CONFIG_MAP, "store-settings", no_manager()),
        (SERVICE, "store", json!({"metadata": {"ownerReferences": null}})),
        (
            DEPLOYMENT,
            "store",
            json!({"metadata": {"ownerReferences": null}}),
        ),
    ] {
        let before = content(&stage.present(kind, name).await);
        let mark = stage.mark();
        let altered = stage.merge(kind, name, alteration.clone()).await;
        assert_ne!(
            content(&altered),
            before,
            "{} {name}: {alteration} alters nothing",
            kind.2
        );

        eventually(
            &format!("{} {name} is repaired after {alteration}", kind.2),
            LIMIT,
            async || (content(&stage.present(kind, name).await) == before).then_some(()),
        )
        .await;
        // The audit log tells of a write a moment after it.
        eventually(
            &format!("the operator wrote {} {name}", kind.2),
            LIMIT,
            async || {
                stage
                    .writes(mark)
                    .iter()
                    .any(|write| write.name == name)
                    .then_some(())
            },
        )
        .await;
    }
}

#[tokio::test]
async fn given_a_store_when_others_add_what_is_theirs_then_it_stays() {
    let stage = Stage::new("others").await;
    let operator = settled_store(&stage).await;
    let theirs = || json!({"labels": {"example.com/team": "a"}, "annotations": {"example.com/note": "b"}});

    for ((kind, name), _) in stage.everything_made().await {
        stage.merge(kind, &name, json!({ "metadata": theirs() })).await;
    }
    stage
        .merge(SERVICE, "store", json!({"spec": {"sessionAffinity": "ClientIP"}}))
        .await;
    stage
        .merge(
            SERVICE_ACCOUNT,
            "store",
            json!({"imagePullSecrets": [{"name": "theirs"}]}),
        )
        .await;
    stage.settle(&operator, "store").await;

    let everything = stage.everything_made().await;
    assert!(everything.len() >= 10);
    for ((kind, name), object) in everything {
        assert_eq!(
            object["metadata"]["labels"]["example.com/team"], "a",
            "{} {name}",
            kind.2
        );
        assert_eq!(
            object["metadata"]["annotations"]["example.com/note"], "b",
            "{} {name}",
            kind.2
        );
    }
    let service = stage.present(SERVICE, "store").await;
    assert_eq!(service["spec"]["sessionAffinity"], "ClientIP");
    let account = stage.present(SERVICE_ACCOUNT, "store").await;
    assert_eq!(account["imagePullSecrets"][0]["name"], "theirs");
}

#[tokio::test]
async fn given_a_deployment_when_somebody_switches_it_to_rolling_updates_then_it_is_switched_back() {
    let stage = Stage::new("rolling").await;
    let operator = stage.operator();
    stage.create_store("store", json!({})).await;
    stage.settle(&operator, "store").await;

    let rolling = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}});
    let altered = stage
        .merge(DEPLOYMENT, "store", json!({"spec": {"strategy": rolling}}))
        .await;
    assert_eq!(altered["spec"]["strategy"]["type"], "RollingUpdate");

    stage
        .until(DEPLOYMENT, "store", "is recreated again", |deployment| {
            deployment["spec"]["strategy"] == json!({"type": "Recreate"})
        })
        .await;
    stage.until_ready("store").await;
}

#[tokio::test]
async fn given_a_deployment_of_an_earlier_release_with_rolling_updates_when_the_operator_starts_then_it_is_taken_over()
 {
    let stage = Stage::new("earlier").await;
    let labels = json!({"zot.candlekeep.io/store": "store", "app.kubernetes.io/managed-by": "zot-artifact-store-operator"});
    let pod = json!({"zot.candlekeep.io/store": "store"});
    // The API server fills in rollingUpdate, which then belongs to nobody.
    let earlier = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "store", "labels": labels}, "spec": {
        "selector": {"matchLabels": pod}, "strategy": {"type": "RollingUpdate"},
        "template": {"metadata": {"labels": pod}, "spec": {"containers": [{"name": "server", "image": "old"}]}},
    }});
    stage
        .apply_as("zot-artifact-store-operator", DEPLOYMENT, &earlier)
        .await;
    let before = stage.present(DEPLOYMENT, "store").await;
    assert!(before["spec"]["strategy"]["rollingUpdate"].is_object());

    let _operator = stage.operator();
    stage.create_store("store", json!({})).await;
    stage.until_ready("store").await;

    let after = stage.present(DEPLOYMENT, "store").await;
    assert_eq!(after["spec"]["strategy"], json!({"type": "Recreate"}));
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
}
