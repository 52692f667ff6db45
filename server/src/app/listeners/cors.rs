//! Which web pages of other origins may call.

use actix_cors::Cors;
use zas_config::Cors as CorsSection;

/// Only the origins that are named, never with credentials.
pub(super) fn cors(section: Option<&CorsSection>) -> Cors {
    let origins = section
        .map(|section| section.allowed_origins.as_slice())
        .unwrap_or_default();
    origins
        .iter()
        .fold(Cors::default(), |cors, origin| {
            if origin.is_any() {
                cors.allow_any_origin()
            } else {
                cors.allowed_origin(origin.as_str())
            }
        })
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([
            "Authorization",
            "Content-Type",
            "Content-Range",
            "Range",
            "Accept",
            "If-None-Match",
            "If-Range",
        ])
        .expose_headers([
            "Docker-Content-Digest",
            "Link",
            "Location",
            "Range",
            "OCI-Subject",
            "OCI-Filters-Applied",
            "OCI-Tag",
        ])
        .max_age(3600)
}
