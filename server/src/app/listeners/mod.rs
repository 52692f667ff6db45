//! The two listeners: the public one for clients, the operational one for probes and metrics.

mod cors;
mod descriptors;
mod socket;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::App;
use actix_web::middleware::{Condition, from_fn};
use actix_web::web::{Data, get, to};
use serde_json::json;
use zas_config::Configuration;

use super::AppError;
use super::connections::{self, Probes, RunningListener, Settings};
use super::tls::Certificates;
use crate::api::admin::Status;
use crate::api::oci::OciApi;
use crate::api::{RequestEnvironment, TrustedProxies, admin, observe, root};
use crate::extensions::Extensions;
use crate::services::capacity::Shares;
use crate::services::maintenance::Demand;
use crate::services::{ConfigurationProblems, StoreWrites};

use socket::Bound;

pub(super) use descriptors::raise_file_limit;

/// Probes come once a second or more rarely, each perhaps on a connection of its own.
const PROBE_PATIENCE: Duration = Duration::from_secs(30);

/// More than all who probe and collect metrics.
const PROBERS: usize = 256;

/// Both addresses, taken before anything slow happens, so that a taken one is reported at once. Nobody can connect yet.
#[derive(Debug)]
pub(super) struct Listeners {
    public: Bound,
    operations: Bound,
}

impl Listeners {
    pub(super) fn bind(configuration: &Configuration) -> Result<Self, AppError> {
        Ok(Self {
            public: Bound::to(configuration.http.listen.get())?,
            operations: Bound::to(configuration.operations.listen.get())?,
        })
    }

    /// Tells where the server listens, which is worth knowing when a port was left to the system.
    pub(super) fn write_addresses(&self, file: Option<&Path>) -> Result<(), AppError> {
        let (public, operations) = (self.public.address, self.operations.address);
        tracing::info!(%public, %operations, "listening");
        let Some(file) = file else { return Ok(()) };
        let text = json!({ "public": public.to_string(), "operations": operations.to_string() }).to_string();
        // A reader that waits for the file must never see half of it.
        let partial = file.with_extension("partial");
        let written = std::fs::write(&partial, text).and_then(|()| std::fs::rename(&partial, file));
        written.map_err(|source| AppError::Write {
            file: file.to_owned(),
            source,
        })
    }

    /// Serves probes from now on; clients still cannot connect.
    pub(super) fn start_operations(
        self,
        status: &Arc<Status>,
        problems: &Arc<ConfigurationProblems>,
        writes: &Arc<StoreWrites>,
        extensions: &Extensions,
    ) -> Result<(Probes, PublicListener), AppError> {
        let (status, extensions) = (Data::from(Arc::clone(status)), extensions.clone());
        let (problems, writes) = (Data::from(Arc::clone(problems)), Data::from(Arc::clone(writes)));
        let address = self.operations.address;
        let settings = Settings {
            workers: 1,
            blocking_threads: 1,
            connections: PROBERS,
            keep_alive: PROBE_PATIENCE,
            head: PROBE_PATIENCE,
            stall: PROBE_PATIENCE,
            grace: Duration::ZERO,
            windows: Arc::new(Shares::new(0)),
            tls: None,
        };
        let running = connections::start_probes(self.operations.listen()?, settings, move || {
            let extensions = extensions.clone();
            App::new()
                .app_data(status.clone())
                .app_data(problems.clone())
                .app_data(writes.clone())
                .app_data(Data::new(extensions.clone()))
                .route("/livez", get().to(admin::livez))
                .route("/readyz", get().to(admin::readyz))
                .route("/startupz", get().to(admin::startupz))
                .route("/version", get().to(admin::version))
                .configure(move |routes| {
                    for added in extensions.operations_routes() {
                        added.add(routes);
                    }
                })
        });
        let running = running.map_err(|source| AppError::Listen { address, source })?;
        Ok((running, PublicListener(self.public)))
    }
}

/// The address of the public listener, where nobody can connect yet.
#[derive(Debug)]
pub(super) struct PublicListener(Bound);

impl PublicListener {
    pub(super) fn start(
        self,
        configuration: &Configuration,
        api: &Arc<OciApi>,
        extensions: &Extensions,
        demand: &Arc<Demand>,
        certificates: &Certificates,
        windows: &Arc<Shares>,
    ) -> Result<RunningListener, AppError> {
        let (http, limits) = (&configuration.http, &configuration.limits);
        let (api, cors, extensions) = (Data::from(Arc::clone(api)), http.cors.clone(), extensions.clone());
        let tls = certificates.server_config().map(Arc::new);
        let edge = RequestEnvironment {
            observers: extensions.observers(),
            demand: Arc::clone(demand),
            proxies: Arc::new(TrustedProxies::new(http.trusted_proxies.clone())),
            is_tls: tls.is_some(),
        };
        let workers = workers(http.workers);
        let settings = Settings {
            workers,
            // As many as all kinds of work may take together, each of which has its own limit.
            blocking_threads: zas_blocking::threads(),
            connections: descriptors::connections() / workers,
            keep_alive: limits.keep_alive.get(),
            head: limits.request_header_timeout.get(),
            stall: connections::STALL,
            grace: http.shutdown_grace.get(),
            windows: Arc::clone(windows),
            tls,
        };
        let address = self.0.address;
        let running = connections::start("public", self.0.listen()?, settings, move || {
            let (edge, extensions) = (edge.clone(), extensions.clone());
            App::new()
                .app_data(api.clone())
                .configure(move |routes| {
                    for added in extensions.public_routes() {
                        added.add(routes);
                    }
                })
                .default_service(to(root::answer))
                .wrap(Condition::new(cors.is_some(), cors::cors(cors.as_ref())))
                .wrap(from_fn(move |request, next| observe(edge.clone(), request, next)))
        });
        running.map_err(|source| AppError::Listen { address, source })
    }
}

fn workers(configured: u32) -> usize {
    if configured > 0 {
        return configured as usize;
    }
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
