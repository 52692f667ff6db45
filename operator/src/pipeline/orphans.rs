//! Step five: deletes what the store no longer wants.

use std::collections::{BTreeMap, BTreeSet};

use kube::api::{Api, DeleteParams, DynamicObject, Preconditions};

use crate::answers::{self, Answer};
use crate::children::{ChildKey, ChildKind, DeploymentFacts, Facts, Ledger, Observed, StoreKey};
use crate::error::ReconcileError;
use crate::metrics::Metrics;
use crate::store::Names;

/// The objects that are there, controlled by this incarnation of the store, of kinds that may be swept, and not wanted.
///
/// Claims and Secrets are never among them: they hold what cannot be made again. Configurations that Pods may still
/// have mounted stay until the Deployment has settled on the generation that was applied last; none stands for a
/// Deployment that is still to be applied.
pub fn of(
    uid: &str,
    names: &Names,
    wanted: &BTreeSet<ChildKey>,
    sweepable: &BTreeSet<ChildKind>,
    observed: &BTreeMap<ChildKey, Observed>,
    applied_generation: Option<i64>,
) -> Vec<(ChildKey, String)> {
    let is_settled = applied_generation.is_some()
        && observed.iter().any(|(key, seen)| {
            matches!(&seen.facts, Facts::Deployment(facts)
            if key.name == names.store() && is_settled(facts, seen.generation.max(applied_generation)))
        });
    let is_in_use = |key: &ChildKey| {
        key.kind == ChildKind::ConfigMap
            && key.name.starts_with(&names.restart_configuration_prefix())
            && !is_settled
    };
    observed
        .iter()
        .filter(|(key, seen)| {
            !wanted.contains(*key)
                && sweepable.contains(&key.kind)
                && !key.kind.is_data()
                && !seen.is_leaving
                && seen.controller.as_deref() == Some(uid)
                && !is_in_use(key)
        })
        .map(|(key, seen)| (key.clone(), seen.uid.clone()))
        .collect()
}

/// Whether a Deployment runs what it is told to, and nothing else.
pub fn is_settled(facts: &DeploymentFacts, generation: Option<i64>) -> bool {
    generation.is_some_and(|generation| facts.observed_generation >= generation)
        && facts.updated == facts.wanted
        && facts.replicas == facts.updated
        && facts.available == facts.wanted
}

/// Deletes these incarnations. One that is gone already is no failure.
///
/// # Errors
/// The first object that cannot be deleted.
pub async fn sweep(
    client: &kube::Client,
    store: &StoreKey,
    orphans: &[(ChildKey, String)],
    ledger: &Ledger,
    metrics: &Metrics,
) -> Result<(), ReconcileError> {
    for (key, uid) in orphans {
        let api: Api<DynamicObject> =
            Api::namespaced_with(client.clone(), &store.namespace, &key.kind.resource());
        let parameters = DeleteParams::background().preconditions(Preconditions {
            uid: Some(uid.clone()),
            resource_version: None,
        });
        let deleted = api.delete(&key.name, &parameters).await;
        metrics.wrote(key.kind.name(), "delete");
        ledger.forget(store, key);
        match deleted {
            Ok(_) => {
                tracing::info!(store = %store, kind = key.kind.name(), name = key.name, "deleted what is no longer wanted");
            }
            Err(error) if matches!(answers::of(&error), Answer::NotFound | Answer::Conflict) => {}
            Err(source) => {
                return Err(ReconcileError::Sweep {
                    key: key.clone(),
                    source,
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: ChildKind, name: &str) -> ChildKey {
        ChildKey {
            kind,
            name: name.to_owned(),
        }
    }

    fn owned(controller: Option<&str>, facts: Facts) -> Observed {
        Observed {
            uid: "child".to_owned(),
            controller: controller.map(str::to_owned),
            generation: Some(2),
            facts,
            ..Observed::default()
        }
    }

    fn deployment(observed_generation: i64) -> Facts {
        Facts::Deployment(DeploymentFacts {
            wanted: 1,
            observed_generation,
            replicas: 1,
            updated: 1,
            ready: 1,
            available: 1,
            ..DeploymentFacts::default()
        })
    }

    fn orphans(observed_generation: i64, applied_generation: Option<i64>) -> Vec<ChildKey> {
        orphans_of(&ChildKind::ALL.into(), observed_generation, applied_generation)
    }

    fn orphans_of(
        sweepable: &BTreeSet<ChildKind>,
        observed_generation: i64,
        applied_generation: Option<i64>,
    ) -> Vec<ChildKey> {
        let observed = BTreeMap::from([
            (
                key(ChildKind::Deployment, "store"),
                owned(Some("me"), deployment(observed_generation)),
            ),
            (key(ChildKind::Route, "store"), owned(Some("me"), Facts::None)),
            (
                key(ChildKind::Ingress, "store"),
                owned(Some("another"), Facts::None),
            ),
            (
                key(ChildKind::Secret, "store-admin"),
                owned(Some("me"), Facts::None),
            ),
            (
                key(ChildKind::PersistentVolumeClaim, "data-store"),
                owned(None, Facts::None),
            ),
            (
                key(ChildKind::ConfigMap, "store-config-old"),
                owned(Some("me"), Facts::None),
            ),
            (
                key(ChildKind::ConfigMap, "store-settings"),
                owned(Some("me"), Facts::None),
            ),
        ]);
        let wanted = BTreeSet::from([
            key(ChildKind::Deployment, "store"),
            key(ChildKind::ConfigMap, "store-settings"),
        ]);
        let names = Names::of("store");
        let orphans = of("me", &names, &wanted, sweepable, &observed, applied_generation);
        orphans.into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn given_a_settled_store_when_swept_then_only_its_own_and_no_data_goes() {
        assert_eq!(
            orphans(2, Some(2)),
            [
                key(ChildKind::ConfigMap, "store-config-old"),
                key(ChildKind::Route, "store")
            ]
        );
    }

    #[test]
    fn given_a_rollout_when_swept_then_the_old_configuration_stays() {
        for (observed, applied) in [(1, Some(2)), (2, Some(3)), (2, None)] {
            assert_eq!(
                orphans(observed, applied),
                [key(ChildKind::Route, "store")],
                "{observed} {applied:?}"
            );
        }
    }

    #[test]
    fn given_a_kind_that_cannot_be_seen_or_planned_when_swept_then_its_objects_stay() {
        let sweepable = BTreeSet::from([ChildKind::ConfigMap]);
        assert_eq!(
            orphans_of(&sweepable, 2, Some(2)),
            [key(ChildKind::ConfigMap, "store-config-old")]
        );
    }
}
