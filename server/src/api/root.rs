//! The root of the public listener: which protocol a request speaks.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::oci::{self, OciApi};

/// Hands a request to its protocol by its path.
pub async fn answer(api: Data<OciApi>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let path = request.uri().path();
    if path == "/v2" || path.starts_with("/v2/") {
        return oci::dispatch(api, request, payload).await;
    }
    oci::nothing_here(&api, &request).await
}
