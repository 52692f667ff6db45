//! AWS's published examples, and every way of being refused.

use super::*;
use crate::error::{ErrorCode, S3Error};
use crate::head::{Headers, Method, RequestHead};
use crate::payload::{BodyRule, Payload};
use crate::time::parse_basic;

const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const CREDENTIAL: &str = "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";

fn secret() -> SecretKey {
    SecretKey::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
}

/// A request in the words of the documentation.
#[derive(Clone)]
struct Sent {
    method: Method,
    path: &'static str,
    query: String,
    headers: Vec<(String, String)>,
    now: &'static str,
}

impl Sent {
    fn new(method: Method, path: &'static str, query: &str) -> Self {
        Self {
            method,
            path,
            query: query.to_owned(),
            headers: Vec::new(),
            now: "20130524T000000Z",
        }
        .with("Host", "examplebucket.s3.amazonaws.com")
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers
            .retain(|(header, _)| !header.eq_ignore_ascii_case(name));
        self
    }

    /// With the header `Authorization` of the examples.
    fn signed(self, content: &str, signed_headers: &str, signature: &str) -> Self {
        self.with("x-amz-content-sha256", content)
            .with("x-amz-date", "20130524T000000Z")
            .with(
                "Authorization",
                &format!(
                    "AWS4-HMAC-SHA256 {CREDENTIAL},SignedHeaders={signed_headers},Signature={signature}"
                ),
            )
    }

    fn at(mut self, now: &'static str) -> Self {
        self.now = now;
        self
    }

    fn authenticate(&self) -> Result<Authentication, S3Error> {
        let headers: Headers<'_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let head = RequestHead::new(self.method, self.path, &self.query, headers)?;
        let expected = Expected {
            region: "us-east-1",
            now: parse_basic(self.now).unwrap(),
        };
        authenticate(&head, &expected)
    }

    fn verify(&self) -> Result<Verified, S3Error> {
        match self.authenticate()? {
            Authentication::Signed(signed) => signed.verify(&secret()),
            Authentication::Anonymous(_) => panic!("the request has no credentials"),
        }
    }

    fn refusal(&self) -> S3Error {
        self.verify().expect_err("the request must be refused")
    }

    fn code(&self) -> ErrorCode {
        self.refusal().code()
    }
}

/// "Example: GET Object".
fn get_object() -> Sent {
    Sent::new(Method::Get, "/test.txt", "")
        .with("Range", "bytes=0-9")
        .signed(
            EMPTY,
            "host;range;x-amz-content-sha256;x-amz-date",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        )
}

/// "Example: PUT Object".
fn put_object() -> Sent {
    Sent::new(Method::Put, "/test%24file.text", "")
        .with("Date", "Fri, 24 May 2013 00:00:00 GMT")
        .with("x-amz-storage-class", "REDUCED_REDUNDANCY")
        .signed(
            "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
            "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        )
}

/// The example of "Authenticating Requests: Using Query Parameters".
fn presigned() -> Sent {
    presigned_with("86400", "host")
}

fn presigned_with(expires: &str, signed_headers: &str) -> Sent {
    Sent::new(
        Method::Get,
        "/test.txt",
        &format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F\
             aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires={expires}&X-Amz-SignedHeaders={signed_headers}\
             &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        ),
    )
}

#[test]
fn given_the_published_header_examples_when_verified_then_their_signatures_match() {
    let lifecycle = Sent::new(Method::Get, "/", "lifecycle").signed(
        EMPTY,
        "host;x-amz-content-sha256;x-amz-date",
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    );
    let list = Sent::new(Method::Get, "/", "max-keys=2&prefix=J").signed(
        EMPTY,
        "host;x-amz-content-sha256;x-amz-date",
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    );
    for sent in [get_object(), put_object(), lifecycle, list] {
        assert_eq!(sent.verify().unwrap().access_key_id(), KEY_ID);
    }
}

