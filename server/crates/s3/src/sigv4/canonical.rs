//! The canonical request and the string to sign ("Create a signed request", steps 1 to 3).

use std::fmt::Write;

use super::mac::sha256;
use super::scope::Scope;
use crate::head::RequestHead;
use crate::hex;
use crate::percent;

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
pub(super) const SIGNATURE_PARAMETER: &str = "X-Amz-Signature";

/// What a signature covers, in the form that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Canonical {
    /// For the client whose signature does not match.
    pub(super) request: String,
    /// What the signature is of.
    pub(super) string_to_sign: String,
}

/// The forms in which clients may have signed a head, the likeliest first: with the path as it came, and with the
/// path decoded and encoded again, since some libraries sign another encoding than they send.
pub(super) fn forms(
    head: &RequestHead<'_>,
    signed_headers: &[String],
    payload: &str,
    time: &str,
    scope: &Scope,
) -> Vec<Canonical> {
    let parts = Parts {
        head,
        query: canonical_query(head),
        headers: canonical_headers(head, signed_headers),
        signed_headers: signed_headers.join(";"),
        payload,
    };
    let raw = if head.path.is_empty() { "/" } else { head.path };
    let encoded = percent::decode(raw).map(|decoded| percent::encode_path(&decoded));
    let second = encoded.filter(|encoded| encoded != raw);
    let mut forms = vec![parts.with_path(raw, time, scope)];
    forms.extend(second.map(|path| parts.with_path(&path, time, scope)));
    forms
}

struct Parts<'a> {
    head: &'a RequestHead<'a>,
    query: String,
    headers: Vec<u8>,
    signed_headers: String,
    payload: &'a str,
}

impl Parts<'_> {
    fn with_path(&self, path: &str, time: &str, scope: &Scope) -> Canonical {
        let mut request = format!("{}\n{path}\n{}\n", self.head.method.as_str(), self.query).into_bytes();
        request.extend_from_slice(&self.headers);
        request.extend_from_slice(format!("\n{}\n{}", self.signed_headers, self.payload).as_bytes());
        Canonical {
            string_to_sign: format!(
                "{ALGORITHM}\n{time}\n{}\n{}",
                scope.text(),
                hex::encode(&sha256(&request))
            ),
            request: String::from_utf8_lossy(&request).into_owned(),
        }
    }
}

/// Parameters encoded and then sorted; the signature of a presigned request is not among them.
fn canonical_query(head: &RequestHead<'_>) -> String {
    let signed = |name: &[u8]| name != SIGNATURE_PARAMETER.as_bytes();
    let mut pairs: Vec<(String, String)> = head
        .query
        .parameters()
        .iter()
        .filter(|parameter| signed(&parameter.name))
        .map(|parameter| {
            (
                percent::encode(&parameter.name),
                percent::encode(&parameter.value),
            )
        })
        .collect();
    pairs.sort();
    let mut query = String::new();
    for (name, value) in pairs {
        let separator = if query.is_empty() { "" } else { "&" };
        // Writing to a string cannot fail.
        let _ = write!(query, "{separator}{name}={value}");
    }
    query
}

/// A line for each signed header. One that is not there reads as empty, so that its signature cannot match.
fn canonical_headers(head: &RequestHead<'_>, signed_headers: &[String]) -> Vec<u8> {
    let mut lines = Vec::new();
    for name in signed_headers {
        lines.extend_from_slice(name.as_bytes());
        lines.push(b':');
        let values = head.headers.sent().filter(|(header, _)| header == name);
        for (position, (_, value)) in values.enumerate() {
            if position > 0 {
                lines.push(b',');
            }
            push_value(&mut lines, value);
        }
        lines.push(b'\n');
    }
    lines
}

/// Without the space around it, and with one space for several.
fn push_value(lines: &mut Vec<u8>, value: &[u8]) {
    let mut was_space = false;
    for byte in value.trim_ascii() {
        let is_space = *byte == b' ';
        if !(is_space && was_space) {
            lines.push(*byte);
        }
        was_space = is_space;
    }
}
