//! Heads of S3 requests.

use std::fmt::Write;

use zas_s3::listing::{
    ListBucketsParameters, ListMultipartUploadsParameters, ListObjectVersionsParameters,
    ListObjectsParameters, ListObjectsV2Parameters, ListPartsParameters,
};
use zas_s3::operation::Addressing;
use zas_s3::{Method, Operation, Query, RequestHead};

use crate::Verdict;
use crate::input::Input;

const DOMAIN: &str = "s3.example.com";
const METHODS: [Method; 6] = [
    Method::Get,
    Method::Head,
    Method::Put,
    Method::Post,
    Method::Delete,
    Method::Options,
];

/// The first byte chooses the method; a line is the host, a line the path, a line the query, and every further one a
/// header.
///
/// What is read does not depend on the style of the address nor on how the key is encoded.
pub(super) fn target(data: &[u8]) -> Verdict {
    let mut input = Input::of(data);
    let method = METHODS[usize::from(input.byte()) % METHODS.len()];
    let (host, path, query) = (input.line(), input.line(), input.line());
    let mut headers = Vec::new();
    while !input.is_empty() {
        let line = input.line().into_owned();
        if let Some((name, value)) = line
            .split_once(':')
            .filter(|(name, _)| !name.eq_ignore_ascii_case("host"))
        {
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    let read = |host: &str, path: &str| {
        let host = [("host", host.as_bytes())].into_iter();
        let others = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()));
        let head = RequestHead::new(method, path, &query, host.chain(others).collect()).ok()?;
        let addressing = Addressing { domain: Some(DOMAIN) };
        Operation::of(&head, &addressing).ok()
    };
    let _ = Query::parse(&query).map(|query| check_parameters(&query));
    let Some(operation) = read(&host, &path) else {
        return Verdict::Refused;
    };
    if let Some(bucket) = operation.bucket() {
        let key = match &operation {
            Operation::Object(_, key, _) => encoded(key.as_str()),
            _ => String::new(),
        };
        let by_path = read(DOMAIN, &format!("/{bucket}/{key}"));
        assert_eq!(by_path.as_ref(), Some(&operation), "{host:?} {path:?}");
        let by_host = read(&format!("{bucket}.{DOMAIN}:8080"), &format!("/{key}"));
        assert_eq!(by_host.as_ref(), Some(&operation), "{host:?} {path:?}");
    }
    Verdict::Accepted
}

/// Every byte as an escape.
fn encoded(key: &str) -> String {
    let mut text = String::new();
    for byte in key.bytes() {
        let _ = write!(text, "%{byte:02x}");
    }
    text
}

/// A token reads as it is written, and no page is larger than it may be.
fn check_parameters(query: &Query<'_>) {
    if let Ok(parameters) = ListObjectsV2Parameters::of(query) {
        assert!(parameters.max_keys <= 1000);
        if let Some(token) = &parameters.continuation_token {
            let sent = query.text("continuation-token").ok().flatten();
            assert_eq!(Some(token.text().as_str()), sent);
        }
    }
    if let Ok(parameters) = ListObjectsParameters::of(query) {
        let marker = parameters.after().map(|after| after.marker().to_owned());
        assert_eq!(marker, parameters.marker);
    }
    if let Ok(parameters) = ListObjectVersionsParameters::of(query) {
        assert!(parameters.version_id_marker.is_none() || parameters.key_marker.is_some());
    }
    if let Ok(parameters) = ListMultipartUploadsParameters::of(query) {
        assert!(parameters.upload_id_marker.is_none() || parameters.key_marker.is_some());
    }
    if let Ok(parameters) = ListPartsParameters::of(query) {
        assert!(parameters.max_parts <= 1000 && parameters.part_number_marker <= 10_000);
    }
    if let Ok(parameters) = ListBucketsParameters::of(query) {
        assert!((1..=10_000).contains(&parameters.max_buckets));
    }
}
