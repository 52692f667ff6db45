//! The server's numbers, in the Prometheus exposition format.

mod blobs;
mod configuration;
mod latency;
mod metadata;
mod operation;
mod pools;
mod readings;
mod repositories;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::ConfigurationProblems;
use super::maintenance::{Collected, Scrubbed};

pub use blobs::MeasuredBlobs;
pub use metadata::MeasuredMetadata;
pub use pools::pool_readings;
pub use readings::Reading;
pub use repositories::MeasuredRepository;

use configuration::ConfigurationCollector;
use latency::Latency;
use readings::Readings;
use repositories::RepositoryMetrics;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RouteLabels {
    route: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OperationLabels {
    store: &'static str,
    operation: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

/// Counts what happens. Recording takes no lock that another request holds for long.
#[derive(Debug)]
pub struct ServerMetrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<RouteLabels, Latency>,
    received_bytes: Counter,
    sent_bytes: Counter,
    operations: Family<OperationLabels, Counter>,
    operation_errors: Family<OperationLabels, Counter>,
    operation_seconds: Family<OperationLabels, Latency>,
    uploads_in_flight: Gauge,
    collected: Family<KindLabels, Counter>,
    collection_rounds: Counter,
    collection_failures: Counter,
    withheld_orphans: Gauge,
    scrubbed_blobs: Counter,
    scrubbed_bytes: Counter,
    damage_findings: Family<KindLabels, Counter>,
    damaged_blobs: Gauge,
    written_bytes: Counter<u64, AtomicU64>,
    readings: Readings,
    repositories: Option<RepositoryMetrics>,
}

impl Default for ServerMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl ServerMetrics {
    /// All numbers at zero.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("zas"),
            requests: Family::default(),
            request_seconds: Family::default(),
            received_bytes: Counter::default(),
            sent_bytes: Counter::default(),
            operations: Family::default(),
            operation_errors: Family::default(),
            operation_seconds: Family::default(),
            uploads_in_flight: Gauge::default(),
            collected: Family::default(),
            collection_rounds: Counter::default(),
            collection_failures: Counter::default(),
            withheld_orphans: Gauge::default(),
            scrubbed_blobs: Counter::default(),
            scrubbed_bytes: Counter::default(),
            damage_findings: Family::default(),
            damaged_blobs: Gauge::default(),
            written_bytes: Counter::default(),
            readings: Readings::default(),
            repositories: None,
        };
        metrics.register();
        metrics
    }

    /// All numbers at zero, of each repository too.
    pub fn with_repositories() -> Self {
        let mut metrics = Self::new();
        let repositories = RepositoryMetrics::default();
        repositories.register(&mut metrics.registry);
        metrics.repositories = Some(repositories);
        metrics
    }

    fn register(&mut self) {
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        let all = &mut self.registry;
        all.register_collector(Box::new(self.readings.clone()));
        all.register("build", "The running version", build);
        all.register(
            "http_requests",
            "Requests by route template, method and status",
            self.requests.clone(),
        );
        all.register_with_unit(
            "http_request_duration",
            "Time from a request's headers to the last byte of its answer",
            Unit::Seconds,
            self.request_seconds.clone(),
        );
        all.register_with_unit(
            "http_received",
            "Bytes of request bodies",
            Unit::Bytes,
            self.received_bytes.clone(),
        );
        all.register_with_unit(
            "http_sent",
            "Bytes of answer bodies",
            Unit::Bytes,
            self.sent_bytes.clone(),
        );
        all.register(
            "storage_operations",
            "Operations of the stores",
            self.operations.clone(),
        );
        all.register(
            "storage_operation_errors",
            "Operations of the stores that failed",
            self.operation_errors.clone(),
        );
        all.register_with_unit(
            "storage_operation_duration",
            "Time of one operation of a store",
            Unit::Seconds,
            self.operation_seconds.clone(),
        );
        all.register_with_unit(
            "blob_written",
            "Bytes made durable in the blob store",
            Unit::Bytes,
            self.written_bytes.clone(),
        );
        all.register(
            "uploads_in_flight",
            "Requests that are sending the bytes of an upload",
            self.uploads_in_flight.clone(),
        );
        all.register(
            "collected",
            "What collection removed, by kind",
            self.collected.clone(),
        );
        all.register(
            "scrubbed_blobs",
            "Blobs whose stored bytes were checked against their digest",
            self.scrubbed_blobs.clone(),
        );
        all.register_with_unit(
            "scrubbed",
            "Stored bytes checked against their digest",
            Unit::Bytes,
            self.scrubbed_bytes.clone(),
        );
        all.register(
            "damage_findings",
            "Blobs found damaged, because their stored bytes are not their own, and found sound after all, by kind",
            self.damage_findings.clone(),
        );
        all.register(
            "damaged_blobs",
            "Blobs whose stored bytes are damaged, at most 64 of them counted: push them again",
            self.damaged_blobs.clone(),
        );
        all.register(
            "collection_rounds",
            "Rounds of collection",
            self.collection_rounds.clone(),
        );
        all.register(
            "collection_failures",
            "Rounds of collection that stopped early",
            self.collection_failures.clone(),
        );
        all.register(
            "withheld_orphans",
            "Stored names without a row that the last sweep left alone because they were too many",
            self.withheld_orphans.clone(),
        );
    }

    /// Shows how many problems keep each part of the configuration from being in force as it was written.
    pub fn watch_configuration(&mut self, problems: Arc<ConfigurationProblems>) {
        self.registry
            .register_collector(Box::new(ConfigurationCollector(problems)));
    }

    /// Adds numbers that are read when somebody asks for the metrics.
    pub fn add_readings(&self, readings: Vec<Reading>) {
        self.readings.add(readings);
    }

    /// Counts a request that has ended.
    pub fn request_ended(&self, request: &MeasuredRequest<'_>) {
        let labels = RequestLabels {
            route: request.route,
            method: method(request.method),
            status: request.status,
        };
        self.requests.get_or_create(&labels).inc();
        let route = RouteLabels { route: request.route };
        self.request_seconds
            .get_or_create(&route)
            .observe(request.duration);
        self.received_bytes.inc_by(request.received_bytes);
        self.sent_bytes.inc_by(request.sent_bytes);
        if let Some(repositories) = &self.repositories {
            repositories.request_ended(request);
        }
    }

    /// Counts a round of collection.
    pub fn collected(&self, round: Result<Collected, ()>) {
        self.collection_rounds.inc();
        let Ok(round) = round else {
            self.collection_failures.inc();
            return;
        };
        let kinds = [
            ("link", round.links),
            ("blob", round.blobs),
            ("bytes", round.deleted),
            ("upload", round.uploads),
            ("orphan", round.orphans),
        ];
        self.withheld_orphans
            .set(i64::try_from(round.withheld).unwrap_or(i64::MAX));
        for (kind, count) in kinds {
            self.collected.get_or_create(&KindLabels { kind }).inc_by(count);
        }
    }

    /// Notes what the check of stored bytes did.
    pub fn scrubbed(&self, done: Scrubbed) {
        let found = |kind| self.damage_findings.get_or_create(&KindLabels { kind }).inc();
        match done {
            Scrubbed::Checked(bytes) => {
                self.scrubbed_blobs.inc();
                self.scrubbed_bytes.inc_by(bytes);
            }
            Scrubbed::FoundDamaged => {
                found("damaged");
            }
            Scrubbed::FoundSound => {
                found("sound");
            }
            Scrubbed::Damaged(count) => {
                self.damaged_blobs.set(i64::try_from(count).unwrap_or(i64::MAX));
            }
        }
    }

    /// All numbers in the text format.
    ///
    /// # Errors
    /// Only when a label cannot be written.
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// What is counted of a request.
#[derive(Clone, Copy, Debug)]
pub struct MeasuredRequest<'a> {
    /// The path with its variable parts replaced.
    pub route: &'static str,
    /// The repository that it was allowed to use.
    pub repository: Option<MeasuredRepository<'a>>,
    /// The method as it was sent.
    pub method: &'a str,
    /// The status of the answer.
    pub status: u16,
    /// How long it took.
    pub duration: Duration,
    /// Bytes of the request's body.
    pub received_bytes: u64,
    /// Bytes of the answer's body.
    pub sent_bytes: u64,
}

