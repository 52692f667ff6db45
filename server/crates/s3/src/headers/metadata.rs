//! System headers and user metadata (user guide, "Working with object metadata").

use std::borrow::Cow;

use super::overrides::ResponseOverrides;
use super::rfc2047;
use crate::error::{ErrorCode, S3Error};
use crate::head::Headers;

const PREFIX: &str = "x-amz-meta-";

/// The most bytes of user metadata, and of system headers: names and values.
const MAX_BYTES: usize = 2048;

/// What is given back as it came.
const SYSTEM: [&str; 6] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
];

const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";

/// The headers that an object keeps, by lower-case names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectHeaders(Vec<(String, String)>);

impl ObjectHeaders {
    /// Reads those of a write. `aws-chunked` is how the body was sent and no encoding of the content; user metadata
    /// that is there twice is joined.
    ///
    /// # Errors
    /// `MetadataTooLarge` beyond 2 KiB, `InvalidArgument` for what is not UTF-8 or has control characters.
    pub fn of(headers: &Headers<'_>) -> Result<Self, S3Error> {
        let mut kept: Vec<(String, String)> = Vec::new();
        for (name, value) in headers.iter() {
            if !is_kept(name) {
                continue;
            }
            let value = text(name, value)?;
            match kept.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => {
                    known.push(',');
                    known.push_str(&value);
                }
                None => kept.push((name.to_owned(), value)),
            }
        }
        for (name, value) in &mut kept {
            if name == "content-encoding" {
                *value = without_chunked(value);
            }
        }
        kept.retain(|(name, value)| name.starts_with(PREFIX) || !value.is_empty());
        if !kept.iter().any(|(name, _)| name == "content-type") {
            kept.push(("content-type".to_owned(), DEFAULT_CONTENT_TYPE.to_owned()));
        }
        check_size(&kept)?;
        Ok(Self(kept))
    }

    /// Those that are stored.
    pub const fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// Names and values, to be stored.
    pub fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }

    /// The value of a header.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The headers of an answer: values of user metadata that are not ASCII become encoded words.
    pub fn answer<'a>(
        &'a self,
        overrides: &'a ResponseOverrides,
    ) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        let stored = self
            .0
            .iter()
            .filter(|(name, _)| overrides.get(name).is_none())
            .map(|(name, value)| (name.as_str(), shown(name, value)));
        let overridden = overrides.iter().map(|(name, value)| (name, Cow::Borrowed(value)));
        stored.chain(overridden)
    }
}

fn is_kept(name: &str) -> bool {
    SYSTEM.contains(&name) || name.len() > PREFIX.len() && name.starts_with(PREFIX)
}

fn shown<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    if name.starts_with(PREFIX) {
        return rfc2047::encode(value);
    }
    Cow::Borrowed(value)
}

fn text(name: &str, value: &[u8]) -> Result<String, S3Error> {
    let text = std::str::from_utf8(value.trim_ascii()).ok();
    let text = text.filter(|text| {
        !text
            .chars()
            .any(|character| character.is_control() && character != '\t')
    });
    text.map(str::to_owned).ok_or_else(|| {
        S3Error::invalid_argument(
            format!("The header {name} must be UTF-8 without control characters"),
            name,
            String::from_utf8_lossy(value),
        )
    })
}

fn without_chunked(encodings: &str) -> String {
    let kept: Vec<&str> = encodings
        .split(',')
        .map(str::trim)
        .filter(|encoding| !encoding.is_empty() && !encoding.eq_ignore_ascii_case("aws-chunked"))
        .collect();
    kept.join(",")
}

