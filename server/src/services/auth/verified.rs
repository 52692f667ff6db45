//! Passwords that were verified a short time ago.
//!
//! Every request of a client that signs in looks here, so looking takes no lock: a reader sees the table as it was when
//! it came, a writer exchanges it as a whole. Writing is rare beside the hashing that comes before it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use zas_core::Timestamp;

use super::Principal;
use super::keys::Key;

/// Most passwords that are remembered. When full, the outdated ones go, and if none is outdated, all go: verifying
/// again is only slower.
const MAX_ENTRIES: usize = 10_000;

/// The verified passwords, and when each need not be verified again.
#[derive(Debug, Default)]
pub(super) struct Verified {
    table: ArcSwap<HashMap<Key, Held>>,
    /// Lets one writer after the other copy the table.
    writing: Mutex<()>,
}

/// From when until when a password is remembered. Before its time it is not, so that a wall clock that was set back
/// does not keep it for as long as it was wrong.
#[derive(Clone, Debug)]
struct Held {
    since: Timestamp,
    until: Timestamp,
    principal: Principal,
}

impl Held {
    fn at(&self, now: Timestamp) -> bool {
        self.since <= now && now < self.until
    }
}

impl Verified {
    /// Who has shown this password a short time ago.
    pub(super) fn recall(&self, password: &Key, now: Timestamp) -> Option<Principal> {
        let table = self.table.load();
        let held = table.get(password).filter(|held| held.at(now))?;
        Some(held.principal.clone())
    }

    pub(super) fn remember(
        &self,
        password: Key,
        principal: Principal,
        now: Timestamp,
        remember_for: Duration,
    ) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut table = HashMap::clone(&self.table.load());
        if table.len() >= MAX_ENTRIES {
            table.retain(|_, held| held.at(now));
        }
        if table.len() >= MAX_ENTRIES {
            table.clear();
        }
        let held = Held {
            since: now,
            until: now.plus(remember_for),
            principal,
        };
        table.insert(password, held);
        self.table.store(Arc::new(table));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.table.load().len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::Keys;
    use super::*;

    #[test]
    fn given_a_full_table_when_another_is_remembered_then_outdated_ones_go_and_else_all() {
        let (verified, keys, minute) = (Verified::default(), Keys::new([7; 32]), Duration::from_secs(60));
        let start = Timestamp::from_millis(1_000_000);
        let key = |number: usize| keys.password(&"alice".parse().unwrap(), &number.to_string(), "hash");
        let held = Held {
            since: start,
            until: start.plus(minute),
            principal: Principal::ANONYMOUS,
        };
        let mut table: HashMap<Key, Held> = (1..MAX_ENTRIES)
            .map(|number| (key(number), held.clone()))
            .collect();
        table.insert(key(0), Held { until: start, ..held });
        verified.table.store(Arc::new(table));

        verified.remember(key(MAX_ENTRIES), Principal::ANONYMOUS, start, minute);
        assert_eq!(verified.len(), MAX_ENTRIES);
        assert!(verified.recall(&key(0), start).is_none() && verified.recall(&key(1), start).is_some());

        verified.remember(key(MAX_ENTRIES + 1), Principal::ANONYMOUS, start, minute);
        assert_eq!(verified.len(), 1);
        assert!(verified.recall(&key(MAX_ENTRIES + 1), start).is_some());
    }
}
