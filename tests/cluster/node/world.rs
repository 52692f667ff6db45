//! A node with the operator installed, and words for what happens on it.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use k8s_openapi::api::core::v1::{Pod, Secret, Service};
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};
use tempfile::TempDir;
use zas_cluster_tests::{Node, Output, eventually};
use zas_crd::{ConditionType, ZotArtifactStore};

use crate::LIMIT;
use crate::images::{DemoImage, ProductImage, checkout};
use crate::registry::Registry;

/// Where the operator is installed by the manifests.
const OPERATOR_NAMESPACE: &str = "zot-artifact-store-operator";
/// What curl says instead of a status when nobody answered.
const NO_ANSWER: &str = "000";
/// Where the README's commands put the store.
const NAMESPACE: &str = "default";

/// A node with both images, and a place for files.
pub(crate) struct World {
    pub(crate) node: Node,
    pub(crate) client: Client,
    pub(crate) demo: DemoImage,
    pub(crate) scratch: TempDir,
}

impl World {
    /// A node that knows both images and has volumes for claims without a class.
    pub(crate) async fn new(volumes: &[&str]) -> Self {
        let scratch = tempfile::tempdir().expect("temporary directories can be made");
        let server = ProductImage::build("zot-artifact-store", "Dockerfile.server", scratch.path());
        let operator = ProductImage::build(
            "zot-artifact-store-operator",
            "Dockerfile.operator",
            scratch.path(),
        );
        let node = Node::start();
        node.import_image(&server.archive);
        node.import_image(&operator.archive);
        for volume in volumes {
            node.persistent_volume(volume, "", "30Gi", &["ReadWriteOnce"]);
        }
        Self {
            client: node.control_plane().client().await,
            node,
            demo: DemoImage::build(scratch.path()),
            scratch,
        }
    }

