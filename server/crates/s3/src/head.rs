//! The head of a request as it came: nothing decoded, nothing dropped.

use std::borrow::Cow;

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

/// Headers in the order in which they came. Names are lower-case; values are bytes, which need not be text.
#[derive(Clone, Debug, Default)]
pub struct Headers<'a>(Vec<(Cow<'a, str>, &'a [u8])>);

impl<'a> Headers<'a> {
    /// Every value, in the order in which they came.
    pub fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'a [u8]> + 'b {
        self.iter()
            .filter(move |(header, _)| *header == name)
            .map(|(_, value)| value)
    }

    /// The value as text without the space around it; `None` when there is none.
    ///
    /// # Errors
    /// `InvalidArgument` when there are several or it is not visible ASCII: two readers of such a header may see
    /// different things.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>, S3Error> {
        let mut values = self.all(name);
        let Some(value) = values.next() else {
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
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a [u8])> {
        self.0.iter().map(|(name, value)| (name.as_ref(), *value))
    }
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
        Self(
            headers
                .into_iter()
                .map(|(name, value)| (lower(name), value))
                .collect(),
        )
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
    /// A head; `query` is what stands behind `?`, as it came.
    ///
    /// # Errors
    /// `InvalidURI` when the query cannot be decoded.
    pub fn new(method: Method, path: &'a str, query: &'a str, headers: Headers<'a>) -> Result<Self, S3Error> {
        let query = Query::parse(query)?;
        Ok(Self {
            method,
            path,
            query,
            headers,
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
    fn given_methods_when_parsed_then_only_those_of_s3() {
        assert_eq!(Method::parse("PUT"), Some(Method::Put));
        assert_eq!(Method::parse("put"), None);
        assert_eq!(Method::parse("PATCH"), None);
    }
}
