//! Step two: the resource and what it refers to become a plan for each component of the store. Pure.
//!
//! Components are planned by themselves: what is wrong with one keeps back only what needs it. A component that cannot be
//! planned keeps what it has.

mod component;
mod configuration;
mod exposure;
mod monitoring;
mod release;
mod resolve;
mod storage;

use std::collections::{BTreeMap, BTreeSet};

use kube::ResourceExt;
use zas_crd::{ConditionReason, ZotArtifactStore, ZotArtifactStoreStatus};

use super::dereference::References;
use crate::children::{ChildKey, ChildKind, Observed};
use crate::platform::{Platform, Presence};
use crate::problem::Problem;
use crate::resources::{self, Prepared};
use crate::settings::Settings;
use crate::store::{Names, ResolvedStore};

pub use component::{Component, Plan};
pub use release::{pending_update, running};

/// Everything that a store is made of.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The resource.
    pub resource: &'a ZotArtifactStore,
    /// What was reported last: what the store has run, and had.
    pub status: Option<&'a ZotArtifactStoreStatus>,
    /// What the resource refers to.
    pub references: &'a References,
    /// What holds for all stores.
    pub settings: &'a Settings,
    /// What the cluster offers.
    pub platform: &'a Platform,
    /// The objects that are there.
    pub observed: &'a BTreeMap<ChildKey, Observed>,
}

impl<'a> Input<'a> {
    fn names(&self) -> Names {
        Names::of(&self.resource.name_any())
    }

    fn seen(&self, kind: ChildKind, name: &str) -> Option<&'a Observed> {
        self.observed.get(&ChildKey {
            kind,
            name: name.to_owned(),
        })
    }

    /// The plan of a component that cannot be had as it is asked for: it keeps what it has.
    fn without(&self, component: Component, problems: Vec<Problem>) -> Plan {
        let has_something = self
            .observed
            .keys()
            .any(|key| component.kinds().contains(&key.kind));
        if has_something {
            return Plan::Keep(Vec::new(), problems);
        }
        Plan::Blocked(problems)
    }
}

/// The plans of a store.
#[derive(Clone, Debug)]
pub struct Plans {
    /// The store.
    pub store: ResolvedStore,
    plans: BTreeMap<Component, Plan>,
}

/// Plans every component of a store.
pub fn plan(input: Input<'_>) -> Plans {
    let store = resolve::store(input);
    let volume = storage::plan(input, &store);
    let release = release::plan(input, volume.first_bytes);
    let configuration = configuration::plan(input, &store, &release);
    let credentials = credentials(input, &store);
    // What the Pod mounts must be there, and what it reads must be right: a Pod that runs goes on running without.
    let has_configuration = !matches!(configuration, Plan::Blocked(_));
    let is_startable = volume.is_usable && has_configuration && credentials.is_ready();
    let workload = workload(input, &store, &release, is_startable);
    let mut plans = BTreeMap::from([
        (Component::Identity, identity(&store)),
        (Component::Configuration, configuration),
        (Component::Credentials, credentials),
        (Component::Storage, volume.plan),
        (Component::Network, network(&store)),
        (Component::Workload, workload),
    ]);
    plans.extend(exposure::plans(input, &store));
    plans.extend(monitoring::plans(input, &store));
    Plans { store, plans }
}

fn identity(store: &ResolvedStore) -> Plan {
    Plan::Ready(resources::service_account::build(store).into_iter().collect())
}

fn network(store: &ResolvedStore) -> Plan {
    let mut objects = resources::service::build(store);
    objects.extend(resources::network_policy::build(store));
    Plan::Ready(objects)
}

/// The generated Secret is planned even while those that the resource names are missing.
fn credentials(input: Input<'_>, store: &ResolvedStore) -> Plan {
    let objects: Vec<Prepared> = resources::secret::build(store).into_iter().collect();
    match input.references.problems_of(Component::Credentials) {
        problems if problems.is_empty() => Plan::Ready(objects),
        problems => Plan::Keep(objects, problems),
    }
}

fn workload(input: Input<'_>, store: &ResolvedStore, release: &release::Planned, is_startable: bool) -> Plan {
    let mut problems = input.references.problems_of(Component::Workload);
    problems.extend(release.operand.as_ref().err().cloned());
    match &release.release {
        Some(release) if problems.is_empty() && is_startable => {
            Plan::Ready(vec![resources::deployment::build(store, release)])
        }
        _ => input.without(Component::Workload, problems),
    }
}

/// What becomes of a component whose only kind the cluster may lack. `field` asks for it.
fn optional(
    input: Input<'_>,
    component: Component,
    kind: ChildKind,
    field: Option<&str>,
    build: impl FnOnce() -> Plan,
) -> Plan {
    let version = kind.resource().api_version;
    match input.platform.presence(kind) {
        Presence::Present => build(),
        Presence::Unknown(why) => {
            let message = format!(
                "it cannot be told whether the cluster has {}s ({version}), so they stay as they are: {why}",
                kind.name()
            );
            input.without(
                component,
                vec![Problem::new(ConditionReason::APIUnavailable, message)],
            )
        }
        Presence::Absent => match field {
            None => Plan::Ready(Vec::new()),
            Some(field) => Plan::Blocked(vec![Problem::new(
                ConditionReason::APIMissing,
                format!(
                    "{field} asks for a {}, which this cluster does not know ({version}): install what brings it, or \
                     switch it off",
                    kind.name()
                ),
            )]),
        },
    }
}

impl Plans {
    /// The plan of a component.
    pub fn of(&self, component: Component) -> &Plan {
        static NOTHING: Plan = Plan::Ready(Vec::new());
        self.plans.get(&component).unwrap_or(&NOTHING)
    }

    /// What is to be applied, in the order of application.
    pub fn objects(&self) -> Vec<Prepared> {
        let mut objects: Vec<Prepared> = self.plans.values().flat_map(Plan::objects).cloned().collect();
        objects.sort_by_key(|one| one.key.kind);
        objects
    }

    /// Everything that is wrong.
    pub fn problems(&self) -> Vec<Problem> {
        self.plans.values().flat_map(Plan::problems).cloned().collect()
    }

    /// The kinds of which everything is known that the store wants: what else there is of them may go.
    pub fn sweepable(&self) -> BTreeSet<ChildKind> {
        let ready = self
            .plans
            .iter()
            .filter(|(_, plan)| matches!(plan, Plan::Ready(_)));
        let kinds = ready.flat_map(|(component, _)| component.kinds().iter().copied());
        // A kind that the cluster does not show now may have objects nevertheless.
        kinds.filter(|kind| self.store.platform.has(*kind)).collect()
    }
}

#[cfg(test)]
mod tests;
