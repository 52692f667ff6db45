//! What happens around every request: its id, one line in the access log, and the observers' numbers.

use std::cell::Cell;
use std::fmt::Debug;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue, USER_AGENT};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest};
use bytes::Bytes;
use zas_core::RepositoryName;

use super::forwarded::{Connection, TrustedProxies};
use super::request_id::{Answering, REQUEST_ID_HEADER, RequestId};
use crate::services::maintenance::Demand;

/// The path of a request with its variable parts replaced.
#[derive(Clone, Copy, Debug)]
pub(super) struct RouteTemplate(pub(super) &'static str);

/// Who a request turned out to come from; empty for anonymous.
#[derive(Clone, Debug)]
pub(super) struct ActorName(pub(super) String);

/// The bytes that a request has sent so far.
#[derive(Clone, Debug, Default)]
pub(super) struct ReceivedBytes(Rc<Received>);

#[derive(Debug, Default)]
struct Received {
    bytes: Cell<u64>,
    ended: Cell<Option<EarlyEnd>>,
}

/// Why the rest of a body was not waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EarlyEnd {
    /// The client took too long.
    Stalled,
    /// The server is stopping.
    CutOff,
}

impl ReceivedBytes {
    pub(super) fn add(&self, bytes: usize) {
        self.0.bytes.set(self.count() + bytes as u64);
    }

    fn count(&self) -> u64 {
        self.0.bytes.get()
    }

    /// The rest is not waited for, which is why the request ends.
    pub(super) fn end_early(&self, reason: EarlyEnd) {
        self.0.ended.set(Some(reason));
    }

    pub(super) fn early_end(&self) -> Option<EarlyEnd> {
        self.0.ended.get()
    }
}

/// Why the rest of the request's body was not waited for.
pub(super) fn early_end(request: &HttpRequest) -> Option<EarlyEnd> {
    let extensions = request.extensions();
    extensions
        .get::<ReceivedBytes>()
        .and_then(ReceivedBytes::early_end)
}

/// What a request turned out to do with a repository that the caller may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryUse {
    /// The repository.
    pub name: RepositoryName,
    /// Whether the answer shows that the repository exists; an upload, for example, can begin before.
    pub is_seen: bool,
    /// Whether a manifest was transferred, and which way.
    pub transfer: Option<ManifestTransfer>,
}

/// Which way a manifest was transferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManifestTransfer {
    /// To the client.
    Pull,
    /// To the server.
    Push,
}

/// A request that has ended.
#[derive(Clone, Debug)]
pub struct RequestRecord {
    /// The path with its variable parts replaced.
    pub route: &'static str,
    /// The repository, when the request was allowed to use one.
    pub repository: Option<RepositoryUse>,
    /// The method.
    pub method: Method,
    /// The status of the answer.
    pub status: StatusCode,
    /// From the request's headers to the end of the answer's body.
    pub duration: Duration,
    /// Bytes of the request's body.
    pub received_bytes: u64,
    /// Bytes of the answer's body.
    pub sent_bytes: u64,
}

/// Hears of every request.
pub trait Observer: Debug + Send + Sync {
    /// A request has ended.
    fn request_ended(&self, record: &RequestRecord);
}

/// What is the same around every request.
#[derive(Clone, Debug, Default)]
pub struct RequestEnvironment {
    /// Hear of every request.
    pub observers: Arc<[Arc<dyn Observer>]>,
    /// Knows of every request that others are there.
    pub demand: Arc<Demand>,
    /// Whose word about the client is believed.
    pub proxies: Arc<TrustedProxies>,
    /// Whether the listener speaks TLS.
    pub is_tls: bool,
}

