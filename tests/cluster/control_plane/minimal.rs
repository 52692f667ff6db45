//! The smallest store: what is made of it and what it reports.

use serde_json::json;
use zas_crd::ConditionType;

use crate::cluster;
use crate::kind::{CONFIG_MAP, DEPLOYMENT, SECRET};
use crate::stage::{Stage, named};
use crate::status::{self, status};

/// The sample as it is, but for its namespace.
fn minimal_sample() -> String {
    std::fs::read_to_string(cluster::configuration("samples/zotartifactstore_minimal.yaml")).unwrap()
}

impl Stage {
    /// Applies YAML into this namespace as a user would.
    pub(crate) fn apply_here(&self, yaml: &str) {
        let arguments = [
            "apply",
            "--server-side",
            "--validate=strict",
            "--namespace",
            &self.namespace,
            "--filename=-",
        ];
        self.cluster
            .kubectl_of(self.cluster.admin(), &arguments, yaml)
            .expect_success();
    }

    /// Runs kubectl in this namespace; what it prints.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        let arguments = [&["--namespace", self.namespace.as_str()], arguments].concat();
        self.cluster.kubectl(&arguments).expect_success().to_owned()
    }
}

#[tokio::test]
async fn given_the_minimal_sample_when_it_is_applied_then_all_objects_appear_and_the_store_gets_ready() {
    let stage = Stage::new("minimal").await;
    let _operator = stage.operator();

    stage.apply_here(&minimal_sample());
    let store = stage.until_ready("store").await;

    let made = stage.everything_made().await;
    let configuration = made
        .keys()
        .find(|(_, name)| name.starts_with("store-config-"))
        .unwrap();
    assert_eq!(
        named(&made),
        [
            &format!("ConfigMap {}", configuration.1),
            "ConfigMap store-settings",
            "PersistentVolumeClaim data-store",
            "Secret store-admin",
            "Service store",
            "Service store-metrics",
            "ServiceAccount store",
            "Deployment store",
            "NetworkPolicy store",
        ]
    );
    let report = status(&store);
    let url = format!("http://store.{}.svc", stage.namespace);
    assert_eq!(report.url.as_deref(), Some(url.as_str()));
    assert_eq!(report.endpoints.len(), 1);
    assert_eq!(
        (report.endpoints[0].name.as_str(), &report.endpoints[0].url),
        ("registry-internal", &url)
    );
    assert_eq!(report.admin_ref.unwrap().name, "store-admin");
    assert_eq!(report.selector.as_deref(), Some("zot.candlekeep.io/store=store"));
    assert_eq!(
        (report.replicas, report.ready_replicas, report.updated_replicas),
        (Some(1), Some(1), Some(1))
    );
    let volume = report.data_volume.unwrap();
    assert_eq!(
        (volume.claim_name.as_str(), volume.requested.as_deref()),
        ("data-store", Some("20Gi"))
    );
    assert!(!volume.adopted);
    let deployment = stage.present(DEPLOYMENT, "store").await;
    assert_eq!(
        report.image.as_deref(),
        deployment["spec"]["template"]["spec"]["containers"][0]["image"].as_str()
    );
}

#[tokio::test]
async fn given_a_ready_store_when_its_conditions_are_read_then_every_type_is_there_and_of_its_generation() {
    let stage = Stage::new("conditions").await;
    let _operator = stage.operator();
    stage.offer_volume("data-store");
    stage.create_store("store", json!({})).await;
    stage.until_ready("store").await;

    let store = stage
        .until_store("store", |store| {
            status::is(store, ConditionType::StorageReady, true, "AsExpected")
        })
        .await;

    for (kind, holds, reason) in [
        (ConditionType::Ready, true, "AsExpected"),
        (ConditionType::Available, true, "AsExpected"),
        (ConditionType::Progressing, false, "AsExpected"),
        (ConditionType::Degraded, false, "AsExpected"),
        (ConditionType::Paused, false, "Active"),
        (ConditionType::UpdateAvailable, false, "UpToDate"),
        (ConditionType::ExposureReady, true, "AsExpected"),
        (ConditionType::StorageReady, true, "AsExpected"),
    ] {
        let condition = status::condition(&store, kind);
        assert!(status::is(&store, kind, holds, reason), "{kind}: {condition:?}");
    }
    assert_eq!(status(&store).conditions.len(), ConditionType::ALL.len());
    assert_eq!(
        status(&store).data_volume.unwrap().capacity.as_deref(),
        Some("1Ti")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn given_a_store_when_people_look_at_it_with_kubectl_then_columns_explanations_and_waiting_work() {
    let stage = Stage::new("kubectl").await;
    let _operator = stage.operator();
    stage.create_store("store", json!({})).await;

    stage.kubectl(&["wait", "--for=condition=Ready", "zas/store", "--timeout=60s"]);

    let table = stage.kubectl(&["get", "zas"]);
    let heading: Vec<_> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(
        heading,
        [
            "NAME",
            "READY",
            "REASON",
            "AVAILABLE",
            "REPLICAS",
            "VERSION",
            "URL",
            "AGE"
        ]
    );
    assert!(
        table.contains(&format!("http://store.{}.svc", stage.namespace)),
        "{table}"
    );
    assert!(
        stage.kubectl(&["get", "zot"]).contains("store"),
        "the category shows it"
    );
    let explanation = stage.kubectl(&["explain", "zas.spec.storage"]);
    assert!(
        explanation.contains("Where the bytes of blobs and manifests are kept"),
        "{explanation}"
    );
}

#[tokio::test]
async fn given_a_ready_store_when_it_is_scaled_to_none_and_back_then_it_stops_without_being_degraded() {
    let stage = Stage::new("scale").await;
    let _operator = stage.operator();
    stage.create_store("store", json!({})).await;
    stage.until_ready("store").await;

    stage.kubectl(&["scale", "zas/store", "--replicas=0"]);
    let stopped = stage
        .until_store("store", |store| {
            status::is(store, ConditionType::Ready, false, "Stopped")
                && status::is(store, ConditionType::Progressing, false, "AsExpected")
        })
        .await;

    assert!(status::is(&stopped, ConditionType::Degraded, false, "AsExpected"));
    assert!(status::is(&stopped, ConditionType::Available, false, "Stopped"));
    assert_eq!(status(&stopped).replicas, Some(0));
    stage.kubectl(&["scale", "zas/store", "--replicas=1"]);
    stage.until_ready("store").await;
}

#[tokio::test]
async fn given_a_store_when_its_secret_and_configuration_are_read_then_the_password_is_in_the_secret_alone() {
    let stage = Stage::new("password").await;
    let _operator = stage.operator();
    stage.create_store("store", json!({})).await;
    stage.until_ready("store").await;

    let secret = stage.present(SECRET, "store-admin").await;
    let password = secret["data"]["password"].as_str().unwrap();
    let plain = stage.kubectl(&[
        "get",
        "secret",
        "store-admin",
        "--output=go-template={{.data.password|base64decode}}",
    ]);

    assert!(plain.len() >= 32);
    let mut read = 0;
    for ((kind, name), object) in stage.everything_made().await {
        if kind != SECRET {
            let text = object.to_string();
            assert!(
                !text.contains(&plain) && !text.contains(password),
                "{} {name} holds it",
                kind.2
            );
            read += 1;
        }
    }
    assert!(read >= 8 && !stage.made(CONFIG_MAP).await.is_empty());
    let report = serde_json::to_string(&stage.stores().get("store").await.unwrap()).unwrap();
    assert!(!report.contains(&plain));
}
