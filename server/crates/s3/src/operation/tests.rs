//! Every operation by its request line, and what has to be allowed for it.

use super::*;
use crate::head::Headers;

fn operation_with(
    method: Method,
    target: &str,
    headers: &[(&'static str, &'static str)],
) -> Result<Operation, S3Error> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Headers<'_> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    let head = RequestHead::new(method, path, query, headers).unwrap();
    Operation::of(&head, &Addressing::default())
}

fn operation(method: Method, target: &str) -> Result<Operation, S3Error> {
    operation_with(method, target, &[])
}

const COPY: &[(&str, &str)] = &[("x-amz-copy-source", "/other/k%20?versionId=v1")];

#[test]
fn given_every_request_line_when_read_then_its_operation_and_its_actions() {
    use Method::{Delete, Get, Head, Options, Post, Put};
    for (method, target, name, actions) in [
        (Get, "/", "ListBuckets", "ListAllMyBuckets"),
        (
            Get,
            "/?max-buckets=3&x-id=ListBuckets",
            "ListBuckets",
            "ListAllMyBuckets",
        ),
        (Put, "/photos", "CreateBucket", "CreateBucket"),
        (Put, "/photos/", "CreateBucket", "CreateBucket"),
        (Head, "/photos", "HeadBucket", "ListBucket"),
        (Delete, "/photos", "DeleteBucket", "DeleteBucket"),
        (Get, "/photos?location", "GetBucketLocation", "GetBucketLocation"),
        (Get, "/photos", "ListObjects", "ListBucket"),
        (
            Get,
            "/photos?list-type=2&prefix=&delimiter=%2F",
            "ListObjectsV2",
            "ListBucket",
        ),
        (
            Get,
            "/photos?versions=&max-keys=1",
            "ListObjectVersions",
            "ListBucketVersions",
        ),
        (
            Get,
            "/photos?uploads",
            "ListMultipartUploads",
            "ListBucketMultipartUploads",
        ),
        (Post, "/photos?delete=", "DeleteObjects", ""),
        (Get, "/photos?tagging", "GetBucketTagging", "GetBucketTagging"),
        (Put, "/photos?tagging", "PutBucketTagging", "PutBucketTagging"),
        (
            Delete,
            "/photos?tagging",
            "DeleteBucketTagging",
            "PutBucketTagging",
        ),
        (
            Get,
            "/photos?versioning",
            "GetBucketVersioning",
            "GetBucketVersioning",
        ),
        (
            Put,
            "/photos?versioning",
            "PutBucketVersioning",
            "PutBucketVersioning",
        ),
        (Get, "/photos?acl", "GetBucketAcl", "GetBucketAcl"),
        (Put, "/photos?acl", "PutBucketAcl", "PutBucketAcl"),
        (Get, "/photos?policy", "GetBucketPolicy", "GetBucketPolicy"),
        (
            Delete,
            "/photos?policy",
            "DeleteBucketPolicy",
            "DeleteBucketPolicy",
        ),
        (
            Get,
            "/photos?lifecycle",
            "GetBucketLifecycleConfiguration",
            "GetLifecycleConfiguration",
        ),
        (
            Delete,
            "/photos?lifecycle",
            "DeleteBucketLifecycle",
            "PutLifecycleConfiguration",
        ),
        (
            Get,
            "/photos?metrics&id=a",
            "GetBucketMetricsConfiguration",
            "GetMetricsConfiguration",
        ),
        (Options, "/photos", "PreflightRequest", ""),
        (Get, "/photos/k", "GetObject", "GetObject"),
        (
            Get,
            "/photos/k?versionId=v1&response-content-type=a",
            "GetObject",
            "GetObjectVersion",
        ),
        (Head, "/photos/k?versionId=null", "HeadObject", "GetObjectVersion"),
        (Head, "/photos/k?partNumber=2", "HeadObject", "GetObject"),
        (Put, "/photos/k?x-id=PutObject", "PutObject", "PutObject"),
        (Delete, "/photos/k", "DeleteObject", "DeleteObject"),
        (
            Delete,
            "/photos/k?versionId=v1",
            "DeleteObject",
            "DeleteObjectVersion",
        ),
        (
            Get,
            "/photos/k?attributes",
            "GetObjectAttributes",
            "GetObject GetObjectAttributes",
        ),
        (
            Get,
            "/photos/k?attributes&versionId=v1",
            "GetObjectAttributes",
            "GetObjectVersion GetObjectVersionAttributes",
        ),
        (Get, "/photos/k?tagging", "GetObjectTagging", "GetObjectTagging"),
        (
            Get,
            "/photos/k?tagging&versionId=v1",
            "GetObjectTagging",
            "GetObjectVersionTagging",
        ),
        (Put, "/photos/k?tagging", "PutObjectTagging", "PutObjectTagging"),
        (
            Delete,
            "/photos/k?tagging&versionId=v1",
            "DeleteObjectTagging",
            "DeleteObjectVersionTagging",
        ),
        (Get, "/photos/k?acl", "GetObjectAcl", "GetObjectAcl"),
        (
            Put,
            "/photos/k?acl&versionId=v1",
            "PutObjectAcl",
            "PutObjectVersionAcl",
        ),
        (
            Get,
            "/photos/k?retention",
            "GetObjectRetention",
            "GetObjectRetention",
        ),
        (
            Get,
            "/photos/k?legal-hold",
            "GetObjectLegalHold",
            "GetObjectLegalHold",
        ),
        (Post, "/photos/k?uploads=", "CreateMultipartUpload", "PutObject"),
        (
            Put,
            "/photos/k?partNumber=1&uploadId=u",
            "UploadPart",
            "PutObject",
        ),
        (
            Post,
            "/photos/k?uploadId=u",
            "CompleteMultipartUpload",
            "PutObject",
        ),
        (
            Delete,
            "/photos/k?uploadId=u",
            "AbortMultipartUpload",
            "AbortMultipartUpload",
        ),
        (
            Get,
            "/photos/k?uploadId=u&max-parts=2",
            "ListParts",
            "ListMultipartUploadParts",
        ),
        (Options, "/photos/k", "PreflightRequest", ""),
    ] {
        let operation = operation(method, target).unwrap();
        let names: Vec<&str> = operation
            .actions()
            .iter()
            .map(|action| action.name().trim_start_matches("s3:"))
            .collect();
        assert_eq!(
            (operation.name(), names.join(" ").as_str()),
            (name, actions),
            "{target}"
        );
    }
}

