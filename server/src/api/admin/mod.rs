//! The probes and the version on the operational listener.

mod status;

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::json;
use zas_blobs::BlobStore;
use zas_config::Configuration;
use zas_metadata::{DATA_FORMAT, MetadataStore};

use crate::extensions::Extensions;
use crate::services::{ConfigurationProblems, StoreWrites};

pub use status::{Phase, Status};

/// A store that does not answer a probe within this time does not serve clients either.
const PROBE_TIME: Duration = Duration::from_secs(2);

/// The process runs and handles requests.
pub async fn livez() -> HttpResponse {
    ok()
}

/// The stores are open. Says what is being waited for when they are not.
pub async fn startupz(status: Data<Status>) -> HttpResponse {
    match &*status.phase() {
        Phase::Starting(reason) => unavailable(reason),
        Phase::Ready(..) | Phase::Stopping => ok(),
    }
}

/// Clients are served: the stores can be read, the extensions work, and the server is not stopping. Which store takes no
/// writes, and what of the configuration is not in force as it was written, is told in the lines after the first: whoever
/// pulls is served all the same.
pub async fn readyz(
    status: Data<Status>,
    problems: Data<ConfigurationProblems>,
    writes: Data<StoreWrites>,
    extensions: Data<Extensions>,
) -> HttpResponse {
    let phase = status.phase();
    let (metadata, blobs) = match &*phase {
        Phase::Starting(reason) => return unavailable(reason),
        Phase::Stopping => return unavailable("the server is stopping"),
        Phase::Ready(metadata, blobs) => (metadata, blobs),
    };
    if let Some(reason) = extensions.unhealthy() {
        return unavailable(&reason);
    }
    match tokio::time::timeout(PROBE_TIME, read_stores(metadata.as_ref(), blobs.as_ref())).await {
        Ok(Ok(())) => ready(&writes, &problems),
        Ok(Err(reason)) => unavailable(&reason),
        Err(_) => unavailable("the stores do not answer in time"),
    }
}

/// What runs here: the version, and the versions of configuration and data that it understands.
pub async fn version() -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "configVersion": Configuration::default().config_version,
        "dataFormat": DATA_FORMAT,
    }))
}

/// Reads the least that there is in each store. Nobody takes the one's id for the other's here: the start has seen to that.
async fn read_stores(metadata: &dyn MetadataStore, blobs: &dyn BlobStore) -> Result<(), String> {
    let (rows, bytes) = tokio::join!(metadata.store_id(), blobs.store_id());
    rows.map_err(|error| error.to_string())?;
    bytes.map(drop).map_err(|error| error.to_string())
}

fn ready(writes: &StoreWrites, problems: &ConfigurationProblems) -> HttpResponse {
    let failing = writes.failures();
    let failing = failing.iter().map(|line| format!("writes fail: {line}\n"));
    let problems = problems.all();
    let problems = problems.iter().map(|line| format!("{line}\n"));
    let lines: String = failing.chain(problems).collect();
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body(format!("ok\n{lines}"))
}

fn ok() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

fn unavailable(reason: &str) -> HttpResponse {
    HttpResponse::ServiceUnavailable()
        .content_type("text/plain")
        .body(format!("{reason}\n"))
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use actix_web::http::StatusCode;

    use super::*;
    use crate::services::ConfigurationPart;

    #[actix_web::test]
    async fn given_a_configuration_that_is_not_in_force_when_ready_then_each_problem_is_told() {
        let problems = ConfigurationProblems::default();
        assert_eq!(
            to_bytes(ready(&StoreWrites::default(), &problems).into_body())
                .await
                .unwrap(),
            "ok\n"
        );

        problems.set(ConfigurationPart::Users, vec!["htpasswd:3: no".to_owned()]);

        let answer = ready(&StoreWrites::default(), &problems);
        assert_eq!(answer.status(), StatusCode::OK);
        let body = to_bytes(answer.into_body()).await.unwrap();
        assert_eq!(body, "ok\nusers: htpasswd:3: no\n");
    }
}
