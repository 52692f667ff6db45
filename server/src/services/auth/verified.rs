//! Passwords that were verified a short time ago.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zas_core::Timestamp;

use super::keys::Key;

/// Most passwords that are remembered. When full, the outdated ones go, and if none is outdated, all go: verifying
/// again is only slower.
const MOST: usize = 10_000;

/// The verified passwords, and when each need not be verified again.
#[derive(Debug, Default)]
pub(super) struct Verified(Mutex<HashMap<Key, Held>>);

/// From when until when a password is remembered. Before its time it is not, so that a wall clock that was set back
/// does not keep it for as long as it was wrong.
#[derive(Clone, Copy, Debug)]
struct Held {
    since: Timestamp,
    until: Timestamp,
}

impl Held {
    fn at(self, now: Timestamp) -> bool {
        self.since <= now && now < self.until
    }
}

impl Verified {
    pub(super) fn holds(&self, password: &Key, now: Timestamp) -> bool {
        self.lock().get(password).is_some_and(|held| held.at(now))
    }

    pub(super) fn remember(&self, password: Key, now: Timestamp, remember_for: Duration) {
        let mut verified = self.lock();
        if verified.len() >= MOST {
            verified.retain(|_, held| held.at(now));
        }
        if verified.len() >= MOST {
            verified.clear();
        }
        let held = Held {
            since: now,
            until: now.plus(remember_for),
        };
        verified.insert(password, held);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }
}
