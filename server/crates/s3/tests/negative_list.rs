//! Defects that other object stores had, as far as the protocol decides them: what a server does in the order that the
//! crate documents must end before anything of the request could be stored.
#![expect(clippy::unwrap_used, reason = "a request that cannot be made fails its test")]

mod signing;

use signing::{DATE, REGION, Request, SECRET, sha256};
use zas_core::Timestamp;
use zas_s3::checksum::{ExpectedDigests, RunningChecksum, RunningMd5};
use zas_s3::operation::{Action, Addressing, ObjectOperation};
use zas_s3::payload::{Payload, Trailers};
use zas_s3::sigv4::{Authentication, Expected, SecretKey, authenticate};
use zas_s3::{ErrorCode, Method, Operation, RequestHead, S3Error};

/// 24 May 2013.
const NOW: u64 = 1_369_353_600_000;

/// A request that may be carried out, and what has to be allowed for it.
#[derive(Debug)]
struct Taken {
    operation: Operation,
    actions: Vec<Action>,
    is_anonymous: bool,
    content: Vec<u8>,
}

/// What a server does: every step of the crate's map, up to the last byte of the body.
fn serve(request: &Request) -> Result<Taken, S3Error> {
    serve_at(request, NOW)
}

fn serve_at(request: &Request, now: u64) -> Result<Taken, S3Error> {
    let headers = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let method = Method::parse(request.method).unwrap();
    let head = RequestHead::new(method, &request.path, &request.query, headers)?;
    let operation = Operation::of(&head, &Addressing::default());
    let expected = Expected {
        region: REGION,
        now: Timestamp::from_millis(now),
    };
    let rule = operation
        .as_ref()
        .map_or(zas_s3::payload::BodyRule::Whole, Operation::body_rule);
    let (is_anonymous, payload) = match authenticate(&head, &expected)? {
        Authentication::Anonymous(anonymous) => (true, anonymous.payload(rule)?),
        Authentication::Signed(signed) => (false, signed.verify(&SecretKey::new(SECRET))?.payload(rule)?),
    };
    let operation = operation?;
    let content = read(&head, payload, &request.body)?;
    let mut actions = operation.actions().to_vec();
    if let Operation::Object(_, _, object) = &operation {
        actions.extend(object.copy_source().map(|source| source.action()));
    }
    Ok(Taken {
        operation,
        actions,
        is_anonymous,
        content,
    })
}

