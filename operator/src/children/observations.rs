//! Everything that the watches have shown, in the least memory.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{ChildKey, ChildKind, Observed, StoreKey};

/// What the watches of one namespace, or of the whole cluster, have shown.
///
/// Of the operator's own objects their metadata and facts are kept, of every other Secret and ConfigMap only the
/// resource version: a cluster may have tens of thousands.
#[derive(Debug, Default)]
pub struct Observations(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    children: HashMap<StoreKey, BTreeMap<ChildKey, Observed>>,
    versions: HashMap<(ChildKind, String), HashMap<String, Version>>,
    listed: HashSet<ChildKind>,
}

/// An object that a watch has shown, whoever owns it.
#[derive(Debug)]
struct Version {
    number: u64,
    store: Option<String>,
}

impl Observations {
    /// An object of `namespace` was added or changed. Returns the store it belongs to, and the one that it belonged to
    /// until now if that is another.
    pub fn seen(&self, namespace: &str, key: ChildKey, observed: Observed) -> Vec<StoreKey> {
        let mut inner = self.lock();
        let left = inner.note_version(namespace, &key, &observed);
        if let Some(left) = &left {
            inner.remove(left, &key);
        }
        let owner = observed.store().map(|store| store_key(namespace, store));
        if let Some(owner) = &owner {
            let children = inner.children.entry(owner.clone()).or_default();
            children.insert(key, observed);
        }
        left.into_iter().chain(owner).collect()
    }

    /// An object of `namespace` is gone. Returns the store it belonged to.
    pub fn gone(&self, namespace: &str, key: &ChildKey, store: Option<&str>) -> Option<StoreKey> {
        let mut inner = self.lock();
        let versions = inner.versions.get_mut(&(key.kind, namespace.to_owned()));
        let known = versions.and_then(|versions| versions.remove(&key.name)?.store);
        let store = store_key(namespace, known.as_deref().or(store)?);
        inner.remove(&store, key);
        Some(store)
    }

    /// A new list of `kind` is complete and names only these objects, by namespace and name: what is not among them
    /// is gone. Returns the stores that lost something.
    pub fn listed(&self, kind: ChildKind, present: &HashSet<(String, String)>) -> Vec<StoreKey> {
        let mut inner = self.lock();
        for ((_, namespace), versions) in inner.versions.iter_mut().filter(|((of, _), _)| *of == kind) {
            versions.retain(|name, _| present.contains(&(namespace.clone(), name.clone())));
        }
        let mut lost = Vec::new();
        for (store, children) in &mut inner.children {
            let before = children.len();
            children.retain(|key, _| {
                key.kind != kind || present.contains(&(store.namespace.clone(), key.name.clone()))
            });
            if children.len() < before {
                lost.push(store.clone());
            }
        }
        inner.children.retain(|_, children| !children.is_empty());
        inner.listed.insert(kind);
        lost
    }

    /// Whether a first list of every one of these kinds is complete. Before that, absence means nothing.
    pub fn has_listed(&self, kinds: impl IntoIterator<Item = ChildKind>) -> bool {
        let inner = self.lock();
        kinds.into_iter().all(|kind| inner.listed.contains(&kind))
    }

    /// The objects that belong to a store.
    pub fn children(&self, store: &StoreKey) -> BTreeMap<ChildKey, Observed> {
        self.lock().children.get(store).cloned().unwrap_or_default()
    }

    /// The resource version of any Secret or ConfigMap; `None` when there is none of that name.
    pub fn version(&self, kind: ChildKind, namespace: &str, name: &str) -> Option<u64> {
        let inner = self.lock();
        let versions = inner.versions.get(&(kind, namespace.to_owned()))?;
        versions.get(name).map(|version| version.number)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change under the lock is complete in itself, so what a panicking thread left is sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Notes the version of an object. Returns the store that it no longer says it belongs to.
    fn note_version(&mut self, namespace: &str, key: &ChildKey, observed: &Observed) -> Option<StoreKey> {
        let version = Version {
            number: observed.resource_version,
            store: observed.store().map(str::to_owned),
        };
        let versions = self.versions.entry((key.kind, namespace.to_owned())).or_default();
        let before = versions.insert(key.name.clone(), version)?.store?;
        (observed.store() != Some(&before)).then(|| store_key(namespace, &before))
    }

    fn remove(&mut self, store: &StoreKey, key: &ChildKey) {
        let Some(children) = self.children.get_mut(store) else {
            return;
        };
        children.remove(key);
        if children.is_empty() {
            self.children.remove(store);
        }
    }
}

fn store_key(namespace: &str, name: &str) -> StoreKey {
    StoreKey {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}
