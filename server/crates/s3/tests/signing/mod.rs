//! A client that signs, written from the documentation and sharing nothing with the code under test.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

pub(crate) const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub(crate) const DATE: &str = "20130524T000000Z";
pub(crate) const REGION: &str = "us-east-1";
const SCOPE: &str = "20130524/us-east-1/s3/aws4_request";

/// A request before it is sent. Paths and queries are given in their canonical form.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &'static str, path: &str, query: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: vec![("host".to_owned(), "s3.example.com".to_owned())],
            body: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    /// Signs every header so far, with that text as the payload's hash.
    pub(crate) fn signed(self, payload: &str) -> Self {
        let request = self
            .with("x-amz-content-sha256", payload)
            .with("x-amz-date", DATE);
        let mut names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let (names, signature) = (names.join(";"), request.signature(&names, payload));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={KEY_ID}/{SCOPE},SignedHeaders={names},Signature={signature}"
        );
        request.with("authorization", &authorization)
    }

    /// Puts the signature into the query, as a link has it.
    pub(crate) fn presigned(mut self, expires: &str) -> Self {
        let credential = format!("{KEY_ID}/{SCOPE}").replace('/', "%2F");
        let mut parameters: Vec<String> = self
            .query
            .split('&')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        parameters.extend([
            "X-Amz-Algorithm=AWS4-HMAC-SHA256".to_owned(),
            format!("X-Amz-Credential={credential}"),
            format!("X-Amz-Date={DATE}"),
            format!("X-Amz-Expires={expires}"),
            "X-Amz-SignedHeaders=host".to_owned(),
        ]);
        parameters.sort();
        self.query = parameters.join("&");
        let signature = self.signature(&["host"], "UNSIGNED-PAYLOAD");
        let _ = write!(self.query, "&X-Amz-Signature={signature}");
        self
    }

    fn signature(&self, names: &[&str], payload: &str) -> String {
        let mut canonical = format!("{}\n{}\n{}\n", self.method, self.path, self.canonical_query());
        for name in names {
            let values: Vec<&str> = self
                .headers
                .iter()
                .filter(|(header, _)| header == name)
                .map(|(_, value)| value.trim())
                .collect();
            let _ = writeln!(canonical, "{name}:{}", values.join(","));
        }
        let _ = write!(canonical, "\n{}\n{payload}", names.join(";"));
        let hash = hex(&Sha256::digest(canonical.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{DATE}\n{SCOPE}\n{hash}");
        let mut key = format!("AWS4{SECRET}").into_bytes();
        for part in SCOPE.split('/') {
            key = mac(&key, part.as_bytes());
        }
        hex(&mac(&key, to_sign.as_bytes()))
    }

    fn canonical_query(&self) -> String {
        let mut parameters: Vec<String> = self
            .query
            .split('&')
            .filter(|part| !part.is_empty())
            .map(|part| {
                if part.contains('=') {
                    part.to_owned()
                } else {
                    format!("{part}=")
                }
            })
            .collect();
        parameters.sort();
        parameters.join("&")
    }
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn sha256(body: &[u8]) -> String {
    hex(&Sha256::digest(body))
}
