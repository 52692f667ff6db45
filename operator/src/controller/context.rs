//! What every look at a store shares.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use kube::runtime::events::{Recorder, Reporter};
use kube::runtime::reflector::ObjectRef;
use kube::{Client, ResourceExt};
use tokio::sync::mpsc::UnboundedSender;
use zas_crd::{ZotArtifactStore, ZotArtifactStoreStatus};

use super::Guarded;

use super::first_round::FirstRound;
use super::interruptions::Interruptions;
use super::rollouts::Rollouts;
use super::server_versions::ServerVersions;
use crate::children::{ChildKind, Ledger, Observations, StoreKey};
use crate::definition::InstalledDefinition;
use crate::labels;
use crate::metrics::Metrics;
use crate::pipeline::dereference::Learned;
use crate::pipeline::rules::Rules;
use crate::platform::Platform;
use crate::problem::Problem;
use crate::settings::Settings;

/// What all namespaces share.
#[derive(Debug)]
pub(super) struct Shared {
    /// What holds for all stores.
    pub settings: Settings,
    /// What the cluster offers, as last discovered.
    pub platform: ArcSwap<Platform>,
    /// The operator's numbers.
    pub metrics: Arc<Metrics>,
    /// Restarts after an upgrade of the operator.
    pub rollouts: Rollouts,
    /// What is known of the installed definition.
    pub definition: InstalledDefinition,
    /// What the servers told.
    pub versions: Arc<ServerVersions>,
    /// The rules of the definition.
    pub rules: Rules,
}

/// What every look at a store of one namespace, or of the whole cluster, shares.
pub(super) struct Context {
    /// The connection.
    pub client: Client,
    /// What all namespaces share.
    pub shared: Arc<Shared>,
    /// What the watches have shown.
    pub observations: Observations,
    /// What was applied.
    pub ledger: Ledger,
    /// What was learned of Secrets and ConfigMaps.
    pub learned: Learned,
    /// Writes events.
    pub recorder: Recorder,
    /// Watches that do not work.
    pub interruptions: Arc<Interruptions>,
    /// The first look at every store.
    pub first_round: FirstRound,
    /// Asks for a look at a store.
    pub triggers: UnboundedSender<ObjectRef<Guarded>>,
    references: Mutex<References>,
    checked: Mutex<HashMap<StoreKey, Checked>>,
    failures: Mutex<HashMap<StoreKey, u32>>,
    written: Mutex<HashMap<StoreKey, (String, ZotArtifactStoreStatus)>>,
}

/// Which stores refer to which objects, both ways.
#[derive(Default)]
struct References {
    of: HashMap<StoreKey, Vec<(ChildKind, String)>>,
    to: HashMap<(ChildKind, String, String), HashSet<StoreKey>>,
}

/// The rules that a generation of a resource breaks.
struct Checked {
    uid: String,
    generation: Option<i64>,
    broken: Arc<[Problem]>,
}

impl Context {
    /// A context whose watches have shown nothing yet.
    pub(super) fn new(
        client: Client,
        shared: Arc<Shared>,
        interruptions: Arc<Interruptions>,
        instance: String,
        triggers: UnboundedSender<ObjectRef<Guarded>>,
    ) -> Self {
        let reporter = Reporter {
            controller: labels::MANAGER.to_owned(),
            instance: Some(instance),
        };
        Self {
            recorder: Recorder::new(client.clone(), reporter),
            client,
            shared,
            interruptions,
            observations: Observations::default(),
            ledger: Ledger::default(),
            learned: Learned::default(),
            first_round: FirstRound::default(),
            triggers,
            references: Mutex::default(),
            checked: Mutex::default(),
            failures: Mutex::default(),
            written: Mutex::default(),
        }
    }

    /// Asks for a look at a store.
    pub(super) fn trigger(&self, store: &StoreKey) {
        // Nobody listens any more when the operator stops.
        let _ = self.triggers.send(store.object_ref());
    }

    /// Notes which objects a store refers to. Costs what the store refers to, not what all stores do.
    pub(super) fn refers_to(&self, store: &StoreKey, objects: &[(ChildKind, String)]) {
        let mut references = self.references.lock().unwrap_or_else(PoisonError::into_inner);
        let References { of, to } = &mut *references;
        if of.get(store).map_or(objects.is_empty(), |known| known == objects) {
            return;
        }
        let place = |(kind, name): &(ChildKind, String)| (*kind, store.namespace.clone(), name.clone());
        for left in of.remove(store).iter().flatten().map(place) {
            let Some(stores) = to.get_mut(&left) else { continue };
            stores.remove(store);
            if stores.is_empty() {
                to.remove(&left);
            }
        }
        for object in objects.iter().map(place) {
            to.entry(object).or_default().insert(store.clone());
        }
        if !objects.is_empty() {
            of.insert(store.clone(), objects.to_vec());
        }
    }

    /// The stores that refer to an object.
    pub(super) fn referring_to(&self, kind: ChildKind, namespace: &str, name: &str) -> Vec<StoreKey> {
        let references = self.references.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (kind, namespace.to_owned(), name.to_owned());
        references.to.get(&place).into_iter().flatten().cloned().collect()
    }

    /// The rules of the definition that a resource breaks: checked once for each of its generations.
    pub(super) fn broken_rules(&self, store: &StoreKey, resource: &ZotArtifactStore) -> Arc<[Problem]> {
        let lock = || self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        let (uid, generation) = (resource.uid().unwrap_or_default(), resource.metadata.generation);
        if let Some(checked) = lock().get(store)
            && (&checked.uid, checked.generation) == (&uid, generation)
        {
            return Arc::clone(&checked.broken);
        }
        let broken: Arc<[Problem]> = self.shared.rules.broken_by(resource).into();
        let checked = Checked {
            uid,
            generation,
            broken: Arc::clone(&broken),
        };
        lock().insert(store.clone(), checked);
        broken
    }

    /// The status that was written last for this incarnation, which the watch may not have shown yet.
    pub(super) fn last_status(&self, store: &StoreKey, uid: &str) -> Option<ZotArtifactStoreStatus> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, status) = written.get(store)?;
        (of == uid).then(|| status.clone())
    }

    /// Notes a status that was written for this incarnation.
    pub(super) fn wrote_status(&self, store: &StoreKey, uid: &str, status: ZotArtifactStoreStatus) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.insert(store.clone(), (uid.to_owned(), status));
    }

    /// A look at a store failed. Returns how many in a row have.
    pub(super) fn failed(&self, store: &StoreKey) -> u32 {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(store.clone()).or_default();
        *count = count.saturating_add(1);
        *count
    }

    /// A look at a store succeeded.
    pub(super) fn succeeded(&self, store: &StoreKey) {
        self.failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(store);
    }

    /// Forgets a store that is gone.
    pub(super) fn forget(&self, store: &StoreKey) {
        self.ledger.forget_store(store);
        self.refers_to(store, &[]);
        self.learned.forget_store(store);
        self.shared.rollouts.ended(store, &self.shared.metrics);
        self.shared.versions.forget(store);
        self.succeeded(store);
        self.checked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(store);
        self.written
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(store);
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Context")
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}
