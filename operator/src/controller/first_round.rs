//! The first look at every store after a start.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use kube::runtime::reflector::Store;

use super::{Guarded, key_of};
use crate::children::StoreKey;

/// Which stores have been looked at since the start, until all of them have.
#[derive(Default)]
pub(super) struct FirstRound {
    stores: OnceLock<Store<Guarded>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    looked_at: HashSet<StoreKey>,
    waiting: HashSet<StoreKey>,
    is_over: bool,
}

impl FirstRound {
    /// These are the stores.
    pub(super) fn begin(&self, stores: Store<Guarded>) {
        // It begins once.
        let _ = self.stores.set(stores);
    }

    /// Whether there are others than this store which have not been looked at yet. This one is named by
    /// [`FirstRound::looked_at`] when there are none any more.
    pub(super) fn is_still_on(&self, store: &StoreKey) -> bool {
        let mut state = self.lock();
        if state.is_over {
            return false;
        }
        state.is_over = self.is_complete(&state, store);
        if !state.is_over {
            state.waiting.insert(store.clone());
        }
        !state.is_over
    }

    /// A store has been looked at. Returns those that have waited for the end of the round, when that is now.
    pub(super) fn looked_at(&self, store: &StoreKey) -> HashSet<StoreKey> {
        let mut state = self.lock();
        if state.is_over && state.waiting.is_empty() {
            return HashSet::new();
        }
        state.looked_at.insert(store.clone());
        state.is_over = state.is_over || self.is_complete(&state, store);
        if !state.is_over {
            return HashSet::new();
        }
        state.looked_at = HashSet::new();
        std::mem::take(&mut state.waiting)
    }

    fn is_complete(&self, state: &State, but: &StoreKey) -> bool {
        let stores = self.stores.get().map(Store::state).unwrap_or_default();
        let mut keys = stores.iter().map(|store| key_of(store));
        keys.all(|key| key == *but || state.looked_at.contains(&key))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change under the lock is complete in itself, so what a panicking thread left is sound.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
