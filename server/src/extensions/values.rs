//! What extensions give to the server and what they get, as values.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::web::ServiceConfig;
use tokio_util::sync::CancellationToken;
use zas_blobs::BlobStore;
use zas_config::Configuration;
use zas_core::{Clock, IdSource};
use zas_metadata::MetadataStore;

use crate::api::Observer;
use crate::services::auth::{Access, AccessKeys};
use crate::services::capacity::Shares;
use crate::services::maintenance::{Collected, Scrubbed};
use crate::services::metrics::Reading;
use crate::services::objects::Objects;
use crate::services::registry::Registry;

/// The services that an extension may use.
#[derive(Clone, Debug)]
pub struct Services {
    /// Rows.
    pub metadata: Arc<dyn MetadataStore>,
    /// Bytes.
    pub blobs: Arc<dyn BlobStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids that nobody else has.
    pub ids: Arc<dyn IdSource>,
    /// Who calls and what they may do.
    pub access: Arc<Access>,
    /// The access keys that requests may be signed with.
    pub access_keys: AccessKeys,
    /// Repositories.
    pub registry: Registry,
    /// Buckets and objects.
    pub objects: Objects,
    /// Memory for what is held for clients.
    pub memory: Arc<Shares>,
}

/// What an extension gives before the stores are open, without any service.
#[derive(Default)]
pub struct Foundation {
    /// Routes on the operational listener.
    pub operations_routes: Option<Routes>,
    /// What it puts in front of the stores.
    pub layer: Option<Arc<dyn StoreLayer>>,
    /// Shows the numbers of all parts of the server.
    pub exposition: Option<Arc<dyn Exposition>>,
}

/// What an extension gives once it has the services. Nothing of it runs before every extension is attached.
#[derive(Default)]
pub struct Parts {
    /// Routes on the public listener.
    pub public_routes: Option<Routes>,
    /// Hears of every request on the public listener.
    pub observer: Option<Arc<dyn Observer>>,
    /// Hears of what maintenance does.
    pub maintenance_observer: Option<Arc<dyn MaintenanceObserver>>,
    /// Work beside requests.
    pub tasks: Vec<Task>,
    /// Numbers to be shown.
    pub readings: Vec<Reading>,
    /// Whether it works; always without.
    pub health: Option<HealthCheck>,
    /// Takes the hot part of a changed configuration.
    pub reconfigure: Option<Reconfigure>,
}

/// Adds routes to a listener, once for each of its threads.
#[derive(Clone)]
pub struct Routes(Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>);

impl Routes {
    /// Routes that a function adds.
    pub fn new(add: impl Fn(&mut ServiceConfig) + Send + Sync + 'static) -> Self {
        Self(Arc::new(add))
    }

    /// Adds them.
    pub fn add(&self, routes: &mut ServiceConfig) {
        (self.0)(routes);
    }
}

/// Stands in front of the stores.
pub trait StoreLayer: fmt::Debug + Send + Sync {
    /// In front of the metadata store.
    fn in_front_of_metadata(&self, store: Arc<dyn MetadataStore>) -> Arc<dyn MetadataStore>;

    /// In front of the blob store.
    fn in_front_of_blobs(&self, store: Arc<dyn BlobStore>) -> Arc<dyn BlobStore>;
}

/// Shows numbers, such as at `/metrics`.
pub trait Exposition: fmt::Debug + Send + Sync {
    /// Adds numbers of a part of the server.
    fn add(&self, readings: &[Reading]);
}

/// Hears of what maintenance does.
pub trait MaintenanceObserver: fmt::Debug + Send + Sync {
    /// A round of collection has ended.
    fn collected(&self, round: Result<Collected, ()>);

    /// The check of stored bytes did something.
    fn scrubbed(&self, done: Scrubbed);
}

/// Work that goes on until the server stops.
pub struct Task {
    /// The name in logs.
    pub name: &'static str,
    work: Box<dyn FnOnce(CancellationToken) -> Work + Send + Sync>,
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Task {
    /// Work that ends soon after the token fires.
    pub fn new<F>(
        name: &'static str,
        work: impl FnOnce(CancellationToken) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self {
            name,
            work: Box::new(move |stop| Box::pin(work(stop))),
        }
    }

    /// Begins it.
    pub fn begin(self, stop: CancellationToken) -> Work {
        (self.work)(stop)
    }
}

/// Whether a part of the server works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It works.
    Healthy,
    /// It does not, for this reason; the server is not ready.
    Unhealthy(String),
}

/// Tells whether a part of the server works. It must not wait for anything.
#[derive(Clone)]
pub struct HealthCheck(Arc<dyn Fn() -> Health + Send + Sync>);

impl HealthCheck {
    /// A check that a function does.
    pub fn new(check: impl Fn() -> Health + Send + Sync + 'static) -> Self {
        Self(Arc::new(check))
    }

    /// Whether it works.
    pub fn health(&self) -> Health {
        (self.0)()
    }
}

/// Takes the hot part of a changed configuration.
#[derive(Clone)]
pub struct Reconfigure(Arc<dyn Fn(&Configuration) + Send + Sync>);

impl Reconfigure {
    /// A function that takes it.
    pub fn new(take: impl Fn(&Configuration) + Send + Sync + 'static) -> Self {
        Self(Arc::new(take))
    }

    /// Puts it in force.
    pub fn take(&self, configuration: &Configuration) {
        (self.0)(configuration);
    }
}

/// Functions have nothing to show.
macro_rules! opaque {
    ($($Type:ident)+) => {$(
        impl fmt::Debug for $Type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_struct(stringify!($Type)).finish_non_exhaustive()
            }
        }
    )+};
}

opaque! { Foundation HealthCheck Parts Reconfigure Routes Task }
