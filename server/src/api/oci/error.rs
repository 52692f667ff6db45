//! The one place where failures become answers of the distribution specification ("Error Codes").

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::{Value, json};
use zas_blobs::BlobError;
use zas_metadata::MetadataError;

use super::uploads::position_range;
use crate::services::capacity::Refusal;
use crate::services::registry::RegistryError;

/// What a client is told to wait for memory: others hold it for as long as they send or read.
const MEMORY_RETRY_AFTER: Duration = Duration::from_secs(2);

/// The codes that the specification defines for answers of 4xx, and two for faults of the server, for which it has none:
/// distribution's, after which clients try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the specification is their documentation")]
pub enum OciErrorCode {
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    SizeInvalid,
    Unauthorized,
    Denied,
    Unsupported,
    #[serde(rename = "TOOMANYREQUESTS")]
    TooManyRequests,
    Unknown,
    Unavailable,
}

impl OciErrorCode {
    /// The status that usually goes with the code.
    const fn status(self) -> StatusCode {
        match self {
            Self::BlobUnknown | Self::BlobUploadUnknown | Self::ManifestUnknown | Self::NameUnknown => {
                StatusCode::NOT_FOUND
            }
            Self::ManifestBlobUnknown
            | Self::BlobUploadInvalid
            | Self::DigestInvalid
            | Self::ManifestInvalid
            | Self::NameInvalid
            | Self::SizeInvalid
            | Self::Unsupported => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Denied => StatusCode::FORBIDDEN,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Unknown => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// An answer that refuses or fails.
#[derive(Clone, Debug)]
pub struct OciError(Box<Answer>);

#[derive(Clone, Debug)]
struct Answer {
    status: StatusCode,
    code: OciErrorCode,
    message: String,
    detail: Option<Value>,
    headers: Vec<(HeaderName, String)>,
}

impl OciError {
    /// An error with the usual status of its code.
    pub fn new(code: OciErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(Answer {
            status: code.status(),
            code,
            message: message.into(),
            detail: None,
            headers: Vec::new(),
        }))
    }

    /// The same error with another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self
    }

    /// The same error with a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.0.headers.push((name, value.into()));
        self
    }

    fn with_detail(mut self, detail: Value) -> Self {
        self.0.detail = Some(detail);
        self
    }

    fn with_retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.with_header(header::RETRY_AFTER, seconds.max(1).to_string())
    }

    /// The path exists, the method does not.
    pub fn method_not_allowed(allowed: &str) -> Self {
        Self::new(OciErrorCode::Unsupported, format!("this path supports {allowed}"))
            .with_status(StatusCode::METHOD_NOT_ALLOWED)
            .with_header(header::ALLOW, allowed)
    }

    /// Too many requests; to be tried again after `wait`.
    pub fn too_many_requests(message: impl Into<String>, wait: Duration) -> Self {
        Self::new(OciErrorCode::TooManyRequests, message).with_retry_after(wait)
    }

    /// There is no memory for the request at the moment.
    pub(super) fn no_memory(refusal: Refusal) -> Self {
        Self::too_many_requests(
            format!("much memory is in use for manifests and long answers, {refusal}: try again soon"),
            MEMORY_RETRY_AFTER,
        )
    }

    /// The server cannot answer now, though the request may be right.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(OciErrorCode::Unavailable, message).with_retry_after(Duration::from_secs(1))
    }

    fn internal(cause: &dyn std::fmt::Display) -> Self {
        // The cause may name files of the server, which are nobody's business outside.
        tracing::error!(error = %cause, "request failed");
        Self::new(OciErrorCode::Unknown, "the server failed; its log says why")
    }

    /// The answer in the form of the specification.
    pub fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.0.status);
        for (name, value) in self.0.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.append_header((name, value));
            }
        }
        let error = json!({ "code": self.0.code, "message": self.0.message, "detail": self.0.detail });
        response.json(json!({ "errors": [error] }))
    }
}

/// Tells a client how long its chunks should be at least.
const CHUNK_MIN_LENGTH: HeaderName = HeaderName::from_static("oci-chunk-min-length");

