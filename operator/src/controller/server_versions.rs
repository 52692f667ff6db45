//! The version that a running server tells.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use tokio::time::Instant;

use crate::children::StoreKey;
use crate::layout;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Longest answer, in bytes.
const MAX_ANSWER_BYTES: usize = 4096;

/// How often a server is asked in vain before it is left alone for [`VALIDITY`]: the operator may run where it cannot
/// reach Services.
const TRIES: u32 = 5;

/// How long an answer, or that there is none, is taken as it was. A Pod that was replaced under the same Deployment may
/// run another server, when the tag of its image has moved.
const VALIDITY: Duration = Duration::from_secs(540);

/// Between two tries.
const PAUSE: Duration = Duration::from_secs(10);

/// What identifies a running server: another one is asked anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerIdentity {
    /// The image of the Deployment.
    pub image: String,
    /// The generation of the Deployment.
    pub generation: i64,
}

#[derive(Debug)]
struct Known {
    identity: ServerIdentity,
    version: Option<String>,
    asked: Instant,
}

/// What the servers told. Asking never holds up a look at a store, and only an answer is a reason for another.
#[derive(Debug)]
pub(super) struct ServerVersions {
    known: Mutex<HashMap<StoreKey, Known>>,
    client: Client<HttpConnector, Empty<Bytes>>,
}

impl Default for ServerVersions {
    fn default() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(PATIENCE));
        Self {
            known: Mutex::default(),
            client: Client::builder(TokioExecutor::new())
                // A connection that is kept would end up at a server that is gone.
                .pool_max_idle_per_host(0)
                .build(connector),
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    version: String,
}

impl ServerVersions {
    /// The version that this server told, if it did.
    pub(super) fn told(&self, store: &StoreKey, identity: &ServerIdentity) -> Option<String> {
        let known = self.lock();
        let known = known.get(store).filter(|known| known.identity == *identity)?;
        known.version.clone()
    }

    /// Asks the server at this address in the background, unless that was done a short while ago. `told` is called when
    /// it tells a version that was not known.
    pub(super) fn ask(
        self: &Arc<Self>,
        store: &StoreKey,
        identity: ServerIdentity,
        address: &str,
        told: impl FnOnce() + Send + 'static,
    ) {
        if !self.is_due(store, &identity) {
            return;
        }
        let (versions, store, address) = (Arc::clone(self), store.clone(), address.to_owned());
        tokio::spawn(async move {
            for _ in 0..TRIES {
                if let Some(version) = versions.fetch_in_time(&store, &address).await {
                    if versions.keep(&store, &identity, version) {
                        told();
                    }
                    return;
                }
                tokio::time::sleep(PAUSE).await;
                if !versions.is_current(&store, &identity) {
                    return;
                }
            }
        });
    }

    /// Notes that this server is being asked, unless it was a short while ago. Returns whether it is to be. What it told
    /// before holds until it answers.
    fn is_due(&self, store: &StoreKey, identity: &ServerIdentity) -> bool {
        let mut known = self.lock();
        let now = Instant::now();
        let before = known.get(store).filter(|known| known.identity == *identity);
        if before.is_some_and(|before| now.duration_since(before.asked) < VALIDITY) {
            return false;
        }
        let asked = Known {
            identity: identity.clone(),
            version: before.and_then(|before| before.version.clone()),
            asked: now,
        };
        known.insert(store.clone(), asked);
        true
    }

    /// Whether this is still the store's server, as far as is known.
    fn is_current(&self, store: &StoreKey, identity: &ServerIdentity) -> bool {
        let known = self.lock();
        known.get(store).is_some_and(|known| known.identity == *identity)
    }

    /// Keeps what a server told, unless another one has taken its place. Returns whether it is news.
    fn keep(&self, store: &StoreKey, identity: &ServerIdentity, version: String) -> bool {
        let mut known = self.lock();
        let Some(known) = known.get_mut(store).filter(|known| known.identity == *identity) else {
            return false;
        };
        let is_news = known.version.as_ref() != Some(&version);
        known.version = Some(version);
        is_news
    }

    /// Forgets a store that is gone, or whose server has ended: the next one is asked anew.
    pub(super) fn forget(&self, store: &StoreKey) {
        self.lock().remove(store);
    }

    async fn fetch_in_time(&self, store: &StoreKey, address: &str) -> Option<String> {
        let fetched = tokio::time::timeout(PATIENCE, self.fetch(address)).await;
        let error = match fetched {
            Ok(Ok(version)) => return Some(version),
            Ok(Err(error)) => error,
            Err(elapsed) => elapsed.into(),
        };
        tracing::debug!(%store, %error, "the server does not tell its version");
        None
    }

    async fn fetch(&self, address: &str) -> anyhow::Result<String> {
        let host = if address.contains(':') {
            format!("[{address}]")
        } else {
            address.to_owned()
        };
        let uri = format!("http://{host}:{}/version", layout::OPERATIONS_PORT).parse()?;
        let response = self.client.get(uri).await?;
        anyhow::ensure!(response.status().is_success(), "it answers {}", response.status());
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
            .collect()
            .await;
        let body = body.map_err(|error| anyhow::anyhow!("{error}"))?.to_bytes();
        let answer: Answer = serde_json::from_slice(&body)?;
        Ok(answer.version.chars().take(64).collect())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StoreKey, Known>> {
        // Every change under the lock is complete in itself, so what a panicking thread left is sound.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> StoreKey {
        StoreKey {
            namespace: "artifacts".to_owned(),
            name: "store".to_owned(),
        }
    }

    fn identity(generation: i64) -> ServerIdentity {
        ServerIdentity {
            image: "zas:latest".to_owned(),
            generation,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn given_a_server_that_told_its_version_when_time_passes_then_it_is_asked_again_and_the_old_answer_holds_until_then()
     {
        let versions = ServerVersions::default();
        assert!(versions.is_due(&store(), &identity(1)));
        assert!(versions.keep(&store(), &identity(1), "0.2.0".to_owned()));
        assert!(!versions.is_due(&store(), &identity(1)));
        tokio::time::advance(VALIDITY).await;
        assert!(versions.is_due(&store(), &identity(1)));
        assert_eq!(versions.told(&store(), &identity(1)).as_deref(), Some("0.2.0"));
        assert!(
            !versions.keep(&store(), &identity(1), "0.2.0".to_owned()),
            "no news"
        );
        assert!(versions.keep(&store(), &identity(1), "0.3.0".to_owned()));
        assert_eq!(versions.told(&store(), &identity(1)).as_deref(), Some("0.3.0"));
    }

    #[tokio::test(start_paused = true)]
    async fn given_a_server_that_ended_when_the_next_one_runs_under_the_same_deployment_then_it_is_asked() {
        let versions = ServerVersions::default();
        versions.is_due(&store(), &identity(1));
        versions.keep(&store(), &identity(1), "0.2.0".to_owned());
        versions.forget(&store());
        assert_eq!(versions.told(&store(), &identity(1)), None);
        assert!(versions.is_due(&store(), &identity(1)));
        assert!(
            versions.is_due(&store(), &identity(2)),
            "another Deployment, at once"
        );
        assert!(
            !versions.keep(&store(), &identity(1), "0.2.0".to_owned()),
            "too late"
        );
    }
}
