//! Restarts that nobody asked for by changing a resource: an upgrade of the operator must neither restart all stores at
//! once, nor go on after the first that does not come up again.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::children::StoreKey;
use crate::metrics::Metrics;

/// Whether a store may restart now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It may.
    Now,
    /// Others restart.
    Queued,
    /// A store did not come up again, for the reason given: the others stay as they are until it does.
    Halted(String),
}

/// The restarts after an upgrade of the operator.
#[derive(Debug)]
pub(super) struct Rollouts {
    concurrency: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: HashSet<StoreKey>,
    failed: BTreeMap<StoreKey, String>,
}

impl Rollouts {
    /// At most so many at the same time.
    pub(super) fn new(concurrency: usize) -> Self {
        Self {
            concurrency,
            state: Mutex::default(),
        }
    }

    /// Whether this store may restart now. One that may keeps its place until it ends or fails.
    pub(super) fn may_start(&self, store: &StoreKey) -> Turn {
        let mut state = self.lock();
        if state.running.contains(store) || state.failed.contains_key(store) {
            return Turn::Now;
        }
        if let Some((failed, why)) = state.failed.first_key_value() {
            return Turn::Halted(format!("store {failed} did not come up again: {why}"));
        }
        if state.running.len() >= self.concurrency {
            return Turn::Queued;
        }
        state.running.insert(store.clone());
        Turn::Now
    }

    /// This store was being restarted when the operator began.
    pub(super) fn resumed(&self, store: &StoreKey) {
        let mut state = self.lock();
        if !state.failed.contains_key(store) {
            state.running.insert(store.clone());
        }
    }

    /// This store has restarted, is gone, or is in somebody's hands.
    pub(super) fn ended(&self, store: &StoreKey, metrics: &Metrics) {
        let mut state = self.lock();
        state.running.remove(store);
        if state.failed.remove(store).is_some() {
            tracing::info!(%store, "the store that halted the restarts no longer does");
        }
        metrics.count_failed_rollouts(state.failed.len());
    }

    /// This store does not come up again. That of one which was not restarted from here halts nothing.
    pub(super) fn failed(&self, store: &StoreKey, why: &str, metrics: &Metrics) {
        let mut state = self.lock();
        if state.running.remove(store) {
            tracing::error!(%store, why, "a restarted store does not come up again: no other one is restarted until it does");
            state.failed.insert(store.clone(), why.to_owned());
        }
        metrics.count_failed_rollouts(state.failed.len());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change under the lock is complete in itself, so what a panicking thread left is sound.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        let (rollouts, metrics) = (Rollouts::new(1), Metrics::default());
        assert_eq!(rollouts.may_start(&store("a")), Turn::Now);
        assert_eq!(rollouts.may_start(&store("a")), Turn::Now, "it keeps its place");
        assert_eq!(rollouts.may_start(&store("b")), Turn::Queued);
        rollouts.ended(&store("a"), &metrics);
        assert_eq!(rollouts.may_start(&store("b")), Turn::Now);
    }

    #[test]
    fn given_a_store_that_does_not_come_up_when_others_wait_then_they_stay_until_it_does() {
        let (rollouts, metrics) = (Rollouts::new(2), Metrics::default());
        rollouts.may_start(&store("a"));
        rollouts.failed(&store("a"), "exit code 65", &metrics);

        let Turn::Halted(why) = rollouts.may_start(&store("b")) else {
            panic!("it goes on")
        };
        assert!(
            why.contains("artifacts/a") && why.contains("exit code 65"),
            "{why}"
        );
        assert_eq!(rollouts.may_start(&store("a")), Turn::Now, "the way out is open");
        assert!(metrics.encode().contains("zas_operator_rollouts_failed 1"));

        rollouts.ended(&store("a"), &metrics);
        assert_eq!(rollouts.may_start(&store("b")), Turn::Now);
        assert!(metrics.encode().contains("zas_operator_rollouts_failed 0"));
    }

    #[test]
    fn given_a_store_that_failed_by_itself_when_others_wait_then_it_halts_nothing() {
        let (rollouts, metrics) = (Rollouts::new(1), Metrics::default());
        rollouts.failed(&store("a"), "an image that does not exist", &metrics);
        assert_eq!(rollouts.may_start(&store("b")), Turn::Now);
    }

    #[test]
    fn given_an_operator_that_begins_in_the_middle_when_a_restart_goes_on_then_it_has_its_place() {
        let (rollouts, metrics) = (Rollouts::new(1), Metrics::default());
        rollouts.resumed(&store("a"));
        assert_eq!(rollouts.may_start(&store("b")), Turn::Queued);
        rollouts.failed(&store("a"), "stuck", &metrics);
        rollouts.resumed(&store("a"));
        assert!(matches!(rollouts.may_start(&store("b")), Turn::Halted(_)));
    }
}