#[test]
fn given_a_copy_source_when_put_then_a_copy_that_also_asks_for_what_it_reads() {
    for (target, name) in [
        ("/photos/k", "CopyObject"),
        ("/photos/k?partNumber=7&uploadId=u", "UploadPartCopy"),
    ] {
        let Operation::Object(_, _, object) = operation_with(Method::Put, target, COPY).unwrap() else {
            panic!("{target}")
        };
        let source = object.copy_source().unwrap();
        assert_eq!(object.name(), name);
        assert_eq!((source.bucket.as_str(), source.key.as_str()), ("other", "k "));
        assert_eq!(source.action(), Action::GetObjectVersion);
    }
    for (method, target) in [
        (Method::Post, "/photos/k?uploads"),
        (Method::Put, "/photos/k?tagging"),
        (Method::Put, "/photos"),
    ] {
        let error = operation_with(method, target, COPY).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{target}");
    }
}

#[test]
fn given_what_is_not_implemented_when_asked_for_then_refused_by_its_name() {
    use Method::{Get, Post, Put};
    for (method, target, name) in [
        (Put, "/photos?policy", "PutBucketPolicy"),
        (Put, "/photos?lifecycle", "PutBucketLifecycleConfiguration"),
        (Put, "/photos?object-lock", "PutObjectLockConfiguration"),
        (Put, "/photos?publicAccessBlock", "PutPublicAccessBlock"),
        (Put, "/photos?cors", "PutBucketCors"),
        (Put, "/photos?encryption", "PutBucketEncryption"),
        (Put, "/photos?notification", "PutBucketNotificationConfiguration"),
        (Put, "/photos?website", "PutBucketWebsite"),
        (Get, "/photos?inventory", "ListBucketInventoryConfigurations"),
        (Get, "/photos?session", "CreateSession"),
        (Put, "/photos/k?retention", "PutObjectRetention"),
        (Put, "/photos/k?legal-hold", "PutObjectLegalHold"),
        (Put, "/photos/k?renameObject", "RenameObject"),
        (Post, "/photos/k?restore", "RestoreObject"),
        (Post, "/photos/k?select&select-type=2", "SelectObjectContent"),
        (Get, "/photos/k?torrent", "GetObjectTorrent"),
    ] {
        let error = operation(method, target).unwrap_err();
        assert_eq!(error.code(), ErrorCode::NotImplemented, "{target}");
        assert!(error.message().contains(name), "{target}: {error}");
    }
    let form = [("content-type", "Multipart/Form-Data; boundary=x")];
    let error = operation_with(Post, "/photos", &form).unwrap_err();
    assert!(error.message().contains("PostObject"), "{error}");
}

