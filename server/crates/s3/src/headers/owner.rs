//! Owners that clients expect (user guide, "Verifying bucket ownership with bucket owner condition").

use crate::access_key::CanonicalId;
use crate::error::{ErrorCode, S3Error};
use crate::head::Headers;

/// Checks `x-amz-expected-bucket-owner`.
///
/// # Errors
/// `AccessDenied` when somebody else owns the bucket.
pub fn check_expected_owner(headers: &Headers<'_>, owner: &CanonicalId) -> Result<(), S3Error> {
    check(headers, "x-amz-expected-bucket-owner", owner)
}

/// Checks `x-amz-source-expected-bucket-owner` of a copy.
///
/// # Errors
/// `AccessDenied` when somebody else owns the bucket that it reads.
pub fn check_expected_source_owner(headers: &Headers<'_>, owner: &CanonicalId) -> Result<(), S3Error> {
    check(headers, "x-amz-source-expected-bucket-owner", owner)
}

fn check(headers: &Headers<'_>, name: &str, owner: &CanonicalId) -> Result<(), S3Error> {
    match headers.text(name)? {
        Some(expected) if expected != owner.as_str() => Err(ErrorCode::AccessDenied.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_an_expected_owner_when_it_is_another_then_access_denied() {
        let (ann, bob) = (CanonicalId::of("local", "ann"), CanonicalId::of("local", "bob"));
        let headers: Headers<'_> = [
            ("x-amz-expected-bucket-owner", ann.as_str().as_bytes()),
            ("x-amz-source-expected-bucket-owner", bob.as_str().as_bytes()),
        ]
        .into_iter()
        .collect();
        assert_eq!(check_expected_owner(&headers, &ann), Ok(()));
        assert_eq!(check_expected_source_owner(&headers, &bob), Ok(()));
        let error = check_expected_owner(&headers, &bob).unwrap_err();
        assert_eq!(error.code(), ErrorCode::AccessDenied);
        assert_eq!(check_expected_owner(&Headers::default(), &bob), Ok(()));
    }
}
