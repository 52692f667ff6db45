//! The server's side of HTTP connections: how they are accepted, what limits them, and how they end.
//!
//! actix speaks HTTP/1.1 and `http2` HTTP/2; what they leave open is decided here, in one place for all routes: an answer that comes before
//! the end of its request's body ends the connection (`exchange`), `100 Continue` is sent when a handler begins to read
//! (`application`, `incoming`), a connection without progress is cut (`watchdog`), and a closing connection lets its client
//! read the last answer (`connection`).

mod application;
mod connection;
mod exchange;
mod half_close;
mod handshakes;
mod host;
mod http2;
mod incoming;
#[cfg(test)]
mod outgoing_tests;
mod probes;
mod stream;
#[cfg(test)]
mod tests;
mod transport;
mod watchdog;

use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::body::MessageBody;
use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive, Request, Response, ServiceConfig};
use actix_service::{IntoServiceFactory, Service, ServiceFactory, fn_factory, fn_service};
use actix_web::dev::{AppConfig, Server, ServerHandle};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

pub(super) use probes::{Probes, start_probes};

use application::{Application, Expectations};
use connection::{Connection, Ending, Supervised};
use handshakes::Handshakes;
use stream::ClientStream;
use transport::Transport;
use watchdog::{Patience, Watchdog};

use crate::services::capacity::Shares;

/// Pieces of an answer are put together up to this size before they are sent.
const WRITE_BUFFER: usize = 256 * 1024;

/// How long a connection may stand still in the middle of a request or an answer.
pub(super) const STALL: Duration = Duration::from_secs(60);

/// How long a client may take to set up TLS.
const TLS_HANDSHAKE: Duration = Duration::from_secs(10);

/// How connections are served.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) workers: usize,
    /// Threads of each worker for what blocks.
    pub(super) blocking_threads: usize,
    /// Connections of each worker at a time; more wait to be accepted.
    pub(super) connections: usize,
    /// How long an idle connection is kept open.
    pub(super) keep_alive: Duration,
    /// How long a client may take to send the head of a request.
    pub(super) head: Duration,
    /// How long a connection may stand still in the middle of a request or an answer.
    pub(super) stall: Duration,
    /// How long requests may take to end once the server stops.
    pub(super) grace: Duration,
    /// For what clients of HTTP/2 may send before somebody reads it.
    pub(super) windows: Arc<Shares>,
    pub(super) tls: Option<Arc<rustls::ServerConfig>>,
}

/// A running listener.
#[derive(Debug)]
pub(super) struct RunningListener {
    handle: ServerHandle,
    drain: CancellationToken,
    cut: CancellationToken,
    grace: Duration,
}

/// How long what was told to end may take to do so.
const CUT_PATIENCE: Duration = Duration::from_secs(5);

impl RunningListener {
    /// Stops accepting and lets requests end. After the grace, requests that still send are told so, which saves what they
    /// have sent; what is left soon after that is dropped.
    pub(super) async fn stop(&self) {
        self.drain.cancel();
        let mut stopping = std::pin::pin!(self.handle.stop(true));
        if timeout(self.grace, &mut stopping).await.is_err() {
            self.cut.cancel();
            stopping.await;
        }
    }
}

/// Serves connections of `socket` on threads of their own.
pub(super) fn start<F, I, A, B>(
    name: &'static str,
    socket: TcpListener,
    settings: Settings,
    application: F,
) -> io::Result<RunningListener>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<A, Request>,
    A: ServiceFactory<Request, Config = AppConfig> + 'static,
    A::Error: Into<actix_web::Error> + 'static,
    A::Response: Into<Response<B>> + 'static,
    A::InitError: std::fmt::Debug + 'static,
    B: MessageBody + 'static,
{
    let (drain, cut) = (CancellationToken::new(), CancellationToken::new());
    let grace = settings.grace;
    let server = Server::build()
        .workers(settings.workers)
        .worker_max_blocking_threads(settings.blocking_threads)
        .max_concurrent_connections(settings.connections)
        .shutdown_timeout((grace + CUT_PATIENCE).as_secs())
        .disable_signals();
    let server = server.listen(name, socket, {
        let (drain, cut) = (drain.clone(), cut.clone());
        move || {
            let worker = Worker {
                settings: settings.clone(),
                drain: drain.clone(),
                cut: cut.clone(),
            };
            let application = application().into_factory();
            fn_factory(move || {
                worker
                    .clone()
                    .start(application.new_service(AppConfig::default()))
            })
        }
    })?;
    let server = server.run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(RunningListener {
        handle,
        drain,
        cut,
        grace,
    })
}

