//! `spec.image`: where the image of the server comes from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the image of the server comes from.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// Image of the server, best by digest. Default: the image that came with the operator. Needs spec.version. A
    /// change restarts the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::grammar::ImageReference>")]
    pub reference: Option<String>,

    /// When the node pulls the image. Default: IfNotPresent. A change restarts the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_policy: Option<ImagePullPolicy>,

    /// Secrets with credentials for the registry of the image, at most 8. A change restarts the server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 8),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub pull_secret_refs: Vec<PullSecretRef>,
}

/// When the node pulls an image; Kubernetes' own values.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum ImagePullPolicy {
    /// On every start of a container.
    Always,
    /// When the node does not have it.
    IfNotPresent,
    /// Never: the node must have it.
    Never,
}

impl ImagePullPolicy {
    /// The value as Kubernetes spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        }
    }
}

/// A Secret of type `kubernetes.io/dockerconfigjson`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub struct PullSecretRef {
    /// Name of the Secret, in the namespace of the store.
    #[schemars(with = "crate::grammar::ObjectName")]
    pub name: String,
}
