//! One look at a store.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kube::runtime::controller::Action;
use kube::{Resource, ResourceExt};
use zas_crd::{
    ConditionReason, ConditionType, ZotArtifactStore, ZotArtifactStoreSpec, ZotArtifactStoreStatus,
};

use super::Guarded;
use super::context::Context;
use super::events;
use super::server_versions::ServerIdentity;
use crate::children::{ChildKey, ChildKind, Facts, Observed, StoreKey};
use crate::credentials;
use crate::error::ReconcileError;
use crate::labels;
use crate::layout;
use crate::pipeline::apply::Apply;
use crate::pipeline::dereference::{Dereference, References};
use crate::pipeline::diagnosis;
use crate::pipeline::orphans;
use crate::pipeline::status::{self, Built, Outcome};
use crate::pipeline::validate::{self, Validated};
use crate::problem::Problem;
use crate::resources::{self, Prepared};

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
        let observed = self.context.observations.children(&self.key);
        let outcome = match &self.unreadable {
            Some(problem) => Outcome::Blocked(vec![problem.clone()]),
            None if self.resource.spec.paused => Outcome::Paused,
            None => self.bring_about(&observed).await?,
        };
        // The watches may have moved on while objects were written.
        let observed = self.context.observations.children(&self.key);
        self.ask_version(&observed);
        let status = self.report(&outcome, &observed).await?;
        Ok(self.next(&status))
    }

    async fn bring_about(&self, observed: &Children) -> Result<Outcome, ReconcileError> {
        let references = self.dereference().await?;
        self.context.refers_to(&self.key, &references.watched);
        let platform = self.context.shared.platform.load();
        let validated = validate::validate(validate::Input {
            resource: self.resource,
            broken_rules: &self.context.broken_rules(&self.key, self.resource),
            references: &references,
            settings: &self.context.shared.settings,
            platform: &platform,
            observed,
        });
        match validated {
            Err(problems) => Ok(Outcome::Blocked(problems)),
            Ok(validated) => self.build(validated, &references, observed).await,
        }
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

    async fn build(
        &self,
        validated: Validated,
        references: &References,
        observed: &Children,
    ) -> Result<Outcome, ReconcileError> {
        let Validated {
            store,
            pending_update,
            warnings: mut problems,
        } = validated;
        let mut prepared = resources::build(&store);
        let wanted: BTreeSet<ChildKey> = prepared.iter().map(|one| one.key.clone()).collect();
        let is_queued = self.is_queued(&prepared, observed);
        if is_queued {
            prepared.retain(|one| one.key.kind != ChildKind::Deployment);
        }
        let apply = Apply {
            client: &self.context.client,
            ledger: &self.context.ledger,
            metrics: &self.context.shared.metrics,
            key: &self.key,
            uid: &store.uid,
            observed,
        };
        let applied = apply.everything(&prepared).await?;
        let is_complete = applied.is_complete();
        problems.extend(applied.problems);
        if references.needs_credentials && is_complete {
            let password = credentials::password().map_err(ReconcileError::Credentials)?;
            let data = [
                (layout::USERNAME_KEY, credentials::USERNAME),
                (layout::PASSWORD_KEY, password.as_str()),
            ];
            apply.credentials(&store.names.administrator(), &data).await?;
        }
        let deployment = self.context.ledger.last(&self.key, &self.deployment_key());
        let applied_generation = deployment.and_then(|last| last.generation);
        if is_complete {
            let applied_generation = applied_generation.filter(|_| !is_queued);
            let orphans = orphans::of(&store.uid, &store.names, &wanted, observed, applied_generation);
            let (ledger, metrics) = (&self.context.ledger, &self.context.shared.metrics);
            orphans::sweep(&self.context.client, &self.key, &orphans, ledger, metrics).await?;
        }
        problems.extend(self.diagnose(observed).await?);
        if self.context.shared.metrics.is_crd_outdated() {
            problems.push(outdated_definition());
        }
        Ok(Outcome::Built(Box::new(Built {
            store,
            pending_update,
            problems,
            is_queued,
            applied_generation,
        })))
    }

    /// Whether this look would restart the store although nobody changed its resource, and others restart already.
    fn is_queued(&self, prepared: &[Prepared], observed: &Children) -> bool {
        let key = self.deployment_key();
        let (Some(wanted), Some(present)) = (prepared.iter().find(|one| one.key == key), observed.get(&key))
        else {
            return false;
        };
        let template =
            |annotations: &BTreeMap<String, String>| annotations.get(labels::TEMPLATE_ANNOTATION).cloned();
        let is_same = template(&wanted.annotations()) == template(&present.annotations);
        let rollouts = &self.context.shared.rollouts;
        if is_same {
            let is_settled = matches!(&present.facts, Facts::Deployment(facts) if orphans::is_settled(facts, present.generation));
            if is_settled {
                rollouts.ended(&self.key);
            }
            return false;
        }
        let is_asked_for =
            self.status().and_then(|status| status.observed_generation) != self.resource.meta().generation;
        !is_asked_for && !rollouts.may_start(&self.key, Instant::now())
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
        let (Some(identity), Some(address)) = (self.identity(observed), address) else {
            return;
        };
        let (context, key) = (Arc::clone(self.context), self.key.clone());
        let versions = &self.context.shared.versions;
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
        let status = status::of(status::Input {
            resource: &resource,
            outcome,
            observed,
            server_version: told.as_deref(),
            now: Timestamp::now(),
        });
        let metrics = &self.context.shared.metrics;
        // Only a write tells whether the definition has been renewed.
        if !metrics.is_crd_outdated() && !status::is_newer(resource.status.as_ref(), &status) {
            return Ok(status);
        }
        let is_known = status::write(&self.context.client, &self.key, &status, metrics).await?;
        metrics.set_crd_outdated(!is_known);
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
        if holds(ConditionType::Progressing) || (holds(ConditionType::Degraded) && !self.resource.spec.paused)
        {
            return Action::requeue(UNSETTLED);
        }
        Action::requeue(RESYNC + jitter(&self.resource.uid().unwrap_or_default()))
    }
}

fn outdated_definition() -> Problem {
    Problem::new(
        ConditionReason::CRDOutdated,
        "the installed CustomResourceDefinition is older than this operator: install the one that came with it",
    )
}

/// Up to a tenth of the resync, always the same for a store: stores that were made together are not looked at
/// together for ever.
fn jitter(uid: &str) -> Duration {
    let spread = crate::hash::of(uid.as_bytes()).first().copied().unwrap_or(0);
    RESYNC / 10 * u32::from(spread) / 255
}