/// What one thread serves connections with.
#[derive(Clone)]
struct Worker {
    settings: Settings,
    drain: CancellationToken,
    cut: CancellationToken,
}

impl Worker {
    async fn start<S, B, E>(
        self,
        service: impl Future<Output = Result<S, E>>,
    ) -> Result<impl Service<TcpStream, Response = (), Error = ()>, ()>
    where
        S: Service<Request> + 'static,
        S::Error: Into<actix_web::Error> + 'static,
        S::Response: Into<Response<B>> + 'static,
        B: MessageBody + 'static,
        E: std::fmt::Debug,
    {
        let service = service.await.map_err(|error| {
            tracing::error!(?error, "the application cannot be built");
        })?;
        let settings = self.settings;
        let application = Application::<S, B>::new(Rc::new(service), self.cut.clone());
        let limits = http2::Limits {
            head: settings.head,
            keep_alive: settings.keep_alive,
            stall: settings.stall,
        };
        let (http2, dates) = (application.clone(), ServiceConfig::default());
        let http1 = HttpService::build()
            .keep_alive(KeepAlive::Timeout(settings.keep_alive))
            .client_request_timeout(settings.head)
            .h1_write_buffer_size(WRITE_BUFFER)
            .on_connect_ext(|stream: &ClientStream, data| {
                data.insert(Rc::clone(&stream.0));
            })
            .expect(fn_factory({
                let application = application.clone();
                move || ready(Ok::<_, Infallible>(Expectations(application.clone())))
            }))
            .h1(fn_factory(move || {
                ready(Ok::<_, Infallible>(application.clone()))
            }));
        let http1 = Rc::new(ServiceFactory::<Accepted>::new_service(&http1, ()).await?);
        let watchdog = Watchdog::new(settings.connections);
        let patience = Patience {
            stalled: settings.stall,
            idle: settings.keep_alive + settings.head + settings.stall / 12,
        };
        tokio::task::spawn_local(watchdog.clone().run(patience, self.drain, self.cut));
        let acceptor = settings.tls.clone().map(TlsAcceptor::from);
        let handshakes = Rc::new(Handshakes::new(settings.connections));
        Ok(fn_service(move |socket: TcpStream| {
            let (acceptor, http1, watchdog) = (acceptor.clone(), Rc::clone(&http1), watchdog.clone());
            let (http2, dates, handshakes) = (http2.clone(), dates.clone(), Rc::clone(&handshakes));
            let windows = Arc::clone(&settings.windows);
            async move {
                let peer = socket.peer_addr().ok();
                if let Some(transport) = accept(socket, acceptor, &handshakes).await {
                    let is_http2 = transport.is_http2();
                    let connection = Rc::new(Connection::new(transport));
                    let watch = watchdog.watch(Rc::clone(&connection));
                    let ending = if is_http2 {
                        let serving =
                            http2::serve(Rc::clone(&connection), peer, http2, limits, windows, dates);
                        Supervised::new(Rc::clone(&connection), false, serving).await
                    } else {
                        let serving = http1.call((ClientStream(Rc::clone(&connection)), peer));
                        Supervised::new(Rc::clone(&connection), true, serving).await
                    };
                    connection.close(ending).await;
                    drop(watch);
                }
                Ok(())
            }
        }))
    }
}

/// What actix takes for a connection.
type Accepted = (ClientStream, Option<SocketAddr>);

/// Sets up TLS where it is spoken. `None`: the client did not get so far.
async fn accept(
    socket: TcpStream,
    acceptor: Option<TlsAcceptor>,
    handshakes: &Rc<Handshakes>,
) -> Option<Transport> {
    // A small answer over TLS would wait for the acknowledgement of the one before.
    let _ = socket.set_nodelay(true);
    let Some(acceptor) = acceptor else {
        return Some(Transport::Plain(socket));
    };
    let handshake = handshakes.begin();
    let accepted = tokio::select! {
        biased;
        accepted = timeout(TLS_HANDSHAKE, acceptor.accept(socket)) => accepted.ok()?,
        () = handshake.given_up() => return None,
    };
    match accepted {
        Ok(stream) => Some(Transport::Tls(Box::new(stream))),
        Err(error) => {
            tracing::debug!(%error, "TLS was not set up");
            None
        }
    }
}

impl From<Result<(), DispatchError>> for Ending {
    fn from(ended: Result<(), DispatchError>) -> Self {
        let Err(error) = ended else { return Self::Complete };
        tracing::debug!(%error, "a connection ended");
        match error {
            DispatchError::Parse(_) | DispatchError::InternalError => Self::Broken,
            _ => Self::Complete,
        }
    }
}
