//! A client that signs, written from the documentation and sharing nothing with the server.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zas_core::Timestamp;
use zas_s3::sigv4::{Expected, SecretKey};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SCOPE: &str = "20130524/us-east-1/s3/aws4_request";
pub(super) const DATE: &str = "20130524T000000Z";
pub(super) const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What the server knows.
pub(super) fn expected() -> Expected<'static> {
    Expected {
        region: "us-east-1",
        now: Timestamp::from_millis(1_369_353_600_000),
    }
}

pub(super) fn secret() -> SecretKey {
    SecretKey::new(SECRET)
}

/// The header `Authorization` for a signature.
pub(super) fn authorization(signed_headers: &str, signature: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/{SCOPE},SignedHeaders={signed_headers},Signature={signature}"
    )
}

/// Signs a canonical request.
pub(super) fn sign_request(canonical: &str) -> String {
    let hash = sha256(canonical.as_bytes());
    sign(&format!("AWS4-HMAC-SHA256\n{DATE}\n{SCOPE}\n{hash}"))
}

/// Signs a chunk, given the signature before it.
pub(super) fn sign_chunk(previous: &str, data: &[u8]) -> String {
    let hash = sha256(data);
    sign(&format!(
        "AWS4-HMAC-SHA256-PAYLOAD\n{DATE}\n{SCOPE}\n{previous}\n{EMPTY}\n{hash}"
    ))
}

fn sign(text: &str) -> String {
    let start = format!("AWS4{SECRET}").into_bytes();
    let key = SCOPE
        .split('/')
        .fold(start, |key, part| mac(&key, part.as_bytes()));
    hex(&mac(&key, text.as_bytes()))
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
