//! Whole requests, one after the other: everything that a client can say to the public listener.

use std::borrow::Cow;

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, Uri};
use actix_web::test::TestRequest;
use bytes::Bytes;
use serde_json::Value;
use zas_core::Digest;

use crate::Verdict;
use crate::edge::{Answer, World, block_on};
use crate::input::Input;

/// Ends a request of an input.
const END: u8 = 0x1E;

/// Most requests of one input.
const MAX_REQUESTS: usize = 8;

/// The input holds requests as HTTP/1.1 writes them without a version. In paths `{id}` stands for the last upload and
/// `{digest}` for the digest of the body, which nobody finds by trying.
///
/// The server never fails, says what is wrong in the form of the specification, sends exactly the bytes that it names,
/// and has what it says that it created.
pub(super) fn target(data: &[u8]) -> Verdict {
    block_on(async {
        let world = World::new().await;
        let mut input = Input::of(data);
        let mut upload = String::new();
        let mut verdict = Verdict::Refused;
        for _ in 0..MAX_REQUESTS {
            if input.is_empty() {
                break;
            }
            let Some(sent) = Sent::read(input.until(END), &upload) else {
                continue;
            };
            let answer = world.send(sent.request()).await;
            check(&sent, &answer);
            check_created(&world, &answer).await;
            if let Some(id) = answer.header("docker-upload-uuid") {
                id.clone_into(&mut upload);
            }
            if answer.status < 300 {
                verdict = Verdict::Accepted;
            }
        }
        verdict
    })
}

#[derive(Debug)]
struct Sent {
    method: Method,
    uri: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Sent {
    /// Reads a request; `None` when no HTTP server would let it through to the product.
    fn read(data: &[u8], upload: &str) -> Option<Self> {
        let mut input = Input::of(data);
        let line = input.line();
        let (method, target) = line.split_once(' ')?;
        let mut headers = Vec::new();
        loop {
            let line = input.until(b'\n');
            let Some(at) = line.iter().position(|byte| *byte == b':') else {
                break;
            };
            let (name, value) = line.split_at(at);
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            headers.push((
                HeaderName::from_bytes(name).ok()?,
                HeaderValue::from_bytes(value).ok()?,
            ));
        }
        let body = Bytes::copy_from_slice(input.rest());
        let target = filled(target, upload, &body);
        let uri: Uri = target.parse().ok()?;
        uri.path().starts_with('/').then_some(())?;
        Some(Self {
            method: Method::from_bytes(method.as_bytes()).ok()?,
            uri,
            headers,
            body,
        })
    }

    fn request(&self) -> TestRequest {
        let request = TestRequest::default()
            .method(self.method.clone())
            .uri(&self.uri.to_string())
            .set_payload(self.body.clone());
        self.headers
            .iter()
            .cloned()
            .fold(request, TestRequest::append_header)
    }
}

fn filled<'a>(target: &'a str, upload: &str, body: &[u8]) -> Cow<'a, str> {
    if !target.contains('{') {
        return Cow::Borrowed(target);
    }
    let digest = Digest::sha256_of(body).to_string();
    Cow::Owned(target.replace("{id}", upload).replace("{digest}", &digest))
}

fn check(sent: &Sent, answer: &Answer) {
    assert!(
        (200..500).contains(&answer.status),
        "{sent:?} makes the server fail: {answer:?}"
    );
    if answer.status >= 400 && sent.method != Method::HEAD {
        check_error(sent, answer);
    }
    if sent.method == Method::GET && answer.status == 200 {
        check_digest(answer);
    }
    if answer.status == 206 {
        check_part(answer);
    }
}

fn check_error(sent: &Sent, answer: &Answer) {
    let body: Value = serde_json::from_slice(&answer.body)
        .unwrap_or_else(|error| panic!("{sent:?} is refused without a reason: {error}: {answer:?}"));
    let first = &body["errors"][0];
    let is_told = first["code"].is_string() && first["message"].as_str().is_some_and(|text| !text.is_empty());
    assert!(is_told, "{sent:?} is refused without a reason: {answer:?}");
}

/// The bytes are those that the header names.
fn check_digest(answer: &Answer) {
    let Some(digest) = answer.header("docker-content-digest") else {
        return;
    };
    let digest: Digest = digest.parse().expect("a digest");
    assert_eq!(digest.algorithm().digest(&answer.body), digest);
}

fn check_part(answer: &Answer) {
    let range = answer.header("content-range").expect("a Content-Range");
    let (part, whole) = range
        .strip_prefix("bytes ")
        .and_then(|range| range.split_once('/'))
        .expect("bytes first-last/length");
    let (first, last) = part.split_once('-').expect("first-last");
    let [first, last, whole] = [first, last, whole].map(|number| number.parse::<u64>().expect("a number"));
    assert!(first <= last && last < whole, "{range}");
    assert_eq!(answer.body.len() as u64, last - first + 1, "{range}");
}

/// What was created is there, under the digest that was told.
async fn check_created(world: &World, answer: &Answer) {
    let (201, Some(location)) = (answer.status, answer.header("location")) else {
        return;
    };
    let told = answer.header("docker-content-digest").map(str::to_owned);
    let created = world.send(TestRequest::get().uri(location)).await;
    assert_eq!(created.status, 200, "{location} was created: {created:?}");
    assert_eq!(created.header("docker-content-digest"), told.as_deref());
    check_digest(&created);
}
