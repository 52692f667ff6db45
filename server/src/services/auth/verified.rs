//! Passwords that were verified a short time ago.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zas_core::Timestamp;

use super::keys::Key;

/// Most passwords that are remembered. When full, the outdated ones go, and if none is outdated, all go: verifying
/// again is only slower.
const MOST: usize = 10_000;

/// The verified passwords, and until when each need not be verified again.
#[derive(Debug, Default)]
pub(super) struct Verified(Mutex<HashMap<Key, Timestamp>>);

impl Verified {
    pub(super) fn holds(&self, password: &Key, now: Timestamp) -> bool {
        self.lock().get(password).is_some_and(|until| now < *until)
    }

    pub(super) fn remember(&self, password: Key, now: Timestamp, remember_for: Duration) {
        let mut verified = self.lock();
        if verified.len() >= MOST {
            verified.retain(|_, until| now < *until);
        }
        if verified.len() >= MOST {
            verified.clear();
        }
        verified.insert(password, now.plus(remember_for));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }
}
