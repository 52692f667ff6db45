//! The listener for probes and for Prometheus.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::metrics::{CONTENT_TYPE, Metrics};

/// What probes ask for.
#[derive(Debug, Default)]
pub struct Health {
    is_started: AtomicBool,
    blind: Mutex<BTreeMap<String, String>>,
}

impl Health {
    /// The operator can do its work, be it as the leader or as a replica that waits for the lease.
    pub fn set_ready(&self) {
        self.is_started.store(true, Ordering::Release);
    }

    /// What there is in this scope (a namespace, or the whole cluster) is not known, and why.
    pub fn cannot_see(&self, scope: &str, why: &str) {
        self.blind().insert(scope.to_owned(), why.to_owned());
    }

    /// What there is in this scope is known.
    pub fn sees(&self, scope: &str) {
        self.blind().remove(scope);
    }

    /// Why the operator cannot do its work, if so.
    fn complaint(&self) -> Option<String> {
        if !self.is_started.load(Ordering::Acquire) {
            return Some("the first list of objects is not complete".to_owned());
        }
        let blind = self.blind();
        let complaints: Vec<&str> = blind.values().map(String::as_str).collect();
        (!complaints.is_empty()).then(|| complaints.join("; "))
    }

    fn blind(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        // Every change under the lock is complete in itself, so what a panicking thread left is sound.
        self.blind.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves `/livez`, `/readyz` and `/metrics` until the process ends.
///
/// # Errors
/// When the address cannot be had.
pub async fn serve(address: SocketAddr, health: Arc<Health>, metrics: Arc<Metrics>) -> anyhow::Result<()> {
    let listener = bind(address).await?;
    tracing::info!(address = %listener.local_addr()?, "serving probes and metrics");
    tokio::spawn(async move {
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Too many open files, for example: it passes.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    continue;
                }
            };
            let (health, metrics) = (Arc::clone(&health), Arc::clone(&metrics));
            let answer = service_fn(move |request: Request<hyper::body::Incoming>| {
                let response = answer(request.uri().path(), &health, &metrics);
                std::future::ready(Ok::<_, Infallible>(response))
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), answer);
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection ended early");
                }
            });
        }
    });
    Ok(())
}

/// Binds the address; where the kernel has no IPv6, `[::]` means all of IPv4.
async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let failed = |error| anyhow::anyhow!("cannot listen on {address}: {error}");
    match TcpListener::bind(address).await {
        Err(error) if address.is_ipv6() && address.ip().is_unspecified() => {
            tracing::info!(%error, "no IPv6 here: listening on IPv4 alone");
            let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), address.port());
            TcpListener::bind(address).await.map_err(failed)
        }
        bound => bound.map_err(failed),
    }
}

fn answer(path: &str, health: &Health, metrics: &Metrics) -> Response<Full<Bytes>> {
    match path {
        "/livez" => text(StatusCode::OK, "text/plain", "ok\n".to_owned()),
        "/readyz" => match health.complaint() {
            None => text(StatusCode::OK, "text/plain", "ok\n".to_owned()),
            Some(why) => text(StatusCode::SERVICE_UNAVAILABLE, "text/plain", format!("{why}\n")),
        },
        "/metrics" => text(StatusCode::OK, CONTENT_TYPE, metrics.encode()),
        _ => text(
            StatusCode::NOT_FOUND,
            "text/plain",
            "try /livez, /readyz or /metrics\n".to_owned(),
        ),
    }
}

fn text(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static(content_type),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_the_probes_when_asked_then_readiness_follows_the_first_list() {
        let (health, metrics) = (Health::default(), Metrics::default());
        let status = |path| answer(path, &health, &metrics).status().as_u16();
        assert_eq!(
            (
                status("/livez"),
                status("/readyz"),
                status("/metrics"),
                status("/")
            ),
            (200, 503, 200, 404)
        );
        health.set_ready();
        assert_eq!(answer("/readyz", &health, &metrics).status(), StatusCode::OK);
    }

    #[test]
    fn given_a_namespace_that_cannot_be_seen_when_another_can_then_the_operator_is_not_ready() {
        let (health, metrics) = (Health::default(), Metrics::default());
        let status = || answer("/readyz", &health, &metrics).status();
        health.cannot_see("a", "namespace a: no rights");
        health.cannot_see("b", "namespace b: no list yet");
        health.set_ready();
        health.sees("b");
        assert_eq!(status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(health.complaint().as_deref(), Some("namespace a: no rights"));
        health.sees("a");
        assert_eq!(status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn given_all_addresses_when_bound_then_ipv4_reaches_them() {
        let listener = bind("[::]:0".parse().unwrap()).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .unwrap();
    }
}
