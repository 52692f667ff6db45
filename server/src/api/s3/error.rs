//! The one place where failures become answers of S3.

use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use zas_blobs::BlobError;
use zas_metadata::MetadataError;
use zas_s3::{ErrorCode, S3Error, xml};

use crate::api::request_id::RequestId;
use crate::services::auth::Denied;
use crate::services::objects::ObjectsError;

/// An error and the headers that go with it.
#[derive(Debug)]
pub(super) struct Refusal {
    error: S3Error,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Refusal {
    pub(super) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// Says what the error is about.
    pub(super) fn about(mut self, element: &'static str, value: &str) -> Self {
        self.error = self.error.with(element, value);
        self
    }

    /// The error.
    pub(super) fn error(&self) -> &S3Error {
        &self.error
    }
}

impl From<S3Error> for Refusal {
    fn from(error: S3Error) -> Self {
        Self {
            error,
            headers: Vec::new(),
        }
    }
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        S3Error::from(code).into()
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        S3Error::with_message(
            ErrorCode::AccessDenied,
            format!("Access Denied: {}", denied.reason),
        )
        .into()
    }
}

impl From<ObjectsError> for Refusal {
    fn from(error: ObjectsError) -> Self {
        let s3 = match &error {
            ObjectsError::NoSuchBucket => ErrorCode::NoSuchBucket.into(),
            ObjectsError::BucketNotEmpty => ErrorCode::BucketNotEmpty.into(),
            ObjectsError::NoSuchKey => ErrorCode::NoSuchKey.into(),
            ObjectsError::NoSuchVersion => ErrorCode::NoSuchVersion.into(),
            ObjectsError::NoSuchUpload => ErrorCode::NoSuchUpload.into(),
            ObjectsError::DeleteMarker { marker, is_named } => return delete_marker(marker, *is_named),
            ObjectsError::PreconditionFailed => ErrorCode::PreconditionFailed.into(),
            ObjectsError::MayNotWrite => ErrorCode::AccessDenied.into(),
            ObjectsError::TooManyUploads(_) => {
                return Self::from(ErrorCode::SlowDown).with_header("retry-after", "5");
            }
            ObjectsError::Superseded => ErrorCode::ConditionalRequestConflict.into(),
            ObjectsError::TooLarge { limit } => {
                S3Error::new(ErrorCode::EntityTooLarge).with("MaxSizeAllowed", limit.to_string())
            }
            ObjectsError::Incomplete { .. } => ErrorCode::IncompleteBody.into(),
            ObjectsError::Interrupted(reason) => S3Error::with_message(
                ErrorCode::IncompleteBody,
                format!("The body ended early: {reason}"),
            ),
            ObjectsError::Promise(error) => error.clone(),
            ObjectsError::Metadata(MetadataError::Unavailable(_)) => ErrorCode::ServiceUnavailable.into(),
            ObjectsError::Blobs(BlobError::Full { .. }) => {
                tracing::error!(%error, "an object was refused: the disk is full");
                S3Error::with_message(ErrorCode::ServiceUnavailable, "The disk of the server is full")
            }
            ObjectsError::Metadata(_) | ObjectsError::Blobs(_) | ObjectsError::Task(_) => {
                tracing::error!(%error, "an S3 request failed");
                ErrorCode::InternalError.into()
            }
        };
        s3.into()
    }
}

/// A delete marker: missing for who asks for the object, no object for who asks for the marker itself.
fn delete_marker(marker: &zas_metadata::DeleteMarker, is_named: bool) -> Refusal {
    let code = if is_named {
        ErrorCode::MethodNotAllowed
    } else {
        ErrorCode::NoSuchKey
    };
    let version = super::objects::version_text(&marker.version);
    Refusal::from(code)
        .with_header("x-amz-delete-marker", "true")
        .with_header("x-amz-version-id", &version)
}

/// The answer to a refused request: a document, but for `HEAD`.
pub(super) fn render(refusal: Refusal, request: &HttpRequest) -> HttpResponse {
    let status = StatusCode::from_u16(refusal.error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for header in refusal.headers {
        response.insert_header(header);
    }
    if request.method() == Method::HEAD || status == StatusCode::NOT_MODIFIED {
        return response.finish();
    }
    let id = request.extensions().get::<RequestId>().cloned();
    let id = id.as_ref().map_or("", RequestId::as_str);
    response
        .insert_header((CONTENT_TYPE, "application/xml"))
        .body(xml::error(&refusal.error, request.uri().path(), id, id))
}
