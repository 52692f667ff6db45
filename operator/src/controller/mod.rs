//! When to look at a store, and how the parts of the operator run together.

mod context;
mod events;
mod first_round;
mod interruptions;
mod reconcile;
mod rollouts;
mod server_versions;
mod watches;

#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::{StreamExt, TryStreamExt};
use kube::core::DeserializeGuard;
use kube::runtime::controller::{Action, Config, Controller};
use kube::runtime::reflector::{self, Store};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{PredicateConfig, WatchStreamExt, watcher as watch};
use kube::{Api, Client, Resource, ResourceExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::CancellationToken;
use zas_crd::{ConditionType, ZotArtifactStore};

use crate::arguments::Arguments;
use crate::children::{ChildKind, StoreKey};
use crate::definition::InstalledDefinition;
use crate::error::ReconcileError;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::pipeline::rules::Rules;
use crate::platform::Platform;
use crate::settings::Settings;

use context::{Context, Shared};
use interruptions::Interruptions;
use rollouts::Rollouts;

/// A resource, or what is left of one that cannot be read: a single malformed one must not stop the others.
pub(crate) type Guarded = DeserializeGuard<ZotArtifactStore>;

/// Stores that are looked at at the same time.
const CONCURRENCY: u16 = 16;

/// Changes of a store's objects come in bursts: they are one reason to look.
const DEBOUNCE: Duration = Duration::from_millis(20);

/// How often the stores are counted.
const COUNTING: Duration = Duration::from_secs(10);

/// The pause after a failed look. It doubles with each failure in a row, up to about two minutes.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const MAX_DOUBLINGS: u32 = 7;

/// Runs until `stop` fires: watches everything and looks at every store that needs it.
///
/// # Errors
/// When the cluster cannot be asked what it offers.
pub async fn run(
    client: Client,
    arguments: &Arguments,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let settings = Settings::new(arguments, |name| std::env::var(name).ok());
    let platform = Platform::discover(&client).await?;
    tracing::info!(?platform, "discovered the platform");
    let definition = InstalledDefinition::new(Arc::clone(&metrics));
    if let Err(error) = definition.check(&client).await {
        tracing::warn!(%error, "cannot read the installed definition");
    }
    let shared = Arc::new(Shared {
        rollouts: Rollouts::new(settings.rollout_concurrency),
        settings,
        platform: ArcSwap::from_pointee(platform),
        metrics,
        definition,
        versions: Arc::default(),
        rules: Rules::default(),
    });
    let mut parts = JoinSet::new();
    for namespace in arguments.scopes() {
        let scope = Scope {
            client: client.clone(),
            shared: Arc::clone(&shared),
            instance: arguments.pod_name.clone(),
            namespace,
            health: Arc::clone(&health),
            stop: stop.clone(),
        };
        parts.spawn(scope.run());
    }
    while parts.join_next().await.is_some() {}
    Ok(())
}

/// One namespace, or the whole cluster.
struct Scope {
    client: Client,
    shared: Arc<Shared>,
    instance: String,
    namespace: Option<String>,
    health: Arc<Health>,
    stop: CancellationToken,
}

impl Scope {
    async fn run(self) {
        let (sender, triggers) = mpsc::unbounded_channel();
        let interruptions = Interruptions::new(
            self.namespace.as_deref(),
            Arc::clone(&self.shared.metrics),
            Arc::clone(&self.health),
        );
        let context = Arc::new(Context::new(
            self.client.clone(),
            Arc::clone(&self.shared),
            Arc::new(interruptions),
            self.instance.clone(),
            sender,
        ));
        let mut background = JoinSet::new();
        for kind in ChildKind::ALL.into_iter().filter(|kind| !kind.is_optional()) {
            background.spawn(watches::follow(
                Arc::clone(&context),
                kind,
                self.namespace.clone(),
            ));
        }
        if !self.first_lists(&context).await {
            return;
        }
        context.interruptions.sees_everything();
        self.health.set_ready();
        let (reader, writer) = reflector::store();
        context.first_round.begin(reader.clone());
        let primary = self.primary(Arc::clone(&context), writer);
        background.spawn(discover(
            Arc::clone(&context),
            self.namespace.clone(),
            reader.clone(),
        ));
        background.spawn(count(Arc::clone(&context), reader.clone()));
        let stop = self.stop.clone();
        Controller::for_stream(primary, reader)
            .with_config(Config::default().concurrency(CONCURRENCY).debounce(DEBOUNCE))
            .reconcile_on(UnboundedReceiverStream::new(triggers))
            .graceful_shutdown_on(async move { stop.cancelled().await })
            .run(reconcile::reconcile, failed, Arc::clone(&context))
            .for_each(|_| std::future::ready(()))
            .await;
    }

    /// Waits until it is known what there is: before that, absence means nothing.
    async fn first_lists(&self, context: &Context) -> bool {
        let needed = || ChildKind::ALL.into_iter().filter(|kind| !kind.is_optional());
        while !context.observations.has_listed(needed()) {
            tokio::select! {
                () = self.stop.cancelled() => return false,
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
        }
        true
    }

    fn primary(
        &self,
        context: Arc<Context>,
        writer: reflector::store::Writer<Guarded>,
    ) -> impl futures_util::Stream<Item = watcher::Result<Guarded>> + Send + 'static {
        let api: Api<Guarded> = match &self.namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        };
        let interruptions = Arc::clone(&context.interruptions);
        watch(api, watcher::Config::default())
            .default_backoff()
            .inspect_err(move |error| {
                interruptions.interrupted(zas_crd::KIND, error);
            })
            .modify(|resource| resource.managed_fields_mut().clear())
            .inspect_ok(move |event| {
                if !matches!(event, Event::Init) {
                    context.interruptions.works(zas_crd::KIND);
                }
                if let Event::Delete(resource) = event {
                    context.forget(&key_of(resource));
                }
            })
            .reflect(writer)
            .touched_objects()
            .predicate_filter(incarnation, PredicateConfig::default())
    }
}

