//! `spec.serviceAccount`: the identity of the server in the cluster.

use std::collections::BTreeMap;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// The ServiceAccount of the server.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[x_kube(cel)]
#[x_kube(validation = (
    "!(has(self.name) && has(self.annotations))",
    "serviceAccount.name uses an account that the operator does not manage: remove annotations and set them on that account, or remove name"
))]
pub struct ServiceAccountSettings {
    /// Name of an existing ServiceAccount, which the operator does not change. Default: one is created. A change
    /// restarts the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::grammar::ObjectName>")]
    pub name: Option<String>,

    /// Annotations of the created ServiceAccount, such as those that give it an identity in a cloud.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::schema::annotations")]
    pub annotations: BTreeMap<String, String>,
}
