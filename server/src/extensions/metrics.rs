//! `GET /metrics` on the operational listener.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Data, ServiceConfig, get};
use async_trait::async_trait;
use zas_blobs::BlobStore;
use zas_config::Metrics as MetricsSection;
use zas_metadata::MetadataStore;

use super::Extension;
use crate::api::{Observer, RequestRecord, Transfer};
use crate::services::maintenance::Collected;
use crate::services::metrics::{
    MeasuredBlobs, MeasuredMetadata, MeasuredRepository, MeasuredRequest, ServerMetrics,
};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The extension `metrics`.
#[derive(Debug)]
pub struct Metrics(Arc<ServerMetrics>);

impl Metrics {
    /// An extension with all numbers at zero.
    pub fn new(section: &MetricsSection) -> Self {
        let metrics = if section.per_repository {
            ServerMetrics::with_repositories()
        } else {
            ServerMetrics::new()
        };
        Self(Arc::new(metrics))
    }
}

#[derive(Debug)]
struct RequestObserver(Arc<ServerMetrics>);

impl Observer for RequestObserver {
    fn request_ended(&self, record: &RequestRecord) {
        let repository = record.repository.as_ref().map(|used| MeasuredRepository {
            name: used.name.as_str(),
            is_seen: used.is_seen,
            is_pull: used.transfer == Some(Transfer::Pull),
            is_push: used.transfer == Some(Transfer::Push),
        });
        self.0.request_ended(&MeasuredRequest {
            route: record.route,
            repository,
            method: record.method.as_str(),
            status: record.status.as_u16(),
            duration: record.duration,
            received_bytes: record.received_bytes,
            sent_bytes: record.sent_bytes,
        });
    }
}

#[async_trait]
impl Extension for Metrics {
    fn name(&self) -> &'static str {
        "metrics"
    }

    fn operations_routes(&self, routes: &mut ServiceConfig) {
        routes
            .app_data(Data::from(Arc::clone(&self.0)))
            .route("/metrics", get().to(metrics));
    }

    fn observer(&self) -> Option<Arc<dyn Observer>> {
        Some(Arc::new(RequestObserver(Arc::clone(&self.0))))
    }

    fn wrap_metadata(&self, store: Arc<dyn MetadataStore>) -> Arc<dyn MetadataStore> {
        Arc::new(MeasuredMetadata::new(store, Arc::clone(&self.0)))
    }

    fn wrap_blobs(&self, store: Arc<dyn BlobStore>) -> Arc<dyn BlobStore> {
        Arc::new(MeasuredBlobs::new(store, Arc::clone(&self.0)))
    }

    fn collected(&self, round: Result<Collected, ()>) {
        self.0.collected(round);
    }
}

async fn metrics(metrics: Data<ServerMetrics>) -> HttpResponse {
    match metrics.encode() {
        Ok(text) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, OPEN_METRICS))
            .body(text),
        Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
    }
}