fn read(head: &RequestHead<'_>, payload: Payload, body: &[u8]) -> Result<Vec<u8>, S3Error> {
    let digests = ExpectedDigests::of(head)?;
    let (content, trailers) = match payload {
        Payload::Whole {
            sha256: Some(expected),
        } if hex(&expected) != sha256(body) => {
            return Err(ErrorCode::XAmzContentSHA256Mismatch.into());
        }
        Payload::Whole { .. } => (body.to_vec(), Trailers::default()),
        Payload::Chunked(mut decoder) => {
            let (mut content, mut rest) = (Vec::new(), body);
            while let Some(piece) = decoder.decode(&mut rest)? {
                content.extend_from_slice(piece);
            }
            (content, decoder.finish()?)
        }
    };
    let mut md5 = RunningMd5::new();
    md5.update(&content);
    let computed = RunningChecksum::of(digests.algorithm(), &content);
    digests.verify(md5.finish(), computed, &trailers)?;
    Ok(content)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn put() -> Request {
    Request::new("PUT", "/photos/a", "")
}

fn put_signed() -> Request {
    put().signed(&sha256(b""))
}

/// A body in chunks with a CRC-32 behind it: `data` is 9 bytes whose checksum is `y/Q5Jg==`.
fn in_chunks(mode: &str, trailer: &str) -> Request {
    put()
        .with("x-amz-decoded-content-length", "9")
        .with("x-amz-trailer", "x-amz-checksum-crc32")
        .body(format!("9\r\n123456789\r\n0\r\n{trailer}\r\n\r\n").as_bytes())
        .with("content-encoding", mode)
}

const UNSIGNED_CHUNKS: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

fn unsigned_chunks(trailer: &str) -> Request {
    in_chunks("aws-chunked", trailer)
}

const RIGHT: &str = "x-amz-checksum-crc32:y/Q5Jg==";

#[test]
fn given_the_requests_that_the_list_breaks_when_whole_then_taken() {
    assert!(serve(&put_signed()).is_ok());
    assert!(serve(&put().presigned("60")).is_ok());
    let chunked = serve(&unsigned_chunks(RIGHT).signed(UNSIGNED_CHUNKS)).unwrap();
    assert_eq!(chunked.content, b"123456789");
    let anonymous = unsigned_chunks(RIGHT).with("x-amz-content-sha256", UNSIGNED_CHUNKS);
    assert!(serve(&anonymous).unwrap().is_anonymous);
}

#[test]
fn given_every_request_of_the_list_when_served_then_refused_before_anything_is_stored() {
    let wrong_signature = |mut request: Request| {
        let (_, authorization) = request.headers.last_mut().unwrap();
        authorization.replace_range(authorization.len() - 4.., "0000");
        request
    };
    let cases: Vec<(&str, Request, ErrorCode)> = vec![
        (
            "GHSA-hv4r-mvr4-25vw: a wrong signature with an unsigned trailer",
            wrong_signature(unsigned_chunks(RIGHT).signed(UNSIGNED_CHUNKS)),
            ErrorCode::SignatureDoesNotMatch,
        ),
        (
            "GHSA-wg47-6jq2-q2hh: credentials in the query with an unsigned trailer",
            unsigned_chunks(RIGHT)
                .with("x-amz-content-sha256", UNSIGNED_CHUNKS)
                .presigned("60"),
            // Announced headers are not signed by a link.
            ErrorCode::AccessDenied,
        ),
        (
            "GHSA-wg47-6jq2-q2hh: the same, with nothing but the mode",
            put()
                .with("x-amz-content-sha256", UNSIGNED_CHUNKS)
                .presigned("60"),
            ErrorCode::InvalidRequest,
        ),
        (
            "two kinds of credentials",
            put().presigned("60").signed(&sha256(b"")),
            ErrorCode::InvalidArgument,
        ),
        (
            "a second Host",
            put_signed().with("host", "other"),
            ErrorCode::SignatureDoesNotMatch,
        ),
        (
            "a link for longer than a week",
            put().presigned("604801"),
            ErrorCode::AuthorizationQueryParametersError,
        ),
        (
            "a link without a lifetime",
            put().presigned("0"),
            ErrorCode::AuthorizationQueryParametersError,
        ),
        (
            "a wrong checksum behind the body",
            unsigned_chunks("x-amz-checksum-crc32:AAAAAA==").signed(UNSIGNED_CHUNKS),
            ErrorCode::BadDigest,
        ),
        (
            "a checksum of another kind than announced",
            unsigned_chunks("x-amz-checksum-crc32c:4waSgw==").signed(UNSIGNED_CHUNKS),
            ErrorCode::MalformedTrailerError,
        ),
        (
            "no checksum behind the body",
            unsigned_chunks("").signed(UNSIGNED_CHUNKS),
            ErrorCode::MalformedTrailerError,
        ),
        (
            "a last chunk that is cut off",
            unsigned_chunks(RIGHT)
                .body(b"9\r\n12345678")
                .signed(UNSIGNED_CHUNKS),
            ErrorCode::IncompleteBody,
        ),
        (
            "no last chunk",
            unsigned_chunks(RIGHT)
                .body(b"9\r\n123456789\r\n")
                .signed(UNSIGNED_CHUNKS),
            ErrorCode::IncompleteBody,
        ),
        (
            "fewer bytes than declared",
            unsigned_chunks(RIGHT)
                .body(b"1\r\n1\r\n0\r\n\r\n")
                .signed(UNSIGNED_CHUNKS),
            ErrorCode::IncompleteBody,
        ),
        (
            "more bytes than declared",
            unsigned_chunks(RIGHT)
                .body(b"a\r\n1234567890\r\n0\r\n\r\n")
                .signed(UNSIGNED_CHUNKS),
            ErrorCode::IncompleteBody,
        ),
        (
            "chunks for an operation that has none",
            Request::new("PUT", "/photos/a", "tagging=")
                .with("x-amz-decoded-content-length", "0")
                .signed(UNSIGNED_CHUNKS),
            ErrorCode::InvalidRequest,
        ),
        (
            "another body than was signed",
            put().body(b"1").signed(&sha256(b"2")),
            ErrorCode::XAmzContentSHA256Mismatch,
        ),
        (
            "GHSA-xrrf-67jm-3c2r: encryption that would be ignored",
            put()
                .with("x-amz-server-side-encryption", "AES256")
                .signed(&sha256(b"")),
            ErrorCode::NotImplemented,
        ),
        (
            "a lock that would be ignored",
            put()
                .with("x-amz-object-lock-mode", "COMPLIANCE")
                .signed(&sha256(b"")),
            ErrorCode::NotImplemented,
        ),
    ];
    for (what, request, code) in cases {
        let error = serve(&request).expect_err(what);
        assert_eq!(error.code(), code, "{what}: {error}");
    }
}

/// GHSA-g8w9-qw9q-fghr and GHSA-xm99-m3gq-83g8.
#[test]
fn given_headers_that_were_added_to_a_signed_request_when_served_then_access_denied() {
    for name in [
        "x-amz-copy-source",
        "x-amz-tagging",
        "x-amz-acl",
        "x-amz-storage-class",
        "x-amz-website-redirect-location",
        "x-amz-object-lock-mode",
        "x-amz-server-side-encryption-customer-key",
        "x-amz-metadata-directive",
        "x-amz-meta-a",
        "x-amz-bypass-governance-retention",
    ] {
        for request in [put().presigned("60"), put_signed()] {
            let error = serve(&request.with(name, "photos/b")).expect_err(name);
            assert_eq!(error.code(), ErrorCode::AccessDenied, "{name}");
            let message = "There were headers present in the request which were not signed";
            assert_eq!(error.message(), message);
        }
    }
    for request in [put().presigned("60"), put_signed()] {
        assert!(serve(&request.with("x-amzn-trace-id", "a")).is_ok());
    }
}

/// What a link carries is signed with it, and means what the header means.
#[test]
fn given_headers_that_a_link_carries_when_served_then_they_are_not_ignored() {
    let link = |query: &str| Request::new("PUT", "/photos/a", query).presigned("60");
    for (query, code) in [
        ("x-amz-server-side-encryption=AES256", ErrorCode::NotImplemented),
        ("x-amz-object-lock-mode=GOVERNANCE", ErrorCode::NotImplemented),
        ("x-amz-acl=public-read", ErrorCode::AccessControlListNotSupported),
        ("x-amz-storage-class=GLACIER", ErrorCode::InvalidStorageClass),
    ] {
        assert_eq!(serve(&link(query)).expect_err(query).code(), code, "{query}");
    }
    let copy = serve(&link("x-amz-copy-source=%2Fother%2Fb%3FversionId%3Dv1")).unwrap();
    assert_eq!(copy.actions, [Action::PutObject, Action::GetObjectVersion]);
    let checksum = "x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32";
    assert!(serve(&link(checksum).body(b"1")).is_ok());
    let added = Request::new("PUT", "/photos/a", "").presigned("60");
    let added = Request {
        query: format!("{}&x-amz-acl=private", added.query),
        ..added
    };
    assert_eq!(
        serve(&added).unwrap_err().code(),
        ErrorCode::SignatureDoesNotMatch
    );
}

#[test]
fn given_a_link_when_its_time_is_over_then_access_denied() {
    let link = put().presigned("60");
    assert!(serve_at(&link, NOW + 60_000).is_ok());
    let error = serve_at(&link, NOW + 61_000).unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (ErrorCode::AccessDenied, "Request has expired")
    );
    assert!(DATE.starts_with("20130524"));
}

