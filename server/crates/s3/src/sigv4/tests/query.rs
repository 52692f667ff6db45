//! Presigned requests.

use super::*;

#[test]
fn given_the_published_presigned_example_when_verified_then_its_signature_matches() {
    for now in ["20130524T000000Z", "20130523T234500Z", "20130525T000000Z"] {
        let verified = presigned().at(now).verify().unwrap();
        let payload = verified.payload(BodyRule::Whole).unwrap();
        assert!(matches!(payload, Payload::Whole { sha256: None }), "{now}");
    }
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
fn given_signature_version_2_in_the_query_when_authenticated_then_told_what_to_use() {
    let sent = Sent::new(Method::Get, "/a", "AWSAccessKeyId=a&Signature=b&Expires=1");
    assert!(sent.refusal().message().ends_with("Please use AWS4-HMAC-SHA256."));
}
