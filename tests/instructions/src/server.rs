//! The server as it answers in this process.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use actix_http::Request;
use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, LOCATION};
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{Bytes, Data, to};
use actix_web::{App, Error};
use anyhow::{Result, anyhow, ensure};
use zas_blobs::MemoryBlobs;
use zas_config::Configuration;
use zas_core::SystemIds;
use zas_metadata::{Clocks, MemoryMetadata, Timing};
use zot_artifact_store::api::oci::OciApi;
use zot_artifact_store::api::{RequestEnvironment, observe, root};
use zot_artifact_store::app::JsonLine;
use zot_artifact_store::services::auth::Access;
use zot_artifact_store::services::registry::{Registry, RegistryParts, RegistrySettings};

const CONFIGURATION: &str = r#"configVersion: 1
storage:
  metadata: { engine: memory }
  blobs: { store: memory }
limits: { tagParameters: 1000 }
accessControl:
  repositories:
    "**": { anonymousPolicy: [read, create, update, delete] }
"#;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// `Location`.
    pub(crate) location: Option<String>,
    /// Everything that was sent.
    pub(crate) body: Bytes,
}

/// A service that answers requests.
#[derive(Debug)]
pub(crate) struct Server<S>(S);

impl<S, B> Server<S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    /// Sends a request and takes the whole answer, which must have this status.
    pub(crate) async fn expect(
        &self,
        expected: StatusCode,
        request: TestRequest,
        body: Bytes,
    ) -> Result<Answer> {
        let length = body.len();
        let request = request
            .insert_header((CONTENT_LENGTH, length))
            .peer_addr(SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000)))
            .set_payload(body)
            .to_request();
        let answer = self.0.call(request).await.map_err(|error| anyhow!("{error}"))?;
        let status = answer.status();
        let location = answer
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok());
        let location = location.map(str::to_owned);
        let body = to_bytes(answer.into_body()).await;
        let body = body.map_err(|error| anyhow!("the body ended early: {}", error.into()))?;
        ensure!(
            status == expected,
            "answered {status} instead of {expected}: {}",
            String::from_utf8_lossy(&body)
        );
        Ok(Answer { location, body })
    }
}

/// The server's routes and middleware over stores in memory.
pub(crate) async fn start()
-> Result<Server<impl Service<Request, Response = ServiceResponse<impl MessageBody>, Error = Error>>> {
    // The line of each request is written as in production, to nowhere.
    let log = tracing_subscriber::fmt()
        .event_format(JsonLine)
        .with_writer(std::io::sink);
    log.try_init()
        .map_err(|error| anyhow!("starting the log: {error}"))?;
    let configuration = Configuration::parse(Path::new("built-in"), CONFIGURATION)?;
    let api = Data::new(api(&configuration)?);
    let edge = RequestEnvironment::default();
    let app = App::new()
        .app_data(api)
        .default_service(to(root::answer))
        .wrap(from_fn(move |request, next| observe(edge.clone(), request, next)));
    Ok(Server(init_service(app).await))
}

fn api(configuration: &Configuration) -> Result<OciApi> {
    let clocks = Clocks::system();
    let clock = Arc::clone(&clocks.wall);
    let collection = &configuration.collection;
    let timing = Timing {
        grace: collection.grace.into(),
        doom_delay: collection.doom_delay.into(),
    };
    let parts = RegistryParts {
        metadata: Arc::new(MemoryMetadata::new(clocks, timing)),
        blobs: Arc::new(MemoryBlobs::new()),
        clock: Arc::clone(&clock),
        ids: Arc::new(SystemIds::default()),
    };
    let limits = &configuration.limits;
    let settings = RegistrySettings {
        manifest_size: limits.manifest_size.in_memory(),
        manifest_references: limits.manifest_references as usize,
        blob_size: None,
        concurrent_uploads: limits.concurrent_uploads as usize,
        open_uploads: limits.open_uploads as usize,
        page_size: limits.page_size as usize,
        referrers_count: limits.referrers_page.count as usize,
        referrers_size: limits.referrers_page.size.in_memory(),
        registry: configuration.registry.clone(),
    };
    let registry = Registry::new(parts, settings, limits.upload_memory());
    let access = Access::new(configuration, clock).map_err(|reasons| anyhow!(reasons.join("; ")))?;
    Ok(OciApi::new(registry, None, Arc::new(access), configuration))
}
