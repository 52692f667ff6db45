//! The OCI distribution API, version 1.1.1 and its newest text.

mod base;
mod blobs;
mod buckets;
mod call;
mod catalog;
mod conditional;
mod error;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod manifests;
mod multipart;
mod page;
mod path;
mod query;
mod referrers;
mod repository_use;
mod tags;
#[cfg(test)]
mod tests;
mod uploads;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::header::HeaderName;
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Payload};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};

pub use call::OciApi;
pub use error::{OciError, OciErrorCode};

use call::Call;
use path::OciPath;

use crate::api::body::Held;
use crate::api::observe::{EarlyEnd, RouteTemplate, early_end};
use crate::services::registry::RegistryError;

/// The digest of what an answer is about.
const DOCKER_CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// Answers every request below `/v2`.
pub async fn dispatch(api: Data<OciApi>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let path = OciPath::parse(request.uri().path());
    let named = path.as_ref().ok().cloned();
    let answered = answer(&api, &request, path, payload).await;
    let answered = answered.and_then(|response| hold(&api, &request, response));
    let response = answered.unwrap_or_else(|error| {
        let error = match early_end(&request) {
            None => error,
            Some(EarlyEnd::Stalled) => error.with_status(StatusCode::REQUEST_TIMEOUT),
            Some(EarlyEnd::CutOff) => OciError::unavailable("the server is stopping: try again"),
        };
        error.into_response()
    });
    if let Some(used) = named.and_then(|path| repository_use::of(&path, request.method(), response.status()))
    {
        request.extensions_mut().insert(used);
    }
    response
}

/// Answers a request for a path that no protocol serves: 404, or 401 for those who may do nothing here.
pub async fn nothing_here(api: &OciApi, request: &HttpRequest) -> HttpResponse {
    let refusal = match Call::authenticate(api, request).await {
        Ok(_) => OciError::new(
            OciErrorCode::NameUnknown,
            "nothing is served here: the distribution API is below /v2/",
        ),
        Err(refusal) => refusal,
    };
    refusal.into_response()
}

/// A long answer takes memory until its client has read it.
fn hold(api: &OciApi, request: &HttpRequest, response: HttpResponse) -> Result<HttpResponse, OciError> {
    let is_long = matches!(response.body().size(), BodySize::Sized(length) if length > Held::FROM);
    if !is_long {
        return Ok(response);
    }
    let (response, body) = response.into_parts();
    // What is read while it is sent sees to its memory itself.
    let bytes = match body.try_into_bytes() {
        Ok(bytes) => bytes,
        Err(body) => return Ok(response.set_body(body)),
    };
    let memory = api.memory.take(call::client_of(request), bytes.len());
    let memory = memory.map_err(OciError::no_memory)?;
    Ok(response.set_body(BoxBody::new(Held::new(bytes, memory))))
}

async fn answer(
    api: &OciApi,
    request: &HttpRequest,
    path: Result<OciPath, OciError>,
    payload: Payload,
) -> Result<HttpResponse, OciError> {
    let template = path.as_ref().map_or("/v2/{unknown}", OciPath::template);
    request.extensions_mut().insert(RouteTemplate(template));
    let call = Call::authenticate(api, request).await?;
    let path = path?;
    // Looked at by value: a guard per method would hide which methods a path has.
    let method = request.method();
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    // Whoever may come in at all is told so before their rights are looked at: no right helps.
    if let Some(name) = path.repository().filter(|name| !is_read && name.is_reserved()) {
        return Err(RegistryError::Reserved(name.clone()).into());
    }
    let reserved = path.repository().filter(|name| name.is_reserved());
    if let (Some(objects), Some(name)) = (&api.objects, reserved) {
        return Box::pin(buckets::get(&call, objects, name, &path)).await;
    }
    // Pulls are all that is not boxed: the future of a request is as large as its largest branch, and is moved several times.
    match path {
        OciPath::Base if is_read => base::version(&call),
        OciPath::Catalog if is_read => Box::pin(catalog::list(&call)).await,
        OciPath::Extensions if is_read => base::extensions(),
        OciPath::Tags(name) if is_read => Box::pin(tags::list(&call, &name)).await,
        OciPath::Referrers(name, digest) if is_read => Box::pin(referrers::list(&call, &name, &digest)).await,
        OciPath::Manifest(name, reference) => match *method {
            Method::GET | Method::HEAD => manifests::get(&call, &name, &reference).await,
            Method::PUT => Box::pin(manifests::put(&call, &name, &reference, payload)).await,
            Method::DELETE => Box::pin(manifests::delete(&call, &name, &reference)).await,
            _ => Err(OciError::method_not_allowed("GET, HEAD, PUT, DELETE")),
        },
        OciPath::Blob(name, digest) => match *method {
            Method::GET => blobs::get(&call, &name, &digest).await,
            Method::HEAD => blobs::head(&call, &name, &digest).await,
            Method::DELETE => Box::pin(blobs::delete(&call, &name, &digest)).await,
            _ => Err(OciError::method_not_allowed("GET, HEAD, DELETE")),
        },
        OciPath::Uploads(name) => match *method {
            Method::POST => Box::pin(uploads::start(&call, &name, payload)).await,
            _ => Err(OciError::method_not_allowed("POST")),
        },
        OciPath::Upload(target) => match *method {
            Method::GET | Method::HEAD => Box::pin(uploads::status(&call, &target)).await,
            Method::PATCH => Box::pin(uploads::append(&call, &target, payload)).await,
            Method::PUT => Box::pin(uploads::finish(&call, &target, payload)).await,
            Method::DELETE => Box::pin(uploads::cancel(&call, &target)).await,
            _ => Err(OciError::method_not_allowed("GET, PATCH, PUT, DELETE")),
        },
        OciPath::Base
        | OciPath::Catalog
        | OciPath::Extensions
        | OciPath::Tags(_)
        | OciPath::Referrers(..) => Err(OciError::method_not_allowed("GET, HEAD")),
    }
}
