//! Query parameters (API reference, "Authenticating Requests: Using Query Parameters").

use std::time::Duration;

use zas_core::Timestamp;

use super::canonical::{self, ALGORITHM, SIGNATURE_PARAMETER};
use super::header::{check_signed_headers, signed_headers};
use super::scope::{Credential, Expected, MAX_SKEW, WrongCredential};
use super::signed::SignedRequest;
use crate::error::{ErrorCode, S3Error};
use crate::head::RequestHead;
use crate::payload::{ContentSha256, DeclaredPayload};
use crate::time;

/// Seven days.
const MAX_EXPIRES: u64 = 604_800;

/// Reads a request that is signed in its query.
pub(super) fn parse(head: &RequestHead<'_>, expected: &Expected<'_>) -> Result<SignedRequest, S3Error> {
    let algorithm = required(head, "X-Amz-Algorithm")?;
    if algorithm != ALGORITHM {
        return Err(says(format!("X-Amz-Algorithm only supports \"{ALGORITHM}\"")));
    }
    let (credential, date) = (required(head, "X-Amz-Credential")?, required(head, "X-Amz-Date")?);
    let signed_headers = signed_headers(required(head, "X-Amz-SignedHeaders")?);
    let lifetime = lifetime(required(head, "X-Amz-Expires")?)?;
    let signature = required(head, SIGNATURE_PARAMETER)?;
    let signed_at = time::parse_basic(date).ok_or_else(|| {
        says("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"".to_owned())
    })?;
    let day = date.get(..8).unwrap_or_default();
    let credential =
        Credential::parse(credential, day, expected).map_err(|wrong| malformed(&wrong, expected))?;
    check_times(signed_at, lifetime, expected)?;
    check_signed_headers(head, &signed_headers)?;
    let (content, payload) = payload(head, &signed_headers)?;
    let forms = canonical::forms(head, &signed_headers, &content, date, &credential.scope);
    Ok(SignedRequest {
        credential,
        session_token: optional(head, "X-Amz-Security-Token")?.map(str::to_owned),
        signature: signature.to_owned(),
        time: date.to_owned(),
        forms,
        payload,
    })
}

fn says(message: String) -> S3Error {
    S3Error::with_message(ErrorCode::AuthorizationQueryParametersError, message)
}

fn optional<'a>(head: &'a RequestHead<'_>, name: &str) -> Result<Option<&'a str>, S3Error> {
    head.query
        .text(name)
        .map_err(|_| says(format!("{name} must be there once")))
}

fn required<'a>(head: &'a RequestHead<'_>, name: &str) -> Result<&'a str, S3Error> {
    optional(head, name)?
        .filter(|value| !value.is_empty())
        .ok_or_else(|| {
            says(
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
             X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
                    .to_owned(),
            )
        })
}

fn malformed(wrong: &WrongCredential, expected: &Expected<'_>) -> S3Error {
    let error = says(format!(
        "Error parsing the X-Amz-Credential parameter; {}",
        wrong.reason(expected)
    ));
    match wrong {
        WrongCredential::Region { .. } => error.with("Region", expected.region),
        _ => error,
    }
}

fn lifetime(text: &str) -> Result<Duration, S3Error> {
    if text.starts_with('-') {
        return Err(says("X-Amz-Expires must be non-negative".to_owned()));
    }
    let seconds = text
        .parse()
        .map_err(|_| says("X-Amz-Expires should be a number".to_owned()))?;
    match seconds {
        1..=MAX_EXPIRES => Ok(Duration::from_secs(seconds)),
        0 => Err(says("X-Amz-Expires must be at least 1 second".to_owned())),
        _ => Err(says(format!(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less \
             than {MAX_EXPIRES} seconds"
        ))),
    }
}

fn check_times(signed_at: Timestamp, lifetime: Duration, expected: &Expected<'_>) -> Result<(), S3Error> {
    if signed_at.since(expected.now) > MAX_SKEW {
        return Err(
            S3Error::with_message(ErrorCode::AccessDenied, "Request is not valid yet")
                .with("X-Amz-Date", time::basic(signed_at))
                .with("ServerTime", time::iso8601(expected.now)),
        );
    }
    let end = signed_at.plus(lifetime);
    if expected.now <= end {
        return Ok(());
    }
    Err(
        S3Error::with_message(ErrorCode::AccessDenied, "Request has expired")
            .with("X-Amz-Expires", lifetime.as_secs().to_string())
            .with("Expires", time::iso8601(end))
            .with("ServerTime", time::iso8601(expected.now)),
    )
}

/// What was signed as the payload, and what the body has to be. A digest is held against the body wherever it
/// stands; chunks need a signed header to begin with, so they are refused.
fn payload(head: &RequestHead<'_>, signed_headers: &[String]) -> Result<(String, DeclaredPayload), S3Error> {
    let header = head.headers.text(ContentSha256::HEADER)?;
    let parameter = optional(head, "X-Amz-Content-Sha256")?;
    let is_header_signed = signed_headers.iter().any(|name| name == ContentSha256::HEADER);
    let signed = parameter.or(header.filter(|_| is_header_signed));
    let content = ContentSha256::parse(header.or(parameter).unwrap_or(ContentSha256::UNSIGNED))?;
    if matches!(content, ContentSha256::Chunked(_)) {
        return Err(S3Error::invalid_request(
            "A request that is authenticated by query parameters cannot have a streaming payload",
        ));
    }
    let declared = DeclaredPayload::of(head, content)?;
    Ok((signed.unwrap_or(ContentSha256::UNSIGNED).to_owned(), declared))
}
