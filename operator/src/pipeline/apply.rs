//! Step four: writes the objects that differ from what is there.
//!
//! Server-side apply of owned fields only. An object that is still as it was applied is not written again, and one
//! that belongs to somebody else is left alone.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::ObjectMeta;
use serde_json::{Value, json};
use zas_crd::ConditionReason;

use crate::answers::{self, Answer};
use crate::children::{Application, ChildKey, ChildKind, Facts, Ledger, Observed, StoreKey};
use crate::error::ReconcileError;
use crate::labels;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::resources::Prepared;

/// The field manager of generated credentials. Apart from the operator's, so that it need never send them again.
const CREDENTIALS_MANAGER: &str = "zot-artifact-store-operator-credentials";

/// The step: applies the objects of one store.
pub struct Apply<'a> {
    /// The connection.
    pub client: &'a kube::Client,
    /// What was applied before.
    pub ledger: &'a Ledger,
    /// Counts the writes.
    pub metrics: &'a Metrics,
    /// The store.
    pub key: &'a StoreKey,
    /// The incarnation of the resource.
    pub uid: &'a str,
    /// What the watches know of the store's objects.
    pub observed: &'a BTreeMap<ChildKey, Observed>,
}

/// What became of the objects.
#[derive(Debug, Default)]
pub struct Applied {
    /// Objects that were written.
    pub written: Vec<ChildKey>,
    /// Objects that are being deleted, and are made again when they are gone.
    pub leaving: Vec<ChildKey>,
    /// Objects that belong to somebody else, or that the cluster refused, and why.
    pub problems: Vec<(ChildKey, Problem)>,
}

impl Applied {
    /// Whether everything of this kind is as it was planned. A claim that cannot grow is still a claim.
    pub fn is_complete(&self, kind: ChildKind) -> bool {
        self.leaving.iter().all(|key| key.kind != kind)
            && self
                .problems
                .iter()
                .all(|(key, problem)| key.kind != kind || is_harmless(problem))
    }

    /// Whether everything is there that a Pod needs before it may start: a workload must not start on another's claim
    /// or configuration, nor unguarded. Its addresses can follow.
    fn allows_workload(&self) -> bool {
        let needed = ChildKind::ALL
            .into_iter()
            .take_while(|kind| *kind < ChildKind::Deployment);
        needed
            .filter(|kind| *kind != ChildKind::Service)
            .all(|kind| self.is_complete(kind))
    }
}

fn is_harmless(problem: &Problem) -> bool {
    problem.reason == ConditionReason::VolumeExpansionRefused
}

impl std::fmt::Debug for Apply<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Apply")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

enum Outcome {
    Intact,
    Written,
    /// It is being deleted, or its watch has yet to show where it comes from.
    Leaving,
    Problem(Problem),
}

/// What is there under the name of an object.
enum Found {
    Nothing,
    /// Our own, or one that may be taken over, of this incarnation.
    Ours(Box<Observed>),
    Foreign(String),
}

