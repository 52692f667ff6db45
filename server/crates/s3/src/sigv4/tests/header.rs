//! Signatures in the header `Authorization`.

use super::*;

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
