//! One look at a store.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kube::api::DynamicObject;
use kube::runtime::controller::Action;
use kube::{Api, Resource, ResourceExt};
use zas_crd::{
    ConditionReason, ConditionType, ZotArtifactStore, ZotArtifactStoreSpec, ZotArtifactStoreStatus,
};

use super::Guarded;
use super::context::Context;
use super::events;
use super::rollouts::Turn;
use super::server_versions::ServerIdentity;
use crate::children::{ChildKey, ChildKind, Facts, Observed, StoreKey};
use crate::credentials;
use crate::error::ReconcileError;
use crate::labels;
use crate::layout;
use crate::pipeline::apply::{Applied, Apply};
use crate::pipeline::dereference::{Dereference, References};
use crate::pipeline::diagnosis;
use crate::pipeline::orphans;
use crate::pipeline::plan::{self, Plans};
use crate::pipeline::status::{self, CarriedOut, Outcome, Wait};
use crate::problem::Problem;
use crate::resources::Prepared;

/// A look that takes longer is given up and begun anew.
const LIMIT: Duration = Duration::from_secs(60);

/// A settled store is looked at again after this, with a jitter of up to a tenth.
const RESYNC: Duration = Duration::from_secs(600);

/// A store that does not serve yet is looked at again after this: what its Pod says does not wake the operator.
const UNSETTLED: Duration = Duration::from_secs(10);

type Children = BTreeMap<ChildKey, Observed>;

/// Looks at a store and brings it nearer to what its resource asks for.
///
/// # Errors
/// When the API server does not answer; the look is repeated.
pub(super) async fn reconcile(
    guarded: Arc<Guarded>,
    context: Arc<Context>,
) -> Result<Action, ReconcileError> {
    let (metrics, started) = (Arc::clone(&context.shared.metrics), Instant::now());
    metrics.reconcile_started();
    let (resource, unreadable) = readable(&guarded);
    let look = Look {
        key: StoreKey {
            namespace: resource.namespace().unwrap_or_default(),
            name: resource.name_any(),
        },
        resource: &resource,
        unreadable,
        context: &context,
    };
    let looked = tokio::time::timeout(LIMIT, look.take()).await;
    let result = looked.unwrap_or(Err(ReconcileError::TimedOut(LIMIT.as_secs())));
    if result.is_ok() {
        context.succeeded(&look.key);
    }
    for store in context.first_round.looked_at(&look.key) {
        context.trigger(&store);
    }
    metrics.reconcile_ended(
        started.elapsed(),
        result.as_ref().err().map(ReconcileError::label),
    );
    result
}

/// The resource, or what can be said of one that is stored in a form which this operator cannot read.
fn readable(guarded: &Guarded) -> (Cow<'_, ZotArtifactStore>, Option<Problem>) {
    match &guarded.0 {
        Ok(resource) => (Cow::Borrowed(resource), None),
        Err(invalid) => {
            let message = format!("the resource cannot be read by this operator: {}", invalid.error);
            let resource = ZotArtifactStore {
                metadata: invalid.metadata.clone(),
                spec: ZotArtifactStoreSpec::default(),
                status: None,
            };
            (
                Cow::Owned(resource),
                Some(Problem::new(ConditionReason::InvalidSpec, message)),
            )
        }
    }
}

/// One look.
struct Look<'a> {
    key: StoreKey,
    resource: &'a ZotArtifactStore,
    unreadable: Option<Problem>,
    context: &'a Arc<Context>,
}

