//! What restarts a server and what does not.

use serde_json::{Value, json};
use zas_cluster_tests::eventually;

use crate::kind::{CONFIG_MAP, DEPLOYMENT, REPLICA_SET, SECRET};
use crate::references::{CERTIFICATE, HTPASSWD, PRIVATE_KEY};
use crate::stage::{LIMIT, Stage};
use crate::worker::Worker;

/// What tells one rollout from another.
#[derive(Debug, PartialEq)]
struct Running {
    template: Value,
    generation: i64,
    replica_sets: usize,
}

impl Stage {
    async fn running(&self) -> Running {
        let deployment = self.present(DEPLOYMENT, "store").await;
        Running {
            template: deployment["spec"]["template"].clone(),
            generation: deployment["metadata"]["generation"].as_i64().unwrap(),
            replica_sets: self
                .api(REPLICA_SET)
                .list(&Default::default())
                .await
                .unwrap()
                .items
                .len(),
        }
    }

    async fn settings(&self) -> String {
        self.present(CONFIG_MAP, "store-settings").await["data"]["config.yaml"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The names of the ConfigMaps that only a restart takes over.
    async fn restart_configurations(&self) -> Vec<String> {
        let names = self.made(CONFIG_MAP).await.into_keys();
        names.filter(|name| name.starts_with("store-config-")).collect()
    }
}

/// A store with TLS and users, settled.
async fn settled_store(stage: &Stage) -> Worker {
    let operator = stage.operator();
    stage
        .create_secret("users", &[("htpasswd", HTPASSWD), ("other", "")])
        .await;
    stage
        .create_secret(
            "certificate",
            &[("tls.crt", CERTIFICATE), ("tls.key", PRIVATE_KEY)],
        )
        .await;
    let spec = json!({
        "access": {"htpasswdRef": {"name": "users", "key": "htpasswd"}},
        "tls": {"type": "Secret", "secretRef": {"name": "certificate"}},
    });
    stage.create_store("store", spec).await;
    stage.settle(&operator, "store").await;
    operator
}

#[tokio::test]
async fn given_a_store_when_hot_fields_change_then_its_settings_follow_and_it_is_not_rolled() {
    let stage = Stage::new("hot").await;
    let operator = settled_store(&stage).await;
    let before = stage.running().await;

    for (change, expected) in [
        (json!({"logging": {"level": "debug"}}), "debug"),
        (json!({"limits": {"maxManifestSize": "8Mi"}}), "manifestSize"),
        (
            json!({"maintenance": {"garbageCollection": {"grace": "48h"}}}),
            "grace",
        ),
        (json!({"access": {"anonymous": "Pull"}}), "anonymousPolicy"),
    ] {
        let settings = stage.settings().await;
        stage.change_spec("store", change.clone()).await;
        stage.settle(&operator, "store").await;
        let now = stage.settings().await;
        assert!(now != settings && now.contains(expected), "{change}: {now}");
        assert_eq!(stage.running().await, before, "{change}");
    }
}

#[tokio::test]
async fn given_a_store_when_hot_secrets_or_unrelated_keys_change_then_nothing_is_written() {
    let stage = Stage::new("hot-secret").await;
    let operator = settled_store(&stage).await;
    let before = stage.running().await;
    let mark = stage.mark();

    for (secret, key, value) in [
        ("users", "htpasswd", HTPASSWD.replace("alice", "bob")),
        ("users", "other", "unrelated".to_owned()),
        ("certificate", "tls.crt", format!("{CERTIFICATE}{CERTIFICATE}")),
        ("certificate", "unrelated", "value".to_owned()),
    ] {
        let looks = operator.looks();
        stage
            .merge(SECRET, secret, json!({"stringData": {key: value}}))
            .await;
        operator.looks_again(looks).await;
    }

    stage.expect_no_writes(mark);
    assert_eq!(stage.running().await, before);
}

#[tokio::test]
async fn given_a_store_when_a_restart_field_changes_then_there_is_exactly_one_rollout_and_the_old_file_goes_after_it()
 {
    let mut stage = Stage::new("restart").await;
    let operator = settled_store(&stage).await;
    let before = stage.running().await;
    let old = stage.restart_configurations().await;
    assert_eq!(old.len(), 1);
    stage.stop_pods();

    stage.change_spec("store", json!({"http": {"port": 8181}})).await;
    stage
        .until(DEPLOYMENT, "store", "is rolled", |now| {
            now["spec"]["template"] != before.template
        })
        .await;
    stage.force_look(&operator, "store").await;
    let during = stage.restart_configurations().await;
    assert!(
        during.len() == 2 && during.contains(&old[0]),
        "the old Pod may still need {old:?}: {during:?}"
    );

    stage.run_pods();
    stage.until_ready("store").await;
    let left = eventually("the old file is swept", LIMIT, async || {
        let left = stage.restart_configurations().await;
        (left.len() == 1).then_some(left)
    })
    .await;
    assert_ne!(left, old);
    stage.settle(&operator, "store").await;
    let after = stage.running().await;
    assert_eq!(
        (after.generation, after.replica_sets),
        (before.generation + 1, before.replica_sets + 1)
    );
}

#[tokio::test]
async fn given_a_store_when_its_pod_settings_change_then_there_is_exactly_one_rollout() {
    let stage = Stage::new("pod").await;
    let operator = settled_store(&stage).await;
    let before = stage.running().await;

    let pod = json!({"labels": {"team": "a"}, "resources": {"requests": {"cpu": "100m"}}, "extraEnv": [{"name": "A", "value": "b"}]});
    stage.change_spec("store", json!({ "pod": pod })).await;
    stage
        .until(DEPLOYMENT, "store", "is rolled", |now| {
            now["spec"]["template"] != before.template
        })
        .await;
    stage.settle(&operator, "store").await;

    let after = stage.running().await;
    assert_eq!(
        (after.generation, after.replica_sets),
        (before.generation + 1, before.replica_sets + 1)
    );
    assert_eq!(after.template["metadata"]["labels"]["team"], "a");
}