#[test]
fn given_every_configuration_when_it_has_a_put_then_it_is_refused_and_its_get_is_answered() {
    for name in [
        "accelerate",
        "analytics",
        "cors",
        "encryption",
        "intelligent-tiering",
        "inventory",
        "lifecycle",
        "logging",
        "metrics",
        "notification",
        "object-lock",
        "ownershipControls",
        "policy",
        "publicAccessBlock",
        "replication",
        "requestPayment",
        "website",
    ] {
        let put = operation(Method::Put, &format!("/photos?{name}&id=a")).unwrap_err();
        assert_eq!(put.code(), ErrorCode::NotImplemented, "{name}");
        let get = operation(Method::Get, &format!("/photos?{name}&id=a")).unwrap();
        let Operation::Bucket(_, BucketOperation::GetConfiguration(_)) = get else {
            panic!("{name}: {get:?}")
        };
    }
}

#[test]
fn given_configurations_that_are_never_set_when_read_then_aws_answer() {
    let codes: Vec<(&str, &str)> = BucketConfiguration::ALL
        .iter()
        .filter_map(|configuration| {
            let error = configuration.not_set()?;
            Some((configuration.get_name(), error.code().as_str()))
        })
        .collect();
    assert_eq!(
        codes,
        [
            ("GetBucketAnalyticsConfiguration", "NoSuchConfiguration"),
            ("GetBucketCors", "NoSuchCORSConfiguration"),
            (
                "GetBucketEncryption",
                "ServerSideEncryptionConfigurationNotFoundError"
            ),
            ("GetBucketIntelligentTieringConfiguration", "NoSuchConfiguration"),
            ("GetBucketInventoryConfiguration", "NoSuchConfiguration"),
            ("GetBucketLifecycleConfiguration", "NoSuchLifecycleConfiguration"),
            ("GetBucketMetricsConfiguration", "NoSuchConfiguration"),
            (
                "GetObjectLockConfiguration",
                "ObjectLockConfigurationNotFoundError"
            ),
            ("GetBucketPolicy", "NoSuchBucketPolicy"),
            ("GetBucketPolicyStatus", "NoSuchBucketPolicy"),
            ("GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
            ("GetBucketReplication", "ReplicationConfigurationNotFoundError"),
            ("GetBucketWebsite", "NoSuchWebsiteConfiguration"),
        ]
    );
    let property = ObjectLockProperty::Retention.not_set();
    assert_eq!(property.code(), ErrorCode::InvalidRequest);
}

#[test]
fn given_headers_that_ask_for_what_is_not_done_when_sent_then_refused_by_name() {
    use Method::{Get, Post, Put};
    for (method, target, header, value) in [
        (Put, "/photos/k", "x-amz-server-side-encryption", "AES256"),
        (
            Put,
            "/photos/k",
            "x-amz-server-side-encryption-customer-algorithm",
            "AES256",
        ),
        (Get, "/photos/k", "x-amz-server-side-encryption-customer-key", "a"),
        (
            Post,
            "/photos/k?uploads",
            "x-amz-server-side-encryption-aws-kms-key-id",
            "a",
        ),
        (
            Put,
            "/photos/k",
            "x-amz-copy-source-server-side-encryption-customer-key",
            "a",
        ),
        (Put, "/photos/k", "x-amz-object-lock-mode", "GOVERNANCE"),
        (Put, "/photos/k", "x-amz-object-lock-legal-hold", "ON"),
        (Put, "/photos/k", "x-amz-website-redirect-location", "/a"),
        (Put, "/photos/k", "x-amz-write-offset-bytes", "1"),
        (Put, "/photos", "x-amz-bucket-object-lock-enabled", "True"),
        (Put, "/photos", "x-amz-object-ownership", "ObjectWriter"),
    ] {
        let error = operation_with(method, target, &[(header, value)]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::NotImplemented, "{header}");
        assert_eq!(error.element("Header"), Some(header));
    }
    let grant = operation_with(Put, "/photos/k", &[("x-amz-grant-read", "id=a")]).unwrap_err();
    assert_eq!(grant.code(), ErrorCode::AccessControlListNotSupported);
    for headers in [
        [("x-amz-bucket-object-lock-enabled", "false")],
        [("x-amz-object-ownership", "BucketOwnerEnforced")],
    ] {
        assert!(operation_with(Put, "/photos", &headers).is_ok());
    }
    for (header, value, code) in [
        (
            "x-amz-acl",
            "public-read",
            ErrorCode::AccessControlListNotSupported,
        ),
        ("x-amz-storage-class", "GLACIER", ErrorCode::InvalidStorageClass),
    ] {
        for (method, target) in [(Put, "/photos/k"), (Post, "/photos/k?uploads")] {
            let error = operation_with(method, target, &[(header, value)]).unwrap_err();
            assert_eq!(error.code(), code, "{header} of {target}");
        }
    }
    let usual = [("x-amz-acl", "private"), ("x-amz-storage-class", "STANDARD")];
    assert!(operation_with(Put, "/photos/k", &usual).is_ok());
    let bypass = [("x-amz-bypass-governance-retention", "true")];
    assert!(operation_with(Method::Delete, "/photos/k", &bypass).is_ok());
}

#[test]
fn given_requests_that_mean_two_things_or_none_when_read_then_refused() {
    use Method::{Delete, Get, Post, Put};
    for (method, target, code) in [
        (Get, "/photos?acl&policy", ErrorCode::InvalidArgument),
        (Get, "/photos/k?tagging&uploadId=u", ErrorCode::InvalidArgument),
        (Get, "/photos?list-type=3", ErrorCode::InvalidArgument),
        (Put, "/photos/k?partNumber=1", ErrorCode::InvalidArgument),
        (Put, "/photos/k?versionId=v1", ErrorCode::InvalidArgument),
        (Put, "/photos/k?uploadId=u", ErrorCode::InvalidArgument),
        (
            Put,
            "/photos/k?uploadId=u&partNumber=0",
            ErrorCode::InvalidArgument,
        ),
        (
            Put,
            "/photos/k?uploadId=u&partNumber=10001",
            ErrorCode::InvalidArgument,
        ),
        (Put, "/photos/k?uploadId=&partNumber=1", ErrorCode::NoSuchUpload),
        (Get, "/photos/k?partNumber=x", ErrorCode::InvalidArgument),
        (Get, "/photos/k?versionId=", ErrorCode::InvalidArgument),
        (
            Get,
            "/photos/k?versionId=a&versionId=b",
            ErrorCode::InvalidArgument,
        ),
        // A configuration of a bucket, sent to a key, must not become an object.
        (Put, "/photos/k?policy", ErrorCode::MethodNotAllowed),
        (Put, "/photos/k?lifecycle", ErrorCode::MethodNotAllowed),
        (Delete, "/photos/k?versions", ErrorCode::MethodNotAllowed),
        (Put, "/photos?retention", ErrorCode::MethodNotAllowed),
        (Delete, "/photos?versions", ErrorCode::MethodNotAllowed),
        (Delete, "/photos?versioning", ErrorCode::MethodNotAllowed),
        (Delete, "/photos?uploadId=u", ErrorCode::MethodNotAllowed),
        (Post, "/photos", ErrorCode::MethodNotAllowed),
        (Post, "/photos/k", ErrorCode::MethodNotAllowed),
        (Post, "/", ErrorCode::MethodNotAllowed),
        (Put, "/", ErrorCode::MethodNotAllowed),
    ] {
        assert_eq!(operation(method, target).unwrap_err().code(), code, "{target}");
    }
}

#[test]
fn given_operations_when_asked_for_their_bodies_then_only_content_comes_in_chunks() {
    for (method, target, body) in [
        (Method::Put, "/photos/k", Body::Content),
        (Method::Put, "/photos/k?partNumber=1&uploadId=u", Body::Content),
        (Method::Put, "/photos/k?tagging", Body::Document),
        (Method::Put, "/photos", Body::Document),
        (Method::Post, "/photos/k?uploadId=u", Body::Document),
        (Method::Post, "/photos?delete", Body::ProvenDocument),
        (Method::Post, "/photos/k?uploads", Body::None),
        (Method::Get, "/photos/k", Body::None),
    ] {
        let operation = operation(method, target).unwrap();
        let is_content = body == Body::Content;
        assert_eq!(operation.body(), body, "{target}");
        assert_eq!(
            operation.body_rule() == BodyRule::MayBeChunked,
            is_content,
            "{target}"
        );
    }
    let copy = operation_with(Method::Put, "/photos/k", COPY).unwrap();
    assert_eq!((copy.body(), copy.body_rule()), (Body::None, BodyRule::Whole));
}

#[test]
fn given_the_names_of_actions_when_written_then_those_of_policies() {
    assert_eq!(Action::GetObjectVersion.to_string(), "s3:GetObjectVersion");
    assert_eq!(Action::delete_object(true), Action::DeleteObjectVersion);
    assert_eq!(Action::delete_object(false), Action::DeleteObject);
    let mut names: Vec<&str> = Action::ALL.iter().map(|action| action.name()).collect();
    names.dedup();
    assert_eq!(names.len(), Action::ALL.len());
}
