//! The measurements.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::{Api, ObjectMeta, PostParams};
use zas_cluster_tests::{AuditMark, ControlPlane, Credentials, Operator, eventually};
use zas_crd::{ZotArtifactStore, ZotArtifactStoreSpec};

use crate::memory;

const NAMESPACE: &str = "perf";
/// Creations in flight.
const CONCURRENCY: usize = 16;
/// Objects of a store: two ConfigMaps, two Services, and one each of ServiceAccount, Secret, claim, NetworkPolicy and
/// Deployment.
const CHILDREN: usize = 9;
const LIMIT: Duration = Duration::from_secs(900);

type Rows = Vec<(String, String)>;

/// A control plane with an operator.
pub(crate) struct Bench {
    operator: Option<Operator>,
    address: SocketAddr,
    who: Credentials,
    client: Client,
    stores: usize,
    cluster: ControlPlane,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        let cluster = ControlPlane::builder().start();
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
        cluster.apply_crds(root.join("crd/zotartifactstore_crd.yaml"));
        cluster
            .kubectl(&["create", "namespace", NAMESPACE])
            .expect_success();
        cluster
            .kubectl(&["create", "serviceaccount", "operator", "-n", NAMESPACE])
            .expect_success();
        let subject = format!("--serviceaccount={NAMESPACE}:operator");
        cluster
            .kubectl(&[
                "create",
                "clusterrolebinding",
                "operator",
                "--clusterrole=cluster-admin",
                &subject,
            ])
            .expect_success();
        let mut bench = Self {
            operator: None,
            address: SocketAddr::from(([127, 0, 0, 1], Operator::free_port())),
            who: cluster.service_account(NAMESPACE, "operator"),
            client: cluster.client().await,
            stores: 0,
            cluster,
        };
        bench.start_operator().await;
        bench
    }

    async fn start_operator(&mut self) {
        let operator = Operator::builder(&self.cluster, &self.who)
            .environment("HEALTH_ADDRESS", self.address.to_string())
            .environment("LOG_LEVEL", "warn")
            .environment("POD_NAMESPACE", NAMESPACE)
            // As in the image.
            .environment("MIMALLOC_ARENA_EAGER_COMMIT", "0")
            .environment("MIMALLOC_EAGER_COMMIT", "0")
            .environment("MIMALLOC_PURGE_DELAY", "0")
            .arguments(["--no-leader-election"])
            .ready_at(self.address, "/readyz")
            .start();
        self.operator = Some(operator);
        tokio::time::sleep(Duration::from_secs(2)).await;
    }

    fn process(&self) -> u32 {
        self.operator.as_ref().expect("it runs").process_id()
    }

    pub(crate) fn idle(&self) -> String {
        memory::text(self.process())
    }

    /// Creates stores one after the other.
    pub(crate) async fn singles(&mut self, count: usize) -> Rows {
        let mark = self.cluster.audit_log().mark();
        for _ in 0..count {
            self.create(1).await;
            self.settle().await;
        }
        let mut times = self.times_to_last_object(mark);
        times.sort_unstable();
        let at = |share: usize| {
            times
                .get((times.len() * share / 100).min(times.len() - 1))
                .copied()
                .unwrap_or_default()
        };
        let reads = self.requests(mark);
        vec![
            (
                format!(
                    "from creation to the last of {CHILDREN} objects, {} stores one by one",
                    times.len()
                ),
                format!("p50 {} ms, p99 {} ms, most {} ms", at(50), at(99), at(100)),
            ),
            (
                "requests for a new store".to_owned(),
                format!(
                    "{:.1} ({reads:?})",
                    reads.values().sum::<usize>() as f64 / count as f64
                ),
            ),
        ]
    }

    /// Adds Secrets that no store refers to.
    pub(crate) async fn secrets(&mut self, count: usize) -> Rows {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), NAMESPACE);
        let (before, _) = memory::resident(self.process());
        stream::iter(0..count)
            .for_each_concurrent(CONCURRENCY, |number| {
                let api = api.clone();
                async move {
                    let secret = Secret {
                        metadata: ObjectMeta {
                            name: Some(format!("unrelated-{number}")),
                            ..ObjectMeta::default()
                        },
                        string_data: Some(BTreeMap::from([("key".to_owned(), "x".repeat(1024))])),
                        ..Secret::default()
                    };
                    api.create(&PostParams::default(), &secret)
                        .await
                        .expect("a Secret is created");
                }
            })
            .await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let (after, _) = memory::resident(self.process());
        vec![(
            format!("{count} unrelated Secrets"),
            format!("{:+.1} MiB", after - before),
        )]
    }

    /// Adds stores until there are `target`.
    pub(crate) async fn grow(&mut self, target: usize) -> Rows {
        let (before, started, mark) = (self.stores, Instant::now(), self.cluster.audit_log().mark());
        self.create(target.saturating_sub(before)).await;
        self.settle().await;
        let took = started.elapsed().as_secs_f64();
        let added = self.stores - before;
        let writes = self.cluster.audit_log().writes_by(&self.user(), mark).len();
        let result = format!(
            "{}; {added} more settle in {took:.1} s, {:.0} a second, {:.1} writes each",
            memory::text(self.process()),
            added as f64 / took,
            writes as f64 / added.max(1) as f64
        );
        vec![(format!("{} stores", self.stores), result)]
    }

    /// Watches settled stores for a while.
    pub(crate) async fn rest(&self) -> Rows {
        let mark = self.cluster.audit_log().mark();
        tokio::time::sleep(Duration::from_secs(10)).await;
        let log = self.cluster.audit_log();
        let writes = log.writes_by(&self.user(), mark).len();
        vec![(
            format!("writes in ten seconds with {} stores", self.stores),
            writes.to_string(),
        )]
    }

    /// Starts the operator anew with everything in place.
    pub(crate) async fn restart(&mut self) -> Rows {
        self.operator.take().expect("it runs").stop();
        let mark = self.cluster.audit_log().mark();
        let started = Instant::now();
        self.start_operator().await;
        eventually("the operator has looked at every store", LIMIT, async || {
            (self.number("zas_operator_reconciles_total") >= self.stores as f64
                && self.number("zas_operator_reconciles_running") == 0.0)
                .then_some(())
        })
        .await;
        let writes = self.cluster.audit_log().writes_by(&self.user(), mark).len();
        vec![(
            format!("restart with {} stores", self.stores),
            format!(
                "{:.1} s, {:.1} writes a store that change nothing; {}",
                started.elapsed().as_secs_f64(),
                writes as f64 / self.stores.max(1) as f64,
                memory::text(self.process())
            ),
        )]
    }

    async fn create(&mut self, count: usize) {
        let api: Api<ZotArtifactStore> = Api::namespaced(self.client.clone(), NAMESPACE);
        let first = self.stores;
        stream::iter(first..first + count)
            .for_each_concurrent(CONCURRENCY, |number| {
                let api = api.clone();
                async move {
                    let store =
                        ZotArtifactStore::new(&format!("store-{number}"), ZotArtifactStoreSpec::default());
                    api.create(&PostParams::default(), &store)
                        .await
                        .expect("a store is created");
                }
            })
            .await;
        self.stores += count;
    }

    /// Waits until every store has a status that speaks of its generation, and the operator rests.
    async fn settle(&self) {
        let api: Api<ZotArtifactStore> = Api::namespaced(self.client.clone(), NAMESPACE);
        eventually("every store is settled", LIMIT, async || {
            if self.number("zas_operator_reconciles_running") != 0.0 {
                return None;
            }
            let all = api.list(&Default::default()).await.ok()?;
            let is_told = |store: &ZotArtifactStore| {
                let status = store.status.as_ref();
                let has_claim = status.is_some_and(|status| status.data_volume.is_some());
                has_claim && status.and_then(|status| status.observed_generation) == store.meta().generation
            };
            (all.items.len() >= self.stores && all.items.iter().all(is_told)).then_some(())
        })
        .await;
    }

    fn number(&self, name: &str) -> f64 {
        let operator = self.operator.as_ref().expect("it runs");
        let Some((_, text)) = operator.get(self.address, "/metrics") else {
            return f64::NAN;
        };
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.trim().parse().ok()).unwrap_or(0.0)
    }

    fn user(&self) -> String {
        format!("system:serviceaccount:{NAMESPACE}:operator")
    }

    /// The operator's requests since `mark`, watches aside, by verb.
    fn requests(&self, mark: AuditMark) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for event in self.cluster.audit_log().since(mark) {
            if event.user == self.user() && event.verb != "watch" {
                *counts.entry(event.verb).or_default() += 1;
            }
        }
        counts
    }

    /// For each store created since `mark`: milliseconds from the answer to its creation to the answer to the first
    /// application of its last object.
    fn times_to_last_object(&self, mark: AuditMark) -> Vec<i64> {
        let events = self.cluster.audit_log().since(mark);
        let created = events
            .iter()
            .filter(|event| event.resource == "zotartifactstores" && event.verb == "create");
        created
            .filter_map(|creation| {
                let start: k8s_openapi::jiff::Timestamp = creation.time.parse().ok()?;
                let deployment = events.iter().find(|event| {
                    event.resource == "deployments" && event.verb == "patch" && event.name == creation.name
                })?;
                let end: k8s_openapi::jiff::Timestamp = deployment.time.parse().ok()?;
                Some(end.as_millisecond() - start.as_millisecond())
            })
            .collect()
    }
}

trait Meta {
    fn meta(&self) -> &ObjectMeta;
}

impl Meta for ZotArtifactStore {
    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }
}
