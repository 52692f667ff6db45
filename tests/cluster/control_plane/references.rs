//! Secrets and ConfigMaps that a store refers to.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zas_crd::ConditionType;

use crate::kind::{CONFIG_MAP, DEPLOYMENT, SECRET};
use crate::stage::Stage;
use crate::status;

/// A store is looked at again after ten seconds anyway when it is degraded: this is well below.
const AT_ONCE: Duration = Duration::from_secs(3);

pub(crate) const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
pub(crate) const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";
/// The password is `alice-password`.
pub(crate) const HTPASSWD: &str = "alice:$2y$04$q8unZF73RXJ/GN5wXrRg5u48JlhGoiv0D6yKFMGM0etf3Q5TYaetK\n";

/// A specification that needs a Secret, a part of it that is not enough, and all of it.
struct Needed {
    spec: Value,
    secret: &'static str,
    half: &'static [(&'static str, &'static str)],
    missing_key: &'static str,
    whole: &'static [(&'static str, &'static str)],
}

fn needed() -> [Needed; 3] {
    [
        Needed {
            spec: json!({"access": {"adminRef": {"name": "people"}}}),
            secret: "people",
            half: &[("username", "root")],
            missing_key: "password",
            whole: &[("username", "root"), ("password", "secret")],
        },
        Needed {
            spec: json!({"access": {"htpasswdRef": {"name": "users", "key": "list"}}}),
            secret: "users",
            half: &[("htpasswd", HTPASSWD)],
            missing_key: "list",
            whole: &[("list", HTPASSWD)],
        },
        Needed {
            spec: json!({"tls": {"type": "Secret", "secretRef": {"name": "certificate"}}}),
            secret: "certificate",
            half: &[("tls.crt", CERTIFICATE)],
            missing_key: "tls.key",
            whole: &[("tls.crt", CERTIFICATE), ("tls.key", PRIVATE_KEY)],
        },
    ]
}

async fn ready_at_once(stage: &Stage, cause: &str) {
    let start = Instant::now();
    stage.until_ready("store").await;
    assert!(
        start.elapsed() < AT_ONCE,
        "{cause}: it took {:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn given_a_missing_secret_or_key_when_a_store_needs_it_then_both_are_named_and_creating_it_heals_at_once()
 {
    for case in needed() {
        let stage = Stage::new("missing").await;
        let _operator = stage.operator();
        stage.create_store("store", case.spec).await;
        let message = stage.until_degraded("store", "SecretMissing").await;
        assert!(message.contains(&format!("Secret {} ", case.secret)), "{message}");
        assert!(
            stage.get(DEPLOYMENT, "store").await.is_none(),
            "nothing is started"
        );

        stage.create_secret(case.secret, case.half).await;
        let message = stage.until_degraded("store", "SecretInvalid").await;
        assert!(
            message.contains(case.secret) && message.contains(&format!("no key {}", case.missing_key)),
            "{message}"
        );

        let data: serde_json::Map<_, _> = case
            .whole
            .iter()
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect();
        stage
            .merge(SECRET, case.secret, json!({ "stringData": data }))
            .await;
        ready_at_once(&stage, case.secret).await;
    }
}

#[tokio::test]
async fn given_a_running_store_when_a_secret_it_needs_is_lost_then_it_is_degraded_and_not_rolled_until_it_is_back()
 {
    let stage = Stage::new("lost").await;
    let _operator = stage.operator();
    let administrator = [("username", "root"), ("password", "secret")];
    stage.create_secret("people", &administrator).await;
    stage
        .create_store("store", json!({"access": {"adminRef": {"name": "people"}}}))
        .await;
    stage.until_ready("store").await;
    let before = stage.present(DEPLOYMENT, "store").await;

    stage.delete(SECRET, "people").await;
    stage.until_degraded("store", "SecretMissing").await;
    // What would roll it waits too.
    stage.change_spec("store", json!({"http": {"port": 8181}})).await;
    stage.until_degraded("store", "SecretMissing").await;

    let store = stage.stores().get("store").await.unwrap();
    assert!(
        status::is(&store, ConditionType::Available, true, "AsExpected"),
        "it serves on"
    );
    let after = stage.present(DEPLOYMENT, "store").await;
    assert_eq!(after["spec"], before["spec"]);
    stage.create_secret("people", &administrator).await;
    ready_at_once(&stage, "the Secret is back").await;
    assert_ne!(stage.present(DEPLOYMENT, "store").await["spec"], before["spec"]);
}

#[tokio::test]
async fn given_invalid_access_rules_in_a_config_map_when_they_change_then_the_last_good_ones_stay_until_they_are_fixed()
 {
    let stage = Stage::new("policy").await;
    let _operator = stage.operator();
    let rules = |user: &str| {
        format!("repositories: {{\"**\": {{policies: [{{users: [{user}], actions: [read]}}]}}}}\n")
    };
    stage
        .create(
            CONFIG_MAP,
            "policy",
            json!({"data": {"rules.yaml": rules("alice")}}),
        )
        .await;
    let reference = json!({"name": "policy", "key": "rules.yaml"});
    stage
        .create_store(
            "store",
            json!({"access": {"accessControl": {"configMapRef": reference}}}),
        )
        .await;
    stage.until_ready("store").await;
    let good = stage.present(CONFIG_MAP, "store-settings").await["data"].clone();
    assert!(good.to_string().contains("alice"));

    let broken = "repositories: {\"**\": {policies: [{users: [bob], actions: [fly]}]}}\n";
    stage
        .merge(CONFIG_MAP, "policy", json!({"data": {"rules.yaml": broken}}))
        .await;
    let message = stage.until_degraded("store", "AccessControlInvalid").await;

    assert!(
        message.contains("ConfigMap policy") && message.contains("rules.yaml"),
        "{message}"
    );
    assert_eq!(stage.present(CONFIG_MAP, "store-settings").await["data"], good);
    stage
        .merge(
            CONFIG_MAP,
            "policy",
            json!({"data": {"rules.yaml": rules("bob")}}),
        )
        .await;
    ready_at_once(&stage, "the rules are fixed").await;
    let now = stage.present(CONFIG_MAP, "store-settings").await["data"].to_string();
    assert!(now.contains("bob") && !now.contains("alice"), "{now}");
}
