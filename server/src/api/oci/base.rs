//! `GET /v2/` and the discovery of extensions.

use actix_web::HttpResponse;
use actix_web::http::header::WWW_AUTHENTICATE;
use serde_json::json;

use super::OciError;
use super::call::Call;

/// Tells that this is a registry. Clients learn here whether they have to sign in.
pub(super) fn version(call: &Call<'_>) -> Result<HttpResponse, OciError> {
    let mut response = HttpResponse::Ok();
    response.insert_header(("Docker-Distribution-Api-Version", "registry/2.0"));
    for challenge in call.optional_challenges() {
        // Anonymous callers may do something here, others more: clients that look at this header although the status
        // is 200 sign in and may push.
        response.append_header((WWW_AUTHENTICATE, challenge));
    }
    Ok(response.json(json!({})))
}

/// The extensions of the distribution API that this server has (distribution-spec, extensions): none yet.
pub(super) fn extensions() -> Result<HttpResponse, OciError> {
    Ok(HttpResponse::Ok().json(json!({ "extensions": [] })))
}
