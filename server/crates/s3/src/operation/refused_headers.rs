//! Headers that ask for what this server does not do: refused by name, never ignored.

use super::Operation;
use super::bucket::BucketOperation;
use crate::error::{ErrorCode, S3Error};
use crate::head::{Method, RequestHead};
use crate::headers::{check_acl, check_storage_class};

/// Beginnings of names.
const PREFIXES: [&str; 3] = [
    "x-amz-server-side-encryption",
    "x-amz-copy-source-server-side-encryption",
    "x-amz-object-lock-",
];

const NAMES: [&str; 3] = [
    "x-amz-website-redirect-location",
    "x-amz-write-offset-bytes",
    "x-amz-rename-source",
];

/// Checks every header.
pub(super) fn check(head: &RequestHead<'_>, operation: &Operation) -> Result<(), S3Error> {
    for (name, _) in head.headers.iter() {
        let is_refused = NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        if is_refused {
            return Err(S3Error::header_not_implemented(name));
        }
        let is_grant = name.starts_with("x-amz-grant-") && head.method != Method::Get;
        if is_grant {
            return Err(ErrorCode::AccessControlListNotSupported.into());
        }
    }
    if !matches!(head.method, Method::Get | Method::Head) {
        check_acl(&head.headers)?;
        check_storage_class(&head.headers)?;
    }
    check_copy_source(head, operation)?;
    match operation {
        Operation::Bucket(_, BucketOperation::Create) => check_create(head),
        _ => Ok(()),
    }
}

/// Where nothing is copied the header would be dropped, and with it what the client meant to write.
fn check_copy_source(head: &RequestHead<'_>, operation: &Operation) -> Result<(), S3Error> {
    const HEADER: &str = super::CopySource::HEADER;
    let is_copy = matches!(operation, Operation::Object(_, _, object) if object.copy_source().is_some());
    if is_copy || !head.headers.contains(HEADER) {
        return Ok(());
    }
    Err(S3Error::invalid_argument(
        format!("{} does not take the header {HEADER}", operation.name()),
        HEADER,
        "",
    ))
}

/// Buckets are made with the settings that every bucket has.
fn check_create(head: &RequestHead<'_>) -> Result<(), S3Error> {
    for (name, usual) in [
        ("x-amz-bucket-object-lock-enabled", "false"),
        ("x-amz-object-ownership", "BucketOwnerEnforced"),
        ("x-amz-bucket-namespace", "global"),
    ] {
        let value = head.headers.text(name)?;
        if value.is_some_and(|value| !value.eq_ignore_ascii_case(usual)) {
            return Err(S3Error::header_not_implemented(name));
        }
    }
    Ok(())
}
