//! A namespace with a ServiceAccount for the operator, and what tests do in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use zas_cluster_tests::{AuditEvent, AuditMark, ControlPlane, Credentials, eventually};
use zas_crd::{ConditionType, ZotArtifactStore};

use crate::kind::{self, Kind};
use crate::worker::Worker;
use crate::{cluster, pods, rights, status};

/// For everything that happens in another process on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// What kind of objects the operator makes.
const OWN: &str = "app.kubernetes.io/managed-by=zot-artifact-store-operator";

static NEXT: AtomicU32 = AtomicU32::new(1);

/// A namespace, the ServiceAccount of an operator, and a task in place of a kubelet. When it ends, the operator must
/// never have been refused anything.
pub(crate) struct Stage {
    pub(crate) cluster: Arc<ControlPlane>,
    pub(crate) namespace: String,
    client: Client,
    who: Credentials,
    kubelet: Option<JoinHandle<()>>,
    may_be_refused: bool,
}

/// What is installed for the operator of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Namespace,
    Cluster,
}

impl Stage {
    /// A namespace of the shared plain cluster.
    pub(crate) async fn new(subject: &str) -> Self {
        Self::on(cluster::plain(), subject, Reach::Namespace).await
    }

    pub(crate) async fn on(cluster: Arc<ControlPlane>, subject: &str, reach: Reach) -> Self {
        let client = cluster.client().await;
        let namespace = format!("{subject}-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let mut objects =
            vec![json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})];
        objects.extend(match reach {
            Reach::Namespace => rights::of_namespaces(&namespace, &[&namespace]),
            Reach::Cluster => rights::of_cluster(&namespace),
        });
        install(&cluster, &objects);
        Self {
            who: cluster.service_account(&namespace, "operator"),
            kubelet: Some(pods::run(client.clone(), &namespace)),
            cluster,
            namespace,
            client,
            may_be_refused: false,
        }
    }

    /// Applies objects of any kind and namespace.
    pub(crate) fn install(&self, objects: &[Value]) {
        install(&self.cluster, objects);
    }

    /// What this test asks for is refused, and not for lack of a right.
    pub(crate) fn expect_refusals(&mut self) {
        self.may_be_refused = true;
    }

    /// From here on Pods stay as the controllers leave them.
    pub(crate) fn stop_pods(&mut self) {
        if let Some(task) = self.kubelet.take() {
            task.abort();
        }
    }

    /// Pods get ready again.
    pub(crate) fn run_pods(&mut self) {
        self.kubelet = Some(pods::run(self.client.clone(), &self.namespace));
    }

    /// Starts an operator for this namespace, without a lease.
    pub(crate) fn operator(&self) -> Worker {
        self.operator_with(&[])
    }

    /// The same with arguments.
    pub(crate) fn operator_with(&self, arguments: &[&str]) -> Worker {
        let namespace = format!("--watch-namespace={}", self.namespace);
        self.any_operator(
            "operator",
            &[&["--no-leader-election", &namespace], arguments].concat(),
        )
    }

    /// Starts an operator that is told nothing but its own namespace and these arguments.
    pub(crate) fn any_operator(&self, pod: &str, arguments: &[&str]) -> Worker {
        Worker::start(&self.cluster, &self.who, |builder| {
            builder
                .name(&format!("{pod}-{}", self.namespace))
                .environment("POD_NAMESPACE", &self.namespace)
                .environment("POD_NAME", pod)
                .arguments(arguments.iter().copied())
        })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn api(&self, kind: Kind) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &kind.resource())
    }

    pub(crate) fn stores(&self) -> Api<ZotArtifactStore> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Creates an object, given without its kind and namespace.
    pub(crate) async fn create(&self, kind: Kind, name: &str, content: Value) -> DynamicObject {
        let mut object = content;
        object["apiVersion"] = kind.api_version().into();
        object["kind"] = kind.2.into();
        object["metadata"]["name"] = name.into();
        let object: DynamicObject = serde_json::from_value(object).expect("objects have metadata");
        let created = self.api(kind).create(&PostParams::default(), &object).await;
        created.unwrap_or_else(|error| panic!("{} {name} cannot be created: {error}", kind.2))
    }

    pub(crate) async fn create_store(&self, name: &str, spec: Value) {
        self.create(kind::STORE, name, json!({ "spec": spec })).await;
    }

    pub(crate) async fn create_secret(&self, name: &str, entries: &[(&str, &str)]) {
        let data: BTreeMap<_, _> = entries.iter().copied().collect();
        self.create(kind::SECRET, name, json!({ "stringData": data }))
            .await;
    }

    /// A volume for a claim of this namespace that is still to be made.
    pub(crate) fn offer_volume(&self, claim: &str) {
        self.offer_volume_of(claim, "");
    }

    /// The same, of a storage class.
    pub(crate) fn offer_volume_of(&self, claim: &str, class: &str) {
        let name = format!("{}-{claim}", self.namespace);
        let bound_to = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": self.namespace, "name": claim});
        self.install(&[json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": {
            "capacity": {"storage": "1Ti"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/nowhere"},
            "storageClassName": class, "claimRef": bound_to,
        }})]);
    }

    /// Whether the API server takes a new object.
    pub(crate) async fn try_create(&self, kind: Kind, object: Value) -> bool {
        let object: DynamicObject = serde_json::from_value(object).expect("objects have metadata");
        self.api(kind)
            .create(&PostParams::default(), &object)
            .await
            .is_ok()
    }

    pub(crate) async fn get(&self, kind: Kind, name: &str) -> Option<Value> {
        let found = self
            .api(kind)
            .get_opt(name)
            .await
            .expect("the API server answers");
        found.map(|object| serde_json::to_value(object).expect("objects are JSON"))
    }

    /// An object that must be there.
    pub(crate) async fn present(&self, kind: Kind, name: &str) -> Value {
        let found = self.get(kind, name).await;
        found.unwrap_or_else(|| panic!("{} {name} is not there", kind.2))
    }

    /// Changes an object by a merge patch.
    pub(crate) async fn merge(&self, kind: Kind, name: &str, patch: Value) -> Value {
        let patched = self
            .api(kind)
            .patch(name, &PatchParams::default(), &Patch::Merge(&patch))
            .await;
        let patched = patched.unwrap_or_else(|error| panic!("{} {name} cannot be patched: {error}", kind.2));
        serde_json::to_value(patched).expect("objects are JSON")
    }

    /// Changes the status of an object by a merge patch.
    pub(crate) async fn report(&self, kind: Kind, name: &str, status: Value) {
        let patch = Patch::Merge(json!({ "status": status }));
        let patched = self
            .api(kind)
            .patch_status(name, &PatchParams::default(), &patch)
            .await;
        patched.unwrap_or_else(|error| panic!("the status of {} {name} cannot be patched: {error}", kind.2));
    }

    /// Applies an object as this field manager.
    pub(crate) async fn apply_as(&self, manager: &str, kind: Kind, object: &Value) {
        let name = object["metadata"]["name"].as_str().expect("objects have names");
        let applied = self
            .api(kind)
            .patch(name, &PatchParams::apply(manager).force(), &Patch::Apply(object))
            .await;
        applied.unwrap_or_else(|error| panic!("{} {name} cannot be applied: {error}", kind.2));
    }

    pub(crate) async fn change_spec(&self, store: &str, spec: Value) {
        self.merge(kind::STORE, store, json!({ "spec": spec })).await;
    }

    pub(crate) async fn delete(&self, kind: Kind, name: &str) {
        let deleted = self.api(kind).delete(name, &DeleteParams::background()).await;
        deleted.unwrap_or_else(|error| panic!("{} {name} cannot be deleted: {error}", kind.2));
    }

    /// The objects of a kind that the operator made, by name.
    pub(crate) async fn made(&self, kind: Kind) -> BTreeMap<String, Value> {
        let list = self.api(kind).list(&ListParams::default().labels(OWN)).await;
        let items = list.expect("the API server answers").items.into_iter();
        items
            .map(|object| {
                (
                    object.name_any(),
                    serde_json::to_value(object).expect("objects are JSON"),
                )
            })
            .collect()
    }

    /// Kind and name of everything that the operator made, of the kinds that every cluster has.
    pub(crate) async fn everything_made(&self) -> BTreeMap<(Kind, String), Value> {
        let mut all = BTreeMap::new();
        for kind in kind::ALWAYS_SERVED {
            all.extend(
                self.made(kind)
                    .await
                    .into_iter()
                    .map(|(name, object)| ((kind, name), object)),
            );
        }
        all
    }

    /// Waits until an object is there and as the test wants it.
    pub(crate) async fn until(
        &self,
        kind: Kind,
        name: &str,
        what: &str,
        is: impl Fn(&Value) -> bool,
    ) -> Value {
        eventually(&format!("{} {name} {what}", kind.2), LIMIT, async || {
            self.get(kind, name).await.filter(&is)
        })
        .await
    }

    pub(crate) async fn until_gone(&self, kind: Kind, name: &str) {
        eventually(&format!("{} {name} is gone", kind.2), LIMIT, async || {
            self.get(kind, name).await.is_none().then_some(())
        })
        .await;
    }

    /// Waits until a store reports what the test wants.
    pub(crate) async fn until_store(
        &self,
        name: &str,
        is: impl Fn(&ZotArtifactStore) -> bool,
    ) -> ZotArtifactStore {
        let end = Instant::now() + LIMIT;
        loop {
            let store = self.stores().get(name).await.expect("the store is there");
            if is(&store) {
                return store;
            }
            assert!(
                Instant::now() < end,
                "{name} reports otherwise:\n{}",
                serde_json::to_string_pretty(&store.status).expect("a status is JSON")
            );
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    pub(crate) async fn until_ready(&self, name: &str) -> ZotArtifactStore {
        self.until_store(name, status::is_ready).await
    }

    /// Waits until a condition of the newest generation has this status and reason; its message.
    pub(crate) async fn until_condition(
        &self,
        name: &str,
        kind: ConditionType,
        holds: bool,
        reason: &str,
    ) -> String {
        let store = self
            .until_store(name, |store| status::is(store, kind, holds, reason))
            .await;
        status::condition(&store, kind).expect("it was there").message
    }

    pub(crate) async fn until_degraded(&self, name: &str, reason: &str) -> String {
        self.until_condition(name, ConditionType::Degraded, true, reason)
            .await
    }

    pub(crate) fn mark(&self) -> AuditMark {
        self.cluster.audit_log().mark()
    }

    /// What operators of this stage have asked for since.
    pub(crate) fn requests(&self, mark: AuditMark) -> Vec<AuditEvent> {
        let user = format!("system:serviceaccount:{}:operator", self.namespace);
        let mut events = self.cluster.audit_log().since(mark);
        events.retain(|event| event.user == user);
        events
    }

    /// What operators of this stage have written since, besides their lease.
    pub(crate) fn writes(&self, mark: AuditMark) -> Vec<AuditEvent> {
        let mut events = self.requests(mark);
        events.retain(|event| event.is_write() && event.resource != "leases");
        events
    }

    #[track_caller]
    pub(crate) fn expect_no_writes(&self, mark: AuditMark) {
        let writes = self.writes(mark);
        assert!(writes.is_empty(), "the operator wrote: {writes:#?}");
    }
}

fn install(cluster: &ControlPlane, objects: &[Value]) {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    cluster.apply(&list.to_string());
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop_pods();
        if thread::panicking() {
            return;
        }
        let requests = self.requests(AuditMark::default());
        let is_refused = |event: &&AuditEvent| event.code == 403 && !self.may_be_refused;
        let refused: Vec<_> = requests.iter().filter(is_refused).collect();
        assert!(refused.is_empty(), "the operator lacks rights: {refused:#?}");
        rights::note_used(&requests);
    }
}

/// A list of texts that reads well in a failure.
pub(crate) fn named(objects: &BTreeMap<(Kind, String), Value>) -> Vec<String> {
    objects
        .keys()
        .map(|(kind, name)| format!("{} {name}", kind.2))
        .collect()
}
