//! `spec.limits`: what one client may ask of the server.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::values::{Size, TimeSpan};
use crate::grammar;

/// What one client may ask of the server.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[x_kube(cel)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Largest manifest, 4Mi to 64Mi. Default: 4Mi. A change takes effect without a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = grammar::size_between("4Mi", "64Mi", "the OCI specification asks for 4Mi at least"))]
    pub max_manifest_size: Option<Size>,

    /// Uploads that may send bytes at the same time, 1 to 65536; more are answered 429. Default: the server's own,
    /// 1024. A change takes effect without a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65536))]
    pub max_concurrent_uploads: Option<i32>,

    /// After how long without progress an upload is cancelled, 1m to 8760h. Default: 24h. A change takes effect
    /// without a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = grammar::time_between("1m", "8760h", "24h"))]
    pub upload_expiry: Option<TimeSpan>,
}
