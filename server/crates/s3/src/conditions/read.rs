//! Conditions of `GET` and `HEAD`, and of what a copy reads.

use zas_core::Timestamp;

use super::etag_match::ETagMatch;
use crate::error::{ErrorCode, S3Error};
use crate::head::Headers;
use crate::names::ETag;
use crate::time::parse_http_date;

/// What must hold for an object to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadConditions {
    names: &'static Names,
    if_match: Option<Vec<ETagMatch>>,
    if_none_match: Option<Vec<ETagMatch>>,
    if_modified_since: Option<Timestamp>,
    if_unmodified_since: Option<Timestamp>,
}

/// The headers of a kind of reading, and what a client is told who has the object already.
#[derive(Debug, PartialEq, Eq)]
struct Names {
    if_match: &'static str,
    if_none_match: &'static str,
    if_modified_since: &'static str,
    if_unmodified_since: &'static str,
    unchanged: ErrorCode,
}

const READ: Names = Names {
    if_match: "if-match",
    if_none_match: "if-none-match",
    if_modified_since: "if-modified-since",
    if_unmodified_since: "if-unmodified-since",
    unchanged: ErrorCode::NotModified,
};

const COPY_SOURCE: Names = Names {
    if_match: "x-amz-copy-source-if-match",
    if_none_match: "x-amz-copy-source-if-none-match",
    if_modified_since: "x-amz-copy-source-if-modified-since",
    if_unmodified_since: "x-amz-copy-source-if-unmodified-since",
    unchanged: ErrorCode::PreconditionFailed,
};

impl ReadConditions {
    /// Those of `GET` and `HEAD`.
    ///
    /// # Errors
    /// `InvalidArgument` for a tag that is none, or a header that is there twice.
    pub fn of_read(headers: &Headers<'_>) -> Result<Self, S3Error> {
        Self::of(headers, &READ)
    }

    /// Those of a copy on what it reads.
    ///
    /// # Errors
    /// As [`of_read`](Self::of_read).
    pub fn of_copy_source(headers: &Headers<'_>) -> Result<Self, S3Error> {
        Self::of(headers, &COPY_SOURCE)
    }

    fn of(headers: &Headers<'_>, names: &'static Names) -> Result<Self, S3Error> {
        // RFC 9110, section 13.1.3: a date that is none is no condition.
        let date = |name| Ok::<_, S3Error>(headers.text(name)?.and_then(parse_http_date));
        Ok(Self {
            names,
            if_match: tags(headers, names.if_match)?,
            if_none_match: tags(headers, names.if_none_match)?,
            if_modified_since: date(names.if_modified_since)?,
            if_unmodified_since: date(names.if_unmodified_since)?,
        })
    }

    /// Whether an object may be read: tags decide before dates, and what must be so before what must not.
    ///
    /// # Errors
    /// `PreconditionFailed`, or `NotModified` where a read finds what its client has.
    pub fn check(&self, etag: &ETag, last_modified: Timestamp) -> Result<(), S3Error> {
        let is_one_of = |tags: &[ETagMatch]| tags.iter().any(|tag| tag.matches(etag));
        let is_like_one_of = |tags: &[ETagMatch]| tags.iter().any(|tag| tag.matches_weakly(etag));
        // Clients know dates in whole seconds.
        let second = last_modified.millis() / 1000;
        let is_later = |date: Timestamp| second > date.millis() / 1000;
        match (&self.if_match, self.if_unmodified_since) {
            (Some(tags), _) if !is_one_of(tags) => return Err(failed("If-Match")),
            (None, Some(date)) if is_later(date) => return Err(failed("If-Unmodified-Since")),
            _ => {}
        }
        match (&self.if_none_match, self.if_modified_since) {
            (Some(tags), _) if is_like_one_of(tags) => Err(self.unchanged("If-None-Match")),
            (None, Some(date)) if !is_later(date) => Err(self.unchanged("If-Modified-Since")),
            _ => Ok(()),
        }
    }

    fn unchanged(&self, condition: &str) -> S3Error {
        S3Error::new(self.names.unchanged).with("Condition", condition)
    }
}