/// Wraps a request: who sent it and an id before, a line in the log and word to the observers after the last byte of its
/// answer.
pub async fn observe<B: MessageBody + 'static>(
    environment: RequestEnvironment,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<Observed<B>>, Error> {
    let started = Instant::now();
    environment.demand.note();
    let id = RequestId::of(request.headers());
    let received = ReceivedBytes::default();
    let connection =
        environment
            .proxies
            .connection(request.peer_addr(), environment.is_tls, request.headers());
    // Made before there is an answer, so that a request that never gets one leaves a line too.
    let mut ending = Ending::of(
        &request,
        &connection,
        id.clone(),
        started,
        received.clone(),
        environment.observers,
    );
    request.extensions_mut().insert(connection);
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(received.clone());
    let answering = Answering {
        id: id.clone(),
        answer: next.call(request),
    };
    let mut response = answering.await?;
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response
            .headers_mut()
            .insert(HeaderName::from_static(REQUEST_ID_HEADER), value);
    }
    ending.answered(&response);
    Ok(response.map_body(|_, body| Observed { body, ending }))
}

pin_project_lite::pin_project! {
    /// A body that reports when its last byte is gone.
    #[derive(Debug)]
    pub struct Observed<B> {
        #[pin]
        body: B,
        ending: Ending,
    }
}

impl<B: MessageBody> MessageBody for Observed<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, B::Error>>> {
        let this = self.project();
        let polled = this.ending.id.during(|| this.body.poll_next(context));
        match &polled {
            Poll::Ready(Some(Ok(bytes))) => {
                this.ending.sent_bytes += bytes.len() as u64;
                this.ending.is_broken = true;
            }
            Poll::Ready(None) => this.ending.is_broken = false,
            Poll::Ready(Some(Err(_))) | Poll::Pending => this.ending.is_broken = true,
        }
        polled
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        let Self { body, mut ending } = self;
        match body.try_into_bytes() {
            Ok(bytes) => {
                ending.sent_bytes += bytes.len() as u64;
                Ok(bytes)
            }
            Err(body) => Err(Self { body, ending }),
        }
    }
}

#[derive(Debug)]
struct Ending {
    record: RequestRecord,
    id: RequestId,
    path: String,
    actor: String,
    client: String,
    user_agent: String,
    started: Instant,
    received: ReceivedBytes,
    sent_bytes: u64,
    /// Whether the answer is begun and not at its end.
    is_broken: bool,
    observers: Arc<[Arc<dyn Observer>]>,
}

/// What the log says about a request that was dropped before it had an answer (nginx' word for it).
const UNANSWERED: u16 = 499;

