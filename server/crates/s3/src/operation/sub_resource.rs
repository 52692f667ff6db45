//! Sub-resources: parameters that choose another operation.

use crate::error::S3Error;
use crate::head::Method;
use crate::query::Query;

/// Every sub-resource of buckets and objects that AWS has. One on the wrong kind of resource is refused: a `PUT` that
/// was meant for a bucket's policy must not make an object.
const ALL: &[&str] = &[
    "abac",
    "accelerate",
    "acl",
    "analytics",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metadataConfiguration",
    "metadataInventoryTable",
    "metadataJournalTable",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "renameObject",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "session",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versioning",
    "versions",
    "website",
];

/// The sub-resource of a request.
///
/// # Errors
/// `InvalidArgument` when there are several.
pub(super) fn of(query: &Query<'_>) -> Result<Option<&'static str>, S3Error> {
    let mut found = ALL.iter().copied().filter(|name| query.contains(name));
    let Some(first) = found.next() else {
        return Ok(None);
    };
    match found.next() {
        None => Ok(Some(first)),
        Some(second) => Err(S3Error::invalid_argument(
            format!("Conflicting query string parameters: {first}, {second}"),
            "ResourceType",
            first,
        )),
    }
}

/// The operations on buckets that this server does not implement.
const NOT_ON_BUCKETS: &[(Method, &str, &str)] = &[
    (Method::Get, "abac", "GetBucketAbac"),
    (Method::Put, "abac", "PutBucketAbac"),
    (Method::Put, "accelerate", "PutBucketAccelerateConfiguration"),
    (Method::Put, "analytics", "PutBucketAnalyticsConfiguration"),
    (Method::Put, "cors", "PutBucketCors"),
    (Method::Put, "encryption", "PutBucketEncryption"),
    (
        Method::Put,
        "intelligent-tiering",
        "PutBucketIntelligentTieringConfiguration",
    ),
    (Method::Put, "inventory", "PutBucketInventoryConfiguration"),
    (Method::Put, "lifecycle", "PutBucketLifecycleConfiguration"),
    (Method::Put, "logging", "PutBucketLogging"),
    (
        Method::Get,
        "metadataConfiguration",
        "GetBucketMetadataConfiguration",
    ),
    (
        Method::Post,
        "metadataConfiguration",
        "CreateBucketMetadataConfiguration",
    ),
    (
        Method::Delete,
        "metadataConfiguration",
        "DeleteBucketMetadataConfiguration",
    ),
    (
        Method::Put,
        "metadataInventoryTable",
        "UpdateBucketMetadataInventoryTableConfiguration",
    ),
    (
        Method::Put,
        "metadataJournalTable",
        "UpdateBucketMetadataJournalTableConfiguration",
    ),
    (
        Method::Get,
        "metadataTable",
        "GetBucketMetadataTableConfiguration",
    ),
    (
        Method::Post,
        "metadataTable",
        "CreateBucketMetadataTableConfiguration",
    ),
    (
        Method::Delete,
        "metadataTable",
        "DeleteBucketMetadataTableConfiguration",
    ),
    (Method::Put, "metrics", "PutBucketMetricsConfiguration"),
    (Method::Put, "notification", "PutBucketNotificationConfiguration"),
    (Method::Put, "object-lock", "PutObjectLockConfiguration"),
    (Method::Put, "ownershipControls", "PutBucketOwnershipControls"),
    (Method::Put, "policy", "PutBucketPolicy"),
    (Method::Put, "publicAccessBlock", "PutPublicAccessBlock"),
    (Method::Put, "replication", "PutBucketReplication"),
    (Method::Put, "requestPayment", "PutBucketRequestPayment"),
    (Method::Get, "session", "CreateSession"),
    (Method::Put, "website", "PutBucketWebsite"),
];

/// The operations on objects that this server does not implement.
const NOT_ON_OBJECTS: &[(Method, &str, &str)] = &[
    (Method::Put, "encryption", "UpdateObjectEncryption"),
    (Method::Put, "legal-hold", "PutObjectLegalHold"),
    (Method::Put, "renameObject", "RenameObject"),
    (Method::Post, "restore", "RestoreObject"),
    (Method::Put, "retention", "PutObjectRetention"),
    (Method::Post, "select", "SelectObjectContent"),
    (Method::Get, "torrent", "GetObjectTorrent"),
];

/// The answer for a sub-resource of buckets that has no operation here.
pub(super) fn refuse_on_bucket(method: Method, sub_resource: &str) -> S3Error {
    refuse(NOT_ON_BUCKETS, method, sub_resource, "BUCKET")
}

/// The answer for a sub-resource of objects that has no operation here.
pub(super) fn refuse_on_object(method: Method, sub_resource: &str) -> S3Error {
    refuse(NOT_ON_OBJECTS, method, sub_resource, "OBJECT")
}

fn refuse(table: &[(Method, &str, &str)], method: Method, sub_resource: &str, resource: &str) -> S3Error {
    let found = table
        .iter()
        .find(|(of, name, _)| *of == method && *name == sub_resource);
    match found {
        Some((_, _, operation)) => S3Error::operation_not_implemented(operation),
        None => super::not_allowed(method, &format!("{resource}/{sub_resource}")),
    }
}
