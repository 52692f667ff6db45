//! Alerts: that they speak of metrics that exist, and that somebody wrote down what to do.

use std::collections::BTreeSet;

use serde_json::Value;

use super::fixtures::store;
use super::{all, at, only};
use crate::children::ChildKind;

const RUNBOOKS: &str = include_str!("../../../../docs/RUNBOOKS.md");
/// Where the server declares its metrics.
const SERVER_METRICS: &str = concat!(
    include_str!("../../../../server/src/services/metrics/mod.rs"),
    include_str!("../../../../server/src/services/metrics/configuration.rs"),
    include_str!("../../../../server/src/services/metrics/pools.rs"),
    include_str!("../../../../server/src/services/registry/mod.rs"),
    include_str!("../../../../server/src/services/registry/uploads/open.rs"),
    include_str!("../../../../server/src/api/oci/call.rs"),
    include_str!("../../../../server/src/services/store_writes.rs")
);
const RULE: &str = "monitoring: {prometheusRule: {enabled: true}}";
const RULE_AND_MONITOR: &str =
    "monitoring: {prometheusRule: {enabled: true}, serviceMonitor: {enabled: true}}";

fn alerts(spec: &str) -> Vec<Value> {
    let rule = only(&store(spec), ChildKind::PrometheusRule);
    at(&rule, "/spec/groups/0/rules").as_array().unwrap().clone()
}

fn expression(spec: &str, alert: &str) -> String {
    let alerts = alerts(spec);
    let found = alerts.iter().find(|rule| rule["alert"] == alert);
    found.unwrap()["expr"].as_str().unwrap().to_owned()
}

#[test]
fn given_alerts_when_their_metrics_are_looked_up_then_the_server_declares_each() {
    let mut seen = BTreeSet::new();
    for rule in alerts(RULE) {
        let expression = rule["expr"].as_str().unwrap().to_owned();
        let words = expression.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
        for metric in words.filter_map(|word| word.strip_prefix("zas_")) {
            // The exposition format adds the suffix to counters.
            let declared = metric.strip_suffix("_total").unwrap_or(metric);
            assert!(SERVER_METRICS.contains(&format!("\"{declared}\"")), "{metric}");
            seen.insert(declared.to_owned());
        }
    }
    assert!(seen.len() >= 5, "{seen:?}");
}

#[test]
fn given_alerts_when_compared_with_the_runbooks_then_each_has_a_section_and_none_is_left_over() {
    let mut names = BTreeSet::new();
    for rule in alerts(RULE) {
        let name = rule["alert"].as_str().unwrap();
        let link = at(&rule, "/annotations/runbook_url").as_str().unwrap();
        assert!(
            link.ends_with(&format!("/docs/RUNBOOKS.md#{}", name.to_lowercase())),
            "{link}"
        );
        for field in ["summary", "description"] {
            assert!(
                rule["annotations"][field]
                    .as_str()
                    .unwrap()
                    .contains("artifacts/store")
            );
        }
        assert!(["critical", "warning"].contains(&rule["labels"]["severity"].as_str().unwrap()));
        names.insert(name.to_owned());
    }
    let sections: BTreeSet<_> = RUNBOOKS
        .lines()
        .filter_map(|line| line.strip_prefix("## ZotArtifactStore"))
        .map(|rest| format!("ZotArtifactStore{rest}"))
        .collect();
    assert_eq!(names, sections);
}

#[test]
fn given_alerts_when_read_then_every_series_is_of_this_store_and_brackets_are_balanced() {
    for rule in alerts(RULE_AND_MONITOR) {
        let expression = rule["expr"].as_str().unwrap();
        let own = expression
            .matches(r#"{namespace="artifacts",job="store-metrics""#)
            .count();
        assert!(own > 0 && own == expression.matches('{').count(), "{expression}");
        for (open, close) in [('(', ')'), ('{', '}'), ('[', ']')] {
            assert_eq!(
                expression.matches(open).count(),
                expression.matches(close).count(),
                "{expression}"
            );
        }
    }
}

#[test]
fn given_a_scraped_store_when_it_should_run_then_absence_is_an_alert_and_otherwise_it_is_not() {
    let stopped = format!("replicas: 0\n{RULE_AND_MONITOR}");
    for (spec, tells_absence) in [(RULE_AND_MONITOR, true), (RULE, false), (&stopped, false)] {
        let expression = expression(spec, "ZotArtifactStoreDown");
        assert_eq!(expression.starts_with("absent("), tells_absence, "{expression}");
    }
}

#[test]
fn given_stated_limits_when_built_then_thresholds_follow() {
    let spec = format!(
        "limits: {{maxConcurrentUploads: 100}}\nmaintenance: {{garbageCollection: {{interval: 24h}}}}\n{RULE}"
    );
    assert!(expression(&spec, "ZotArtifactStoreUploadsNearLimit").ends_with("> 0.8 * 100"));
    assert!(expression(&spec, "ZotArtifactStoreCollectionFailing").contains("[4320m]"));
    assert!(expression(RULE, "ZotArtifactStoreCollectionFailing").contains("[180m]"));
}

#[test]
fn given_no_metrics_when_rules_are_asked_for_then_there_are_none() {
    let spec = format!("extensions: {{metrics: {{enabled: false}}}}\n{RULE}");
    assert!(all(&store(&spec), ChildKind::PrometheusRule).is_empty());
}