    /// Runs the README's commands for Kubernetes as somebody types them; what they print.
    pub(crate) fn follow_the_readme(&self) -> String {
        let readme = fs::read_to_string(checkout().join("README.md")).expect("there is a README");
        let start = "```sh cluster\n";
        let block = readme
            .split_once(start)
            .and_then(|(_, rest)| rest.split_once("```"));
        let (commands, _) = block.expect("the README has a block for Kubernetes");
        let programs =
            PathBuf::from(env::var_os("ZAS_TESTENV").expect("hack/environment.sh sets ZAS_TESTENV"));
        let path = env::join_paths(
            std::iter::once(programs).chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())),
        );
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", commands])
            .current_dir(checkout())
            .env("KUBECONFIG", self.node.control_plane().kubeconfig())
            .env("PATH", path.expect("paths can be joined"))
            .output()
            .expect("bash is installed");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if !output.status.success() {
            let state = self.kubectl(&["get", "zas,deployments,pods,pvc", "-A", "-o", "wide"]);
            panic!(
                "{commands}\n{}\n{}\n{}",
                text(&output.stdout),
                text(&output.stderr),
                state.stdout()
            );
        }
        text(&output.stdout)
    }

    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Output {
        self.node.control_plane().kubectl(arguments)
    }

    pub(crate) fn stores(&self) -> Api<ZotArtifactStore> {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    /// Changes a store by a merge patch.
    pub(crate) fn change(&self, store: &str, patch: &str) {
        self.kubectl(&["patch", "zas", store, "--type=merge", "--patch", patch])
            .expect_success();
    }

    /// Waits until the store is ready as its newest spec asks.
    pub(crate) async fn ready(&self, store: &str) -> ZotArtifactStore {
        let started = Instant::now();
        loop {
            if let Some(found) = self.ready_now(store).await {
                return found;
            }
            if started.elapsed() > LIMIT {
                panic!("store {store} is not ready in time:\n{}", self.state(store));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn ready_now(&self, store: &str) -> Option<ZotArtifactStore> {
        let found = self.stores().get_opt(store).await.ok()??;
        let status = found.status.as_ref()?;
        let is_ready = status.condition(ConditionType::Ready)?.status == "True";
        let is_told = status.observed_generation == found.metadata.generation;
        (is_ready && is_told).then_some(found)
    }

    /// What can be said of a store that is not as it should be.
    fn state(&self, store: &str) -> String {
        let selector = format!("--selector=zot.candlekeep.io/store={store}");
        let questions: [&[&str]; 5] = [
            &["get", "zas", store, "--output=yaml"],
            &["get", "deployments,replicasets,pods,pvc", "--output=wide"],
            &["describe", "pods", &selector],
            &["logs", &selector, "--tail=20", "--prefix"],
            &[
                "logs",
                "deployment/zot-artifact-store-operator",
                "-n",
                OPERATOR_NAMESPACE,
                "--tail=30",
            ],
        ];
        let answers = questions.iter().map(|question| {
            let answer = self.kubectl(question);
            format!(
                "--- kubectl {}\n{}{}",
                question.join(" "),
                answer.stdout(),
                answer.stderr()
            )
        });
        answers.collect()
    }

    /// The names of the store's Pods that are not being deleted.
    pub(crate) async fn pods(&self, store: &str) -> Vec<String> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), NAMESPACE);
        let selector = ListParams::default().labels(&format!("zot.candlekeep.io/store={store}"));
        let list = pods.list(&selector).await.expect("the API server answers");
        let alive = list
            .items
            .iter()
            .filter(|pod| pod.metadata.deletion_timestamp.is_none());
        alive.map(ResourceExt::name_any).collect()
    }

    /// The one Pod of a settled store.
    pub(crate) async fn pod(&self, store: &str) -> String {
        let pods = self.pods(store).await;
        let [pod] = pods.as_slice() else {
            panic!("one Pod was expected: {pods:?}")
        };
        pod.clone()
    }

    /// The ReplicaSets of a store: one for each rollout.
    pub(crate) fn rollouts(&self, store: &str) -> usize {
        let selector = format!("--selector=zot.candlekeep.io/store={store}");
        let names = self.kubectl(&["get", "replicasets", &selector, "--output=name"]);
        names.expect_success().lines().count()
    }

    /// Deletes the store's Pod at once or in its own time.
    pub(crate) async fn delete_pod(&self, store: &str) {
        let pod = self.pod(store).await;
        self.kubectl(&["delete", "pod", &pod, "--wait=false"])
            .expect_success();
    }

    /// How many replicas of the operator run.
    pub(crate) fn scale_operator(&self, replicas: u32) {
        let count = format!("--replicas={replicas}");
        self.kubectl(&[
            "scale",
            "deployment",
            OPERATOR_NAMESPACE,
            "-n",
            OPERATOR_NAMESPACE,
            &count,
        ])
        .expect_success();
        let condition = if replicas == 0 {
            "--for=delete"
        } else {
            "--for=condition=Ready"
        };
        if replicas > 0 {
            let arguments = [
                "rollout",
                "status",
                "deployment",
                OPERATOR_NAMESPACE,
                "-n",
                OPERATOR_NAMESPACE,
                "--timeout=120s",
            ];
            self.kubectl(&arguments).expect_success();
            return;
        }
        self.kubectl(&[
            "wait",
            "pods",
            "--all",
            "-n",
            OPERATOR_NAMESPACE,
            condition,
            "--timeout=120s",
        ])
        .expect_success();
    }

    /// Replaces the operator's Pod, as an upgrade does.
    pub(crate) fn restart_operator(&self) {
        let deployment = format!("deployment/{OPERATOR_NAMESPACE}");
        self.kubectl(&["rollout", "restart", &deployment, "-n", OPERATOR_NAMESPACE])
            .expect_success();
        let arguments = [
            "rollout",
            "status",
            &deployment,
            "-n",
            OPERATOR_NAMESPACE,
            "--timeout=120s",
        ];
        self.kubectl(&arguments).expect_success();
    }

    /// The store's registry, signed in as its generated administrator.
    pub(crate) async fn registry(&self, store: &str) -> Registry {
        let services: Api<Service> = Api::namespaced(self.client.clone(), NAMESPACE);
        let service = services.get(store).await.expect("the store has a Service");
        let address: IpAddr = service
            .spec
            .and_then(|spec| spec.cluster_ip)
            .and_then(|address| address.parse().ok())
            .expect("the Service has an address");
        let registry = Registry::new(SocketAddr::new(address, 80), &self.password(store).await);
        // The node learns of a ready Pod a moment later than the operator.
        eventually("the Service leads to the store", LIMIT, async || {
            (registry.anonymous(&self.node, "/v2/") != NO_ANSWER).then_some(())
        })
        .await;
        registry
    }

    pub(crate) async fn password(&self, store: &str) -> String {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), NAMESPACE);
        let secret = secrets
            .get(&format!("{store}-admin"))
            .await
            .expect("credentials are made");
        let password = secret
            .data
            .and_then(|data| data.get("password").cloned())
            .expect("there is a password");
        String::from_utf8(password.0).expect("passwords are text")
    }

    /// Whether an object of the store's namespace is there.
    pub(crate) fn has(&self, kind: &str, name: &str) -> bool {
        self.kubectl(&["get", kind, name, "--ignore-not-found", "--output=name"])
            .expect_success()
            .trim()
            != ""
    }
}
