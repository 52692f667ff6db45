//! What the operator reports.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conditions::ConditionType;
use crate::spec::references::SecretRef;

/// What the operator reports. Absent fields are not known yet.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ZotArtifactStoreStatus {
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Version that the running server reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub version: Option<String>,

    /// Image that the server runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub image: Option<String>,

    /// Version that waits for consent, with updatePolicy Manual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub pending_update: Option<String>,

    /// Where clients reach the store: http.externalUrl, else the Route, the Ingress, the load balancer, the Service.
    /// Absent until it has been admitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub url: Option<String>,

    /// All addresses of the store.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 16),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub endpoints: Vec<Endpoint>,

    /// Servers that exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub replicas: Option<i32>,

    /// Servers that take requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub ready_replicas: Option<i32>,

    /// Servers that run what the spec asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub updated_replicas: Option<i32>,

    /// Selector of the Pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub selector: Option<String>,

    /// Secret with username and password of the administrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_ref: Option<SecretRef>,

    /// The claim of the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_volume: Option<DataVolumeStatus>,

    /// The state of the store in standard form; Ready sums it up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        schema_with = "crate::schema::embedded::<Vec<Condition>>",
        extend(
            "maxItems" = 16,
            "x-kubernetes-list-type" = "map",
            "x-kubernetes-list-map-keys" = ["type"]
        )
    )]
    pub conditions: Vec<Condition>,
}

impl ZotArtifactStoreStatus {
    /// The condition of a type, when it has been reported.
    #[must_use]
    pub fn condition(&self, condition_type: ConditionType) -> Option<&Condition> {
        self.conditions
            .iter()
            .find(|condition| condition.type_ == condition_type.as_str())
    }
}

/// One address of the store.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub struct Endpoint {
    /// Name of the address, such as registry or registry-internal.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,

    /// Whether it is reachable from outside of the cluster.
    pub scope: EndpointScope,

    /// The address.
    #[schemars(length(max = 512))]
    pub url: String,
}

/// From where an address is reachable.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum EndpointScope {
    /// From outside of the cluster.
    External,
    /// From inside of the cluster.
    Internal,
}

/// The claim of the data.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct DataVolumeStatus {
    /// Name of the claim.
    #[schemars(length(max = 253))]
    pub claim_name: String,

    /// Size that the claim asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub requested: Option<String>,

    /// Size that the claim has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub capacity: Option<String>,

    /// Whether the claim existed before the store, so that it is never deleted with it.
    pub adopted: bool,
}
