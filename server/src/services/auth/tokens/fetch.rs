//! Asking an issuer for its keys: OpenID Connect Discovery, then the set of keys.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Certificate, Client};
use serde::Deserialize;
use zas_config::IssuerUrl;

use super::verification_key::{VerificationKey, read_set};

/// Longest answer read, in bytes.
const MAX_ANSWER_BYTES: usize = 512 * 1024;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Where the keys of an issuer come from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::services::auth) struct KeySource {
    /// Who the tokens name.
    pub(super) issuer: IssuerUrl,
    /// Where the issuer is reached, if not by its own URL.
    pub(super) backchannel_url: Option<IssuerUrl>,
    /// The authorities that vouch for its server, in place of the system's.
    pub(super) ca_file: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl KeySource {
    /// The keys as they are now.
    pub(super) async fn fetch(&self) -> Result<HashMap<String, VerificationKey>, String> {
        let client = self.client()?;
        let base = self.backchannel_url.as_ref().unwrap_or(&self.issuer);
        let url = format!(
            "{}/.well-known/openid-configuration",
            base.as_str().trim_end_matches('/')
        );
        let text = get(&client, &url).await?;
        let discovery: Discovery = serde_json::from_slice(&text)
            .map_err(|_| format!("{url}: the answer is no OpenID provider configuration"))?;
        // What answers on the back channel may call itself by the address it was asked at.
        if discovery.issuer != self.issuer.as_str() && discovery.issuer != base.as_str() {
            return Err(format!("{url}: it says another issuer than {}", self.issuer));
        }
        let url = self.reachable(&discovery.jwks_uri);
        if base.is_https() && !url.starts_with("https://") {
            return Err(format!(
                "{url}: the keys of an issuer with https:// come over https:// alone"
            ));
        }
        let text = get(&client, &url).await?;
        read_set(&text).map_err(|reason| format!("{url}: {reason}"))
    }

    /// An address below the issuer's own, as it is reached from here.
    fn reachable(&self, url: &str) -> String {
        let Some(base) = &self.backchannel_url else {
            return url.to_owned();
        };
        let below = url.strip_prefix(self.issuer.as_str().trim_end_matches('/'));
        below.map_or_else(
            || url.to_owned(),
            |path| format!("{}{path}", base.as_str().trim_end_matches('/')),
        )
    }

    /// A client that keeps no connection: it is asked every few minutes, from whichever thread needs the keys. Reading the
    /// authorities each time sees one that was exchanged.
    fn client(&self) -> Result<Client, String> {
        // The client takes the cryptography of the process. One that is there already is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .pool_max_idle_per_host(0)
            .user_agent("zot-artifact-store");
        if let Some(file) = &self.ca_file {
            let failed = |reason: String| format!("{}: {reason}", file.display());
            let text = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
            let certificates =
                Certificate::from_pem_bundle(&text).map_err(|error| failed(error.to_string()))?;
            if certificates.is_empty() {
                return Err(failed("it holds no certificate".to_owned()));
            }
            client = client.tls_certs_only(certificates);
        }
        client
            .build()
            .map_err(|error| format!("no client for HTTPS can be made: {}", with_causes(&error)))
    }
}

async fn get(client: &Client, url: &str) -> Result<Vec<u8>, String> {
    let failed = |error: reqwest::Error| format!("{url}: {}", with_causes(&error.without_url()));
    let mut answer = client.get(url).send().await.map_err(failed)?;
    if !answer.status().is_success() {
        return Err(format!("{url}: it answered {}", answer.status().as_u16()));
    }
    let mut text = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        text.extend_from_slice(&chunk);
        if text.len() > MAX_ANSWER_BYTES {
            return Err(format!(
                "{url}: the answer has more than {MAX_ANSWER_BYTES} bytes"
            ));
        }
    }
    Ok(text)
}

/// An error and what it came from: the outermost says no more than that sending failed.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
