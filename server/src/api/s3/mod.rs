//! The S3 API: buckets and objects (API reference of Amazon S3, "Actions").

mod artifact;
mod attributes;
mod body;
mod buckets;
mod call;
mod copy;
mod delete;
mod error;
mod listing;
mod multipart;
mod objects;
mod tagging;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Payload;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use zas_s3::operation::{BucketOperation, ObjectOperation, Operation};
use zas_s3::{ErrorCode, S3Error};

pub use call::S3Api;

use call::Call;
use error::Refusal;

use crate::api::observe::{EarlyEnd, RouteTemplate, early_end};
use crate::api::request_id::RequestId;

/// The id of a request in an answer.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");

/// The second id, which AWS uses to find the host.
const HOST_ID: HeaderName = HeaderName::from_static("x-amz-id-2");

/// Answers every request that is not of another protocol.
pub async fn dispatch(api: &S3Api, request: HttpRequest, payload: Payload) -> HttpResponse {
    let answered = answer(api, &request, payload).await;
    let mut response = answered.unwrap_or_else(|refusal| {
        let refusal = early_end(&request).map_or(refusal, of_early_end);
        error::render(refusal, &request)
    });
    let id = request.extensions().get::<RequestId>().cloned();
    if let Some(id) = id.and_then(|id| HeaderValue::from_str(id.as_str()).ok()) {
        response.headers_mut().insert(REQUEST_ID, id.clone());
        response.headers_mut().insert(HOST_ID, id);
    }
    response
}

/// What a client is told whose body was not waited for.
fn of_early_end(reason: EarlyEnd) -> Refusal {
    match reason {
        EarlyEnd::Stalled => ErrorCode::RequestTimeout.into(),
        EarlyEnd::CutOff => S3Error::with_message(
            ErrorCode::ServiceUnavailable,
            "The server is stopping. Please try again.",
        )
        .into(),
    }
}

async fn answer(api: &S3Api, request: &HttpRequest, payload: Payload) -> Result<HttpResponse, Refusal> {
    request.extensions_mut().insert(RouteTemplate("s3/{unknown}"));
    let (call, operation) = Call::authenticate(api, request, payload).await?;
    match operation {
        Operation::ListBuckets => buckets::list(&call).await,
        Operation::Bucket(name, operation) => on_bucket(call, name, operation).await,
        Operation::Object(name, key, operation) => on_object(call, name, key, operation).await,
    }
}

async fn on_bucket(
    mut call: Call<'_>,
    name: zas_core::BucketName,
    operation: BucketOperation,
) -> Result<HttpResponse, Refusal> {
    use BucketOperation as Asked;
    if operation == Asked::Create {
        return buckets::create(&mut call, &name).await;
    }
    let bucket = call.asked_bucket(&name).await?;
    match operation {
        Asked::Create | Asked::Preflight => Err(S3Error::from(ErrorCode::AccessForbidden).into()),
        Asked::Head => buckets::head(&call, &bucket),
        Asked::Delete => buckets::delete(&call, &bucket).await,
        Asked::GetLocation => buckets::location(&call, &bucket),
        Asked::ListObjects => listing::objects(&call, &bucket).await,
        Asked::ListObjectsV2 => listing::objects_v2(&call, &bucket).await,
        Asked::ListObjectVersions => listing::versions(&call, &bucket).await,
        Asked::DeleteObjects => delete::several(&mut call, &bucket).await,
        Asked::GetTagging => tagging::get_of_bucket(&call, &bucket).await,
        Asked::PutTagging => tagging::put_of_bucket(&mut call, &bucket).await,
        Asked::DeleteTagging => tagging::delete_of_bucket(&call, &bucket).await,
        Asked::GetVersioning => buckets::versioning(&call, &bucket),
        Asked::PutVersioning => buckets::set_versioning(&mut call, &bucket).await,
        Asked::GetAcl => buckets::acl(&call, &bucket),
        Asked::PutAcl => buckets::set_acl(&mut call, &bucket).await,
        Asked::GetConfiguration(configuration) => buckets::unset(&call, &bucket, operation, configuration),
        Asked::DeleteConfiguration(_) => buckets::delete_unset(&call, &bucket, operation),
        Asked::ListMultipartUploads => multipart::list(&call, &bucket).await,
    }
}

async fn on_object(
    mut call: Call<'_>,
    name: zas_core::BucketName,
    key: zas_core::ObjectKey,
    operation: ObjectOperation,
) -> Result<HttpResponse, Refusal> {
    use ObjectOperation as Asked;
    let bucket = call.asked_bucket(&name).await?;
    let object = call::KeyOf { bucket: &bucket, key };
    match operation {
        Asked::Get { version, part } => objects::get(&call, &object, version, part).await,
        Asked::Head { version, part } => objects::head(&call, &object, version, part).await,
        Asked::Put => objects::put(&mut call, &object).await,
        Asked::Copy { source } => copy::object(&call, &object, &source).await,
        Asked::Delete { version } => delete::one(&call, &object, version).await,
        Asked::GetAttributes { version } => attributes::get(&call, &object, version).await,
        Asked::GetTagging { version } => tagging::get(&call, &object, version).await,
        Asked::PutTagging { version } => tagging::put(&mut call, &object, version).await,
        Asked::DeleteTagging { version } => tagging::delete(&call, &object, version).await,
        Asked::GetAcl { version } => objects::acl(&call, &object, version).await,
        Asked::PutAcl { version } => objects::set_acl(&mut call, &object, version).await,
        Asked::GetLockProperty { property, .. } => Err(property.not_set().into()),
        Asked::Preflight => Err(S3Error::from(ErrorCode::AccessForbidden).into()),
        Asked::CreateMultipartUpload => multipart::create(&call, &object).await,
        Asked::UploadPart { upload, part } => multipart::put(&mut call, &object, &upload, part).await,
        Asked::UploadPartCopy { upload, part, source } => {
            multipart::copy(&call, &object, &upload, part, &source).await
        }
        Asked::CompleteMultipartUpload { upload } => multipart::complete(&mut call, &object, &upload).await,
        Asked::AbortMultipartUpload { upload } => multipart::abort(&call, &object, &upload).await,
        Asked::ListParts { upload } => multipart::list_parts(&call, &object, &upload).await,
    }
}

/// An answer without a body.
fn empty(status: StatusCode) -> HttpResponse {
    HttpResponse::build(status).finish()
}

/// An answer with a document.
fn document(status: StatusCode, xml: String) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("application/xml")
        .body(xml)
}

fn set_header(response: &mut HttpResponse, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use actix_web::test::TestRequest;

    use super::*;

    #[actix_web::test]
    async fn given_a_body_that_was_not_waited_for_when_answered_then_the_client_learns_whose_fault_it_was() {
        for (reason, status, code) in [
            (
                EarlyEnd::CutOff,
                StatusCode::SERVICE_UNAVAILABLE,
                "ServiceUnavailable",
            ),
            (EarlyEnd::Stalled, StatusCode::BAD_REQUEST, "RequestTimeout"),
        ] {
            let request = TestRequest::put().uri("/bucket/key").to_http_request();
            let response = error::render(of_early_end(reason), &request);
            assert_eq!(response.status(), status);
            let body = to_bytes(response.into_body()).await.unwrap();
            let text = std::str::from_utf8(&body).unwrap();
            assert!(text.contains(&format!("<Code>{code}</Code>")), "{text}");
        }
    }
}
