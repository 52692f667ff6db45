//! The public listener over stores in memory, without sockets.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use actix_web::App;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::middleware::from_fn;
use actix_web::rt::Runtime;
use actix_web::test::{TestRequest, init_service, try_call_service, try_read_body};
use actix_web::web::{Data, to};
use bytes::Bytes;
use zas_blobs::MemoryBlobs;
use zas_config::Configuration;
use zas_core::{Clock, IdSource, ManualClock, Timestamp, UploadId};
use zas_metadata::{MemoryMetadata, Timing};
use zot_artifact_store::api::oci::OciApi;
use zot_artifact_store::api::{RequestEnvironment, TrustedProxies, observe, root};
use zot_artifact_store::services::auth::Access;
use zot_artifact_store::services::registry::{Registry, RegistryParts, RegistrySettings};

/// Anybody may do anything, and the peer is a proxy whose word about the client is believed.
const CONFIGURATION: &str = "configVersion: 1
http: {trustedProxies: [127.0.0.0/8]}
accessControl: {repositories: {'**': {anonymousPolicy: [read, create, update, delete]}}}
";

/// Most entries of a page: few, so that listings have several.
pub(crate) const PAGE: usize = 4;

thread_local! {
    // Never dropped: it would wait for its threads while the thread that ends has no clock any more.
    static RUNTIME: &'static Runtime = Box::leak(Box::new(Runtime::new().expect("a runtime")));
}

/// Runs something to its end on this thread's runtime.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The text of a header.
    pub(crate) fn header(&self, name: &'static str) -> Option<&str> {
        self.headers.get(HeaderName::from_static(name))?.to_str().ok()
    }
}

type Answering = Pin<Box<dyn Future<Output = Answer>>>;

/// A server with its stores.
pub(crate) struct World(Box<dyn Fn(TestRequest) -> Answering>);

impl World {
    /// A server without any content.
    pub(crate) async fn new() -> Self {
        let (edge, api) = (trusting_edge(), Data::new(api()));
        let app = App::new()
            .app_data(api)
            .default_service(to(root::answer))
            .wrap(from_fn(move |request, next| observe(edge.clone(), request, next)));
        let service = std::rc::Rc::new(init_service(app).await);
        Self(Box::new(move |request| {
            let service = std::rc::Rc::clone(&service);
            Box::pin(async move {
                let response = try_call_service(&*service, request.to_request())
                    .await
                    .unwrap_or_else(|error| panic!("a request has no answer: {error}"));
                let (status, headers) = (response.status().as_u16(), response.headers().clone());
                let body = try_read_body(response)
                    .await
                    .unwrap_or_else(|error| panic!("an answer breaks off: {error}"));
                Answer {
                    status,
                    headers,
                    body,
                }
            })
        }))
    }

    /// Sends a request.
    pub(crate) async fn send(&self, request: TestRequest) -> Answer {
        let peer = SocketAddr::from(([127, 0, 0, 1], 4711));
        (self.0)(request.peer_addr(peer)).await
    }
}

fn trusting_edge() -> RequestEnvironment {
    RequestEnvironment {
        proxies: Arc::new(TrustedProxies::new(configuration().http.trusted_proxies)),
        ..RequestEnvironment::default()
    }
}

fn configuration() -> Configuration {
    Configuration::parse("fuzz.yaml".as_ref(), CONFIGURATION).expect("a configuration")
}

fn api() -> OciApi {
    let configuration = configuration();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::starting_at(Timestamp::from_millis(
        1_800_000_000_000,
    )));
    let timing = Timing {
        grace: configuration.collection.grace.into(),
        doom_delay: configuration.collection.doom_delay.into(),
    };
    let parts = RegistryParts {
        metadata: Arc::new(MemoryMetadata::new(Arc::clone(&clock), timing)),
        blobs: Arc::new(MemoryBlobs::new()),
        clock: Arc::clone(&clock),
        ids: Arc::new(CountedIds::default()),
    };
    let registry = Registry::new(parts, settings(&configuration), 1 << 20);
    let access = Access::new(&configuration, clock).expect("access rules");
    OciApi::new(registry, None, Arc::new(access), &configuration)
}

fn settings(configuration: &Configuration) -> RegistrySettings {
    RegistrySettings {
        manifest_size: 4096,
        manifest_references: 16,
        blob_size: Some(1 << 20),
        concurrent_uploads: 4,
        open_uploads: 1_000,
        page_size: PAGE,
        referrers_count: PAGE,
        referrers_size: 4096,
        registry: configuration.registry.clone(),
    }
}

/// The same ids in every run, so that an input does the same again.
#[derive(Debug, Default)]
struct CountedIds(AtomicU16);

impl IdSource for CountedIds {
    fn upload_id(&self, now: Timestamp) -> UploadId {
        let [high, low] = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        UploadId::new(now, &[0, 0, 0, 0, 0, 0, 0, 0, high, low])
    }
}
