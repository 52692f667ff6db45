//! What was applied last, so that a settled object is not written again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{ChildKey, Observed, StoreKey};

/// What was applied, and what the object looked like afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Hash of everything that was sent.
    pub desired: [u8; 32],
    /// The incarnation.
    pub uid: String,
    /// The resource version that the API server answered.
    pub resource_version: u64,
    /// The generation that it answered, for kinds that have one.
    pub generation: Option<i64>,
    /// The uid of the controller that it answered, if any.
    pub controller: Option<String>,
    /// The labels that were sent.
    pub labels: BTreeMap<String, String>,
    /// The annotations that were sent.
    pub annotations: BTreeMap<String, String>,
}

impl Application {
    /// Whether `observed` is still what was applied, so that applying it again would change nothing.
    ///
    /// An older view than the answer to the application says nothing new. A status changes the resource version
    /// alone: of kinds with a generation only that, and the metadata which were sent, are compared.
    pub fn is_intact(&self, desired: &[u8; 32], observed: &Observed) -> bool {
        if self.desired != *desired || self.uid != observed.uid || observed.is_leaving {
            return false;
        }
        if observed.resource_version <= self.resource_version {
            return true;
        }
        let is_same_generation = self.generation.is_some() && self.generation == observed.generation;
        is_same_generation
            && self.controller == observed.controller
            && contains(&observed.labels, &self.labels)
            && contains(&observed.annotations, &self.annotations)
    }
}

fn contains(all: &BTreeMap<String, String>, some: &BTreeMap<String, String>) -> bool {
    some.iter().all(|(key, value)| all.get(key) == Some(value))
}

/// What was applied last of every object. Empty after a start: then everything is applied once.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<HashMap<StoreKey, BTreeMap<ChildKey, Application>>>);

impl Ledger {
    /// What was applied last.
    pub fn last(&self, store: &StoreKey, key: &ChildKey) -> Option<Application> {
        self.lock().get(store)?.get(key).cloned()
    }

    /// Remembers an application.
    pub fn record(&self, store: &StoreKey, key: ChildKey, application: Application) {
        self.lock()
            .entry(store.clone())
            .or_default()
            .insert(key, application);
    }

    /// Forgets an object, so that it is looked at anew.
    pub fn forget(&self, store: &StoreKey, key: &ChildKey) {
        if let Some(children) = self.lock().get_mut(store) {
            children.remove(key);
        }
    }

    /// Forgets a store that is gone.
    pub fn forget_store(&self, store: &StoreKey) {
        self.lock().remove(store);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StoreKey, BTreeMap<ChildKey, Application>>> {
        // Every change under the lock is complete in itself, so what a panicking thread left is sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
