//! `spec.storage`: where bytes are kept.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the bytes of blobs and manifests are kept.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[x_kube(cel)]
#[x_kube(validation = (
    "self.type == oldSelf.type",
    "storage.type is immutable: create another store and copy the content"
))]
pub struct Storage {
    /// Kind of storage: Filesystem keeps files on the claim of spec.dataVolume. It cannot change.
    #[serde(rename = "type", default)]
    pub storage_type: StorageType,
}

/// A kind of storage for bytes.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum StorageType {
    /// Files on the claim of `spec.dataVolume`.
    #[default]
    Filesystem,
}