fn key_of(resource: &Guarded) -> StoreKey {
    StoreKey {
        namespace: resource.meta().namespace.clone().unwrap_or_default(),
        name: resource.meta().name.clone().unwrap_or_default(),
    }
}

/// What a change must touch to be a reason to look: the specification, the incarnation, or the wish to be deleted.
fn incarnation(resource: &Guarded) -> Option<u64> {
    let metadata = resource.meta();
    let mut hasher = DefaultHasher::new();
    metadata.generation.hash(&mut hasher);
    metadata.uid.hash(&mut hasher);
    metadata.deletion_timestamp.is_some().hash(&mut hasher);
    Some(hasher.finish())
}

#[expect(clippy::needless_pass_by_value, reason = "the controller's signature")]
fn failed(resource: Arc<Guarded>, error: &ReconcileError, context: Arc<Context>) -> Action {
    let store = key_of(&resource);
    let doublings = context.failed(&store).saturating_sub(1).min(MAX_DOUBLINGS);
    let pause = SHORTEST_PAUSE * 2_u32.pow(doublings);
    tracing::warn!(%store, reason = error.label(), %error, ?pause, "a look at a store failed: it is repeated");
    Action::requeue(pause)
}

/// Follows optional kinds once the cluster has them, and tells every store when it gains or loses one, or when the
/// definition of the resource is exchanged.
async fn discover(context: Arc<Context>, namespace: Option<String>, stores: Store<Guarded>) {
    let mut followed: Vec<ChildKind> = Vec::new();
    let mut watches = JoinSet::new();
    loop {
        let platform = context.shared.platform.load_full();
        for kind in ChildKind::ALL.into_iter().filter(|kind| kind.is_optional()) {
            if platform.has(kind) && !followed.contains(&kind) {
                followed.push(kind);
                watches.spawn(watches::follow(Arc::clone(&context), kind, namespace.clone()));
            }
        }
        tokio::time::sleep(context.shared.settings.discovery).await;
        match context.shared.definition.check(&context.client).await {
            Ok(true) => {
                for store in stores.state() {
                    context.trigger(&key_of(&store));
                }
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "cannot read the installed definition"),
        }
        match Platform::discover(&context.client).await {
            Ok(found) if found != *platform => {
                tracing::info!(?found, "the platform has changed");
                context.shared.platform.store(Arc::new(found));
                for store in stores.state() {
                    context.trigger(&key_of(&store));
                }
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "cannot ask the cluster which APIs it has"),
        }
    }
}

/// Keeps the numbers of stores.
async fn count(context: Arc<Context>, stores: Store<Guarded>) {
    loop {
        let all = stores.state();
        let degraded = all.iter().filter(|store| is_degraded(store)).count();
        let scope = context.interruptions.scope();
        context.shared.metrics.count_stores(scope, all.len(), degraded);
        tokio::time::sleep(COUNTING).await;
    }
}

fn is_degraded(store: &Guarded) -> bool {
    let Ok(resource) = &store.0 else { return true };
    let status = resource.status.as_ref();
    let degraded = status.and_then(|status| status.condition(ConditionType::Degraded));
    degraded.is_some_and(|condition| condition.status == "True")
}
