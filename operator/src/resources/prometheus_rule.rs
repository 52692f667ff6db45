//! Alerts. `docs/RUNBOOKS.md` has a section for each.

use std::time::Duration;

use serde_json::{Value, json};
use zas_crd::TimeSpan;

use super::{Prepared, labels_with, metadata, service_monitor};
use crate::children::ChildKind;
use crate::store::ResolvedStore;

const RUNBOOKS: &str = "https://github.com/candlekeep/zot-artifact-store/blob/main/docs/RUNBOOKS.md";
/// What the server allows unless `limits.maxConcurrentUploads` says otherwise.
const CONCURRENT_UPLOADS: i32 = 1024;
/// The pause between rounds of collection unless the resource says otherwise.
const COLLECTION_INTERVAL: Duration = Duration::from_secs(3600);
/// Below this, one failed round would be most of what is seen.
const SHORTEST_COLLECTION_WINDOW: Duration = Duration::from_secs(1800);

/// One alert.
struct Alert {
    name: &'static str,
    expression: String,
    lasting: &'static str,
    severity: &'static str,
    summary: String,
    description: String,
}

/// The PrometheusRule.
pub(crate) fn build(store: &ResolvedStore) -> Prepared {
    let settings = &store.spec.monitoring.prometheus_rule;
    let mut metadata = metadata(store, store.names.store(), Some(store.owner()));
    metadata.labels = Some(labels_with(store, &settings.labels));
    let alerts = [
        down(store),
        errors(store),
        storage_errors(store),
        writes(store),
        damage(store),
        orphans(store),
        uploads(store),
        refusals(store),
        waiting(store),
        collection(store),
        configuration(store),
    ];
    let rules: Vec<Value> = alerts.iter().map(rule).collect();
    let groups = json!([{ "name": format!("zot-artifact-store.{}", store.key.name), "rules": rules }]);
    let object = json!({ "metadata": metadata, "spec": { "groups": groups } });
    Prepared::new(ChildKind::PrometheusRule, &object)
}

fn rule(alert: &Alert) -> Value {
    json!({
        "alert": alert.name,
        "expr": alert.expression,
        "for": alert.lasting,
        "labels": { "severity": alert.severity },
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": format!("{RUNBOOKS}#{}", alert.name.to_lowercase()),
        },
    })
}

fn down(store: &ResolvedStore) -> Alert {
    let series = selected(store, "");
    // Absence tells nothing when nobody scrapes, or when the store is stopped on purpose.
    let expects_series = service_monitor::is_scraped(store) && store.spec.replicas > 0;
    Alert {
        name: "ZotArtifactStoreDown",
        expression: if expects_series {
            format!("absent(up{series} == 1)")
        } else {
            format!("up{series} == 0")
        },
        lasting: "5m",
        severity: "critical",
        summary: format!("Artifact store {} does not answer", store.key),
        description: format!(
            "Prometheus has not reached the server of {} for 5 minutes: clients can probably neither pull nor push.",
            store.key
        ),
    }
}

