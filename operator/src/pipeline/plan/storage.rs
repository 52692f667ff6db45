//! The claim of the data.

use zas_crd::{ConditionReason, Size};

use super::{Component, Input, Plan};
use crate::children::{ChildKind, Facts, Observed};
use crate::labels;
use crate::problem::Problem;
use crate::resources::persistent_volume_claim;
use crate::store::ResolvedStore;

/// The size of a claim unless the resource says otherwise.
pub(super) const DEFAULT_SIZE: &str = "20Gi";

/// The claim, and what depends on it.
pub(super) struct Volume {
    /// What becomes of the claim.
    pub plan: Plan,
    /// Whether a server may start on it.
    pub is_usable: bool,
    /// The size that the claim was made with, when the operator made it.
    pub first_bytes: Option<u64>,
}

impl Volume {
    fn usable(plan: Plan, first_bytes: Option<u64>) -> Self {
        Self {
            plan,
            is_usable: true,
            first_bytes,
        }
    }

    fn unusable(plan: Plan, first_bytes: Option<u64>) -> Self {
        Self {
            plan,
            is_usable: false,
            first_bytes,
        }
    }
}

/// The claim. One that is there never shrinks, since Kubernetes would refuse; one that is being deleted is left alone;
/// and one that held data is never replaced by an empty one.
pub(super) fn plan(input: Input<'_>, store: &ResolvedStore) -> Volume {
    if let Some(name) = &store.spec.data_volume.existing_claim {
        return existing(input, name);
    }
    let name = store.names.claim();
    let (size, problem) = match size(input, store) {
        Ok(size) => size,
        Err(problem) => {
            return Volume::unusable(input.without(Component::Storage, vec![problem]), None);
        }
    };
    let present = input.seen(ChildKind::PersistentVolumeClaim, &name);
    let first = first_size(present).unwrap_or_else(|| size.clone());
    let bytes = Size::new(first.clone()).bytes().ok();
    if present.is_some_and(|seen| seen.is_leaving) {
        return Volume::unusable(Plan::Keep(Vec::new(), vec![terminating(&name)]), bytes);
    }
    if present.is_none() && had_data(input, &name) {
        let message = format!(
            "claim {name}, which held the data of this store, is gone, and no empty one is made in its place: create a \
             claim {name} with the label {}={}, restored from a backup, or empty if the data may be lost",
            labels::STORE,
            store.names.store(),
        );
        let problem = Problem::new(ConditionReason::VolumeMissing, message);
        return Volume::unusable(Plan::Blocked(vec![problem]), bytes);
    }
    let claim = vec![persistent_volume_claim::build(store, &size, &first)];
    match problem {
        None => Volume::usable(Plan::Ready(claim), bytes),
        Some(problem) => Volume::usable(Plan::Keep(claim, vec![problem]), bytes),
    }
}

/// A claim that the resource names. The operator changes nothing of it.
fn existing(input: Input<'_>, name: &str) -> Volume {
    let Some(seen) = input.seen(ChildKind::PersistentVolumeClaim, name) else {
        let message = format!(
            "claim {name} (spec.dataVolume.existingClaim) does not exist: create it; the field cannot change"
        );
        let problem = Problem::new(ConditionReason::VolumeMissing, message);
        return Volume::unusable(Plan::Blocked(vec![problem]), None);
    };
    if seen.is_leaving {
        return Volume::unusable(Plan::Keep(Vec::new(), vec![terminating(name)]), None);
    }
    Volume::usable(Plan::Ready(Vec::new()), None)
}

fn terminating(name: &str) -> Problem {
    let message = format!(
        "claim {name} is being deleted: it goes, with the data, when the server's Pod ends, so the server is not restarted \
         and its changes wait; copy the data first if they are needed"
    );
    Problem::new(ConditionReason::VolumeTerminating, message)
}

/// The size that a claim was made with, or the one it has when nobody noted that.
fn first_size(present: Option<&Observed>) -> Option<String> {
    let seen = present?;
    let noted = seen.annotations.get(labels::FIRST_SIZE_ANNOTATION);
    let noted = noted.filter(|size| Size::new((*size).clone()).bytes().is_ok());
    noted.cloned().or_else(|| match &seen.facts {
        Facts::Claim(facts) => facts.requested.clone().filter(|size| !size.is_empty()),
        _ => None,
    })
}

/// Whether a volume was bound to the claim of this store before.
fn had_data(input: Input<'_>, claim: &str) -> bool {
    let reported = input.status.and_then(|status| status.data_volume.as_ref());
    reported.is_some_and(|volume| volume.claim_name == claim && volume.capacity.is_some())
}

/// The size to ask for, and what is wrong with the one that is stated.
fn size(input: Input<'_>, store: &ResolvedStore) -> Result<(String, Option<Problem>), Problem> {
    let stated = store.spec.data_volume.size.as_ref();
    let wanted = stated.cloned().unwrap_or_else(|| Size::new(DEFAULT_SIZE));
    let wanted_bytes = wanted.bytes().map_err(|error| {
        let message = format!("spec.dataVolume.size: {error}");
        Problem::new(ConditionReason::InvalidSpec, message)
    })?;
    let name = store.names.claim();
    let present = input.seen(ChildKind::PersistentVolumeClaim, &name);
    let Some(Facts::Claim(facts)) = present.map(|seen| &seen.facts) else {
        return Ok((wanted.to_string(), None));
    };
    let requested = facts.requested.clone().unwrap_or_default();
    if Size::new(requested.clone())
        .bytes()
        .is_ok_and(|bytes| bytes > wanted_bytes)
    {
        let refusal = stated.map(|_| {
            let message = format!(
                "spec.dataVolume.size {wanted} is below the {requested} of claim {name}, which cannot shrink: state at \
                 least {requested}"
            );
            Problem::new(ConditionReason::VolumeShrinkRefused, message)
        });
        return Ok((requested, refusal));
    }
    // Kubernetes lets only bound claims grow: it happens once there is a volume.
    if !facts.is_bound && !requested.is_empty() {
        return Ok((requested, None));
    }
    Ok((wanted.to_string(), None))
}
