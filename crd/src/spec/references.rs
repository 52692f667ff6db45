//! References to objects in the namespace of the store. A Secret's content never stands in the resource itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A Secret of the same namespace whose keys are fixed.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct SecretRef {
    /// Name of the Secret, in the namespace of the store.
    #[schemars(with = "crate::grammar::ObjectName", length(min = 1))]
    pub name: String,
}

/// One key of a Secret of the same namespace.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct SecretKeyRef {
    /// Name of the Secret, in the namespace of the store.
    #[schemars(with = "crate::grammar::ObjectName", length(min = 1))]
    pub name: String,
    /// Key inside the Secret.
    #[schemars(with = "crate::grammar::Key", length(min = 1))]
    pub key: String,
}

/// One key of a ConfigMap of the same namespace.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct ConfigMapKeyRef {
    /// Name of the ConfigMap, in the namespace of the store.
    #[schemars(with = "crate::grammar::ObjectName", length(min = 1))]
    pub name: String,
    /// Key inside the ConfigMap.
    #[schemars(with = "crate::grammar::Key", length(min = 1))]
    pub key: String,
}
