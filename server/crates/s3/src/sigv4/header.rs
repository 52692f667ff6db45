//! The header `Authorization` (API reference, "Authenticating Requests: Using the Authorization Header").

use zas_core::Timestamp;

use super::canonical::{self, ALGORITHM};
use super::scope::{Credential, Expected, MAX_SKEW, WrongCredential};
use super::signed::SignedRequest;
use crate::error::{ErrorCode, S3Error};
use crate::head::RequestHead;
use crate::payload::{ContentSha256, DeclaredPayload};
use crate::time;

/// Reads a request that is signed in its header.
pub(super) fn parse(
    head: &RequestHead<'_>,
    authorization: &str,
    expected: &Expected<'_>,
) -> Result<SignedRequest, S3Error> {
    let fields = Fields::parse(authorization)?;
    let signed_headers = signed_headers(fields.signed_headers);
    let signed_at = request_time(head, &signed_headers)?;
    let time = time::basic(signed_at);
    let day = time.get(..8).unwrap_or_default();
    let credential =
        Credential::parse(fields.credential, day, expected).map_err(|wrong| malformed(&wrong, expected))?;
    check_skew(signed_at, expected)?;
    check_signed_headers(head, &signed_headers)?;
    let content = head.headers.text(ContentSha256::HEADER)?.ok_or_else(|| {
        S3Error::invalid_request("Missing required header for this request: x-amz-content-sha256")
    })?;
    let payload = DeclaredPayload::of(head, ContentSha256::parse(content)?)?;
    let forms = canonical::forms(head, &signed_headers, content, &time, &credential.scope);
    Ok(SignedRequest {
        credential,
        session_token: head.headers.text("x-amz-security-token")?.map(str::to_owned),
        signature: fields.signature.to_owned(),
        time,
        forms,
        payload,
    })
}

struct Fields<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Fields<'a> {
    fn parse(authorization: &'a str) -> Result<Self, S3Error> {
        let rest = authorization
            .strip_prefix(ALGORITHM)
            .filter(|rest| rest.starts_with([' ', '\t']))
            .ok_or_else(|| unsupported(authorization))?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for field in rest.split(',') {
            let (name, value) = field
                .trim()
                .split_once('=')
                .ok_or_else(|| says("expecting name=value, separated by commas."))?;
            let slot = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => {
                    return Err(says(
                        "it holds something else than Credential, SignedHeaders and Signature.",
                    ));
                }
            };
            if slot.replace(value).is_some() {
                return Err(says(&format!("{name} is there twice.")));
            }
        }
        let there = |slot: Option<&'a str>, name: &str| {
            slot.filter(|value| !value.is_empty())
                .ok_or_else(|| says(&format!("missing {name}=.")))
        };
        Ok(Self {
            credential: there(credential, "Credential")?,
            signed_headers: there(signed_headers, "SignedHeaders")?,
            signature: there(signature, "Signature")?,
        })
    }
}

/// What comes neither from SigV4 nor from another scheme of AWS.
fn unsupported(authorization: &str) -> S3Error {
    let is_aws = authorization.starts_with("AWS");
    if is_aws {
        return S3Error::invalid_request(
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
        );
    }
    let scheme = authorization.split(' ').next().unwrap_or_default();
    S3Error::invalid_argument("Unsupported Authorization Type", "Authorization", scheme)
}

fn says(reason: &str) -> S3Error {
    S3Error::with_message(
        ErrorCode::AuthorizationHeaderMalformed,
        format!("The authorization header is malformed; {reason}"),
    )
}

fn malformed(wrong: &WrongCredential, expected: &Expected<'_>) -> S3Error {
    let error = says(&wrong.reason(expected));
    match wrong {
        WrongCredential::Region { .. } => error.with("Region", expected.region),
        _ => error,
    }
}

/// The names in `SignedHeaders`, as they were signed.
pub(super) fn signed_headers(text: &str) -> Vec<String> {
    text.split(';').map(str::to_owned).collect()
}

/// The time of `x-amz-date`, or of `date` when that is signed.
fn request_time(head: &RequestHead<'_>, signed_headers: &[String]) -> Result<Timestamp, S3Error> {
    let missing = || {
        S3Error::with_message(
            ErrorCode::AccessDenied,
            "AWS authentication requires a valid Date or x-amz-date header",
        )
    };
    if let Some(text) = head.headers.text("x-amz-date")? {
        return time::parse_basic(text).ok_or_else(missing);
    }
    if !is_signed("date", signed_headers) {
        return Err(missing());
    }
    let date = head.headers.text("date")?.ok_or_else(missing)?;
    time::parse_basic(date)
        .or_else(|| time::parse_http_date(date))
        .ok_or_else(missing)
}

fn check_skew(signed_at: Timestamp, expected: &Expected<'_>) -> Result<(), S3Error> {
    if expected.distance(signed_at) <= MAX_SKEW {
        return Ok(());
    }
    Err(S3Error::new(ErrorCode::RequestTimeTooSkewed)
        .with("RequestTime", time::basic(signed_at))
        .with("ServerTime", time::iso8601(expected.now))
        .with("MaxAllowedSkewMilliseconds", MAX_SKEW.as_millis().to_string()))
}

fn is_signed(name: &str, signed_headers: &[String]) -> bool {
    signed_headers.iter().any(|signed| signed == name)
}

/// `host` and every `x-amz-` header change what a request does, so who changes them must hold the secret. Only
/// `x-amz-content-sha256` stands in the canonical request in any case.
pub(super) fn check_signed_headers(head: &RequestHead<'_>, signed_headers: &[String]) -> Result<(), S3Error> {
    let must_be_signed =
        |name: &str| name == "host" || (name.starts_with("x-amz-") && name != ContentSha256::HEADER);
    let mut unsigned: Vec<&str> = head
        .headers
        .sent()
        .map(|(name, _)| name)
        .filter(|name| must_be_signed(name) && !is_signed(name, signed_headers))
        .collect();
    if !is_signed("host", signed_headers) && !unsigned.contains(&"host") {
        unsigned.push("host");
    }
    if unsigned.is_empty() {
        return Ok(());
    }
    Err(S3Error::with_message(
        ErrorCode::AccessDenied,
        "There were headers present in the request which were not signed",
    )
    .with("HeadersNotSigned", unsigned.join(", ")))
}
