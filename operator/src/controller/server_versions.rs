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

use crate::children::StoreKey;
use crate::layout;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Longest answer, in bytes.
const LONGEST_ANSWER: usize = 4096;

/// How often one rollout's server is asked in vain before it is left alone: the operator may run where it cannot reach
/// Services.
const TRIES: u32 = 5;

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
    tries: u32,
    is_asking: bool,
}

/// What the servers told. Asking never holds up a look at a store.
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

    /// Asks the server at this address in the background unless it told already. `told` is called when it does.
    ///
    /// Returns whether an answer can still come.
    pub(super) fn ask(
        self: &Arc<Self>,
        store: &StoreKey,
        identity: ServerIdentity,
        address: &str,
        told: impl FnOnce() + Send + 'static,
    ) -> bool {
        {
            let mut all = self.lock();
            let known = all
                .entry(store.clone())
                .or_insert_with(|| Known::new(identity.clone()));
            if known.identity != identity {
                *known = Known::new(identity.clone());
            }
            if known.version.is_some() {
                return false;
            }
            if known.is_asking || known.tries >= TRIES {
                return known.is_asking;
            }
            known.is_asking = true;
            known.tries += 1;
        }
        let (versions, store, address) = (Arc::clone(self), store.clone(), address.to_owned());
        tokio::spawn(async move {
            let version = tokio::time::timeout(PATIENCE, versions.fetch(&address)).await;
            let version = match version {
                Ok(Ok(version)) => Some(version),
                Ok(Err(error)) => {
                    tracing::debug!(%store, %error, "the server does not tell its version");
                    None
                }
                Err(_) => None,
            };
            let is_news = version.is_some();
            if let Some(known) = versions
                .lock()
                .get_mut(&store)
                .filter(|known| known.identity == identity)
            {
                known.is_asking = false;
                known.version = version;
            }
            if is_news {
                told();
            }
        });
        true
    }

    /// Forgets a store that is gone.
    pub(super) fn forget(&self, store: &StoreKey) {
        self.lock().remove(store);
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
        let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!("{error}"))?.to_bytes();
        let answer: Answer = serde_json::from_slice(&body)?;
        Ok(answer.version.chars().take(64).collect())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StoreKey, Known>> {
        // Every change under the lock is complete in itself, so what a panicking thread left is sound.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn new(identity: ServerIdentity) -> Self {
        Self {
            identity,
            version: None,
            tries: 0,
            is_asking: false,
        }
    }
}
