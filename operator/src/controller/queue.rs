//! The stores that wait to be reconciled.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::children::StoreKey;
use crate::metrics::Metrics;

/// Stores that something has happened to and that are not reconciled yet, each once. What is to be done later is not
/// among them.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<HashSet<StoreKey>>,
    metrics: Arc<Metrics>,
}

impl Queue {
    /// An empty queue, whose depth is counted here.
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            waiting: Mutex::default(),
            metrics,
        }
    }

    /// Something has happened to a store.
    pub(super) fn entered(&self, store: &StoreKey) {
        if self.lock().insert(store.clone()) {
            self.metrics.queued();
        }
    }

    /// The store is being reconciled, or is gone.
    pub(super) fn left(&self, store: &StoreKey) {
        if self.lock().remove(store) {
            self.metrics.unqueued();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<StoreKey>> {
        // Every change under the lock is complete in itself, so what a panicking thread left is sound.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn given_stores_that_much_happens_to_when_counted_then_each_waits_once() {
        let metrics = Arc::<Metrics>::default();
        let depth = || {
            let text = metrics.encode();
            let line = text
                .lines()
                .find(|line| line.starts_with("zas_operator_queue_depth "));
            line.unwrap().rsplit(' ').next().unwrap().to_owned()
        };
        let queue = Queue::new(Arc::clone(&metrics));
        for name in ["a", "a", "b"] {
            queue.entered(&store(name));
        }
        assert_eq!(depth(), "2");
        queue.left(&store("a"));
        queue.left(&store("a"));
        assert_eq!(depth(), "1");
    }
}
