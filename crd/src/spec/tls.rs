//! `spec.tls`: TLS of the server's own listener.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::references::SecretRef;

/// TLS of the server's own listener.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[x_kube(cel)]
#[x_kube(validation = (
    "(self.type == 'Secret') == has(self.secretRef)",
    "tls.secretRef belongs to tls.type Secret: set both, or neither"
))]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// Where the certificate comes from: None for plain HTTP, Secret for tls.secretRef. A change restarts the server.
    #[serde(rename = "type", default)]
    pub tls_type: TlsType,

    /// Secret with tls.crt and tls.key, and ca.crt when a Route shall trust a private authority. A renewed
    /// certificate is used without a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
}

/// Where a certificate comes from.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum TlsType {
    /// Nowhere: plain HTTP.
    #[default]
    None,
    /// A Secret that somebody else fills.
    Secret,
}