pub(super) fn failed(condition: &str) -> S3Error {
    S3Error::new(ErrorCode::PreconditionFailed).with("Condition", condition)
}

fn tags(headers: &Headers<'_>, name: &'static str) -> Result<Option<Vec<ETagMatch>>, S3Error> {
    let Some(text) = headers.text(name)? else {
        return Ok(None);
    };
    let parsed: Result<Vec<ETagMatch>, _> = text.split(',').map(ETagMatch::parse).collect();
    parsed
        .map(Some)
        .map_err(|_| S3Error::invalid_argument("Invalid ETag", name, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAME: &str = "\"ab\"";
    const OTHER: &str = "\"cd\"";
    const BEFORE: &str = "Fri, 24 May 2013 00:00:00 GMT";
    const AT: &str = "Fri, 24 May 2013 00:00:01 GMT";
    const AFTER: &str = "Fri, 24 May 2013 00:00:02 GMT";

    /// The object is written at a fraction of `AT`.
    fn check(conditions: &ReadConditions) -> u16 {
        let etag: ETag = SAME.parse().unwrap();
        let last_modified = Timestamp::from_millis(1_369_353_601_900);
        conditions
            .check(&etag, last_modified)
            .map_or_else(|error| error.status(), |()| 200)
    }

    fn headers<'a>(given: &[(&'a str, &'a str)]) -> Headers<'a> {
        given
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect()
    }

    #[test]
    fn given_conditions_when_checked_then_the_table_of_the_documentation() {
        for (given, expected) in [
            (&[][..], 200),
            (&[("if-match", SAME)], 200),
            (&[("if-match", "ab")], 200),
            (&[("if-match", "*")], 200),
            (&[("if-match", "\"x\", \"ab\"")], 200),
            (&[("if-match", OTHER)], 412),
            (&[("if-match", "W/\"ab\"")], 412),
            (&[("if-none-match", OTHER)], 200),
            (&[("if-none-match", SAME)], 304),
            (&[("if-none-match", "W/\"ab\"")], 304),
            (&[("if-none-match", "*")], 304),
            (&[("if-modified-since", BEFORE)], 200),
            (&[("if-modified-since", AT)], 304),
            (&[("if-modified-since", AFTER)], 304),
            (&[("if-modified-since", "yesterday")], 200),
            (&[("if-unmodified-since", BEFORE)], 412),
            (&[("if-unmodified-since", AT)], 200),
            (&[("if-match", SAME), ("if-unmodified-since", BEFORE)], 200),
            (&[("if-match", OTHER), ("if-unmodified-since", AFTER)], 412),
            (&[("if-none-match", SAME), ("if-modified-since", BEFORE)], 304),
            (&[("if-none-match", OTHER), ("if-modified-since", AFTER)], 200),
            (&[("if-match", SAME), ("if-none-match", SAME)], 304),
            (&[("if-match", OTHER), ("if-none-match", SAME)], 412),
            (
                &[("if-unmodified-since", BEFORE), ("if-modified-since", AFTER)],
                412,
            ),
        ] {
            let conditions = ReadConditions::of_read(&headers(given)).unwrap();
            assert_eq!(check(&conditions), expected, "{given:?}");
            let renamed: Vec<(String, &str)> = given
                .iter()
                .map(|(name, value)| (format!("x-amz-copy-source-{name}"), *value))
                .collect();
            let renamed: Vec<(&str, &str)> = renamed
                .iter()
                .map(|(name, value)| (name.as_str(), *value))
                .collect();
            let source = ReadConditions::of_copy_source(&headers(&renamed)).unwrap();
            let expected = if expected == 304 { 412 } else { expected };
            assert_eq!(check(&source), expected, "{renamed:?}");
            assert_eq!(check(&ReadConditions::of_read(&headers(&renamed)).unwrap()), 200);
        }
    }

    #[test]
    fn given_a_tag_that_is_none_when_read_then_refused() {
        for value in ["", "\"\"", "a b", "\"a\",,\"b\""] {
            let error = ReadConditions::of_read(&headers(&[("if-match", value)])).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidArgument, "{value}");
        }
    }
}
