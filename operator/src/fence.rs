//! Keeps a replica that may have lost its lease from writing.
//!
//! A process can stand still for longer than its lease lasts, on a starved node or in a virtual machine that is moved.
//! It goes on in the middle of what it did, and writes before the task that renews the lease has noticed anything. So
//! every write asks here first, and the lease counts from before its renewal was sent: at no time does this replica
//! believe that it holds the lease when others do not.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Method, Request, Response};
use thiserror::Error;
use tokio::time::Instant;
use tower::filter::FilterLayer;
use tower::{BoxError, Layer, Service};

/// A write was not sent, because another replica may be at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("nothing is written without the lease: another replica may be at work")]
pub struct Fenced;

/// Whether this replica may write. Copies are of the same fence.
#[derive(Clone, Debug)]
pub struct Fence(Arc<Mutex<State>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is no lease, and no other replica.
    Unneeded,
    /// With a lease that lasts so long once it is renewed.
    Needed {
        duration: Duration,
        held_until: Option<Instant>,
    },
    Closed,
}

impl Fence {
    /// For a single replica, which may always write.
    pub fn unneeded() -> Self {
        Self(Arc::new(Mutex::new(State::Unneeded)))
    }

    /// For a replica that must hold a lease, which lasts for `duration` once it is renewed.
    pub fn needed(duration: Duration) -> Self {
        let held_until = None;
        Self(Arc::new(Mutex::new(State::Needed { duration, held_until })))
    }

    /// From here on nothing is written, whatever becomes of the lease.
    pub fn close(&self) {
        *self.lock() = State::Closed;
    }

    /// A layer that lets reads through always, and writes while the lease is held.
    pub fn guard<Body>(
        &self,
    ) -> FilterLayer<impl Fn(Request<Body>) -> Result<Request<Body>, Fenced> + Clone + use<Body>> {
        let fence = self.clone();
        FilterLayer::new(move |request: Request<Body>| {
            let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
            if is_read || fence.is_open() {
                return Ok(request);
            }
            tracing::warn!(method = %request.method(), path = request.uri().path(), "{Fenced}");
            Err(Fenced)
        })
    }

    /// A layer for the client that nothing but the lease is written with: every change that the API server takes is a
    /// renewal.
    pub fn witness(&self) -> Witness {
        Witness(self.clone())
    }

    fn is_open(&self) -> bool {
        match *self.lock() {
            State::Unneeded => true,
            State::Needed { held_until, .. } => held_until.is_some_and(|until| Instant::now() < until),
            State::Closed => false,
        }
    }

    fn renewed(&self, sent: Instant) {
        if let State::Needed { duration, held_until } = &mut *self.lock() {
            *held_until = Some(sent + *duration);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change under the lock is complete in itself, so what a panicking thread left is sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`Fence::witness`].
#[derive(Clone, Debug)]
pub struct Witness(Fence);

impl<Inner> Layer<Inner> for Witness {
    type Service = Witnessed<Inner>;

    fn layer(&self, inner: Inner) -> Witnessed<Inner> {
        Witnessed {
            fence: self.0.clone(),
            inner,
        }
    }
}

/// A client of the lease whose renewals a [`Fence`] learns of.
#[derive(Clone, Debug)]
pub struct Witnessed<Inner> {
    fence: Fence,
    inner: Inner,
}

impl<Inner, Body, Answer> Service<Request<Body>> for Witnessed<Inner>
where
    Inner: Service<Request<Body>, Response = Response<Answer>>,
    Inner::Error: Into<BoxError>,
    Inner::Future: Send + 'static,
{
    type Response = Response<Answer>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Answer>, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (fence, sent) = (self.fence.clone(), Instant::now());
        let is_change = request.method() == Method::PATCH;
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await.map_err(Into::into)?;
            if is_change && answer.status().is_success() {
                fence.renewed(sent);
            }
            Ok(answer)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::StatusCode;
    use tower::{ServiceExt, service_fn};

    use super::*;

    const LEASE: Duration = Duration::from_secs(15);
    /// How long the API server takes to renew it.
    const WAY: Duration = Duration::from_secs(2);
    const MOMENT: Duration = Duration::from_millis(1);

    fn request(method: Method) -> Request<()> {
        Request::builder().method(method).uri("/apis").body(()).unwrap()
    }

    fn answer(status: StatusCode) -> Result<Response<()>, Infallible> {
        Ok(Response::builder().status(status).body(()).unwrap())
    }

    /// Whether a request gets to the API server.
    async fn passes(fence: &Fence, method: Method) -> bool {
        let server = service_fn(async |_| answer(StatusCode::OK));
        let sent = fence.guard().layer(server).oneshot(request(method)).await;
        sent.is_ok()
    }

    /// Asks for the lease, which the API server answers like this.
    async fn ask(fence: &Fence, status: StatusCode) {
        let server = service_fn(move |_| async move {
            tokio::time::sleep(WAY).await;
            answer(status)
        });
        let asked = fence
            .witness()
            .layer(server)
            .oneshot(request(Method::PATCH))
            .await;
        assert_eq!(asked.unwrap().status(), status);
    }

    #[tokio::test(start_paused = true)]
    async fn given_a_replica_without_the_lease_when_it_writes_then_it_is_refused_and_may_read() {
        let fence = Fence::needed(LEASE);
        ask(&fence, StatusCode::CONFLICT).await;

        for method in [Method::PATCH, Method::POST, Method::PUT, Method::DELETE] {
            assert!(!passes(&fence, method).await);
        }
        assert!(passes(&fence, Method::GET).await);
    }

    #[tokio::test(start_paused = true)]
    async fn given_a_lease_when_it_is_not_renewed_then_writes_end_with_it_counted_from_before_it_was_sent() {
        let fence = Fence::needed(LEASE);
        ask(&fence, StatusCode::OK).await;

        tokio::time::advance(LEASE - WAY - MOMENT).await;
        assert!(passes(&fence, Method::PATCH).await);
        tokio::time::advance(MOMENT).await;
        assert!(!passes(&fence, Method::PATCH).await);

        ask(&fence, StatusCode::OK).await;
        assert!(passes(&fence, Method::PATCH).await, "it was renewed");
    }

    #[tokio::test(start_paused = true)]
    async fn given_a_fence_that_was_closed_when_the_lease_is_written_again_then_it_stays_closed() {
        let fence = Fence::needed(LEASE);
        ask(&fence, StatusCode::OK).await;

        fence.close();
        ask(&fence, StatusCode::OK).await;

        assert!(!passes(&fence, Method::DELETE).await);
    }

    #[tokio::test(start_paused = true)]
    async fn given_a_single_replica_when_it_writes_then_it_needs_no_lease() {
        assert!(passes(&Fence::unneeded(), Method::POST).await);
    }
}
