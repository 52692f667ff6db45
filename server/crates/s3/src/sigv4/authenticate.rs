//! Which credentials a request has.

use super::header;
use super::presigned;
use super::scope::Expected;
use super::signed::{Anonymous, SignedRequest};
use crate::error::{ErrorCode, S3Error};
use crate::head::RequestHead;
use crate::payload::{ContentSha256, DeclaredPayload};

/// Parameters of which one is enough to make a request a presigned one.
const V4_PARAMETERS: [&str; 3] = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"];
const V2_PARAMETERS: [&str; 2] = ["AWSAccessKeyId", "Signature"];

/// What a request says about who sent it.
#[derive(Debug)]
pub enum Authentication {
    /// Nothing.
    Anonymous(Anonymous),
    /// A signature that is still to be verified.
    Signed(Box<SignedRequest>),
}

/// Reads the credentials of a request; who sends several kinds at once is refused.
///
/// # Errors
/// What AWS answers to malformed, expired or foreign credentials.
pub fn authenticate(head: &RequestHead<'_>, expected: &Expected<'_>) -> Result<Authentication, S3Error> {
    let has_any = |names: &[&str]| names.iter().any(|name| head.query.contains(name));
    let (is_v4, is_v2) = (has_any(&V4_PARAMETERS), has_any(&V2_PARAMETERS));
    let is_header = head.headers.contains("authorization");
    match (is_header, is_v4, is_v2) {
        (false, false, false) => anonymous(head),
        (true, false, false) => {
            let authorization = authorization(head)?;
            header::parse(head, authorization, expected)
                .map(|signed| Authentication::Signed(Box::new(signed)))
        }
        (false, true, false) => {
            presigned::parse(head, expected).map(|signed| Authentication::Signed(Box::new(signed)))
        }
        (false, false, true) => Err(S3Error::invalid_request(
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
        )),
        _ => Err(S3Error::invalid_argument(
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
             parameter or the Authorization header should be specified",
            "Authorization",
            "",
        )),
    }
}

fn authorization<'a>(head: &'a RequestHead<'_>) -> Result<&'a str, S3Error> {
    let text = head.headers.text("authorization").ok().flatten();
    text.ok_or_else(|| {
        S3Error::with_message(
            ErrorCode::AuthorizationHeaderMalformed,
            "The authorization header is malformed; it must be there once and be text.",
        )
    })
}

fn anonymous(head: &RequestHead<'_>) -> Result<Authentication, S3Error> {
    let content = head.headers.text(ContentSha256::HEADER)?;
    let content = content.map_or(Ok(ContentSha256::Unsigned), ContentSha256::parse)?;
    let payload = DeclaredPayload::of(head, content)?;
    Anonymous::new(payload).map(Authentication::Anonymous)
}
