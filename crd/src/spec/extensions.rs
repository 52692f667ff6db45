//! `spec.extensions`: parts of the server that can be switched.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parts of the server that can be switched.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub struct Extensions {
    /// Metrics for Prometheus, served on port 9090.
    #[serde(default)]
    pub metrics: Metrics,
}

/// Metrics for Prometheus.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// Whether metrics are served. A change restarts the server.
    #[serde(default = "enabled")]
    pub enabled: bool,

    /// Whether metrics tell repositories apart, which costs series in proportion to their number. Default: false. A
    /// change restarts the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_repository: Option<bool>,
}

const fn enabled() -> bool {
    true
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            enabled: enabled(),
            per_repository: None,
        }
    }
}