/// A client may invent methods, and every label value is kept for ever.
fn method(sent: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == sent).unwrap_or("other")
}

#[cfg(test)]
mod contract_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_requests_when_encoded_then_counted_by_template_and_unknown_methods_share_a_label() {
        let metrics = ServerMetrics::new();
        for method in ["GET", "BREW", "STIR"] {
            metrics.request_ended(&MeasuredRequest {
                route: "/v2/",
                repository: None,
                method,
                status: 200,
                duration: Duration::from_millis(3),
                received_bytes: 1,
                sent_bytes: 2,
            });
        }
        let text = metrics.encode().unwrap();
        assert!(
            text.contains(r#"zas_http_requests_total{route="/v2/",method="other",status="200"} 2"#),
            "{text}"
        );
        assert!(text.contains("zas_http_sent_bytes_total 6"), "{text}");
        assert!(text.contains("zas_build_info"), "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
    }

    #[test]
    fn given_numbers_that_live_elsewhere_when_encoded_then_they_are_read_with_type_and_labels() {
        let metrics = ServerMetrics::new();
        metrics.add_readings(vec![
            Reading::counter("lost", "What was lost", || 7),
            Reading::gauge("held", "What is held", || 8),
            Reading::gauges("waiting", "Who waits", "pool", || vec![("a", 1), ("b", 2)]),
            Reading::counters("refused", "Who was refused", "reason", || vec![("share", 3)]),
        ]);
        metrics.add_readings(pool_readings());
        let text = metrics.encode().unwrap();
        for line in [
            "zas_blocking_work_waiting{pool=\"hashes\"} 0",
            "# TYPE zas_lost counter",
            "zas_lost_total 7",
            "# TYPE zas_held gauge",
            "zas_held 8",
            "zas_waiting{pool=\"a\"} 1",
            "zas_waiting{pool=\"b\"} 2",
            "zas_refused_total{reason=\"share\"} 3",
        ] {
            assert!(text.lines().any(|other| other == line), "no {line} in\n{text}");
        }
    }
}
