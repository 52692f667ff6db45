//! `spec.dataVolume`: the claim of the database and of the files.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::Size;
use crate::grammar;

/// The claim that holds the database and the files.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[x_kube(cel)]
#[x_kube(validation = (
    "!has(self.existingClaim) || !(has(self.size) || has(self.storageClassName))",
    "dataVolume.existingClaim brings its own size and class: remove dataVolume.size and dataVolume.storageClassName, or remove existingClaim"
))]
#[x_kube(validation = (
    "self.accessMode == oldSelf.accessMode",
    "dataVolume.accessMode is immutable: restore the value it had, or create another store"
))]
#[x_kube(validation = (
    "has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)",
    "dataVolume.storageClassName is immutable: restore what it was, or create another store"
))]
#[x_kube(validation = (
    "has(self.existingClaim) == has(oldSelf.existingClaim) && (!has(self.existingClaim) || self.existingClaim == oldSelf.existingClaim)",
    "dataVolume.existingClaim is immutable: restore what it was, or create another store"
))]
#[serde(rename_all = "camelCase")]
pub struct DataVolume {
    /// Size of the claim, such as 100Gi. Default: 20Gi for a new claim, and the size that it has for one that exists.
    /// It may only grow; the server keeps running while the volume is expanded, when the storage class can do so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = grammar::size())]
    #[x_kube(validation = grammar::only_grows("dataVolume.size"))]
    pub size: Option<Size>,

    /// Storage class of the claim. Default: the default class of the cluster. It cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::grammar::ObjectName>")]
    pub storage_class_name: Option<String>,

    /// Access mode of the claim. ReadWriteOncePod is recommended where the driver supports it: it keeps a second Pod
    /// away from the database. It cannot change.
    #[serde(default)]
    pub access_mode: AccessMode,

    /// Name of a claim to use instead of a new one. It is never owned, resized or deleted. Excludes size and
    /// storageClassName. It cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::grammar::ObjectName>")]
    pub existing_claim: Option<String>,

    /// Annotations of the claim, such as those that a backup tool looks for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::schema::annotations")]
    pub annotations: BTreeMap<String, String>,
}

/// Who may mount a claim. ReadWriteMany is not among them: it needs a metadata store that several servers share.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum AccessMode {
    /// The Pods of one node.
    #[default]
    ReadWriteOnce,
    /// One Pod.
    ReadWriteOncePod,
}

impl AccessMode {
    /// The value as Kubernetes spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadWriteOnce => "ReadWriteOnce",
            Self::ReadWriteOncePod => "ReadWriteOncePod",
        }
    }
}
