//! Tables of parameters as clients send them.

use super::*;
use crate::error::{ErrorCode, S3Error};
use crate::query::Query;

fn query(text: &str) -> Query<'_> {
    Query::parse(text).unwrap()
}

fn token(position: ListPosition) -> String {
    ContinuationToken::new(position).text()
}

fn key(text: &str) -> ListPosition {
    ListPosition::Key(text.to_owned())
}

fn prefix(text: &str) -> ListPosition {
    ListPosition::Prefix(text.to_owned())
}

#[test]
fn given_no_parameters_when_read_then_a_thousand_of_everything() {
    let parameters =
        ListObjectsV2Parameters::of(&query("list-type=2&prefix=&delimiter=&encoding-type=")).unwrap();
    assert_eq!(
        (parameters.prefix.as_str(), parameters.delimiter.as_deref()),
        ("", None)
    );
    assert_eq!(
        (parameters.max_keys, parameters.encoding),
        (1000, KeyEncoding::Raw)
    );
    assert_eq!((parameters.after(), parameters.fetch_owner), (None, false));
}

#[test]
fn given_what_aws_cli_sends_when_read_then_every_parameter() {
    let text = format!(
        "list-type=2&prefix=a%2Fb+c&delimiter=%2F&encoding-type=url&max-keys=7&start-after=a%2Fb&fetch-owner=true\
         &continuation-token={}",
        token(prefix("a/b/"))
    );
    let parameters = ListObjectsV2Parameters::of(&query(&text)).unwrap();
    assert_eq!(parameters.prefix, "a/b c");
    assert_eq!(parameters.delimiter.as_deref(), Some("/"));
    assert_eq!((parameters.max_keys, parameters.fetch_owner), (7, true));
    assert_eq!(parameters.start_after.as_deref(), Some("a/b"));
    assert_eq!(parameters.after(), Some(prefix("a/b/")));
}

#[test]
fn given_numbers_when_read_then_capped_or_refused_with_their_names() {
    let keys =
        |text: &'static str| ListObjectsParameters::of(&query(text)).map(|parameters| parameters.max_keys);
    for (text, number) in [
        ("max-keys=0", 0),
        ("max-keys=1000", 1000),
        ("max-keys=1001", 1000),
        ("max-keys=2147483647", 1000),
        ("max-keys=", 1000),
    ] {
        assert_eq!(keys(text), Ok(number), "{text}");
    }
    for text in [
        "max-keys=-1",
        "max-keys=x",
        "max-keys=2147483648",
        "max-keys=1.5",
        "max-keys=1&max-keys=2",
    ] {
        let error = keys(text).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{text}");
        assert_eq!(error.element("ArgumentName"), Some("max-keys"));
    }
    let parts = ListPartsParameters::of(&query("max-parts=2&part-number-marker=99999")).unwrap();
    assert_eq!((parts.max_parts, parts.part_number_marker), (2, 10_000));
    assert!(ListPartsParameters::of(&query("part-number-marker=-1")).is_err());
    let uploads = ListMultipartUploadsParameters::of(&query("max-uploads=2000")).unwrap();
    assert_eq!(uploads.max_uploads, 1000);
}

#[test]
fn given_a_number_of_buckets_when_read_then_one_to_ten_thousand() {
    let most = |text: &'static str| {
        let read = ListBucketsParameters::of(&query(text)).map(|parameters| parameters.max_buckets);
        read.map_err(|error| error.code())
    };
    assert_eq!(most(""), Ok(10_000));
    assert_eq!(most("max-buckets=1"), Ok(1));
    assert_eq!(most("max-buckets=10000"), Ok(10_000));
    for text in [
        "max-buckets=0",
        "max-buckets=10001",
        "max-buckets=-1",
        "max-buckets=x",
    ] {
        assert_eq!(most(text), Err(ErrorCode::InvalidArgument), "{text}");
    }
}

