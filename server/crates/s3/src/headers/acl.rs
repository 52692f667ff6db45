//! Access control lists: the owner of a bucket owns every object in it (user guide, "Controlling ownership of objects
//! and disabling ACLs").

use crate::access_key::CanonicalId;
use crate::error::{ErrorCode, S3Error};
use crate::head::Headers;
use crate::xml::check_owner_acl;

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

/// Checks `PutBucketAcl` and `PutObjectAcl`, which change nothing: what is sent, in `x-amz-acl` or as a document, may say
/// no more than that the owner has everything.
///
/// # Errors
/// As [`check_acl`] and [`check_owner_acl`]; `AccessControlListNotSupported` for other headers that grant something.
pub fn check_put_acl(headers: &Headers<'_>, body: &[u8], owner: &CanonicalId) -> Result<(), S3Error> {
    check_acl(headers)?;
    match (headers.contains(HEADER), body.is_empty()) {
        (true, true) => Ok(()),
        (false, false) => check_owner_acl(body, owner),
        (true, false) | (false, true) => Err(ErrorCode::AccessControlListNotSupported.into()),
    }
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
        let owner = CanonicalId::of("local", "alice");
        let own = format!(
            "<AccessControlPolicy><AccessControlList><Grant><Grantee><ID>{}</ID></Grantee>\
             <Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>",
            owner.as_str()
        );
        let read = own.replace("FULL_CONTROL", "READ");
        let check = |headers: &Headers<'_>, body: &str| check_put_acl(headers, body.as_bytes(), &owner);
        assert_eq!(check(&headers("private"), ""), Ok(()));
        assert_eq!(check(&Headers::default(), &own), Ok(()));
        for error in [
            check(&headers("private"), &own),
            check(&headers("public-read"), ""),
            check(&Headers::default(), &read),
            check(&Headers::default(), ""),
        ] {
            assert_eq!(
                error.unwrap_err().code(),
                ErrorCode::AccessControlListNotSupported
            );
        }
    }
}
