//! `spec.maintenance`: work that the server does on its own.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::TimeSpan;
use crate::grammar;

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
pub struct GarbageCollection {
    /// Whether content without references is deleted. Default: true. A change takes effect without a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,

    /// Pause between two looks at what is due, 1s to 24h. Default: 1h. A change takes effect without a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = grammar::time_between("1s", "24h", "90m"))]
    pub interval: Option<TimeSpan>,

    /// How long unused content stays, 1h to 8760h. Default: 24h. A change takes effect without a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = grammar::time_between("1h", "8760h", "24h"))]
    pub grace: Option<TimeSpan>,
}