impl From<RegistryError> for OciError {
    fn from(error: RegistryError) -> Self {
        use OciErrorCode as Code;
        let message = error.to_string();
        match error {
            RegistryError::BlobUnknown { .. } => Self::new(Code::BlobUnknown, message),
            RegistryError::UploadUnknown(_) => Self::new(Code::BlobUploadUnknown, message),
            RegistryError::OutOfOrder { expected, .. } => Self::new(Code::BlobUploadInvalid, message)
                .with_status(StatusCode::RANGE_NOT_SATISFIABLE)
                .with_header(header::RANGE, position_range(expected)),
            RegistryError::SizeMismatch { .. } => Self::new(Code::SizeInvalid, message),
            RegistryError::BlobTooLarge { .. } => {
                Self::new(Code::SizeInvalid, message).with_status(StatusCode::PAYLOAD_TOO_LARGE)
            }
            RegistryError::TooManyPieces { min_length, .. } => Self::new(Code::SizeInvalid, message)
                .with_status(StatusCode::PAYLOAD_TOO_LARGE)
                .with_header(CHUNK_MIN_LENGTH, min_length.to_string()),
            RegistryError::DigestMismatch { .. } => Self::new(Code::DigestInvalid, message),
            RegistryError::Superseded(_) => {
                Self::new(Code::BlobUploadInvalid, message).with_status(StatusCode::CONFLICT)
            }
            RegistryError::Interrupted(_) => Self::new(Code::BlobUploadInvalid, message),
            RegistryError::TooManyUploads { retry_after, .. }
            | RegistryError::TooManyOpenUploads { retry_after, .. } => {
                Self::too_many_requests(message, retry_after)
            }
            RegistryError::ManifestUnknown { .. } => Self::new(Code::ManifestUnknown, message),
            // Status and code are zot's.
            RegistryError::ManifestShared { .. } => {
                Self::new(Code::ManifestInvalid, message).with_status(StatusCode::CONFLICT)
            }
            RegistryError::ManifestTooLarge { .. } => {
                Self::new(Code::ManifestInvalid, message).with_status(StatusCode::PAYLOAD_TOO_LARGE)
            }
            RegistryError::ManifestInvalid(_) => Self::new(Code::ManifestInvalid, message),
            RegistryError::ReferencesMissing { digests, .. } => {
                Self::new(Code::ManifestBlobUnknown, message).with_detail(json!(digests))
            }
            RegistryError::TagForbidden { .. }
            | RegistryError::TypeForbidden { .. }
            | RegistryError::Reserved(_) => Self::new(Code::Denied, message),
            RegistryError::RepositoryUnknown(_) => Self::new(Code::NameUnknown, message),
            // Nobody else learns of it: names and digests are the caller's own. Trying again is no help, pushing is.
            RegistryError::BlobDamaged { .. } => {
                Self::new(Code::BlobUnknown, message).with_status(StatusCode::INTERNAL_SERVER_ERROR)
            }
            RegistryError::ManifestDamaged { .. } => {
                Self::new(Code::ManifestUnknown, message).with_status(StatusCode::INTERNAL_SERVER_ERROR)
            }
            RegistryError::Metadata(MetadataError::Unavailable(_)) => {
                tracing::warn!(error = %message, "metadata store unavailable");
                Self::unavailable("the store is not available at the moment: try again")
            }
            RegistryError::Blobs(BlobError::Full { .. }) => {
                tracing::error!(error = %message, "storage is full");
                Self::new(
                    Code::BlobUploadInvalid,
                    "the storage is full: pushes are refused until space is freed",
                )
                .with_status(StatusCode::INSUFFICIENT_STORAGE)
            }
            RegistryError::Metadata(_)
            | RegistryError::Blobs(_)
            | RegistryError::HashState(_)
            | RegistryError::Task(_) => Self::internal(&message),
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;

    #[actix_web::test]
    async fn given_an_error_when_rendered_then_the_body_is_that_of_the_specification() {
        let response = OciError::new(OciErrorCode::NameUnknown, "repository x is not known").into_response();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        let body = to_bytes(response.into_body()).await.unwrap();
        let text = std::str::from_utf8(&body).unwrap();
        let expected =
            r#"{"errors":[{"code":"NAME_UNKNOWN","message":"repository x is not known","detail":null}]}"#;
        assert_eq!(
            serde_json::from_str::<Value>(text).unwrap(),
            serde_json::from_str::<Value>(expected).unwrap()
        );
    }

    #[test]
    fn given_a_wait_when_told_then_in_whole_seconds_of_at_least_one() {
        for (wait, header) in [
            (Duration::ZERO, "1"),
            (Duration::from_millis(1_200), "2"),
            (Duration::from_secs(5), "5"),
        ] {
            let error = OciError::too_many_requests("slow down", wait);
            assert_eq!(error.0.headers, [(header::RETRY_AFTER, header.to_owned())]);
        }
    }

    #[test]
    fn given_all_codes_when_written_then_as_the_specification_spells_them() {
        assert_eq!(json!(OciErrorCode::TooManyRequests), "TOOMANYREQUESTS");
        assert_eq!(json!(OciErrorCode::ManifestBlobUnknown), "MANIFEST_BLOB_UNKNOWN");
    }

    #[test]
    fn given_each_refusal_of_the_registry_when_mapped_then_status_and_code_are_those_of_the_specification() {
        use OciErrorCode as Code;
        use zas_blobs::BlobError;
        use zas_core::{Digest, LocationName, Timestamp, UploadId};

        let (digest, repository) = (Digest::sha256_of(b"x"), || "a/b".parse().unwrap());
        let id = UploadId::new(Timestamp::from_millis(1), &[7; 10]);
        let name = LocationName {
            upload: id,
            start: 1,
            epoch: 1,
            ordinal: 0,
        };
        let wait = Duration::from_secs(5);
        let full = BlobError::Full { free: 1, reserve: 2 };
        let table = [
            (
                RegistryError::BlobUnknown {
                    digest,
                    repository: repository(),
                },
                404,
                Code::BlobUnknown,
            ),
            (RegistryError::UploadUnknown(id), 404, Code::BlobUploadUnknown),
            (
                RegistryError::OutOfOrder {
                    id,
                    expected: 7,
                    found: 9,
                },
                416,
                Code::BlobUploadInvalid,
            ),
            (
                RegistryError::SizeMismatch {
                    expected: 1,
                    found: 2,
                },
                400,
                Code::SizeInvalid,
            ),
            (RegistryError::BlobTooLarge { limit: 1 }, 413, Code::SizeInvalid),
            (
                RegistryError::TooManyPieces {
                    pieces: 3,
                    min_length: 1 << 20,
                },
                413,
                Code::SizeInvalid,
            ),
            (
                RegistryError::DigestMismatch {
                    named: digest,
                    found: digest,
                },
                400,
                Code::DigestInvalid,
            ),
            (RegistryError::Superseded(id), 409, Code::BlobUploadInvalid),
            (
                RegistryError::Interrupted(String::new()),
                400,
                Code::BlobUploadInvalid,
            ),
            (
                RegistryError::TooManyUploads {
                    refusal: Refusal::Greedy,
                    retry_after: wait,
                },
                429,
                Code::TooManyRequests,
            ),
            (
                RegistryError::TooManyOpenUploads {
                    refusal: Refusal::Full,
                    retry_after: wait,
                },
                429,
                Code::TooManyRequests,
            ),
            (
                RegistryError::ManifestTooLarge { limit: 1 },
                413,
                Code::ManifestInvalid,
            ),
            (
                RegistryError::ReferencesMissing {
                    repository: repository(),
                    digests: vec![digest],
                },
                400,
                Code::ManifestBlobUnknown,
            ),
            (
                RegistryError::TagForbidden {
                    tag: "v1".parse().unwrap(),
                    exists: true,
                },
                403,
                Code::Denied,
            ),
            (
                RegistryError::ManifestShared {
                    digest,
                    repository: repository(),
                },
                409,
                Code::ManifestInvalid,
            ),
            (
                RegistryError::TypeForbidden {
                    digest,
                    stored: "a/b".parse().unwrap(),
                },
                403,
                Code::Denied,
            ),
            (RegistryError::Reserved(repository()), 403, Code::Denied),
            (
                RegistryError::RepositoryUnknown(repository()),
                404,
                Code::NameUnknown,
            ),
            (
                RegistryError::BlobDamaged {
                    digest,
                    repository: repository(),
                },
                500,
                Code::BlobUnknown,
            ),
            (
                RegistryError::ManifestDamaged {
                    reference: "v1".parse().unwrap(),
                    repository: repository(),
                },
                500,
                Code::ManifestUnknown,
            ),
            (
                RegistryError::Metadata(MetadataError::Unavailable(String::new())),
                503,
                Code::Unavailable,
            ),
            (
                RegistryError::Metadata(MetadataError::Corrupt("secret row".to_owned())),
                500,
                Code::Unknown,
            ),
            (RegistryError::Blobs(full), 507, Code::BlobUploadInvalid),
            (
                RegistryError::Blobs(BlobError::NotFound(name)),
                500,
                Code::Unknown,
            ),
            (RegistryError::Task("secret panic".to_owned()), 500, Code::Unknown),
        ];
        for (error, status, code) in table {
            let message = error.to_string();
            let OciError(answer) = error.into();
            assert_eq!((answer.status.as_u16(), answer.code), (status, code), "{message}");
            assert!(!answer.message.contains("secret"), "{}", answer.message);
            assert_eq!(
                answer.headers.iter().any(|(name, _)| name == header::RANGE),
                status == 416,
                "{message}"
            );
            let hints = answer.headers.iter().any(|(name, _)| *name == CHUNK_MIN_LENGTH);
            assert_eq!(hints, message.contains("pieces"), "{message}");
            let asks_to_wait = answer.headers.iter().any(|(name, _)| name == header::RETRY_AFTER);
            assert_eq!(asks_to_wait, matches!(status, 429 | 503), "{message}");
        }
    }
}
