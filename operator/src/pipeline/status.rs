//! Step six: what is reported. Pure: the writing is in [`write`].

mod address;
mod conditions;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::{Resource, ResourceExt};
use zas_crd::{DataVolumeStatus, SecretRef, ZotArtifactStore, ZotArtifactStoreStatus};

use crate::children::{ChildKey, ChildKind, ClaimFacts, DeploymentFacts, Facts, Observed};
use crate::labels;
use crate::problem::Problem;
use crate::store::{Names, ValidatedStore};

pub use write::{is_newer, write};

/// What the look at the store came to.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The operator is told to leave everything untouched.
    Paused,
    /// The store cannot be built; what runs goes on running.
    Blocked(Vec<Problem>),
    /// The objects are as they should be, as far as the problems allow.
    Built(Box<Built>),
}

/// A store whose objects were applied.
#[derive(Clone, Debug)]
pub struct Built {
    /// The store.
    pub store: ValidatedStore,
    /// A newer version that waits for consent.
    pub pending_update: Option<String>,
    /// What could not be had, applied or started.
    pub problems: Vec<Problem>,
    /// Whether the rollout waits for those of other stores.
    pub is_queued: bool,
    /// The generation of the Deployment that was applied last: the watch may not have shown it yet.
    pub applied_generation: Option<i64>,
}

/// Everything that is reported about.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The resource, with the status that it has.
    pub resource: &'a ZotArtifactStore,
    /// What the look came to.
    pub outcome: &'a Outcome,
    /// The objects that are there.
    pub observed: &'a BTreeMap<ChildKey, Observed>,
    /// The version that the running server told.
    pub server_version: Option<&'a str>,
    /// Now.
    pub now: Timestamp,
}

impl<'a> Input<'a> {
    fn name(&self) -> String {
        self.resource.name_any()
    }

    fn names(&self) -> Names {
        Names::of(&self.name())
    }

    fn built(&self) -> Option<&'a Built> {
        match self.outcome {
            Outcome::Built(built) => Some(built),
            _ => None,
        }
    }

    fn child(&self, kind: ChildKind, name: &str) -> Option<&'a Observed> {
        self.observed.get(&ChildKey {
            kind,
            name: name.to_owned(),
        })
    }

    /// The Deployment with its generation.
    fn deployment(&self) -> Option<(&'a DeploymentFacts, Option<i64>)> {
        let seen = self.child(ChildKind::Deployment, &self.name())?;
        match &seen.facts {
            Facts::Deployment(facts) => Some((facts, seen.generation)),
            _ => None,
        }
    }

    /// The claim that the operator made.
    fn claim(&self) -> Option<(&'a Observed, &'a ClaimFacts)> {
        let seen = self.child(ChildKind::PersistentVolumeClaim, &self.names().claim())?;
        match &seen.facts {
            Facts::Claim(facts) => Some((seen, facts)),
            _ => None,
        }
    }
}

/// The status of a store.
pub fn of(input: Input<'_>) -> ZotArtifactStoreStatus {
    let deployment = input.deployment().map(|(facts, _)| facts);
    let before = input.resource.status.clone().unwrap_or_default();
    let endpoints = address::endpoints(input);
    ZotArtifactStoreStatus {
        observed_generation: input.resource.meta().generation,
        version: input.server_version.map(str::to_owned).or(before.version),
        image: deployment.and_then(|facts| facts.image.clone()),
        pending_update: input.built().and_then(|built| built.pending_update.clone()),
        url: address::url(input),
        endpoints,
        replicas: Some(deployment.map_or(0, |facts| facts.replicas)),
        ready_replicas: Some(deployment.map_or(0, |facts| facts.ready)),
        updated_replicas: Some(deployment.map_or(0, |facts| facts.updated)),
        selector: Some(format!("{}={}", labels::STORE, input.name())),
        admin_ref: Some(SecretRef {
            name: administrator(input),
        }),
        data_volume: data_volume(input),
        conditions: conditions::of(input, &before.conditions),
    }
}

fn administrator(input: Input<'_>) -> String {
    let given = input.resource.spec.access.admin_ref.as_ref();
    given.map_or_else(|| input.names().administrator(), |given| given.name.clone())
}

fn data_volume(input: Input<'_>) -> Option<DataVolumeStatus> {
    if let Some(name) = &input.resource.spec.data_volume.existing_claim {
        return Some(DataVolumeStatus {
            claim_name: name.clone(),
            requested: None,
            capacity: None,
            adopted: true,
        });
    }
    let (seen, facts) = input.claim()?;
    let store_created = input.resource.creation_timestamp().map(|time| time.0.as_second());
    Some(DataVolumeStatus {
        claim_name: input.names().claim(),
        requested: facts.requested.clone(),
        capacity: facts.capacity.clone(),
        // A claim that is older than its store was left by one before it.
        adopted: seen.created < store_created,
    })
}