impl Look<'_> {
    async fn take(&self) -> Result<Action, ReconcileError> {
        // Everything that was made for it goes by its owner references.
        if self.resource.meta().deletion_timestamp.is_some() {
            return Ok(Action::await_change());
        }
        let existing_claim = self.existing_claim().await?;
        let observed = self.observed(existing_claim.as_ref());
        let outcome = match &self.unreadable {
            Some(problem) => Outcome::Blocked(vec![problem.clone()]),
            None if self.resource.spec.paused => {
                // Its owner has it in hand: it is no reason for others to wait.
                self.rollout_ended();
                Outcome::Paused
            }
            None => self.bring_about(&observed).await?,
        };
        // The watches may have moved on while objects were written.
        let observed = self.observed(existing_claim.as_ref());
        self.ask_version(&observed);
        let status = self.report(&outcome, &observed).await?;
        Ok(self.next(&status))
    }

    /// The objects of the store, and the claim that the resource names.
    fn observed(&self, existing_claim: Option<&(ChildKey, Observed)>) -> Children {
        let mut observed = self.context.observations.children(&self.key);
        observed.extend(existing_claim.cloned());
        observed
    }

    /// The claim that the resource names, if it is there. Unlike Secrets and ConfigMaps, claims are watched only when they
    /// bear the operator's label: to keep all claims of a cluster in memory costs more than a request for each look at
    /// a store that names one.
    async fn existing_claim(&self) -> Result<Option<(ChildKey, Observed)>, ReconcileError> {
        let Some(name) = &self.resource.spec.data_volume.existing_claim else {
            return Ok(None);
        };
        let kind = ChildKind::PersistentVolumeClaim;
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.context.client.clone(), &self.key.namespace, &kind.resource());
        let claim = api.get_opt(name).await.map_err(ReconcileError::Dereference)?;
        Ok(claim.map(|claim| {
            let key = ChildKey {
                kind,
                name: name.clone(),
            };
            (key, Observed::new(&claim.metadata, Facts::of(kind, &claim.data)))
        }))
    }

    async fn bring_about(&self, observed: &Children) -> Result<Outcome, ReconcileError> {
        let broken_rules = self.context.broken_rules(&self.key, self.resource);
        if !broken_rules.is_empty() {
            return Ok(Outcome::Blocked(broken_rules.to_vec()));
        }
        let references = self.dereference().await?;
        self.context.refers_to(&self.key, &references.watched);
        let plans = plan::plan(plan::Input {
            resource: self.resource,
            status: self.status().as_ref(),
            references: &references,
            settings: &self.context.shared.settings,
            platform: &self.context.shared.platform.load(),
            observed,
        });
        self.carry_out(plans, &references, observed).await
    }

    async fn dereference(&self) -> Result<References, ReconcileError> {
        let dereference = Dereference {
            client: &self.context.client,
            observations: &self.context.observations,
            learned: &self.context.learned,
            key: &self.key,
        };
        let references = dereference.references(&self.resource.spec).await;
        references.map_err(ReconcileError::Dereference)
    }

    async fn carry_out(
        &self,
        plans: Plans,
        references: &References,
        observed: &Children,
    ) -> Result<Outcome, ReconcileError> {
        let objects = plans.objects();
        let wait = self.wait(&objects, observed);
        let is_now = |one: &Prepared| wait.is_none() || one.key.kind != ChildKind::Deployment;
        let now: Vec<Prepared> = objects.iter().filter(|one| is_now(one)).cloned().collect();
        let apply = self.apply(&plans.store.uid, observed);
        let applied = apply.everything(&now).await?;
        if references.needs_credentials && applied.is_complete(ChildKind::Secret) {
            let password = credentials::password().map_err(ReconcileError::Credentials)?;
            let data = [
                (layout::USERNAME_KEY, credentials::USERNAME),
                (layout::PASSWORD_KEY, password.as_str()),
            ];
            let name = plans.store.names.administrator();
            apply.credentials(&name, &data).await?;
        }
        let applied_generation = self.applied_generation(&now);
        self.sweep(&plans, &objects, &applied, observed, applied_generation)
            .await?;
        let diagnosis = self.diagnose(observed).await?;
        self.note_rollout(&objects, observed, diagnosis.as_ref());
        let mut problems: Vec<Problem> = applied.problems.into_iter().map(|(_, problem)| problem).collect();
        problems.extend(diagnosis);
        problems.extend(self.context.shared.definition.problem());
        Ok(Outcome::CarriedOut(Box::new(CarriedOut {
            plans,
            problems,
            terminating: applied.leaving,
            wait,
            applied_generation,
        })))
    }

    fn apply<'a>(&'a self, uid: &'a str, observed: &'a Children) -> Apply<'a> {
        Apply {
            client: &self.context.client,
            ledger: &self.context.ledger,
            metrics: &self.context.shared.metrics,
            key: &self.key,
            uid,
            observed,
        }
    }

    /// The generation of the Deployment if it is as it was planned just now.
    fn applied_generation(&self, applied: &[Prepared]) -> Option<i64> {
        let key = self.deployment_key();
        let planned = applied.iter().find(|one| one.key == key)?;
        let last = self.context.ledger.last(&self.key, &key)?;
        last.generation.filter(|_| last.desired == planned.hash)
    }

    async fn sweep(
        &self,
        plans: &Plans,
        objects: &[Prepared],
        applied: &Applied,
        observed: &Children,
        applied_generation: Option<i64>,
    ) -> Result<(), ReconcileError> {
        let wanted: BTreeSet<ChildKey> = objects.iter().map(|one| one.key.clone()).collect();
        let mut sweepable = plans.sweepable();
        sweepable.retain(|kind| applied.is_complete(*kind));
        let (uid, names) = (&plans.store.uid, &plans.store.names);
        let orphans = orphans::of(uid, names, &wanted, &sweepable, observed, applied_generation);
        let (ledger, metrics) = (&self.context.ledger, &self.context.shared.metrics);
        orphans::sweep(&self.context.client, &self.key, &orphans, ledger, metrics).await
    }

    /// Why the restart that this look would bring has to wait, when nobody asked for it by changing the resource.
    fn wait(&self, objects: &[Prepared], observed: &Children) -> Option<Wait> {
        let (wanted, present) = self.deployments(objects, observed)?;
        let is_asked_for =
            self.status().and_then(|status| status.observed_generation) != self.resource.meta().generation;
        // A store that does not serve loses nothing, and its failure would be no news.
        let is_serving = matches!(&present.facts, Facts::Deployment(facts) if facts.available > 0);
        if is_same_template(wanted, present) || is_asked_for || !is_serving {
            return None;
        }
        // Until every store has been looked at once, it is not known which of them do not come up.
        if self.context.first_round.is_still_on(&self.key) {
            return Some(Wait::Queued);
        }
        match self.context.shared.rollouts.may_start(&self.key) {
            Turn::Now => None,
            Turn::Queued => Some(Wait::Queued),
            Turn::Halted(why) => Some(Wait::Halted(why)),
        }
    }

    /// Notes how far the restart of this store is, for those that wait for it.
    fn note_rollout(&self, objects: &[Prepared], observed: &Children, diagnosis: Option<&Problem>) {
        let Some((wanted, present)) = self.deployments(objects, observed) else {
            return;
        };
        let Facts::Deployment(facts) = &present.facts else {
            return;
        };
        if !is_same_template(wanted, present) {
            return;
        }
        if orphans::is_settled(facts, present.generation) {
            self.rollout_ended();
            return;
        }
        let (rollouts, metrics) = (&self.context.shared.rollouts, &self.context.shared.metrics);
        if self.is_upgrade_under_way(present) {
            rollouts.resumed(&self.key);
        }
        let failure = diagnosis.map(|problem| problem.message.as_str());
        if let Some(why) = failure.or(facts.stuck.as_deref()) {
            rollouts.failed(&self.key, why, metrics);
        }
    }

    /// Whether the store is being restarted with another version, which nobody asked for by stating it.
    fn is_upgrade_under_way(&self, deployment: &Observed) -> bool {
        let ran = self.status().and_then(|status| status.version);
        let runs = deployment.annotations.get(labels::VERSION_ANNOTATION);
        self.resource.spec.version.is_none() && ran.is_some() && ran.as_ref() != runs
    }

    fn rollout_ended(&self) {
        let (rollouts, metrics) = (&self.context.shared.rollouts, &self.context.shared.metrics);
        rollouts.ended(&self.key, metrics);
    }

    /// The Deployment as it is planned and as it is, when there are both.
    fn deployments<'b>(
        &self,
        objects: &'b [Prepared],
        observed: &'b Children,
    ) -> Option<(&'b Prepared, &'b Observed)> {
        let key = self.deployment_key();
        Some((objects.iter().find(|one| one.key == key)?, observed.get(&key)?))
    }

    /// Looks into the Pods of a store that should serve and does not.
    async fn diagnose(&self, observed: &Children) -> Result<Option<Problem>, ReconcileError> {
        let is_serving = match observed.get(&self.deployment_key()).map(|seen| &seen.facts) {
            Some(Facts::Deployment(facts)) => {
                facts.available >= facts.wanted && facts.updated >= facts.wanted
            }
            // It was made just now.
            _ => true,
        };
        if is_serving {
            return Ok(None);
        }
        diagnosis::of(&self.context.client, &self.key)
            .await
            .map_err(ReconcileError::Diagnose)
    }

    fn deployment_key(&self) -> ChildKey {
        ChildKey {
            kind: ChildKind::Deployment,
            name: self.key.name.clone(),
        }
    }

    fn identity(&self, observed: &Children) -> Option<ServerIdentity> {
        let deployment = observed.get(&self.deployment_key())?;
        let Facts::Deployment(facts) = &deployment.facts else {
            return None;
        };
        let is_running = facts.available > 0 && orphans::is_settled(facts, deployment.generation);
        Some(ServerIdentity {
            image: facts.image.clone().filter(|_| is_running)?,
            generation: deployment.generation?,
        })
    }

    /// Asks the running server for its version, in the background.
    fn ask_version(&self, observed: &Children) {
        let service = ChildKey {
            kind: ChildKind::Service,
            name: crate::store::Names::of(&self.key.name).metrics_service(),
        };
        let address = match observed.get(&service).map(|seen| &seen.facts) {
            Some(Facts::Service(facts)) => facts.cluster_ip.clone(),
            _ => None,
        };
        let versions = &self.context.shared.versions;
        let Some(identity) = self.identity(observed) else {
            versions.forget(&self.key);
            return;
        };
        let Some(address) = address else { return };
        let (context, key) = (Arc::clone(self.context), self.key.clone());
        versions.ask(&self.key, identity, &address, move || context.trigger(&key));
    }

    /// The newest status that is known: the watch may be behind what was written.
    fn status(&self) -> Option<ZotArtifactStoreStatus> {
        let uid = self.resource.uid().unwrap_or_default();
        self.context
            .last_status(&self.key, &uid)
            .or_else(|| self.resource.status.clone())
    }

    async fn report(
        &self,
        outcome: &Outcome,
        observed: &Children,
    ) -> Result<ZotArtifactStoreStatus, ReconcileError> {
        let mut resource = self.resource.clone();
        resource.status = self.status();
        let told = self
            .identity(observed)
            .and_then(|identity| self.context.shared.versions.told(&self.key, &identity));
        let settings = &self.context.shared.settings;
        let pending = plan::pending_update(&resource, resource.status.as_ref(), settings, observed);
        let status = status::of(status::Input {
            resource: &resource,
            outcome,
            observed,
            pending_update: pending.as_deref(),
            server_version: told.as_deref(),
            now: Timestamp::now(),
        });
        let (metrics, definition) = (&self.context.shared.metrics, &self.context.shared.definition);
        // A write tells whether a definition that refused fields has been renewed.
        if !definition.refuses_status() && !status::is_newer(resource.status.as_ref(), &status) {
            return Ok(status);
        }
        let is_known = status::write(&self.context.client, &self.key, &status, metrics).await?;
        definition.took_status(is_known);
        let uid = self.resource.uid().unwrap_or_default();
        self.context.wrote_status(&self.key, &uid, status.clone());
        let before = resource
            .status
            .map(|status| status.conditions)
            .unwrap_or_default();
        for event in events::of(&before, &status.conditions) {
            // An event that is lost is no reason to fail: the condition stays.
            if let Err(error) = self
                .context
                .recorder
                .publish(&event, &self.resource.object_ref(&()))
                .await
            {
                tracing::warn!(store = %self.key, %error, "an event cannot be written");
            }
        }
        Ok(status)
    }

    fn next(&self, status: &ZotArtifactStoreStatus) -> Action {
        let holds = |kind: ConditionType| {
            status
                .condition(kind)
                .is_some_and(|condition| condition.status == "True")
        };
        let waits_for_others = holds(ConditionType::Degraded) || !holds(ConditionType::StorageReady);
        if holds(ConditionType::Progressing) || (waits_for_others && !self.resource.spec.paused) {
            return Action::requeue(UNSETTLED);
        }
        Action::requeue(RESYNC + jitter(&self.resource.uid().unwrap_or_default()))
    }
}

/// Whether applying a Deployment would leave its Pods as they are.
fn is_same_template(wanted: &Prepared, present: &Observed) -> bool {
    let wanted = wanted.annotations().remove(labels::TEMPLATE_ANNOTATION);
    wanted.as_ref() == present.annotations.get(labels::TEMPLATE_ANNOTATION)
}

/// Up to a tenth of the resync, always the same for a store: stores that were made together are not looked at
/// together for ever.
fn jitter(uid: &str) -> Duration {
    let spread = crate::hash::of(uid.as_bytes()).first().copied().unwrap_or(0);
    RESYNC / 10 * u32::from(spread) / 255
}
