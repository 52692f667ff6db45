//! Wiring: opens the stores, starts the listeners, reloads and stops.

#[cfg(test)]
mod anonymous_tests;
mod connections;
mod error;
mod folder_lock;
mod json_line;
mod listeners;
mod log_writer;
mod logging;
mod named_files;
mod pairing;
mod reload;
mod settings;
mod store_folders;
mod stores;
mod tls;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::System;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use zas_config::Configuration;
use zas_core::{IdSource, SystemIds};
use zas_metadata::{Clocks, MetadataStore};

use crate::api::admin::Status;
use crate::api::oci::OciApi;
use crate::extensions::{Extensions, Services};
use crate::services::auth::AccessKeys;
use crate::services::capacity::Shares;
use crate::services::maintenance::{Collector, Demand, Scrubber};
use crate::services::metrics::pool_readings;
use crate::services::objects::{Objects, ObjectsParts};
use crate::services::registry::{Registry, RegistryParts};
use crate::services::{ConfigurationProblems, StoreWrites};

pub use error::AppError;
pub use json_line::JsonLine;
pub use named_files::check;

use listeners::Listeners;
use logging::Logging;
use named_files::NamedFiles;
use reload::Reloader;

/// How often, and with which pause, to look whether the listeners' threads have let go of the database: five seconds.
const CLOSE_LOOKS: u32 = 500;
const CLOSE_PAUSE: Duration = Duration::from_millis(10);

/// What the command line adds to the configuration.
#[derive(Clone, Debug)]
pub struct Options {
    /// Read again when one changes or on SIGHUP, in this order.
    pub configuration_files: Vec<PathBuf>,
    /// Where to write the addresses that the server listens on.
    pub addresses_file: Option<PathBuf>,
    /// Rows and bytes are one store from now on, whatever they were.
    pub adopt: bool,
}

/// Serves until SIGTERM or SIGINT, then drains and returns.
///
/// # Errors
/// What kept the server from starting.
pub fn run(configuration: Configuration, options: &Options) -> Result<(), AppError> {
    let logging = logging::start(&configuration.log)?;
    listeners::raise_file_limit();
    // The process-wide provider: installing it twice is harmless and happens in tests.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = runtime(zas_blocking::threads()).map_err(AppError::Runtime)?;
    let served = System::with_tokio_rt(|| runtime).block_on(serve(configuration, options, logging.clone()));
    if let Err(error) = &served {
        tracing::error!(%error, "the server stopped");
    }
    logging.flush();
    served
}

/// The runtime of everything but the listeners' workers. It allows as many threads for blocking work as all kinds of it may
/// take together: with tokio's 512 they would wait for each other on a machine of more than some ten processors.
fn runtime(blocking_threads: usize) -> io::Result<Runtime> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime
        .enable_all()
        .max_blocking_threads(blocking_threads)
        .build()
}