impl Apply<'_> {
    /// Applies everything, what is mounted before what mounts it. Objects that do not depend on each other are written
    /// at the same time. A workload that lacks something is left as it is.
    ///
    /// # Errors
    /// The first object that the API server did not answer for. What was written stays written, and is known.
    pub async fn everything(&self, prepared: &[Prepared]) -> Result<Applied, ReconcileError> {
        let mut applied = Applied::default();
        let is_workload = |one: &&Prepared| one.key.kind == ChildKind::Deployment;
        for stage in [
            prepared
                .iter()
                .filter(|one| !is_workload(one))
                .collect::<Vec<_>>(),
            prepared.iter().filter(is_workload).collect(),
        ] {
            let outcomes = join_all(stage.iter().map(|one| self.one(one))).await;
            for (one, outcome) in stage.iter().zip(outcomes) {
                match outcome? {
                    Outcome::Intact => {}
                    Outcome::Written => applied.written.push(one.key.clone()),
                    Outcome::Leaving => applied.leaving.push(one.key.clone()),
                    Outcome::Problem(problem) => applied.problems.push((one.key.clone(), problem)),
                }
            }
            if !applied.allows_workload() {
                break;
            }
        }
        Ok(applied)
    }

    /// Gives a generated Secret its data, once.
    ///
    /// # Errors
    /// When the API server does not answer or refuses.
    pub async fn credentials(&self, name: &str, data: &[(&str, &str)]) -> Result<(), ReconcileError> {
        let key = ChildKey {
            kind: ChildKind::Secret,
            name: name.to_owned(),
        };
        let texts: BTreeMap<&str, &str> = data.iter().copied().collect();
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": texts,
        });
        let parameters = PatchParams::apply(CREDENTIALS_MANAGER);
        let written = self
            .api(ChildKind::Secret)
            .patch(name, &parameters, &Patch::Apply(&secret))
            .await;
        written.map_err(|source| ReconcileError::Apply {
            key: key.clone(),
            source,
        })?;
        self.metrics.wrote(key.kind.name(), "apply");
        self.ledger.forget(self.key, &key);
        Ok(())
    }

    async fn one(&self, prepared: &Prepared) -> Result<Outcome, ReconcileError> {
        let key = &prepared.key;
        let last = self.ledger.last(self.key, key);
        let is_intact = |seen: &Observed| {
            last.as_ref()
                .is_some_and(|last| last.is_intact(&prepared.hash, seen))
        };
        let watched = self.observed.get(key);
        if watched.is_some_and(is_intact) {
            return Ok(Outcome::Intact);
        }
        // The watch may be behind, and it shows only what bears our labels.
        let found = match watched.filter(|seen| self.is_ours(seen)) {
            Some(seen) => Found::Ours(Box::new(seen.clone())),
            None => self.find(key).await?,
        };
        let uid = match &found {
            Found::Ours(seen) if is_intact(seen) => return Ok(Outcome::Intact),
            Found::Ours(seen) if seen.is_leaving => return Ok(Outcome::Leaving),
            // Planned as new, and there: who made it decides whether it may be owned, so it is planned anew when the
            // watch shows it.
            Found::Ours(_) if key.kind.is_data() && watched.is_none() && last.is_none() => {
                return Ok(Outcome::Leaving);
            }
            Found::Ours(seen) => Some(seen.uid.as_str()),
            Found::Foreign(why) => return Ok(Outcome::Problem(conflict(key, why))),
            Found::Nothing => None,
        };
        self.write(prepared, uid).await
    }

    async fn find(&self, key: &ChildKey) -> Result<Found, ReconcileError> {
        let found = self.api(key.kind).get_metadata_opt(&key.name).await;
        let found = found.map_err(|source| ReconcileError::Apply {
            key: key.clone(),
            source,
        })?;
        let Some(found) = found else {
            return Ok(Found::Nothing);
        };
        let seen = Observed::new(&found.metadata, Facts::None);
        if self.is_ours(&seen) {
            return Ok(Found::Ours(Box::new(seen)));
        }
        Ok(Found::Foreign(foreigner(&found.metadata)))
    }

    /// Whether an object is the store's: this resource controls it, or it bears the store's label and nobody alive
    /// controls it. A controller of another incarnation of the store is not alive: its name is taken by this one.
    fn is_ours(&self, seen: &Observed) -> bool {
        let is_labelled = seen.store() == Some(self.key.name.as_str());
        match &seen.controller {
            Some(uid) if uid == self.uid => true,
            Some(_) => is_labelled && seen.controller_is(zas_crd::KIND, &self.key.name),
            None => is_labelled,
        }
    }

    async fn write(&self, prepared: &Prepared, uid: Option<&str>) -> Result<Outcome, ReconcileError> {
        let key = &prepared.key;
        let mut object = prepared.object.clone();
        let mut parameters = PatchParams::apply(labels::MANAGER);
        if let Some(uid) = uid {
            parameters = parameters.force();
            // The incarnation that was looked at, and no other.
            if let Some(Value::Object(metadata)) = object.pointer_mut("/metadata") {
                metadata.insert("uid".to_owned(), uid.into());
            }
        }
        let api = self.api(key.kind);
        let mut written = api.patch(&key.name, &parameters, &Patch::Apply(&object)).await;
        self.metrics.wrote(key.kind.name(), "apply");
        if written
            .as_ref()
            .is_err_and(|error| key.kind == ChildKind::Deployment && answers::forbids_rolling_update(error))
        {
            self.drop_rolling_update(&object, &key.name).await?;
            written = api.patch(&key.name, &parameters, &Patch::Apply(&object)).await;
            self.metrics.wrote(key.kind.name(), "apply");
        }
        match written {
            Ok(answer) => {
                self.remember(prepared, &answer.metadata);
                Ok(Outcome::Written)
            }
            Err(error) => self.refusal(prepared, error, uid.is_some()),
        }
    }

    /// Replaces the strategy of a Deployment as a whole. An application cannot take away what it never owned, and the
    /// parameters of a rolling update are forbidden beside any other strategy.
    async fn drop_rolling_update(&self, object: &Value, name: &str) -> Result<(), ReconcileError> {
        let strategy = object.pointer("/spec/strategy");
        let change =
            json!({"metadata": {"uid": object.pointer("/metadata/uid")}, "spec": {"strategy": strategy}});
        let parameters = PatchParams {
            field_manager: Some(labels::MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let changed = self
            .api(ChildKind::Deployment)
            .patch(name, &parameters, &Patch::Merge(&change))
            .await;
        self.metrics.wrote(ChildKind::Deployment.name(), "merge");
        changed.map(|_| ()).map_err(|source| ReconcileError::Apply {
            key: ChildKey {
                kind: ChildKind::Deployment,
                name: name.to_owned(),
            },
            source,
        })
    }

    fn remember(&self, prepared: &Prepared, answer: &ObjectMeta) {
        let seen = Observed::new(answer, Facts::None);
        let application = Application {
            desired: prepared.hash,
            uid: seen.uid,
            resource_version: seen.resource_version,
            generation: seen.generation,
            controller: seen.controller,
            labels: prepared.labels(),
            annotations: prepared.annotations(),
        };
        self.ledger.record(self.key, prepared.key.clone(), application);
    }

    /// Tells a refusal that a person must put right from one that passes.
    fn refusal(
        &self,
        prepared: &Prepared,
        error: kube::Error,
        existed: bool,
    ) -> Result<Outcome, ReconcileError> {
        let key = &prepared.key;
        self.ledger.forget(self.key, key);
        let (named, words) = (
            format!("{} {}", key.kind.name(), key.name),
            answers::words(&error),
        );
        let problem = match answers::of(&error) {
            // Somebody made it between the look and the write.
            Answer::Conflict if !existed => conflict(key, "it was created by somebody else just now"),
            Answer::Refused if self.is_growth(prepared) => Problem::new(
                ConditionReason::VolumeExpansionRefused,
                format!("{named} cannot grow: {words}"),
            ),
            Answer::LacksRight => Problem::new(
                ConditionReason::PermissionDenied,
                format!("{named} may not be written: {words}"),
            ),
            Answer::Refused => Problem::new(
                ConditionReason::ApplyFailed,
                format!("the cluster refused {named}: {words}"),
            ),
            _ => {
                return Err(ReconcileError::Apply {
                    key: key.clone(),
                    source: error,
                });
            }
        };
        Ok(Outcome::Problem(problem))
    }

    /// Whether a claim that is there asks for more than it has asked for until now.
    fn is_growth(&self, prepared: &Prepared) -> bool {
        let present = self.observed.get(&prepared.key).map(|seen| &seen.facts);
        let wanted = prepared.object.pointer("/spec/resources/requests/storage");
        match (present, wanted.and_then(Value::as_str)) {
            (Some(Facts::Claim(facts)), Some(wanted)) => facts.requested.as_deref() != Some(wanted),
            _ => false,
        }
    }

    fn api(&self, kind: ChildKind) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.key.namespace, &kind.resource())
    }
}

fn conflict(key: &ChildKey, why: &str) -> Problem {
    Problem::new(
        ConditionReason::ResourceConflict,
        format!(
            "{} {} exists already and is left untouched: {why}. Delete or rename it, or give it the label {} to hand it \
             over",
            key.kind.name(),
            key.name,
            labels::STORE,
        ),
    )
}

/// Whose object it is, in words.
fn foreigner(metadata: &ObjectMeta) -> String {
    let owners = metadata.owner_references.as_deref().unwrap_or_default();
    match owners.iter().find(|owner| owner.controller == Some(true)) {
        Some(owner) => format!("it is controlled by {} {}", owner.kind, owner.name),
        None => "it does not bear this store's label".to_owned(),
    }
}

#[cfg(test)]
mod tests;
