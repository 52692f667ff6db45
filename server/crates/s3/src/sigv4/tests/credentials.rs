//! What holds for every kind of credentials, and for none.

use super::*;

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