fn check_size(kept: &[(String, String)]) -> Result<(), S3Error> {
    let size = |is_user: bool| -> usize {
        kept.iter()
            .filter(|(name, _)| name.starts_with(PREFIX) == is_user)
            .map(|(name, value)| name.trim_start_matches(PREFIX).len() + value.len())
            .sum()
    };
    let largest = size(true).max(size(false));
    if largest <= MAX_BYTES {
        return Ok(());
    }
    Err(S3Error::new(ErrorCode::MetadataTooLarge)
        .with("Size", largest.to_string())
        .with("MaxSizeAllowed", MAX_BYTES.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(given: &[(&str, &[u8])]) -> Result<ObjectHeaders, S3Error> {
        ObjectHeaders::of(&given.iter().copied().collect())
    }

    #[test]
    fn given_a_write_when_read_then_system_headers_and_user_metadata_and_nothing_else() {
        let headers = of(&[
            ("Host", b"h"),
            ("Content-Type", b"text/plain"),
            ("Content-Encoding", b"aws-chunked, gzip"),
            ("Cache-Control", b" no-cache "),
            ("x-amz-meta-Mtime", b"1"),
            ("x-amz-meta-a", b"x"),
            ("x-amz-meta-a", b"y"),
            ("x-amz-meta-empty", b""),
            ("x-amz-meta-", b"no name"),
            ("x-amz-date", b"20130524T000000Z"),
        ])
        .unwrap();
        let expected = [
            ("content-type", "text/plain"),
            ("content-encoding", "gzip"),
            ("cache-control", "no-cache"),
            ("x-amz-meta-mtime", "1"),
            ("x-amz-meta-a", "x,y"),
            ("x-amz-meta-empty", ""),
        ];
        let pairs: Vec<(&str, &str)> = headers
            .0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(pairs, expected);
        assert_eq!(ObjectHeaders::from_pairs(headers.clone().into_pairs()), headers);
    }

    #[test]
    fn given_a_body_that_was_only_sent_in_chunks_when_read_then_it_has_no_encoding() {
        for value in [&b"aws-chunked"[..], b"AWS-Chunked,", b""] {
            let headers = of(&[("content-encoding", value)]).unwrap();
            assert_eq!(headers.get("content-encoding"), None);
            assert_eq!(headers.get("content-type"), Some("binary/octet-stream"));
        }
    }

    #[test]
    fn given_metadata_at_the_limit_when_read_then_accepted_and_one_byte_more_is_refused() {
        let (most, more) = ("v".repeat(2047), "v".repeat(2048));
        assert!(of(&[("x-amz-meta-k", most.as_bytes())]).is_ok());
        for name in ["x-amz-meta-k", "cache-control"] {
            let error = of(&[(name, more.as_bytes())]).unwrap_err();
            assert_eq!(error.code(), ErrorCode::MetadataTooLarge, "{name}");
            assert_eq!(error.element("MaxSizeAllowed"), Some("2048"));
        }
        // Counted in bytes, not in characters.
        assert!(of(&[("x-amz-meta-k", "ü".repeat(1023).as_bytes())]).is_ok());
        assert!(of(&[("x-amz-meta-k", "ü".repeat(1024).as_bytes())]).is_err());
    }

    #[test]
    fn given_values_that_would_break_an_answer_when_read_then_refused() {
        for value in [&b"\xff"[..], b"a\x01", b"a\x7f", b"a\nb"] {
            for name in ["x-amz-meta-k", "content-disposition"] {
                let error = of(&[(name, value)]).unwrap_err();
                assert_eq!(
                    error.code(),
                    ErrorCode::InvalidArgument,
                    "{}",
                    value.escape_ascii()
                );
            }
        }
    }

    #[test]
    fn given_an_answer_when_written_then_overrides_win_and_metadata_is_ascii() {
        let headers = of(&[
            ("content-type", b"text/plain"),
            ("content-disposition", "attachment; filename=ü".as_bytes()),
            ("x-amz-meta-k", "ü".as_bytes()),
        ])
        .unwrap();
        let query =
            crate::query::Query::parse("response-content-type=text%2Fhtml&response-expires=0").unwrap();
        let overrides = ResponseOverrides::of(&query, false).unwrap();
        let answer: Vec<(&str, String)> = headers
            .answer(&overrides)
            .map(|(name, value)| (name, value.into_owned()))
            .collect();
        let expected = [
            ("content-disposition", "attachment; filename=ü"),
            ("x-amz-meta-k", "=?UTF-8?B?w7w=?="),
            ("content-type", "text/html"),
            ("expires", "0"),
        ];
        assert_eq!(answer, expected.map(|(name, value)| (name, value.to_owned())));
    }
}
