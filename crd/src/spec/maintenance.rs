//! `spec.maintenance`: work that the server does on its own.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::TimeSpan;

/// Work that the server does on its own.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Maintenance {
    /// Deletion of content that nothing refers to. Default: on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub garbage_collection: Option<GarbageCollection>,
}

/// Deletion of content that nothing refers to.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[x_kube(cel)]
#[x_kube(validation = (
    "!has(self.grace) || (duration(self.grace) >= duration('1h') && duration(self.grace) <= duration('8760h'))",
    "garbageCollection.grace must be between 1h and 8760h: a push that takes longer would lose its blobs"
))]
#[x_kube(validation = (
    "!has(self.interval) || (duration(self.interval) >= duration('1s') && duration(self.interval) <= duration('24h'))",
    "garbageCollection.interval must be between 1s and 24h: choose a pause in this range"
))]
pub struct GarbageCollection {
    /// Whether content without references is deleted. Default: true. A change takes effect without a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,

    /// Pause between two looks at what is due, 1s to 24h. Default: 1h. A change takes effect without a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<TimeSpan>,

    /// How long unused content stays, 1h to 8760h. Default: 24h. A change takes effect without a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace: Option<TimeSpan>,
}
