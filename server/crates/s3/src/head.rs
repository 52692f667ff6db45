//! The head of a request as it came: nothing decoded, nothing dropped.

use std::borrow::Cow;

use crate::checksum::ChecksumAlgorithm;
use crate::error::S3Error;
use crate::query::Query;

/// A method that S3 knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Reads without a body.
    Head,
    /// Writes.
    Put,
    /// Starts, completes, deletes many.
    Post,
    /// Deletes.
    Delete,
    /// Asks what a page of another origin may do.
    Options,
}

impl Method {
    /// The method on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }

    /// Reads a method; `None` for those that S3 has no use for.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::Get,
            Self::Head,
            Self::Put,
            Self::Post,
            Self::Delete,
            Self::Options,
        ];
        all.into_iter().find(|method| method.as_str() == text)
    }
}

/// Headers in the order in which they came, and behind them those that a link carries as parameters. Names are
/// lower-case; values are bytes, which need not be text.
#[derive(Clone, Debug, Default)]
pub struct Headers<'a> {
    all: Vec<(Cow<'a, str>, Cow<'a, [u8]>)>,
    /// How many were sent as headers.
    sent: usize,
}

impl<'a> Headers<'a> {
    /// Every value, in the order in which they came.
    pub fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b [u8]> + 'b {
        self.iter()
            .filter(move |(header, _)| *header == name)
            .map(|(_, value)| value)
    }

    /// The value as text without the space around it; `None` when there is none.
    ///
    /// # Errors
    /// `InvalidArgument` when there are several or it is not visible ASCII: two readers of such a header may see
    /// different things.
    pub fn text<'b>(&'b self, name: &str) -> Result<Option<&'b str>, S3Error> {
        let mut values = self.iter().filter(|(header, _)| *header == name);
        let Some((_, value)) = values.next() else {
            return Ok(None);
        };
        let text = std::str::from_utf8(value).ok().filter(|text| {
            text.bytes()
                .all(|byte| (b' '..=b'~').contains(&byte) || byte == b'\t')
        });
        match (text, values.next()) {
            (Some(text), None) => Ok(Some(text.trim())),
            _ => Err(S3Error::invalid_argument(
                format!("The header {name} must be there once and be text"),
                name,
                String::from_utf8_lossy(value),
            )),
        }
    }

    /// Whether there is such a header.
    pub fn contains(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// Names and values in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.all
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// Those that were sent as headers: what a signature covers as such.
    pub(crate) fn sent(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.iter().take(self.sent)
    }

    /// Adds what a link carries as parameters, which its signature covers with the query.
    fn with_parameters(mut self, query: &Query<'a>) -> Self {
        let is_link = query.contains("X-Amz-Signature");
        for parameter in query.parameters().iter().filter(|_| is_link) {
            let name = String::from_utf8_lossy(&parameter.name).to_ascii_lowercase();
            if is_carried(&name) {
                self.all
                    .push((Cow::Owned(name), Cow::Owned(parameter.value.clone())));
            }
        }
        self
    }
}

/// What belongs to the signature itself.
const OF_SIGNATURES: [&str; 8] = [
    "x-amz-algorithm",
    "x-amz-content-sha256",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
];

/// Some libraries move every header of Amazon into the query of a link, and AWS reads it there. Only checksums of the
/// body are left alone, as AWS does: whoever makes a link has no body yet, and their library adds that of nothing.
fn is_carried(name: &str) -> bool {
    let is_of_body = ChecksumAlgorithm::of_header(name).is_some() || name == "x-amz-sdk-checksum-algorithm";
    name.starts_with("x-amz-") && !is_of_body && !OF_SIGNATURES.contains(&name)
}

/// Names may be in any case.
impl<'a> FromIterator<(&'a str, &'a [u8])> for Headers<'a> {
    fn from_iter<T: IntoIterator<Item = (&'a str, &'a [u8])>>(headers: T) -> Self {
        let lower = |name: &'a str| {
            let is_lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
            if is_lower {
                Cow::Borrowed(name)
            } else {
                Cow::Owned(name.to_ascii_lowercase())
            }
        };
        let all: Vec<_> = headers
            .into_iter()
            .map(|(name, value)| (lower(name), Cow::Borrowed(value)))
            .collect();
        Self { sent: all.len(), all }
    }
}

/// The head of a request.
#[derive(Clone, Debug)]
pub struct RequestHead<'a> {
    /// What is to be done.
    pub method: Method,
    /// The path as it came, encoded, without the query.
    pub path: &'a str,
    /// The parameters behind `?`.
    pub query: Query<'a>,
    /// Every header. Over HTTP/2 `host` has to be added from `:authority`.
    pub headers: Headers<'a>,
}

impl<'a> RequestHead<'a> {
    /// A head; `query` is what stands behind `?`, as it came. Headers that a link carries as parameters are headers
    /// from here on.
    ///
    /// # Errors
    /// `InvalidURI` when the query cannot be decoded.
    pub fn new(method: Method, path: &'a str, query: &'a str, headers: Headers<'a>) -> Result<Self, S3Error> {
        let query = Query::parse(query)?;
        Ok(Self {
            method,
            path,
            headers: headers.with_parameters(&query),
            query,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn given_headers_of_any_case_when_asked_then_found_once_or_refused() {
        let headers: Headers<'_> = [
            ("X-Amz-Date", &b" 20130524T000000Z "[..]),
            ("host", b"a"),
            ("host", b"b"),
            ("x-amz-meta-a", b"\xff"),
        ]
        .into_iter()
        .collect();

        assert_eq!(headers.text("x-amz-date").unwrap(), Some("20130524T000000Z"));
        assert_eq!(headers.text("range").unwrap(), None);
        for name in ["host", "x-amz-meta-a"] {
            assert_eq!(headers.text(name).unwrap_err().code(), ErrorCode::InvalidArgument);
        }
    }

    #[test]
    fn given_a_link_that_carries_headers_when_read_then_all_but_those_of_signature_and_body() {
        let query = "X-Amz-Algorithm=a&X-Amz-Signature=b&X-Amz-Date=c&x-amz-meta-A=%C3%BC&x-amz-acl=private\
                     &x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32&x-amz-checksum-mode=ENABLED\
                     &X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&x-id=PutObject&response-expires=0";
        let headers: Headers<'_> = [("host", &b"h"[..])].into_iter().collect();
        let read = |query| {
            RequestHead::new(Method::Put, "/a", query, headers.clone())
                .unwrap()
                .headers
        };

        let link = read(query);

        let names: Vec<&str> = link.iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            ["host", "x-amz-meta-a", "x-amz-acl", "x-amz-checksum-mode"]
        );
        assert_eq!(link.all("x-amz-meta-a").next(), Some("ü".as_bytes()));
        assert_eq!(link.sent().count(), 1);
        assert_eq!(read("x-amz-acl=private").iter().count(), 1);
    }

    #[test]
    fn given_a_header_that_is_sent_and_carried_when_asked_then_refused() {
        let headers: Headers<'_> = [("x-amz-acl", &b"private"[..])].into_iter().collect();
        let query = "X-Amz-Signature=b&x-amz-acl=private";
        let head = RequestHead::new(Method::Put, "/a", query, headers).unwrap();
        assert_eq!(
            head.headers.text("x-amz-acl").unwrap_err().code(),
            ErrorCode::InvalidArgument
        );
    }

    #[test]
    fn given_methods_when_parsed_then_only_those_of_s3() {
        assert_eq!(Method::parse("PUT"), Some(Method::Put));
        assert_eq!(Method::parse("put"), None);
        assert_eq!(Method::parse("PATCH"), None);
    }
}
