//! The root of the public listener: which protocol a request speaks.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::oci::{self, OciApi};
use super::s3::{self, S3Api};

/// Hands a request to its protocol by its path.
pub async fn answer(api: Data<OciApi>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let path = request.uri().path();
    let s3 = request.app_data::<Data<S3Api>>().cloned();
    // The futures of S3 are large, and would be moved with every request of the other protocol if they were not boxed.
    // A bucket has a host of its own, where everything is an object.
    if let Some(s3) = s3.as_ref().filter(|s3| s3.is_host_of_bucket(&request)) {
        return Box::pin(s3::dispatch(s3, request.clone(), payload)).await;
    }
    if path == "/v2" || path.starts_with("/v2/") {
        return oci::dispatch(api, request, payload).await;
    }
    // No bucket can have this name.
    if let Some(s3) = s3.filter(|_| !path.starts_with("/_/")) {
        return Box::pin(s3::dispatch(&s3, request.clone(), payload)).await;
    }
    oci::nothing_here(&api, &request).await
}
