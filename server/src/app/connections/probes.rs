//! The listener for probes, which answers when everybody else has run out of descriptors.

use std::fs::File;
use std::io;
use std::net::TcpListener as Socket;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use actix_http::body::MessageBody;
use actix_http::{Request, Response};
use actix_service::{IntoServiceFactory, Service, ServiceFactory};
use actix_web::dev::AppConfig;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::LocalSet;
use tokio_util::sync::CancellationToken;

use super::{Settings, Worker};

/// Descriptors kept for probes.
const SPARES: usize = 16;

/// Before a failed accept is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// A running listener for probes.
#[derive(Debug)]
pub(in super::super) struct Probes {
    stop: CancellationToken,
    stopped: oneshot::Receiver<()>,
}

impl Probes {
    /// Ends at once, and returns when nothing of it is left.
    pub(in super::super) async fn stop(self) {
        self.stop.cancel();
        // The thread may have ended by itself: then there is nothing to wait for.
        let _ = self.stopped.await;
    }
}

/// Serves probes on a thread of their own.
pub(in super::super) fn start_probes<F, I, A, B>(
    socket: Socket,
    settings: Settings,
    application: F,
) -> io::Result<Probes>
where
    F: FnOnce() -> I + Send + 'static,
    I: IntoServiceFactory<A, Request>,
    A: ServiceFactory<Request, Config = AppConfig> + 'static,
    A::Error: Into<actix_web::Error> + 'static,
    A::Response: Into<Response<B>> + 'static,
    A::InitError: std::fmt::Debug + 'static,
    B: MessageBody + 'static,
{
    let (stop, (ended, stopped)) = (CancellationToken::new(), oneshot::channel());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let worker = Worker {
        drain: stop.clone(),
        cut: stop.clone(),
        settings,
    };
    let serving = stop.clone();
    thread::Builder::new().name("probes".to_owned()).spawn(move || {
        let local = LocalSet::new();
        local.block_on(&runtime, async move {
            let application = application().into_factory();
            tokio::select! {
                () = serving.cancelled() => {}
                served = serve(socket, worker, application) => if let Err(error) = served {
                    tracing::error!(%error, "probes are not answered");
                },
            }
        });
        drop((local, runtime));
        let _ = ended.send(());
    })?;
    Ok(Probes { stop, stopped })
}

async fn serve<A, B>(socket: Socket, worker: Worker, application: A) -> io::Result<()>
where
    A: ServiceFactory<Request, Config = AppConfig> + 'static,
    A::Error: Into<actix_web::Error> + 'static,
    A::Response: Into<Response<B>> + 'static,
    A::InitError: std::fmt::Debug + 'static,
    B: MessageBody + 'static,
{
    let places = Arc::new(Semaphore::new(worker.settings.connections));
    let service = worker.start(application.new_service(AppConfig::default())).await;
    let service = service.map_err(|()| io::Error::other("the routes cannot be built"))?;
    let listener = TcpListener::from_std(socket)?;
    let mut spares = Spares::default();
    spares.fill();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return Ok(());
        };
        match listener.accept().await {
            Ok((socket, _)) => {
                spares.fill();
                let serving = service.call(socket);
                tokio::task::spawn_local(async move {
                    // It has said what there is to say.
                    let _ = serving.await;
                    drop(place);
                });
            }
            Err(error) if is_out_of_descriptors(&error) && spares.give_one() => {}
            Err(error) => {
                tracing::warn!(%error, "a probe cannot be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// Open files of no use but that one can be closed where a descriptor is needed.
#[derive(Debug, Default)]
struct Spares(Vec<File>);

impl Spares {
    fn fill(&mut self) {
        while self.0.len() < SPARES {
            match File::open("/dev/null") {
                Ok(file) => self.0.push(file),
                Err(_) => return,
            }
        }
    }

    fn give_one(&mut self) -> bool {
        self.0.pop().is_some()
    }
}
