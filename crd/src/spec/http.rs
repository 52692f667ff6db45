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
    #[schemars(range(min = 1, max = 65535))]
    #[x_kube(validation = (
        "self >= 1024",
        "http.port must be at least 1024, such as 8080, because the server runs without root: the port that clients use is exposure.service.port"
    ))]
    #[x_kube(validation = ("self != 9090", "http.port 9090 serves health and metrics: choose another port, such as 8080"))]
    pub port: Option<i32>,

    /// Address under which clients reach the store: http:// or https://, a host and an optional port, without a path.
    /// It is reported in status.url and used in sign-in challenges. Default: the address of the Route, Ingress or
    /// Service. A change restarts the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::grammar::ServerUrl>")]
    pub external_url: Option<String>,

    /// Networks of proxies, as CIDRs such as 10.128.0.0/14, at most 32. Only from them are X-Forwarded headers
    /// believed. Default: none. A change restarts the server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<crate::grammar::Network>", length(max = 32), extend("x-kubernetes-list-type" = "set"))]
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
    #[schemars(with = "Vec<crate::grammar::Origin>", length(max = 32), extend("x-kubernetes-list-type" = "set"))]
    pub allowed_origins: Vec<String>,
}
