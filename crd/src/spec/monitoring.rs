//! `spec.monitoring`: objects for the monitoring of the cluster.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::TimeSpan;
use crate::grammar;

/// Objects for the monitoring of the cluster. Where the cluster does not know a kind, nothing is created.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Monitoring {
    /// A ServiceMonitor, which tells Prometheus where the metrics are.
    #[serde(default)]
    pub service_monitor: ServiceMonitorSettings,

    /// A PrometheusRule with alerts.
    #[serde(default)]
    pub prometheus_rule: PrometheusRuleSettings,
}

/// A ServiceMonitor.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[x_kube(cel)]
pub struct ServiceMonitorSettings {
    /// Whether there is a ServiceMonitor. Needs extensions.metrics.
    #[serde(default)]
    pub enabled: bool,

    /// Pause between two scrapes, 1s to 1h. Default: 30s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = grammar::time_between("1s", "1h", "30s"))]
    pub interval: Option<TimeSpan>,

    /// Labels of the ServiceMonitor, such as those that a Prometheus selects by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::schema::labels")]
    pub labels: BTreeMap<String, String>,
}

/// A PrometheusRule.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub struct PrometheusRuleSettings {
    /// Whether there is a PrometheusRule.
    #[serde(default)]
    pub enabled: bool,

    /// Labels of the PrometheusRule, such as those that a Prometheus selects by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::schema::labels")]
    pub labels: BTreeMap<String, String>,
}
