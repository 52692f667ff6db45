//! The operator's own metrics, in OpenMetrics.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicI64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// The content type of what [`Metrics::encode`] writes.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds in seconds: a settled store takes milliseconds, a new one tens of them, the limit is a minute.
const DURATIONS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 20.0, 60.0,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WriteLabels {
    kind: String,
    verb: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: String,
}

/// The operator's metrics. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    reconciles: Counter,
    duration: Histogram,
    errors: Family<ReasonLabel, Counter>,
    writes: Family<WriteLabels, Counter>,
    watch_errors: Family<KindLabel, Counter>,
    stores: Gauge<i64, AtomicI64>,
    degraded: Gauge<i64, AtomicI64>,
    running: Gauge<i64, AtomicI64>,
    leader: Gauge<i64, AtomicI64>,
    crd_outdated: Gauge<i64, AtomicI64>,
    crd_differs: Gauge<i64, AtomicI64>,
    failed_rollouts: Gauge<i64, AtomicI64>,
    counted: Mutex<BTreeMap<String, Counted>>,
}

/// The stores of one scope.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    all: usize,
    degraded: usize,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("zas_operator"),
            reconciles: Counter::default(),
            duration: Histogram::new(DURATIONS),
            errors: Family::default(),
            writes: Family::default(),
            watch_errors: Family::default(),
            stores: Gauge::default(),
            degraded: Gauge::default(),
            running: Gauge::default(),
            leader: Gauge::default(),
            crd_outdated: Gauge::default(),
            crd_differs: Gauge::default(),
            failed_rollouts: Gauge::default(),
            counted: Mutex::default(),
        };
        metrics.registered()
    }
}

impl Metrics {
    fn registered(mut self) -> Self {
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        let registry = &mut self.registry;
        registry.register("build", "The operator's version", build);
        registry.register("reconciles", "Looks at a store", self.reconciles.clone());
        registry.register(
            "reconcile_duration_seconds",
            "Duration of a look at a store",
            self.duration.clone(),
        );
        registry.register(
            "reconcile_errors",
            "Looks that failed, by reason",
            self.errors.clone(),
        );
        registry.register(
            "writes",
            "Writes to the API server, by kind and verb",
            self.writes.clone(),
        );
        registry.register(
            "watch_errors",
            "Interrupted watches, by kind",
            self.watch_errors.clone(),
        );
        registry.register("stores", "Stores that are looked after", self.stores.clone());
        registry.register(
            "stores_degraded",
            "Stores that are degraded",
            self.degraded.clone(),
        );
        registry.register(
            "reconciles_running",
            "Looks at a store that run now",
            self.running.clone(),
        );
        registry.register(
            "leader",
            "1 while this replica is the leader",
            self.leader.clone(),
        );
        registry.register(
            "crd_outdated",
            "1 when the installed CustomResourceDefinition is older than this operator",
            self.crd_outdated.clone(),
        );
        registry.register(
            "crd_differs",
            "1 when the installed CustomResourceDefinition is of another revision than this operator, older or newer",
            self.crd_differs.clone(),
        );
        registry.register(
            "rollouts_failed",
            "Stores that did not come up again after the operator restarted them: no other one is restarted until they do",
            self.failed_rollouts.clone(),
        );
        self
    }

    /// A look at a store begins. The answer says when it ends.
    pub fn reconcile_started(&self) {
        self.reconciles.inc();
        self.running.inc();
    }

    /// A look at a store has ended, with this reason when it failed.
    pub fn reconcile_ended(&self, took: Duration, failure: Option<&str>) {
        self.running.dec();
        self.duration.observe(took.as_secs_f64());
        if let Some(reason) = failure {
            let label = ReasonLabel {
                reason: reason.to_owned(),
            };
            self.errors.get_or_create(&label).inc();
        }
    }

    /// Something was written.
    pub fn wrote(&self, kind: &str, verb: &str) {
        let labels = WriteLabels {
            kind: kind.to_owned(),
            verb: verb.to_owned(),
        };
        self.writes.get_or_create(&labels).inc();
    }

    /// A watch was interrupted.
    pub fn watch_failed(&self, kind: &str) {
        self.watch_errors
            .get_or_create(&KindLabel {
                kind: kind.to_owned(),
            })
            .inc();
    }

    /// How many stores there are in a scope (a namespace, or the whole cluster), and how many of them are degraded.
    /// What is told is the sum over all scopes.
    pub fn count_stores(&self, scope: &str, all: usize, degraded: usize) {
        // Every change under the lock is complete in itself, so what a panicking thread left is sound.
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.insert(scope.to_owned(), Counted { all, degraded });
        let sum = |of: fn(&Counted) -> usize| {
            let sum: usize = counted.values().map(of).sum();
            i64::try_from(sum).unwrap_or(i64::MAX)
        };
        self.stores.set(sum(|counted| counted.all));
        self.degraded.set(sum(|counted| counted.degraded));
    }

    /// How many stores did not come up again after the operator restarted them.
    pub fn count_failed_rollouts(&self, count: usize) {
        self.failed_rollouts.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Whether this replica leads.
    pub fn set_leader(&self, leads: bool) {
        self.leader.set(leads.into());
    }

    /// Whether the installed definition of the resource is older than this operator.
    pub fn set_crd_outdated(&self, is_outdated: bool) {
        self.crd_outdated.set(is_outdated.into());
    }

    /// Whether the installed definition of the resource is of another revision than this operator.
    pub fn set_crd_differs(&self, differs: bool) {
        self.crd_differs.set(differs.into());
    }

    /// All of them, as text.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_some_work_when_encoded_then_each_number_has_its_name() {
        let metrics = Metrics::default();
        metrics.reconcile_started();
        metrics.reconcile_ended(Duration::from_millis(3), Some("ApplyFailed"));
        metrics.wrote("Deployment", "apply");
        metrics.watch_failed("Secret");
        metrics.count_stores("", 3, 1);
        metrics.set_leader(true);
        let text = metrics.encode();
        for line in [
            "zas_operator_reconciles_total 1",
            "zas_operator_reconcile_errors_total{reason=\"ApplyFailed\"} 1",
            "zas_operator_writes_total{kind=\"Deployment\",verb=\"apply\"} 1",
            "zas_operator_watch_errors_total{kind=\"Secret\"} 1",
            "zas_operator_stores 3",
            "zas_operator_stores_degraded 1",
            "zas_operator_reconciles_running 0",
            "zas_operator_leader 1",
            "zas_operator_reconcile_duration_seconds_count 1",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is missing in\n{text}"
            );
        }
    }

    #[test]
    fn given_several_namespaces_when_their_stores_are_counted_then_the_numbers_are_those_of_all() {
        let metrics = Metrics::default();
        metrics.count_stores("a", 3, 1);
        metrics.count_stores("b", 2, 2);
        metrics.count_stores("a", 4, 0);
        let text = metrics.encode();
        for line in ["zas_operator_stores 6", "zas_operator_stores_degraded 2"] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is missing in\n{text}"
            );
        }
    }
}