fn errors(store: &ResolvedStore) -> Alert {
    let (failed, all) = (selected(store, r#"status=~"5..""#), selected(store, ""));
    Alert {
        name: "ZotArtifactStoreErrorRateHigh",
        expression: format!(
            "sum by (namespace, job) (rate(zas_http_requests_total{failed}[5m])) \
             / sum by (namespace, job) (rate(zas_http_requests_total{all}[5m])) > 0.05"
        ),
        lasting: "10m",
        severity: "critical",
        summary: format!("Artifact store {} fails requests", store.key),
        description: format!(
            "{{{{ $value | humanizePercentage }}}} of the requests to {} end with a server error.",
            store.key
        ),
    }
}

fn storage_errors(store: &ResolvedStore) -> Alert {
    let series = selected(store, "");
    Alert {
        name: "ZotArtifactStoreStorageErrors",
        expression: format!(
            "sum by (namespace, job, store) (rate(zas_storage_operation_errors_total{series}[5m])) > 0"
        ),
        lasting: "10m",
        severity: "critical",
        summary: format!("The storage of artifact store {} fails", store.key),
        description: format!(
            "Operations of the {{{{ $labels.store }}}} store of {} fail, {{{{ $value | humanize }}}} a second.",
            store.key
        ),
    }
}

fn writes(store: &ResolvedStore) -> Alert {
    let series = selected(store, "");
    Alert {
        name: "ZotArtifactStoreWritesFail",
        expression: format!("zas_store_writes_failing{series} > 0"),
        lasting: "5m",
        severity: "critical",
        summary: format!("Nothing can be pushed to artifact store {}", store.key),
        description: format!(
            "The {{{{ $labels.store }}}} store of {} takes no writes: pulls go on, pushes and deletions fail.",
            store.key
        ),
    }
}

fn damage(store: &ResolvedStore) -> Alert {
    let series = selected(store, "");
    Alert {
        name: "ZotArtifactStoreBlobsDamaged",
        expression: format!("zas_damaged_blobs{series} > 0"),
        lasting: "5m",
        severity: "critical",
        summary: format!("Artifact store {} has damaged blobs", store.key),
        description: format!(
            "The stored bytes of {{{{ $value }}}} blobs of {} are missing or not theirs any more: pulls of them fail \
             until they are pushed again or their volume is back.",
            store.key
        ),
    }
}

fn orphans(store: &ResolvedStore) -> Alert {
    let series = selected(store, "");
    Alert {
        name: "ZotArtifactStoreOrphansWithheld",
        expression: format!("zas_withheld_orphans{series} > 0"),
        lasting: "5m",
        severity: "warning",
        summary: format!("Artifact store {} may have lost rows", store.key),
        description: format!(
            "{{{{ $value }}}} stored files of {} have no row, more than one sweep may delete: nothing was deleted.",
            store.key
        ),
    }
}

fn uploads(store: &ResolvedStore) -> Alert {
    let series = selected(store, "");
    let stated = store.spec.limits.max_concurrent_uploads;
    let limit = stated.unwrap_or(CONCURRENT_UPLOADS);
    Alert {
        name: "ZotArtifactStoreUploadsNearLimit",
        expression: format!("zas_uploads_in_flight{series} > 0.8 * {limit}"),
        lasting: "10m",
        severity: "warning",
        summary: format!("Artifact store {} is near its limit of uploads", store.key),
        description: format!(
            "{{{{ $value }}}} of {limit} concurrent uploads are in use in {}: beyond the limit clients are answered 429.",
            store.key
        ),
    }
}

fn refusals(store: &ResolvedStore) -> Alert {
    let series = selected(store, "");
    let rates = [
        "zas_upload_slots_refused_total",
        "zas_uploads_open_refused_total",
        "zas_body_memory_refused_total",
    ]
    .map(|counter| format!("sum by (namespace, job, reason) (rate({counter}{series}[5m]))"));
    Alert {
        name: "ZotArtifactStoreClientsRefused",
        expression: format!("{} > 0", rates.join(" + ")),
        lasting: "10m",
        severity: "warning",
        summary: format!("Artifact store {} answers clients 429", store.key),
        description: format!(
            "{{{{ $value | humanize }}}} requests a second to {} are refused because all clients together, or one of them, \
             hold too much (reason {{{{ $labels.reason }}}}).",
            store.key
        ),
    }
}

fn waiting(store: &ResolvedStore) -> Alert {
    let series = selected(store, "");
    Alert {
        name: "ZotArtifactStoreWorkWaiting",
        expression: format!("min_over_time(zas_blocking_work_waiting{series}[5m]) > 0"),
        lasting: "5m",
        severity: "warning",
        summary: format!("Artifact store {} has more work than threads", store.key),
        description: format!(
            "Work of the kind {{{{ $labels.pool }}}} has waited for a thread of {} all the time: what it waits for, a disk \
             or a processor, is too slow for what is asked.",
            store.key
        ),
    }
}

fn collection(store: &ResolvedStore) -> Alert {
    let series = selected(store, "");
    let window = collection_window(store).as_secs() / 60;
    Alert {
        name: "ZotArtifactStoreCollectionFailing",
        expression: format!(
            "increase(zas_collection_failures_total{series}[{window}m]) \
             > 0.5 * increase(zas_collection_rounds_total{series}[{window}m])"
        ),
        lasting: "15m",
        severity: "warning",
        summary: format!("Artifact store {} cannot remove unused content", store.key),
        description: format!(
            "More than half of the rounds of collection of {} in the last {window} minutes stopped early: \
             deleted content keeps its space.",
            store.key
        ),
    }
}

fn configuration(store: &ResolvedStore) -> Alert {
    let series = selected(store, "");
    Alert {
        name: "ZotArtifactStoreConfigurationNotInForce",
        expression: format!("zas_configuration_problems{series} > 0"),
        lasting: "5m",
        severity: "warning",
        summary: format!(
            "The configuration of artifact store {} is not in force as it was written",
            store.key
        ),
        description: format!(
            "{{{{ $value }}}} problems keep the part {{{{ $labels.part }}}} of {} from being in force: somebody may \
             still be allowed in, or not yet.",
            store.key
        ),
    }
}

/// Long enough for three rounds.
fn collection_window(store: &ResolvedStore) -> Duration {
    let settings = store.spec.maintenance.garbage_collection.as_ref();
    let stated = settings.and_then(|settings| settings.interval.as_ref());
    let interval = stated.and_then(|span: &TimeSpan| span.duration().ok());
    let rounds = interval.unwrap_or(COLLECTION_INTERVAL).saturating_mul(3);
    rounds.max(SHORTEST_COLLECTION_WINDOW)
}

/// The selector of the series of this store. A ServiceMonitor names the job after the Service.
fn selected(store: &ResolvedStore, more: &str) -> String {
    let (namespace, job) = (&store.key.namespace, store.names.metrics_service());
    let separator = if more.is_empty() { "" } else { "," };
    format!(r#"{{namespace="{namespace}",job="{job}"{separator}{more}}}"#)
}
