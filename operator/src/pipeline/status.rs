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
use crate::pipeline::orphans::is_settled;
use crate::pipeline::plan::{Component, Plans};
use crate::problem::Problem;
use crate::store::{Names, Origin};

pub use write::{is_newer, write};

/// What the look at the store came to.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The operator is told to leave everything untouched.
    Paused,
    /// The resource cannot be understood; what runs goes on running.
    Blocked(Vec<Problem>),
    /// Every component is as it was planned, as far as the problems allow.
    CarriedOut(Box<CarriedOut>),
}

/// A store whose plans were carried out.
#[derive(Clone, Debug)]
pub struct CarriedOut {
    /// What was planned.
    pub plans: Plans,
    /// What could not be applied or started.
    pub problems: Vec<Problem>,
    /// Objects that are being deleted: they are made again when they are gone.
    pub terminating: Vec<ChildKey>,
    /// Why the rollout waits.
    pub wait: Option<Wait>,
    /// The generation of the Deployment that was applied last: the watch may not have shown it yet.
    pub applied_generation: Option<i64>,
}

/// Why a rollout waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Other stores restart.
    Queued,
    /// One that was restarted did not come up again, for this reason.
    Halted(String),
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
    /// The version that waits for consent.
    pub pending_update: Option<&'a str>,
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

    fn carried_out(&self) -> Option<&'a CarriedOut> {
        match self.outcome {
            Outcome::CarriedOut(carried_out) => Some(carried_out),
            _ => None,
        }
    }

    /// Whether the store has, or is to have, an object of its own name that is a component by itself. What is known of
    /// a store whose plans are not known is what is there.
    fn expects(&self, component: Component, kind: ChildKind) -> bool {
        let plan = self
            .carried_out()
            .map(|carried_out| carried_out.plans.of(component));
        match plan {
            Some(plan) if plan.is_ready() => plan.is_wanted(),
            _ => self.child(kind, &self.name()).is_some(),
        }
    }

    /// Deployment, generation and annotated version of a server that runs as its Deployment says.
    fn settled(&self) -> Option<(&'a DeploymentFacts, Option<&'a String>)> {
        let (facts, generation) = self.deployment()?;
        let is_settled = facts.available > 0 && is_settled(facts, generation);
        let seen = self.child(ChildKind::Deployment, &self.name())?;
        is_settled.then(|| (facts, seen.annotations.get(labels::VERSION_ANNOTATION)))
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

    /// The name of the claim that holds the data.
    fn claim_name(&self) -> String {
        let existing = self.resource.spec.data_volume.existing_claim.clone();
        existing.unwrap_or_else(|| self.names().claim())
    }

    /// The claim that holds the data.
    fn claim(&self) -> Option<(&'a Observed, &'a ClaimFacts)> {
        let seen = self.child(ChildKind::PersistentVolumeClaim, &self.claim_name())?;
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
    // Image and version of what ran last stay until something else runs: they are what a store stays with.
    let (image, version) = match input.settled() {
        Some((facts, version)) => (facts.image.clone(), version.cloned()),
        None => (None, None),
    };
    let data_volume = data_volume(input, before.data_volume);
    ZotArtifactStoreStatus {
        observed_generation: input.resource.meta().generation,
        version: input
            .server_version
            .map(str::to_owned)
            .or(version)
            .or(before.version),
        image: image.or(before.image),
        pending_update: input.pending_update.map(str::to_owned),
        url: address::url(input),
        endpoints,
        replicas: Some(deployment.map_or(0, |facts| facts.replicas)),
        ready_replicas: Some(deployment.map_or(0, |facts| facts.ready)),
        updated_replicas: Some(deployment.map_or(0, |facts| facts.updated)),
        selector: Some(format!("{}={}", labels::STORE, input.name())),
        admin_ref: Some(SecretRef {
            name: administrator(input),
        }),
        data_volume,
        conditions: conditions::of(input, &before.conditions),
    }
}

fn administrator(input: Input<'_>) -> String {
    let given = input.resource.spec.access.admin_ref.as_ref();
    given.map_or_else(|| input.names().administrator(), |given| given.name.clone())
}

/// The claim. One that held data is remembered when it is gone.
fn data_volume(input: Input<'_>, before: Option<DataVolumeStatus>) -> Option<DataVolumeStatus> {
    let Some((seen, facts)) = input.claim() else {
        return before.filter(|volume| volume.capacity.is_some());
    };
    let origin = Origin::of(Some(seen), &input.resource.uid().unwrap_or_default());
    let is_existing = input.resource.spec.data_volume.existing_claim.is_some();
    Some(DataVolumeStatus {
        claim_name: input.claim_name(),
        requested: facts.requested.clone(),
        capacity: facts.capacity.clone(),
        adopted: is_existing || origin != Origin::Own,
    })
}
