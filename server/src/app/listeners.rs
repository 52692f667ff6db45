//! The two listeners: the public one for clients, the operational one for probes and metrics.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::dev::ServerHandle;
use actix_web::http::KeepAlive;
use actix_web::middleware::{Condition, from_fn};
use actix_web::web::{Data, get, to};
use actix_web::{App, HttpServer};
use serde_json::json;
use socket2::{Domain, Protocol, Socket, Type};
use zas_config::{Configuration, Cors as CorsSection};

use super::AppError;
use super::tls::Certificates;
use crate::api::admin::Status;
use crate::api::oci::OciApi;
use crate::api::{Edge, TrustedProxies, admin, observe, root};
use crate::extensions::Extensions;
use crate::services::ConfigurationProblems;
use crate::services::maintenance::Demand;

/// Pieces of an answer are put together up to this size before they are sent.
const WRITE_BUFFER: usize = 256 * 1024;

/// Threads per worker for what blocks: hashing and writing uploads, cold reads, large listings.
const BLOCKING_THREADS: usize = 16;

/// Workers of the operational listener, which sees a probe a second.
const OPERATIONS_WORKERS: usize = 1;

/// Connections that may wait to be accepted; the kernel may allow fewer.
const BACKLOG: i32 = 1024;

/// Both sockets, bound.
#[derive(Debug)]
pub(super) struct Listeners {
    public: TcpListener,
    operations: TcpListener,
}

impl Listeners {
    pub(super) fn bind(configuration: &Configuration) -> Result<Self, AppError> {
        Ok(Self {
            public: bind(configuration.http.listen.get())?,
            operations: bind(configuration.operations.listen.get())?,
        })
    }

    /// Tells where the server listens, which is worth knowing when a port was left to the system.
    pub(super) fn write_addresses(&self, file: Option<&Path>) -> Result<(), AppError> {
        let (public, operations) = (address(&self.public)?, address(&self.operations)?);
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

    pub(super) fn start_operations(
        &self,
        status: &Arc<Status>,
        problems: &Arc<ConfigurationProblems>,
        extensions: &Extensions,
    ) -> Result<ServerHandle, AppError> {
        let (status, extensions) = (Data::from(Arc::clone(status)), extensions.clone());
        let problems = Data::from(Arc::clone(problems));
        let socket = clone(&self.operations)?;
        let address = address(&socket)?;
        let server = HttpServer::new(move || {
            let extensions = extensions.clone();
            App::new()
                .app_data(status.clone())
                .app_data(problems.clone())
                .app_data(Data::new(extensions.clone()))
                .route("/livez", get().to(admin::livez))
                .route("/readyz", get().to(admin::readyz))
                .route("/startupz", get().to(admin::startupz))
                .route("/version", get().to(admin::version))
                .configure(move |routes| {
                    for extension in extensions.iter() {
                        extension.operations_routes(routes);
                    }
                })
        });
        let server = server
            .workers(OPERATIONS_WORKERS)
            .disable_signals()
            .shutdown_timeout(1);
        let server = server
            .listen(socket)
            .map_err(|source| AppError::Listen { address, source })?
            .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(handle)
    }

    pub(super) fn start_public(
        self,
        configuration: &Configuration,
        api: &Arc<OciApi>,
        extensions: &Extensions,
        demand: &Arc<Demand>,
        certificates: &Certificates,
    ) -> Result<ServerHandle, AppError> {
        let http = &configuration.http;
        let limits = &configuration.limits;
        let (api, cors, extensions) = (Data::from(Arc::clone(api)), http.cors.clone(), extensions.clone());
        let edge = Edge {
            observer: extensions.observer(),
            demand: Arc::clone(demand),
            proxies: Arc::new(TrustedProxies::new(http.trusted_proxies.clone())),
        };
        let address = address(&self.public)?;
        let server = HttpServer::new(move || {
            let (edge, extensions) = (edge.clone(), extensions.clone());
            App::new()
                .app_data(api.clone())
                .configure(move |routes| {
                    for extension in extensions.iter() {
                        extension.public_routes(routes);
                    }
                })
                .default_service(to(root::answer))
                .wrap(Condition::new(cors.is_some(), self::cors(cors.as_ref())))
                .wrap(from_fn(move |request, next| observe(edge.clone(), request, next)))
        });
        let server = server
            .workers(workers(http.workers))
            .worker_max_blocking_threads(BLOCKING_THREADS)
            // A small answer over TLS would wait for the acknowledgement of the one before.
            .tcp_nodelay(true)
            .keep_alive(KeepAlive::Timeout(limits.keep_alive.get()))
            .client_request_timeout(limits.request_header_timeout.get())
            .client_disconnect_timeout(Duration::from_secs(5))
            .h1_write_buffer_size(WRITE_BUFFER)
            .shutdown_timeout(http.shutdown_grace.get().as_secs())
            .disable_signals();
        let server = match certificates.server_config() {
            None => server.listen(self.public),
            Some(tls) => server.listen_rustls_0_23(self.public, tls),
        };
        let server = server
            .map_err(|source| AppError::Listen { address, source })?
            .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(handle)
    }
}

fn bind(address: SocketAddr) -> Result<TcpListener, AppError> {
    bind_with(address, listen).map_err(|source| AppError::Listen { address, source })
}

/// `[::]` stands for all addresses of the machine, of both kinds, also where the kernel has but one.
fn bind_with(
    address: SocketAddr,
    listen: impl Fn(SocketAddr) -> io::Result<TcpListener>,
) -> io::Result<TcpListener> {
    match listen(address) {
        Err(error) if is_any_ipv6(address) && lacks_ipv6(&error) => {
            let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
            tracing::warn!(%error, %address, "this machine has no IPv6: listening on IPv4 alone");
            listen(address)
        }
        bound => bound,
    }
}

fn is_any_ipv6(address: SocketAddr) -> bool {
    address.ip() == Ipv6Addr::UNSPECIFIED
}

fn lacks_ipv6(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EAFNOSUPPORT) || error.kind() == io::ErrorKind::AddrNotAvailable
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if is_any_ipv6(address) {
        // Said here, because the system's default may be changed.
        socket.set_only_v6(false)?;
    }
    // A restarted server takes its port back at once.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn clone(socket: &TcpListener) -> Result<TcpListener, AppError> {
    socket.try_clone().map_err(|source| AppError::Listen {
        address: SocketAddr::from(([0, 0, 0, 0], 0)),
        source,
    })
}