impl Ending {
    fn of(
        request: &ServiceRequest,
        connection: &Connection,
        id: RequestId,
        started: Instant,
        received: ReceivedBytes,
        observers: Arc<[Arc<dyn Observer>]>,
    ) -> Self {
        let user_agent = request
            .headers()
            .get(USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        Self {
            record: RequestRecord {
                route: "{unknown}",
                repository: None,
                method: request.method().clone(),
                status: StatusCode::from_u16(UNANSWERED).unwrap_or_default(),
                duration: Duration::ZERO,
                received_bytes: 0,
                sent_bytes: 0,
            },
            id,
            path: request.path().to_owned(),
            actor: String::new(),
            client: connection.client.map(written).unwrap_or_default(),
            user_agent: beginning(user_agent).to_owned(),
            started,
            received,
            sent_bytes: 0,
            is_broken: false,
            observers,
        }
    }

    /// Adds what turned out while the request was answered.
    fn answered<B>(&mut self, response: &ServiceResponse<B>) {
        let extensions = response.request().extensions();
        if let Some(RouteTemplate(template)) = extensions.get() {
            self.record.route = template;
        }
        self.record.repository = extensions.get::<RepositoryUse>().cloned();
        self.record.status = response.status();
        if let Some(ActorName(name)) = extensions.get() {
            name.clone_into(&mut self.actor);
        }
    }
}

/// Most of what a client says about itself in the log.
const MAX_USER_AGENT: usize = 256;

fn beginning(text: &str) -> &str {
    let end = text.floor_char_boundary(MAX_USER_AGENT);
    text.get(..end).unwrap_or_default()
}

/// An address as text, without the formatting machinery for those of the usual kind.
fn written(address: IpAddr) -> String {
    let IpAddr::V4(address) = address else {
        return address.to_string();
    };
    let mut text = String::with_capacity("255.255.255.255".len());
    for octet in address.octets() {
        if !text.is_empty() {
            text.push('.');
        }
        for (divisor, is_needed) in [(100, octet >= 100), (10, octet >= 10), (1, true)] {
            if is_needed {
                text.push(char::from(b'0' + octet / divisor % 10));
            }
        }
    }
    text
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.record.duration = self.started.elapsed();
        self.record.received_bytes = self.received.count();
        self.record.sent_bytes = self.sent_bytes;
        let record = &self.record;
        tracing::info!(
            target: "access",
            request_id = self.id.as_str(),
            method = record.method.as_str(),
            path = self.path,
            route = record.route,
            status = record.status.as_u16(),
            received_bytes = record.received_bytes,
            sent_bytes = record.sent_bytes,
            duration_ms = u64::try_from(record.duration.as_millis()).unwrap_or(u64::MAX),
            actor = self.actor,
            client = self.client,
            user_agent = self.user_agent,
            is_broken = self.is_broken,
            "request",
        );
        for observer in self.observers.iter() {
            observer.request_ended(record);
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_service, init_service};
    use actix_web::web::to;
    use actix_web::{App, HttpResponse};

    use super::*;

    #[test]
    fn given_addresses_when_written_then_as_the_library_does() {
        for address in [
            "0.0.0.0",
            "127.0.0.1",
            "10.20.100.255",
            "9.99.109.200",
            "::1",
            "2001:db8::7",
        ] {
            assert_eq!(written(address.parse().unwrap()), address);
        }
    }

    #[test]
    fn given_a_long_user_agent_when_kept_then_no_character_is_cut() {
        assert_eq!(beginning("oras/1.2"), "oras/1.2");
        assert_eq!(beginning(&"x".repeat(1000)).len(), MAX_USER_AGENT);
        assert_eq!(beginning(&"€".repeat(1000)), "€".repeat(85));
    }

    #[actix_web::test]
    async fn given_nobody_when_a_request_comes_then_it_is_known_that_somebody_is_there() {
        tokio::time::pause();
        let environment = RequestEnvironment::default();
        let demand = Arc::clone(&environment.demand);
        let app = App::new()
            .default_service(to(HttpResponse::Ok))
            .wrap(from_fn(move |request, next| {
                observe(environment.clone(), request, next)
            }));
        let service = init_service(app).await;
        assert!(!demand.is_present());

        call_service(&service, TestRequest::default().to_request()).await;

        assert!(demand.is_present());
    }

    #[derive(Debug, Default)]
    struct Recorded(std::sync::Mutex<Vec<RequestRecord>>);

    impl Observer for Recorded {
        fn request_ended(&self, record: &RequestRecord) {
            self.0.lock().unwrap().push(record.clone());
        }
    }

    #[actix_web::test]
    async fn given_a_request_that_is_dropped_before_its_answer_when_gone_then_the_observer_has_heard_of_it() {
        let recorded = Arc::<Recorded>::default();
        let environment = RequestEnvironment {
            observers: Arc::from([Arc::clone(&recorded) as Arc<dyn Observer>]),
            ..RequestEnvironment::default()
        };
        let app = App::new()
            .default_service(to(std::future::pending::<HttpResponse>))
            .wrap(from_fn(move |request, next| {
                observe(environment.clone(), request, next)
            }));
        let service = init_service(app).await;

        let call = call_service(&service, TestRequest::with_uri("/x").to_request());
        tokio::time::timeout(Duration::from_millis(1), call)
            .await
            .unwrap_err();

        let records = recorded.0.lock().unwrap();
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].status.as_u16(), 499);
    }
}
