//! `GET /metrics` on the operational listener.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Data, get};
use zas_blobs::BlobStore;
use zas_config::Metrics as MetricsSection;
use zas_metadata::MetadataStore;

use super::{Exposition, Extension, Foundation, MaintenanceObserver, Parts, Routes, Services, StoreLayer};
use crate::api::{ManifestTransfer, Observer, RequestRecord};
use crate::services::ConfigurationProblems;
use crate::services::maintenance::{Collected, Scrubbed};
use crate::services::metrics::{
    MeasuredBlobs, MeasuredMetadata, MeasuredRepository, MeasuredRequest, Reading, ServerMetrics,
};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The extension `metrics`.
#[derive(Debug)]
pub struct Metrics(Arc<ServerMetrics>);

/// The numbers, in each of the places where the server has word for them.
#[derive(Clone, Debug)]
struct Measured(Arc<ServerMetrics>);

impl Metrics {
    /// An extension with all numbers at zero, which shows these problems of the configuration.
    pub fn new(section: &MetricsSection, problems: &Arc<ConfigurationProblems>) -> Self {
        let mut metrics = if section.per_repository {
            ServerMetrics::with_repositories()
        } else {
            ServerMetrics::new()
        };
        metrics.watch_configuration(Arc::clone(problems));
        Self(Arc::new(metrics))
    }
}

impl Observer for Measured {
    fn request_ended(&self, record: &RequestRecord) {
        let repository = record.repository.as_ref().map(|used| MeasuredRepository {
            name: used.name.as_str(),
            is_seen: used.is_seen,
            is_pull: used.transfer == Some(ManifestTransfer::Pull),
            is_push: used.transfer == Some(ManifestTransfer::Push),
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

impl StoreLayer for Measured {
    fn in_front_of_metadata(&self, store: Arc<dyn MetadataStore>) -> Arc<dyn MetadataStore> {
        Arc::new(MeasuredMetadata::new(store, &self.0))
    }

    fn in_front_of_blobs(&self, store: Arc<dyn BlobStore>) -> Arc<dyn BlobStore> {
        Arc::new(MeasuredBlobs::new(store, Arc::clone(&self.0)))
    }
}

impl Exposition for Measured {
    fn add(&self, readings: &[Reading]) {
        self.0.add_readings(readings.to_vec());
    }
}

impl MaintenanceObserver for Measured {
    fn collected(&self, round: Result<Collected, ()>) {
        self.0.collected(round);
    }

    fn scrubbed(&self, done: Scrubbed) {
        self.0.scrubbed(done);
    }
}

impl Metrics {
    fn measured(&self) -> Arc<Measured> {
        Arc::new(Measured(Arc::clone(&self.0)))
    }

    fn parts(&self) -> Parts {
        Parts {
            observer: Some(self.measured()),
            maintenance_observer: Some(self.measured()),
            ..Parts::default()
        }
    }
}

impl Extension for Metrics {
    fn name(&self) -> &'static str {
        "metrics"
    }

    fn foundation(&self) -> Foundation {
        let metrics = Data::from(Arc::clone(&self.0));
        let routes = Routes::new(move |routes| {
            routes
                .app_data(metrics.clone())
                .route("/metrics", get().to(self::metrics));
        });
        Foundation {
            operations_routes: Some(routes),
            layer: Some(self.measured()),
            exposition: Some(self.measured()),
        }
    }

    fn attach(&self, _: &Services) -> Result<Parts, String> {
        Ok(self.parts())
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::App;
    use actix_web::http::{Method, StatusCode};
    use actix_web::test::{TestRequest, call_and_read_body, init_service};

    use super::*;
    use crate::api::RepositoryUse;
    use crate::services::ConfigurationPart;

    #[actix_web::test]
    async fn given_requests_when_metrics_are_asked_for_then_repositories_appear_only_when_wished_for() {
        for per_repository in [true, false] {
            let section = MetricsSection {
                per_repository,
                ..MetricsSection::default()
            };
            let problems = Arc::<ConfigurationProblems>::default();
            let extension = Metrics::new(&section, &problems);
            problems.set(ConfigurationPart::Users, vec!["line 3".to_owned()]);
            for transfer in [Some(ManifestTransfer::Pull), Some(ManifestTransfer::Push), None] {
                extension.parts().observer.unwrap().request_ended(&RequestRecord {
                    route: "/v2/{name}/manifests/{reference}",
                    repository: Some(RepositoryUse {
                        name: "team/app".parse().unwrap(),
                        is_seen: true,
                        transfer,
                    }),
                    method: Method::GET,
                    status: StatusCode::OK,
                    duration: Duration::from_millis(1),
                    received_bytes: 1,
                    sent_bytes: 2,
                });
            }
            extension.parts().maintenance_observer.unwrap().collected(Err(()));

            let routes = extension.foundation().operations_routes.unwrap();
            let app = init_service(App::new().configure(|config| routes.add(config))).await;
            let text = call_and_read_body(&app, TestRequest::get().uri("/metrics").to_request()).await;
            let text = std::str::from_utf8(&text).unwrap();

            assert!(text.contains("zas_http_sent_bytes_total 6"), "{text}");
            assert!(text.contains("zas_collection_failures_total 1"), "{text}");
            assert!(
                text.contains("zas_configuration_problems{part=\"users\"} 1")
                    && text.contains("zas_configuration_problems{part=\"files\"} 0"),
                "{text}"
            );
            for line in [
                "zas_repository_requests_total{repository=\"team/app\"} 3",
                "zas_repository_pulls_total{repository=\"team/app\"} 1",
                "zas_repository_pushes_total{repository=\"team/app\"} 1",
            ] {
                assert_eq!(text.contains(line), per_repository, "{text}");
            }
        }
    }
}