fn address(socket: &TcpListener) -> Result<SocketAddr, AppError> {
    socket.local_addr().map_err(|source| AppError::Listen {
        address: SocketAddr::from(([0, 0, 0, 0], 0)),
        source,
    })
}

fn workers(configured: u32) -> usize {
    if configured > 0 {
        return configured as usize;
    }
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Only the origins that are named, never with credentials.
fn cors(section: Option<&CorsSection>) -> Cors {
    let origins = section
        .map(|section| section.allowed_origins.as_slice())
        .unwrap_or_default();
    origins
        .iter()
        .fold(Cors::default(), |cors, origin| {
            if origin.is_any() {
                cors.allow_any_origin()
            } else {
                cors.allowed_origin(origin.as_str())
            }
        })
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([
            "Authorization",
            "Content-Type",
            "Content-Range",
            "Range",
            "Accept",
            "If-None-Match",
            "If-Range",
        ])
        .expose_headers([
            "Docker-Content-Digest",
            "Link",
            "Location",
            "Range",
            "OCI-Subject",
            "OCI-Filters-Applied",
            "OCI-Tag",
        ])
        .max_age(3600)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::ErrorKind;
    use std::net::TcpStream;

    use super::*;

    const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0);

    #[test]
    fn given_every_address_when_bound_then_clients_of_both_kinds_connect() {
        let socket = bind(ANY).unwrap();
        let address = socket.local_addr().unwrap();
        TcpStream::connect((Ipv4Addr::LOCALHOST, address.port())).unwrap();
        if address.is_ipv6() {
            TcpStream::connect((Ipv6Addr::LOCALHOST, address.port())).unwrap();
        }
        // It does not wait for a client that does not come.
        for _ in 0..2 {
            let _ = socket.accept();
        }
        assert_eq!(socket.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    }

    #[test]
    fn given_a_kernel_without_ipv6_when_bound_to_every_address_then_to_those_of_ipv4() {
        for refusal in [libc::EAFNOSUPPORT, libc::EADDRNOTAVAIL] {
            let tried = RefCell::new(Vec::new());
            let without_ipv6 = |address: SocketAddr| {
                tried.borrow_mut().push(address.to_string());
                if address.is_ipv6() {
                    return Err(io::Error::from_raw_os_error(refusal));
                }
                listen(address)
            };
            let socket = bind_with(ANY, without_ipv6).unwrap();
            assert!(socket.local_addr().unwrap().is_ipv4());
            assert_eq!(*tried.borrow(), ["[::]:0", "0.0.0.0:0"]);
        }
    }

    #[test]
    fn given_a_taken_port_or_one_address_alone_when_refused_then_nothing_else_is_tried() {
        let taken = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = taken.local_addr().unwrap();
        let error = bind(address).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("cannot listen on {address}: ")),
            "{error}"
        );

        for (address, refusal) in [("[::]:1", libc::EADDRINUSE), ("[::1]:1", libc::EAFNOSUPPORT)] {
            let refuse = |_| Err(io::Error::from_raw_os_error(refusal));
            let error = bind_with(address.parse().unwrap(), refuse).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(refusal));
        }
    }
}
