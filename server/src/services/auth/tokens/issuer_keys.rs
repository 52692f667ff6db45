//! The keys of one issuer, kept and fetched again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;
use zas_core::Timestamp;

use super::TokenError;
use super::fetch::KeySource;
use super::jws::Unverified;
use super::verification_key::VerificationKey;

/// The least time between two requests to the issuer, whatever tokens are shown: a flood of unknown key ids is one request.
const COOL_DOWN: Duration = Duration::from_secs(10);

/// When keys are fetched again although nobody asks for an unknown one, so that a key that was taken out is out.
const MAX_AGE: Duration = Duration::from_secs(5 * 60);

/// How long the last known keys are used while the issuer does not answer. After that its tokens are refused.
const MAX_STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// The keys of an issuer. With keys that are known, verifying reads no network.
#[derive(Debug)]
pub(in crate::services::auth) struct IssuerKeys {
    source: KeySource,
    known: ArcSwapOption<Known>,
    /// Held while the issuer is asked: the others wait for that answer.
    attempt: Mutex<Option<Attempt>>,
}

#[derive(Debug)]
struct Known {
    keys: HashMap<String, VerificationKey>,
    fetched_at: Timestamp,
}

/// The last time that the issuer was asked, and what went wrong.
#[derive(Debug)]
struct Attempt {
    at: Timestamp,
    failure: Option<String>,
}

impl IssuerKeys {
    pub(super) fn new(source: KeySource) -> Self {
        Self {
            source,
            known: ArcSwapOption::empty(),
            attempt: Mutex::default(),
        }
    }

    /// Makes sure that a token is signed by the issuer.
    pub(super) async fn verify(
        self: &Arc<Self>,
        token: &Unverified<'_>,
        now: Timestamp,
    ) -> Result<(), TokenError> {
        let (kid, algorithm) = token.key()?;
        if let Some(key) = self.key(kid, now) {
            return key.verify(token, algorithm);
        }
        let failure = self.refresh(now, Some(kid)).await;
        if let Some(key) = self.key(kid, now) {
            return key.verify(token, algorithm);
        }
        match failure {
            Some(reason) if self.usable(now).is_none() => Err(TokenError::NoKeys(reason)),
            _ => Err(TokenError::UnknownKey),
        }
    }

    /// Fetches the keys if they have not been for a while.
    pub(in crate::services::auth) async fn keep_fresh(self: &Arc<Self>, now: Timestamp) {
        let is_fresh = |known: &Known| now.since(known.fetched_at) < MAX_AGE;
        if !self.known.load().as_deref().is_some_and(is_fresh) {
            self.refresh(now, None).await;
        }
    }

    fn usable(&self, now: Timestamp) -> Option<Arc<Known>> {
        let is_usable = |known: &Arc<Known>| now.since(known.fetched_at) < MAX_STALE;
        self.known.load_full().filter(is_usable)
    }

    fn key(&self, kid: &str, now: Timestamp) -> Option<VerificationKey> {
        self.usable(now)?.keys.get(kid).cloned()
    }

    /// Asks the issuer, unless somebody has a moment ago, and returns what went wrong last. It goes on when the request that
    /// wants the key is given up: others wait for the answer too.
    async fn refresh(self: &Arc<Self>, now: Timestamp, wanted: Option<&str>) -> Option<String> {
        let (this, wanted) = (Arc::clone(self), wanted.map(str::to_owned));
        let refreshing = tokio::spawn(async move { this.ask(now, wanted.as_deref()).await });
        refreshing
            .await
            .unwrap_or_else(|_| Some("asking for them was given up".to_owned()))
    }

    async fn ask(&self, now: Timestamp, wanted: Option<&str>) -> Option<String> {
        let mut attempt = self.attempt.lock().await;
        if wanted.is_some_and(|kid| self.key(kid, now).is_some()) {
            return None;
        }
        if let Some(last) = &*attempt
            && last.at <= now
            && now.since(last.at) < COOL_DOWN
        {
            return last.failure.clone();
        }
        let failure = match self.source.fetch().await {
            Ok(keys) => {
                let known = Known {
                    keys,
                    fetched_at: now,
                };
                self.known.store(Some(Arc::new(known)));
                None
            }
            Err(reason) => {
                tracing::warn!(issuer = %self.source.issuer, reason, "the keys of a token issuer cannot be fetched");
                Some(reason)
            }
        };
        *attempt = Some(Attempt {
            at: now,
            failure: failure.clone(),
        });
        failure
    }
}
