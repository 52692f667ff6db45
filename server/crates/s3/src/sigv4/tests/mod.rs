//! AWS's published examples, and every way of being refused.

mod credentials;
mod header;
mod query;

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
