//! Who somebody is to the API server.

use std::path::{Path, PathBuf};

use serde_json::json;

/// A token and the kubeconfig that shows it.
#[derive(Clone, Debug)]
pub struct Credentials {
    token: String,
    kubeconfig: PathBuf,
}

impl Credentials {
    pub(crate) fn new(token: &str, kubeconfig: PathBuf) -> Self {
        Self {
            token: token.to_owned(),
            kubeconfig,
        }
    }

    /// The bearer token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The file to give to a program as `KUBECONFIG`.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }
}

/// A kubeconfig with one context. It is JSON, which every reader of YAML reads.
pub(crate) fn kubeconfig(server: &str, authority: &str, token: &str, namespace: &str) -> String {
    let authority = base64(authority.as_bytes());
    let value = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": server, "certificate-authority-data": authority}}],
        "users": [{"name": "test", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": namespace}}],
        "current-context": "test",
    });
    value.to_string()
}

/// The encoding of Kubernetes' byte fields, taken from their own type.
fn base64(bytes: &[u8]) -> String {
    let value = serde_json::to_value(k8s_openapi::ByteString(bytes.to_vec()));
    let value = value.expect("bytes can be written as JSON");
    value.as_str().expect("byte fields are strings").to_owned()
}