/// GHSA-8r6f-hmq2-28rg: a key is never a path.
#[test]
fn given_keys_that_climb_when_served_then_they_stay_in_their_bucket() {
    for path in [
        "/photos/../other/a",
        "/photos/%2E%2E%2Fother%2Fa",
        "/photos//other/a",
        "/photos/./../../a",
        "/photos/a%00",
    ] {
        let taken =
            serve(&Request::new("GET", path, "").with("x-amz-content-sha256", "UNSIGNED-PAYLOAD")).unwrap();
        assert_eq!(taken.operation.bucket().unwrap().as_str(), "photos", "{path}");
    }
    for path in [
        "/../other/a",
        "/./a",
        "/%2E%2E/a",
        "//a",
        "/photos%2F..%2Fother/a",
    ] {
        let error = serve(&Request::new("GET", path, "")).expect_err(path);
        assert_eq!(error.code(), ErrorCode::InvalidBucketName, "{path}");
    }
}

/// GHSA-mx42-j6wv-px98, GHSA-wfxj-ph3v-7mjf and GHSA-3ppv-fx5m-749.
#[test]
fn given_versions_and_copies_when_served_then_every_action_is_asked_for() {
    use Action::{GetObject, GetObjectVersion, PutObject};
    let copy = |query: &str, source: &str| {
        Request::new("PUT", "/photos/a", query)
            .with("x-amz-copy-source", source)
            .signed(&sha256(b""))
    };
    for (request, actions) in [
        (
            Request::new("GET", "/photos/a", "versionId=v1"),
            vec![GetObjectVersion],
        ),
        (
            Request::new("HEAD", "/photos/a", "versionId=null"),
            vec![GetObjectVersion],
        ),
        (copy("", "/other/b"), vec![PutObject, GetObject]),
        (
            copy("", "/other/b?versionId=v1"),
            vec![PutObject, GetObjectVersion],
        ),
        (
            copy("partNumber=1&uploadId=u", "/other/b"),
            vec![PutObject, GetObject],
        ),
        (
            copy("partNumber=1&uploadId=u", "other%2Fb?versionId=v1"),
            vec![PutObject, GetObjectVersion],
        ),
    ] {
        let taken = serve(&request).unwrap();
        assert_eq!(taken.actions, actions, "{:?}", taken.operation);
    }
}

/// GHSA-9c4q-hq6p-c237 and GHSA-f4vq-9ffr-m8m3: an archive is an object like any other.
#[test]
fn given_an_archive_to_be_unpacked_when_served_then_one_object_is_written() {
    let request = Request::new("PUT", "/photos/a.tar", "")
        .with("x-amz-meta-snowball-auto-extract", "true")
        .signed(&sha256(b""));
    let taken = serve(&request).unwrap();
    assert!(matches!(
        taken.operation,
        Operation::Object(_, _, ObjectOperation::Put)
    ));
}
