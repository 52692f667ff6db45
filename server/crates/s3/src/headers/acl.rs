//! Access control lists: the owner of a bucket owns every object in it (user guide, "Controlling ownership of objects
//! and disabling ACLs").

use crate::error::{ErrorCode, S3Error};
use crate::head::Headers;

const HEADER: &str = "x-amz-acl";

/// What says no more than is so anyway.
const ACCEPTED: [&str; 2] = ["private", "bucket-owner-full-control"];

const OTHERS: [&str; 6] = [
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "log-delivery-write",
];

/// Checks `x-amz-acl` of any write.
///
/// # Errors
/// `AccessControlListNotSupported` for a list that would grant something, `InvalidArgument` for what is none.
pub fn check_acl(headers: &Headers<'_>) -> Result<(), S3Error> {
    let Some(acl) = headers.text(HEADER)? else {
        return Ok(());
    };
    if ACCEPTED.contains(&acl) {
        return Ok(());
    }
    if OTHERS.contains(&acl) {
        return Err(ErrorCode::AccessControlListNotSupported.into());
    }
    Err(S3Error::invalid_argument("Unknown canned ACL", HEADER, acl))
}

/// Checks `PutBucketAcl` and `PutObjectAcl`, which change nothing: a list in the body would grant something.
///
/// # Errors
/// As [`check_acl`], and `AccessControlListNotSupported` for a request that is more than `x-amz-acl`.
pub fn check_put_acl(headers: &Headers<'_>, body_is_empty: bool) -> Result<(), S3Error> {
    check_acl(headers)?;
    if headers.contains(HEADER) && body_is_empty {
        return Ok(());
    }
    Err(ErrorCode::AccessControlListNotSupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(acl: &str) -> Headers<'_> {
        [(HEADER, acl.as_bytes())].into_iter().collect()
    }

    #[test]
    fn given_canned_lists_when_sent_then_only_those_that_grant_nothing_pass() {
        assert_eq!(check_acl(&Headers::default()), Ok(()));
        for (acl, expected) in [
            ("private", None),
            ("bucket-owner-full-control", None),
            ("public-read", Some(ErrorCode::AccessControlListNotSupported)),
            (
                "authenticated-read",
                Some(ErrorCode::AccessControlListNotSupported),
            ),
            ("Private", Some(ErrorCode::InvalidArgument)),
            ("", Some(ErrorCode::InvalidArgument)),
        ] {
            let code = check_acl(&headers(acl)).err().map(|error| error.code());
            assert_eq!(code, expected, "{acl}");
        }
    }

    #[test]
    fn given_a_list_to_be_set_when_it_would_change_something_then_refused() {
        assert_eq!(check_put_acl(&headers("private"), true), Ok(()));
        for error in [
            check_put_acl(&headers("private"), false),
            check_put_acl(&headers("public-read"), true),
            check_put_acl(&Headers::default(), false),
            check_put_acl(&Headers::default(), true),
        ] {
            assert_eq!(
                error.unwrap_err().code(),
                ErrorCode::AccessControlListNotSupported
            );
        }
    }
}
