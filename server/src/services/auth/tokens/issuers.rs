//! The keys of all issuers, which outlive the reading of a configuration.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use zas_core::Timestamp;

use super::IssuerKeys;
use super::fetch::KeySource;

/// The keys by where they come from.
#[derive(Debug, Default)]
pub(in crate::services::auth) struct Issuers(Mutex<HashMap<KeySource, Arc<IssuerKeys>>>);

impl Issuers {
    /// Fetches the keys of the issuers of the configuration in force, where they are not fresh.
    pub(in crate::services::auth) async fn keep_fresh(&self, now: Timestamp) {
        let in_use: Vec<_> = {
            let issuers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let in_use = issuers.values().filter(|keys| Arc::strong_count(keys) > 1);
            in_use.cloned().collect()
        };
        for keys in in_use {
            keys.keep_fresh(now).await;
        }
    }

    /// The keys of an issuer: those that are known already, when its settings are what they were.
    pub(super) fn keys_of(&self, source: KeySource) -> Arc<IssuerKeys> {
        let mut issuers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever no configuration in force names any more is held by nobody else.
        issuers.retain(|known, keys| *known == source || Arc::strong_count(keys) > 1);
        let keys = issuers
            .entry(source)
            .or_insert_with_key(|source| Arc::new(IssuerKeys::new(source.clone())));
        Arc::clone(keys)
    }
}