async fn serve(configuration: Configuration, options: &Options, logging: Logging) -> Result<(), AppError> {
    let stop = CancellationToken::new();
    let signals = tokio::spawn(stop_on_signal(stop.clone())?);
    let status = Arc::new(Status::default());
    let clocks = Clocks::system();
    let clock = Arc::clone(&clocks.wall);
    // What is wrong with the configuration is said before anything else is done.
    let named_files = NamedFiles::read(&configuration, Arc::clone(&clock))?;
    let access = Arc::new(named_files.access);
    let problems = Arc::<ConfigurationProblems>::default();
    named_files::note_problems(&problems, &access);
    let extensions = Extensions::from_configuration(&configuration, &problems);
    extensions.add_readings(&logging.readings());
    extensions.add_readings(&pool_readings());
    let writes = Arc::<StoreWrites>::default();
    extensions.add_readings(&writes.readings());
    // Both sockets are bound before anything slow happens, so a taken port is reported at once.
    let listeners = Listeners::bind(&configuration)?;
    listeners.write_addresses(options.addresses_file.as_deref())?;
    let (operations, listener) = listeners.start_operations(&status, &problems, &writes, &extensions)?;

    let opened = stores::open(&configuration, options.adopt, &clocks, &status, &stop).await;
    let Some(stores) = opened.inspect_err(|_| stop.cancel())? else {
        // Told to stop while waiting for the database.
        operations.stop().await;
        return Ok(());
    };
    let stores = stores.behind(&extensions);
    let ids: Arc<dyn IdSource> = Arc::new(SystemIds::default());
    let access_keys = AccessKeys::new(
        Arc::clone(&stores.metadata),
        Arc::clone(&access),
        named_files.keys,
        Arc::clone(&clock),
        Arc::clone(&ids),
    );
    let checked = access_keys.check_kids().await;
    checked.map_err(|reason| AppError::Configuration(vec![reason]))?;
    let parts = RegistryParts {
        metadata: Arc::clone(&stores.metadata),
        blobs: Arc::clone(&stores.blobs),
        clock: Arc::clone(&clock),
        ids: Arc::clone(&ids),
    };
    let registry = Registry::new(
        parts,
        settings::registry(&configuration),
        configuration.limits.upload_memory(),
    );
    let demand = Arc::<Demand>::default();
    let collector = Arc::new(Collector::new(
        Arc::clone(&stores.metadata),
        Arc::clone(&stores.blobs),
        registry.clone(),
        Arc::clone(&demand),
        settings::collection(&configuration),
    ));
    let scrubber = Arc::new(Scrubber::new(
        Arc::clone(&stores.metadata),
        Arc::clone(&stores.blobs),
        registry.suspects(),
        settings::scrub(&configuration),
    ));
    let objects = Objects::new(ObjectsParts {
        metadata: Arc::clone(&stores.metadata),
        clock: Arc::clone(&clock),
        ids: Arc::clone(&ids),
        registry: registry.clone(),
    });
    let as_repositories = configuration.extensions.s3api.enabled.then(|| objects.clone());
    let api = Arc::new(OciApi::new(
        registry.clone(),
        as_repositories.clone(),
        Arc::clone(&access),
        &configuration,
    ));
    extensions.add_readings(&registry.readings());
    extensions.add_readings(&api.readings());
    let windows = Arc::new(Shares::new(configuration.limits.window_memory()));
    extensions.add_readings(&windows.readings_of_use(
        (
            "window_memory_bytes",
            "Bytes that clients of HTTP/2 may send before somebody reads them, beyond what every connection may",
        ),
        ("window_memory_limit_bytes", "Most of these bytes"),
    ));
    let certificates = named_files.certificates;
    let services = Services {
        metadata: Arc::clone(&stores.metadata),
        blobs: Arc::clone(&stores.blobs),
        clock,
        ids,
        objects,
        access: Arc::clone(&access),
        registry: registry.clone(),
        memory: api.memory(),
        access_keys: access_keys.clone(),
    };
    let tasks = extensions.attach(&services).map_err(AppError::Extension)?;
    drop(services);

    let public = listener.start(
        &configuration,
        &api,
        &extensions,
        &demand,
        &certificates,
        &windows,
    )?;
    let collecting = tokio::spawn({
        let (collector, stop, extensions) = (Arc::clone(&collector), stop.clone(), extensions.clone());
        async move { collector.run(&stop, |round| extensions.collected(round)).await }
    });
    let scrubbing = tokio::spawn({
        let (scrubber, stop, extensions) = (Arc::clone(&scrubber), stop.clone(), extensions.clone());
        async move { scrubber.run(&stop, |done| extensions.scrubbed(done)).await }
    });
    let watching = tokio::spawn({
        let (stores, stop) = (stores.clone(), stop.clone());
        async move { writes.watch(&*stores.metadata, &*stores.blobs, &stop).await }
    });
    let revoking = tokio::spawn({
        let stop = stop.clone();
        async move { access_keys.watch_users(&stop).await }
    });
    let freshening = tokio::spawn({
        let (access, stop) = (Arc::clone(&access), stop.clone());
        async move { access.keep_fresh(&stop).await }
    });
    let counting = tokio::spawn({
        let (registry, stop) = (registry.clone(), stop.clone());
        async move {
            tokio::select! {
                () = stop.cancelled() => {}
                counted = registry.count_open_uploads() => if let Err(error) = counted {
                    tracing::warn!(%error, "open uploads from before the start do not count for limits.openUploads");
                }
            }
        }
    });
    let digesting = tokio::spawn({
        let (demand, stop) = (Arc::clone(&demand), stop.clone());
        async move {
            if let Some(objects) = as_repositories {
                objects.compute_digests(&demand, &stop).await;
            }
        }
    });
    let extended: Vec<_> = tasks
        .into_iter()
        .map(|task| tokio::spawn(task.begin(stop.clone())))
        .collect();
    let reloader = Reloader {
        files: options.configuration_files.clone(),
        current: configuration,
        metadata: Arc::clone(&stores.metadata),
        registry,
        collector,
        scrubber,
        access,
        api,
        certificates,
        problems,
        logging,
        extensions,
    };
    let reloading = tokio::spawn(reloader.run(stop.clone())?);
    status.ready(Arc::clone(&stores.metadata), Arc::clone(&stores.blobs));
    tracing::info!("ready");

    stop.cancelled().await;
    status.stopping();
    tracing::info!("stopping: requests and uploads under way may finish");
    public.stop().await;
    let own = [
        collecting, scrubbing, digesting, revoking, watching, freshening, counting, reloading, signals,
    ];
    for task in own.into_iter().chain(extended) {
        // A task that panicked has said so already.
        let _ = task.await;
    }
    operations.stop().await;
    close(stores.metadata).await;
    tracing::info!("stopped");
    Ok(())
}

/// Closes the database here and now. The threads of the listeners end in their own time, and the last of them would
/// otherwise close it while the process is already taking itself apart.
async fn close(metadata: Arc<dyn MetadataStore>) {
    for _ in 0..CLOSE_LOOKS {
        if Arc::strong_count(&metadata) == 1 {
            return;
        }
        tokio::time::sleep(CLOSE_PAUSE).await;
    }
    tracing::warn!(
        "a request still uses the database, which is left as after a crash: nothing acknowledged is lost"
    );
    std::mem::forget(metadata);
}

fn stop_on_signal(stop: CancellationToken) -> Result<impl Future<Output = ()>, AppError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(AppError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(AppError::Signals)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = stop.cancelled() => {}
        }
        stop.cancel();
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn given_more_kinds_of_blocking_work_than_tokio_has_threads_when_all_block_then_none_waits_for_another() {
        const THREADS: usize = 600;
        let runtime = runtime(THREADS).unwrap();
        let all_work = Arc::new(Barrier::new(THREADS));
        let working: Vec<_> = (0..THREADS)
            .map(|_| {
                let all_work = Arc::clone(&all_work);
                runtime.spawn_blocking(move || {
                    all_work.wait();
                })
            })
            .collect();
        runtime.block_on(async {
            for work in working {
                let ended = tokio::time::timeout(Duration::from_secs(60), work).await;
                ended.expect("one waits for the others").unwrap();
            }
        });
    }
}
