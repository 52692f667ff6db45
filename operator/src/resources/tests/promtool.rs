//! The alerts as Prometheus itself reads them: `promtool` of Debian's package `prometheus`. Where it is not installed,
//! there is nothing to ask.

use std::io::Write;
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::fixtures::store;
use super::{at, only};
use crate::children::ChildKind;

const SPEC: &str = "monitoring: {prometheusRule: {enabled: true}, serviceMonitor: {enabled: true}}";

fn rules() -> Value {
    json!({ "groups": at(&only(&store(SPEC), ChildKind::PrometheusRule), "/spec/groups") })
}

fn is_installed() -> bool {
    let is_there = Command::new("promtool").arg("--version").output().is_ok();
    if !is_there {
        let _ = writeln!(
            std::io::stderr(),
            "promtool is not installed: hack/setup.sh test brings it"
        );
    }
    is_there
}

/// Asks promtool about these files, each by its name. JSON is YAML.
fn promtool(arguments: &[&str], files: &[(&str, &Value)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content.to_string()).unwrap();
    }
    let mut command = Command::new("promtool");
    command
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .unwrap()
}

#[track_caller]
fn expect_success(output: &Output) {
    let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{}{}",
        told(&output.stdout),
        told(&output.stderr)
    );
}

/// A series of the store with this value all the time, or growing by it each minute.
fn series(metric: &str, labels: &str, values: &str) -> Value {
    let separator = if labels.is_empty() { "" } else { "," };
    json!({"series": format!(r#"{metric}{{namespace="artifacts",job="store-metrics"{separator}{labels}}}"#), "values": values})
}

/// Whether the alert fires after half an hour with these series alone.
#[track_caller]
fn expect(alert: &str, series: &[Value], fires: bool) {
    let rules = rules();
    let alerts = rules["groups"][0]["rules"].as_array().unwrap();
    assert!(alerts.iter().any(|rule| rule["alert"] == alert), "{alert}");
    let count = if fires { "1" } else { "0" };
    // A count of nothing is nothing.
    let query =
        format!(r#"(count(ALERTS{{alertname="{alert}",alertstate="firing"}} == 1) > bool 0) or vector(0)"#);
    let test = json!({
        "rule_files": ["rules.yaml"], "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": series,
            "promql_expr_test": [{"expr": query, "eval_time": "30m", "exp_samples": [{"labels": "{}", "value": count.parse::<i32>().unwrap()}]}]}],
    });
    let output = promtool(
        &["test", "rules", "test.yaml"],
        &[("rules.yaml", &rules), ("test.yaml", &test)],
    );
    expect_success(&output);
}

#[test]
fn given_the_rules_of_a_store_when_promtool_checks_them_then_it_finds_nothing() {
    if is_installed() {
        expect_success(&promtool(
            &["check", "rules", "rules.yaml"],
            &[("rules.yaml", &rules())],
        ));
    }
}

#[test]
fn given_series_of_a_store_when_something_is_wrong_then_its_alert_fires_and_otherwise_not() {
    if !is_installed() {
        return;
    }
    let up = |value: &str| series("up", "", &format!("{value}x40"));
    expect("ZotArtifactStoreDown", &[up("1+0")], false);
    expect("ZotArtifactStoreDown", &[up("0+0")], true);
    expect("ZotArtifactStoreDown", &[], true);
    let requests = |status: &str, rate: u32| {
        let labels = format!(r#"method="GET",route="blob",status="{status}""#);
        series("zas_http_requests_total", &labels, &format!("0+{rate}x40"))
    };
    expect(
        "ZotArtifactStoreErrorRateHigh",
        &[requests("200", 600), requests("500", 60)],
        true,
    );
    expect(
        "ZotArtifactStoreErrorRateHigh",
        &[requests("200", 600), requests("404", 60)],
        false,
    );
    let damaged = |count: u32| series("zas_damaged_blobs", "", &format!("{count}+0x40"));
    expect("ZotArtifactStoreBlobsDamaged", &[damaged(1)], true);
    expect("ZotArtifactStoreBlobsDamaged", &[damaged(0)], false);
    // One of several reasons is enough.
    let refused = series("zas_body_memory_refused_total", r#"reason="share""#, "0+60x40");
    expect("ZotArtifactStoreClientsRefused", &[refused], true);
}