#[test]
fn given_the_published_presigned_example_when_verified_then_its_signature_matches() {
    for now in ["20130524T000000Z", "20130523T234500Z", "20130525T000000Z"] {
        let verified = presigned().at(now).verify().unwrap();
        let payload = verified.payload(BodyRule::Whole).unwrap();
        assert!(matches!(payload, Payload::Whole { sha256: None }), "{now}");
    }
}

#[test]
fn given_a_path_that_was_signed_in_another_encoding_when_verified_then_the_second_form_matches() {
    let mut sent = put_object();
    for path in ["/test$file.text", "/test%24%66ile.text"] {
        sent.path = path;
        assert!(sent.verify().is_ok(), "{path}");
    }
    sent.path = "/test%2524file.text";
    assert_eq!(sent.code(), ErrorCode::SignatureDoesNotMatch);
}

#[test]
fn given_any_signed_thing_changed_when_verified_then_the_signature_does_not_match() {
    let mut other_method = get_object();
    other_method.method = Method::Head;
    let mut other_query = get_object();
    other_query.query = "versionId=1".to_owned();
    for sent in [
        other_method,
        other_query,
        get_object().without("range").with("range", "bytes=0-10"),
        get_object().with("range", "bytes=0-9"),
        get_object().without("range"),
        get_object()
            .without("x-amz-content-sha256")
            .with("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        presigned_with("86401", "host"),
    ] {
        assert_eq!(sent.code(), ErrorCode::SignatureDoesNotMatch);
    }
}

#[test]
fn given_a_wrong_signature_when_refused_then_the_client_sees_what_was_to_be_signed_and_no_secret() {
    let sent = Sent::new(Method::Get, "/test.txt", "").signed(
        EMPTY,
        "host;x-amz-content-sha256;x-amz-date",
        &"0".repeat(64),
    );

    let error = sent.refusal();

    assert_eq!(error.status(), 403);
    assert_eq!(error.element("AWSAccessKeyId"), Some(KEY_ID));
    assert!(
        error
            .element("CanonicalRequest")
            .unwrap()
            .starts_with("GET\n/test.txt\n\nhost:examplebucket")
    );
    assert!(
        error
            .element("StringToSign")
            .unwrap()
            .starts_with("AWS4-HMAC-SHA256\n20130524T000000Z\n")
    );
    for (_, value) in error.elements() {
        assert!(!value.contains("wJalr"));
    }
    for sent in ["", "no hex", &"A".repeat(64)] {
        let sent = Sent::new(Method::Get, "/", "").signed(EMPTY, "host;x-amz-date", &format!("x{sent}"));
        assert_eq!(sent.code(), ErrorCode::SignatureDoesNotMatch);
    }
}

#[test]
fn given_types_that_hold_secrets_when_debugged_then_they_stay_out() {
    let Authentication::Signed(signed) = get_object().authenticate().unwrap() else {
        panic!("signed")
    };
    let debugged = format!("{signed:?} {:?}", secret());
    assert!(
        !debugged.contains("f0e8bdb8") && !debugged.contains("wJalr"),
        "{debugged}"
    );
    let debugged = format!("{:?}", signed.verify(&secret()).unwrap());
    assert!(!debugged.contains("f0e8bdb8"), "{debugged}");
}

#[test]
fn given_an_unknown_key_when_told_then_its_id_is_named() {
    let Authentication::Signed(signed) = get_object().authenticate().unwrap() else {
        panic!("signed")
    };
    assert_eq!(signed.access_key_id(), KEY_ID);
    let error = signed.unknown_key();
    assert_eq!(error.code(), ErrorCode::InvalidAccessKeyId);
    assert_eq!(error.element("AWSAccessKeyId"), Some(KEY_ID));
}

#[test]
fn given_unsigned_amazon_headers_when_verified_then_refused_by_name() {
    for name in [
        "x-amz-copy-source",
        "X-Amz-Tagging",
        "x-amz-acl",
        "x-amz-storage-class",
        "x-amz-website-redirect-location",
        "x-amz-object-lock-mode",
        "x-amz-server-side-encryption",
        "x-amz-meta-a",
        "x-amz-security-token",
    ] {
        for sent in [get_object(), presigned()] {
            let error = sent.with(name, "a").refusal();
            assert_eq!(error.code(), ErrorCode::AccessDenied, "{name}");
            assert_eq!(
                error.message(),
                "There were headers present in the request which were not signed"
            );
            assert_eq!(
                error.element("HeadersNotSigned"),
                Some(name.to_lowercase().as_str())
            );
        }
    }
}

#[test]
fn given_unsigned_headers_that_change_nothing_when_verified_then_accepted() {
    for name in ["x-amzn-trace-id", "user-agent", "x-forwarded-for"] {
        assert!(get_object().with(name, "a").verify().is_ok(), "{name}");
        assert!(presigned().with(name, "a").verify().is_ok(), "{name}");
    }
    assert!(presigned().with("x-amz-content-sha256", EMPTY).verify().is_ok());
}

#[test]
fn given_a_host_that_is_not_signed_when_verified_then_refused() {
    let header = Sent::new(Method::Get, "/", "").signed(EMPTY, "x-amz-content-sha256;x-amz-date", "00");
    for sent in [header, presigned_with("60", "range")] {
        assert_eq!(sent.code(), ErrorCode::AccessDenied);
        assert_eq!(sent.refusal().element("HeadersNotSigned"), Some("host"));
    }
}

#[test]
fn given_several_credentials_when_authenticated_then_refused() {
    for query in [
        "AWSAccessKeyId=a&Signature=b&Expires=1",
        "X-Amz-Signature=a",
        "X-Amz-Algorithm",
    ] {
        let mut sent = get_object();
        sent.query = query.to_owned();
        let error = sent.refusal();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{query}");
        assert!(error.message().starts_with("Only one auth mechanism allowed"));
    }
    let mut both = presigned();
    both.query.push_str("&AWSAccessKeyId=a");
    assert_eq!(both.code(), ErrorCode::InvalidArgument);

    let mut twice = presigned();
    twice.query.push_str("&X-Amz-Credential=a");
    assert_eq!(twice.code(), ErrorCode::AuthorizationQueryParametersError);
    let twice = get_object().with("authorization", "AWS4-HMAC-SHA256 a");
    assert_eq!(twice.code(), ErrorCode::AuthorizationHeaderMalformed);
}

#[test]
fn given_authorization_headers_when_malformed_then_the_reason_is_told() {
    let refusal = |authorization: &str| {
        Sent::new(Method::Get, "/", "")
            .with("x-amz-content-sha256", EMPTY)
            .with("x-amz-date", "20130524T000000Z")
            .with("Authorization", authorization)
            .refusal()
    };
    let scoped = |scope: &str| {
        refusal(&format!(
            "AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00"
        ))
    };
    for (authorization, reason) in [
        (
            "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host",
            "missing Signature=",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=, SignedHeaders=host, Signature=0",
            "missing Credential=",
        ),
        (
            "AWS4-HMAC-SHA256 SignedHeaders=host, SignedHeaders=host, Signature=0",
            "SignedHeaders is there twice",
        ),
        ("AWS4-HMAC-SHA256 Signature", "expecting name=value"),
        ("AWS4-HMAC-SHA256 a=b", "something else"),
    ] {
        let error = refusal(authorization);
        assert_eq!(error.code(), ErrorCode::AuthorizationHeaderMalformed);
        assert!(error.message().contains(reason), "{}", error.message());
    }
    for (scope, reason) in [
        ("a/20130524/us-east-1/s3", "mal-formed"),
        ("/20130524/us-east-1/s3/aws4_request", "mal-formed"),
        ("a/20130523/us-east-1/s3/aws4_request", "Invalid credential date"),
        (
            "a/20130524/us-east-1/ec2/aws4_request",
            "incorrect service \"ec2\"",
        ),
        ("a/20130524/us-east-1/s3/aws3_request", "incorrect terminal"),
    ] {
        let error = scoped(scope);
        assert_eq!(error.code(), ErrorCode::AuthorizationHeaderMalformed);
        assert!(error.message().contains(reason), "{}", error.message());
    }
    let error = scoped("a/20130524/eu-west-1/s3/aws4_request");
    assert_eq!(
        error.message(),
        "The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'us-east-1'"
    );
    assert_eq!(error.element("Region"), Some("us-east-1"));
    assert_eq!(refusal("Basic YTpi").code(), ErrorCode::InvalidArgument);
    for other in [
        "AWS AKID:sig",
        "AWS4-ECDSA-P256-SHA256 Credential=a",
        "AWS4-HMAC-SHA256x",
    ] {
        assert_eq!(refusal(other).code(), ErrorCode::InvalidRequest);
    }
}

#[test]
fn given_clocks_that_differ_when_verified_then_accepted_up_to_a_quarter_of_an_hour() {
    for now in ["20130524T001500Z", "20130523T234500Z"] {
        assert!(get_object().at(now).verify().is_ok(), "{now}");
    }
    for now in ["20130524T001501Z", "20130523T234459Z"] {
        let error = get_object().at(now).refusal();
        assert_eq!(error.code(), ErrorCode::RequestTimeTooSkewed, "{now}");
        assert_eq!(error.element("MaxAllowedSkewMilliseconds"), Some("900000"));
        assert_eq!(error.element("RequestTime"), Some("20130524T000000Z"));
    }
}

#[test]
fn given_no_usable_date_when_authenticated_then_access_denied() {
    let without = get_object().without("x-amz-date");
    for sent in [
        without.clone(),
        without.clone().with("date", "Fri, 24 May 2013 00:00:00 GMT"),
        without.with("x-amz-date", "Fri, 24 May 2013 00:00:00 GMT"),
    ] {
        assert_eq!(sent.code(), ErrorCode::AccessDenied);
    }
    let dated = Sent::new(Method::Get, "/", "")
        .with("date", "Fri, 24 May 2013 00:00:00 GMT")
        .with("x-amz-content-sha256", EMPTY)
        .with(
            "authorization",
            &format!(
                "AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=date;host;x-amz-content-sha256, Signature=00"
            ),
        );
    assert_eq!(dated.code(), ErrorCode::SignatureDoesNotMatch);
}

#[test]
fn given_a_signed_header_request_without_a_payload_hash_when_authenticated_then_named() {
    let sent = get_object().without("x-amz-content-sha256");
    assert_eq!(
        sent.refusal().message(),
        "Missing required header for this request: x-amz-content-sha256"
    );
}

#[test]
fn given_presigned_parameters_when_wrong_then_the_reason_is_told() {
    for (expires, reason) in [
        ("0", "at least 1"),
        ("604801", "less than a week"),
        ("-1", "non-negative"),
        ("x", "should be a number"),
        ("99999999999999999999", "should be a number"),
        ("", "requires the X-Amz-Algorithm"),
    ] {
        let error = presigned_with(expires, "host").refusal();
        assert_eq!(
            error.code(),
            ErrorCode::AuthorizationQueryParametersError,
            "{expires}"
        );
        assert!(error.message().contains(reason), "{}", error.message());
    }
    assert_eq!(
        presigned_with("604800", "host").code(),
        ErrorCode::SignatureDoesNotMatch
    );
    let replaced = |from: &str, to: &str| {
        let mut sent = presigned();
        sent.query = sent.query.replace(from, to);
        sent.refusal()
    };
    for (from, to, reason) in [
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", "only supports"),
        (
            "us-east-1",
            "us-west-1",
            "the region 'us-west-1' is wrong; expecting 'us-east-1'",
        ),
        ("Date=20130524T000000Z", "Date=today", "ISO8601"),
        ("X-Amz-Date", "X-Amz-Other", "requires the X-Amz-Algorithm"),
        ("%2F20130524", "%2F20130525", "Invalid credential date"),
    ] {
        let error = replaced(from, to);
        assert_eq!(error.code(), ErrorCode::AuthorizationQueryParametersError, "{to}");
        assert!(error.message().contains(reason), "{}", error.message());
    }
}

#[test]
fn given_a_presigned_request_outside_its_time_when_verified_then_access_denied() {
    let late = presigned().at("20130525T000001Z").refusal();
    assert_eq!(late.message(), "Request has expired");
    assert_eq!(late.element("Expires"), Some("2013-05-25T00:00:00.000Z"));
    let early = presigned().at("20130523T234459Z").refusal();
    assert_eq!(early.message(), "Request is not valid yet");
    for error in [late, early] {
        assert_eq!(error.code(), ErrorCode::AccessDenied);
    }
}

#[test]
fn given_a_streaming_payload_when_presigned_or_anonymous_then_only_unsigned_chunks_without_credentials() {
    for mode in [
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    ] {
        let sent = presigned_with("86400", "host;x-amz-decoded-content-length")
            .with("x-amz-content-sha256", mode)
            .with("x-amz-decoded-content-length", "1");
        assert_eq!(sent.code(), ErrorCode::InvalidRequest, "{mode}");
    }
    let anonymous = |mode: &str| {
        Sent::new(Method::Put, "/a", "")
            .with("x-amz-content-sha256", mode)
            .with("x-amz-decoded-content-length", "1")
            .authenticate()
    };
    let signed = anonymous("STREAMING-AWS4-HMAC-SHA256-PAYLOAD").unwrap_err();
    assert_eq!(signed.code(), ErrorCode::InvalidRequest);
    let Authentication::Anonymous(anonymous) = anonymous("STREAMING-UNSIGNED-PAYLOAD-TRAILER").unwrap()
    else {
        panic!("anonymous")
    };
    assert!(matches!(
        anonymous.payload(BodyRule::MayBeChunked),
        Ok(Payload::Chunked(_))
    ));
}

#[test]
fn given_a_request_without_credentials_when_authenticated_then_anonymous_with_its_digest() {
    let Authentication::Anonymous(anonymous) = Sent::new(Method::Put, "/a", "")
        .with("x-amz-content-sha256", EMPTY)
        .authenticate()
        .unwrap()
    else {
        panic!("anonymous")
    };
    assert!(matches!(
        anonymous.payload(BodyRule::Whole),
        Ok(Payload::Whole { sha256: Some(_) })
    ));
}

#[test]
fn given_signature_version_2_in_the_query_when_authenticated_then_told_what_to_use() {
    let sent = Sent::new(Method::Get, "/a", "AWSAccessKeyId=a&Signature=b&Expires=1");
    assert!(sent.refusal().message().ends_with("Please use AWS4-HMAC-SHA256."));
}

#[test]
fn given_a_body_in_chunks_when_the_operation_takes_none_then_refused() {
    let sent = Sent::new(Method::Put, "/chunkObject.txt", "")
        .with("x-amz-decoded-content-length", "66560")
        .with("x-amz-storage-class", "REDUCED_REDUNDANCY")
        .with("Content-Encoding", "aws-chunked")
        .with("Content-Length", "66824")
        .without("host")
        .with("Host", "s3.amazonaws.com");
    let mut sent = sent.signed(
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;\
         x-amz-storage-class",
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    );
    sent.path = "/examplebucket/chunkObject.txt";

    assert!(sent.verify().unwrap().payload(BodyRule::MayBeChunked).is_ok());
    let error = sent.verify().unwrap().payload(BodyRule::Whole).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidRequest);
}
