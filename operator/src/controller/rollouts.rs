//! How many stores restart at the same time because the operator was upgraded.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::children::StoreKey;

/// A restart that takes longer does not hold up the others any more.
const PATIENCE: Duration = Duration::from_secs(600);

/// Restarts that nobody asked for by changing a resource: an upgrade of the operator must not restart all stores at
/// once.
#[derive(Debug)]
pub(super) struct Rollouts {
    concurrency: usize,
    running: Mutex<HashMap<StoreKey, Instant>>,
}

impl Rollouts {
    /// At most so many at the same time.
    pub(super) fn new(concurrency: usize) -> Self {
        Self {
            concurrency,
            running: Mutex::default(),
        }
    }

    /// Whether this store may restart now. One that may keeps its place until it ends or loses patience.
    pub(super) fn may_start(&self, store: &StoreKey, now: Instant) -> bool {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|_, started| now.duration_since(*started) < PATIENCE);
        if running.contains_key(store) {
            return true;
        }
        if running.len() >= self.concurrency {
            return false;
        }
        running.insert(store.clone(), now);
        true
    }

    /// This store has restarted, or is gone.
    pub(super) fn ended(&self, store: &StoreKey) {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(store);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(name: &str) -> StoreKey {
        StoreKey {
            namespace: "artifacts".to_owned(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn given_one_place_when_two_stores_want_to_restart_then_the_second_waits_for_the_first() {
        let (rollouts, now) = (Rollouts::new(1), Instant::now());
        assert!(rollouts.may_start(&store("a"), now));
        assert!(rollouts.may_start(&store("a"), now), "it keeps its place");
        assert!(!rollouts.may_start(&store("b"), now));
        rollouts.ended(&store("a"));
        assert!(rollouts.may_start(&store("b"), now));
    }

    #[test]
    fn given_a_restart_that_never_ends_when_patience_is_over_then_others_go_on() {
        let (rollouts, now) = (Rollouts::new(1), Instant::now());
        assert!(rollouts.may_start(&store("a"), now));
        assert!(!rollouts.may_start(&store("b"), now + PATIENCE - Duration::from_secs(1)));
        assert!(rollouts.may_start(&store("b"), now + PATIENCE));
    }
}
