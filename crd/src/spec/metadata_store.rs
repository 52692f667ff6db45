//! `spec.metadataStore`: where rows are kept.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where repositories, tags and links are kept.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[x_kube(cel)]
#[x_kube(validation = (
    "self.type == oldSelf.type",
    "metadataStore.type is immutable: create another store and copy the content"
))]
pub struct MetadataStore {
    /// Kind of database: RocksDB is embedded in the server and lies on the claim of spec.dataVolume. It cannot change.
    #[serde(rename = "type", default)]
    pub store_type: MetadataStoreType,
}

/// A kind of database for rows.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum MetadataStoreType {
    /// Embedded in the server, on the claim of `spec.dataVolume`.
    #[default]
    #[serde(rename = "RocksDB")]
    RocksDb,
}
