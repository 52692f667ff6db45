//! `spec.network`: network policy, proxy and trusted certificate authorities.

use k8s_openapi::api::networking::v1::NetworkPolicyEgressRule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::references::ConfigMapKeyRef;

/// Network policy, proxy and trusted certificate authorities.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// The NetworkPolicy of the store. Default: on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<NetworkPolicySettings>,

    /// The proxy for connections to the outside. Default: the operator's own. A change restarts the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy>,

    /// ConfigMap key with certificate authorities that the server trusts besides the system's. A change restarts the
    /// server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_ca_ref: Option<ConfigMapKeyRef>,
}

/// The NetworkPolicy of the store.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPolicySettings {
    /// Whether there is a NetworkPolicy: everybody reaches the registry, only monitoring and the operator reach port
    /// 9090. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,

    /// Namespaces whose Pods may read metrics, at most 32. Default: openshift-monitoring,
    /// openshift-user-workload-monitoring and monitoring.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<crate::grammar::LabelName>", length(max = 32), extend("x-kubernetes-list-type" = "set"))]
    pub monitoring_namespaces: Vec<String>,

    /// Where the server may connect to, as rules of a NetworkPolicy, at most 32; name resolution is added. Default:
    /// everywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        schema_with = "crate::schema::embedded::<Vec<NetworkPolicyEgressRule>>",
        extend("maxItems" = 32, "x-kubernetes-list-type" = "atomic")
    )]
    pub egress: Vec<NetworkPolicyEgressRule>,
}

/// The proxy for connections to the outside. Addresses cannot hold credentials, since everybody who can read the
/// resource could read them.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Proxy {
    /// Proxy for http addresses, such as http://proxy.example.com:3128, without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::grammar::ProxyUrl>")]
    pub http_proxy: Option<String>,

    /// Proxy for https addresses, such as http://proxy.example.com:3128, without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::grammar::ProxyUrl>")]
    pub https_proxy: Option<String>,

    /// Hosts, domains and networks that are reached directly, separated by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::grammar::ProxyExceptions>")]
    pub no_proxy: Option<String>,
}
