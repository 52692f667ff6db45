//! The canonical form of signed requests.

use std::collections::BTreeSet;
use std::fmt::Write;

use zas_s3::sigv4::{Authentication, authenticate};
use zas_s3::{Method, RequestHead};

use super::s3_client::{DATE, EMPTY, authorization, expected, secret, sign_request};
use crate::Verdict;
use crate::input::Input;

/// A line is the path, a line the query, and every further one a header; all of them are signed.
///
/// The signature that an independent reading of the documentation makes is accepted; another digit in it or another
/// method is not.
pub(super) fn target(data: &[u8]) -> Verdict {
    let mut input = Input::of(data);
    let (path, query) = (format!("/{}", input.line()), input.line());
    let mut headers = vec![
        ("host".to_owned(), "s3.example.com".to_owned()),
        ("x-amz-content-sha256".to_owned(), EMPTY.to_owned()),
        ("x-amz-date".to_owned(), DATE.to_owned()),
    ];
    while !input.is_empty() {
        let line = input.line().into_owned();
        if let Some((name, value)) = line.split_once(':').filter(|(name, _)| is_token(name)) {
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
    }
    let names: BTreeSet<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let Some(canonical) = canonical(&path, &query, &headers, &names) else {
        return Verdict::Refused;
    };
    let signature = sign_request(&canonical);
    let verify = |method, signature: &str| {
        let authorization = authorization(&names.join(";"), signature);
        let all = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()));
        let all = all.chain([("authorization", authorization.as_bytes())]).collect();
        let head = RequestHead::new(method, &path, &query, all).ok()?;
        match authenticate(&head, &expected()).ok()? {
            Authentication::Anonymous(_) => panic!("the request has credentials"),
            Authentication::Signed(signed) => Some(signed.verify(&secret()).is_ok()),
        }
    };
    match verify(Method::Put, &signature) {
        None => Verdict::Refused,
        Some(is_accepted) => {
            assert!(is_accepted, "{canonical:?}");
            assert_eq!(verify(Method::Get, &signature), Some(false));
            assert_eq!(verify(Method::Put, &other(&signature)), Some(false));
            Verdict::Accepted
        }
    }
}

fn is_token(name: &str) -> bool {
    let is_character = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !name.is_empty() && name.bytes().all(is_character) && !name.eq_ignore_ascii_case("authorization")
}

fn other(signature: &str) -> String {
    let last = if signature.ends_with('0') { '1' } else { '0' };
    let start = signature.get(..signature.len() - 1).expect("64 digits");
    format!("{start}{last}")
}

/// "Create a canonical request"; `None` when the query cannot be decoded.
fn canonical(path: &str, query: &str, headers: &[(String, String)], names: &[&str]) -> Option<String> {
    let mut parameters = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let name = encoded(&decoded(name)?);
        if name != "X-Amz-Signature" {
            parameters.push((name, encoded(&decoded(value)?)));
        }
    }
    parameters.sort();
    let parameters: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut text = format!("PUT\n{path}\n{}\n", parameters.join("&"));
    for name in names {
        let values: Vec<String> = headers
            .iter()
            .filter(|(header, _)| header == name)
            .map(|(_, value)| collapsed(value.trim_matches(is_space)))
            .collect();
        let _ = writeln!(text, "{name}:{}", values.join(","));
    }
    let _ = write!(text, "\n{}\n{EMPTY}", names.join(";"));
    Some(text)
}

fn is_space(character: char) -> bool {
    character.is_ascii_whitespace()
}

/// One space for several.
fn collapsed(value: &str) -> String {
    let mut value = value.to_owned();
    while value.contains("  ") {
        value = value.replace("  ", " ");
    }
    value
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
                let digits = std::str::from_utf8(&digits).ok().filter(|_| is_hex)?;
                u8::from_str_radix(digits, 16).ok()?
            }
            other => other,
        });
    }
    Some(bytes)
}

fn encoded(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}
