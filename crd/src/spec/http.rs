//! `spec.http`: the listener that serves clients.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The listener that serves clients.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Http {
    /// Port of the server inside its Pod, 1024 to 65535 without 9090, which health and metrics use. Default: 8080. A
    /// change restarts the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1024, max = 65535))]
    #[x_kube(validation = ("self != 9090", "http.port 9090 serves health and metrics: choose another port"))]
    pub port: Option<i32>,

    /// Address under which clients reach the store: http:// or https://, a host and an optional port, without a path.
    /// It is reported in status.url and used in sign-in challenges. Default: the address of the Route, Ingress or
    /// Service. A change restarts the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 512),
        regex(
            pattern = r"^https?://([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$"
        )
    )]
    pub external_url: Option<String>,

    /// Networks of proxies, as CIDRs such as 10.128.0.0/14, at most 32. Only from them are X-Forwarded headers
    /// believed. Default: none. A change restarts the server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 32),
        inner(length(max = 64), regex(pattern = r"^[0-9A-Fa-f.:]+/[0-9]{1,3}$")),
        extend("x-kubernetes-list-type" = "set")
    )]
    #[x_kube(validation = (
        "self.all(network, isCIDR(network))",
        "http.trustedProxies must hold networks in CIDR notation: write for example 10.128.0.0/14"
    ))]
    pub trusted_proxies: Vec<String>,

    /// Which web pages browsers may call from. Default: none. A change restarts the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cors: Option<Cors>,
}

/// Which web pages browsers may call from.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Cors {
    /// Origins such as https://console.example.com, at most 32, or "*" alone for all, without credentials. Default:
    /// none. A change restarts the server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 32),
        inner(length(max = 512), regex(pattern = r"^(\*|https?://[^/?#\s]+)$")),
        extend("x-kubernetes-list-type" = "set")
    )]
    pub allowed_origins: Vec<String>,
}