#[test]
fn given_arguments_that_mean_nothing_when_read_then_invalid_argument() {
    fn versions(text: &str) -> Option<S3Error> {
        ListObjectVersionsParameters::of(&query(text)).err()
    }
    fn objects(text: &str) -> Option<S3Error> {
        ListObjectsV2Parameters::of(&query(text)).err()
    }
    for (error, name) in [
        (objects("encoding-type=base64"), "encoding-type"),
        (objects("continuation-token="), "continuation-token"),
        (objects("continuation-token=x"), "continuation-token"),
        (objects("prefix=%ff"), "prefix"),
        (objects("prefix=a&prefix=b"), "prefix"),
        (versions("version-id-marker=v1"), "version-id-marker"),
        (versions("key-marker=k&version-id-marker="), "version-id-marker"),
        (
            versions("key-marker=k&version-id-marker=a+b"),
            "version-id-marker",
        ),
    ] {
        let error = error.unwrap();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert_eq!(error.element("ArgumentName"), Some(name));
    }
    assert_eq!(versions("version-id-marker="), None);
}

#[test]
fn given_markers_when_read_then_a_common_prefix_is_passed_and_a_key_is_not() {
    for (text, after) in [
        ("marker=", None),
        ("marker=a", Some(key("a"))),
        ("marker=a/", Some(key("a/"))),
        ("marker=a/&delimiter=/", Some(prefix("a/"))),
        ("marker=a/b&delimiter=/", Some(key("a/b"))),
        ("marker=a/b/&delimiter=/", Some(key("a/b/"))),
        ("marker=a/b/&delimiter=/&prefix=a/", Some(prefix("a/b/"))),
        ("marker=a/&delimiter=/&prefix=a/", Some(key("a/"))),
        ("marker=a/&delimiter=/&prefix=b", Some(key("a/"))),
        ("marker=a--&delimiter=--", Some(prefix("a--"))),
    ] {
        let parameters = ListObjectsParameters::of(&query(text)).unwrap();
        assert_eq!(parameters.after(), after, "{text}");
        let versions = text.replace("marker", "key-marker");
        let versions = ListObjectVersionsParameters::of(&query(&versions)).unwrap();
        assert_eq!(versions.after(), after, "{text}");
    }
    let start = ListObjectsV2Parameters::of(&query("start-after=a/&delimiter=/")).unwrap();
    assert_eq!(start.after(), Some(prefix("a/")));
}

#[test]
fn given_a_marker_with_a_version_or_an_upload_when_read_then_the_rest_of_that_key_comes_first() {
    let versions =
        ListObjectVersionsParameters::of(&query("key-marker=a/&version-id-marker=v1&delimiter=/")).unwrap();
    assert_eq!(versions.after(), Some(key("a/")));
    assert_eq!(versions.version_id_marker.unwrap().as_str(), "v1");
    let text = "key-marker=a/&upload-id-marker=u1&delimiter=/";
    let uploads = ListMultipartUploadsParameters::of(&query(text)).unwrap();
    assert_eq!(uploads.after(), Some(key("a/")));
    assert_eq!(uploads.upload_id_marker.unwrap().as_str(), "u1");
    let uploads = ListMultipartUploadsParameters::of(&query("upload-id-marker=u1")).unwrap();
    assert_eq!(uploads.upload_id_marker, None);
}

#[test]
fn given_tokens_when_read_back_then_the_position_and_nothing_that_was_not_given() {
    let longest = "k".repeat(1024);
    for position in [key("a"), prefix("a/"), key("\u{1}ü\n"), key(&longest)] {
        let text = token(position.clone());
        assert!(
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
        assert_eq!(ContinuationToken::parse(&text).unwrap().position(), &position);
    }
    for text in ["", "MQ", "M2E", "Mf8", "!", &token(key(&format!("{longest}k")))] {
        let error = ContinuationToken::parse(text).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{text}");
    }
    let buckets = format!(
        "continuation-token={}&prefix=a&bucket-region=r",
        token(key("abc"))
    );
    let buckets = ListBucketsParameters::of(&query(&buckets)).unwrap();
    assert_eq!((buckets.after(), buckets.prefix.as_str()), (Some("abc"), "a"));
    assert_eq!(buckets.bucket_region.as_deref(), Some("r"));
}

#[test]
fn given_keys_when_encoded_then_any_client_decodes_them_to_the_same() {
    assert_eq!(
        KeyEncoding::Url.of_text("a/b c+ü%\u{1}~"),
        "a/b%20c%2B%C3%BC%25%01~"
    );
    assert_eq!(KeyEncoding::Raw.of_text("a b"), "a b");
}
