//! Conditions of writes and deletes, which hold for the current object.

use super::etag_match::ETagMatch;
use super::read::failed;
use crate::error::{ErrorCode, S3Error};
use crate::head::Headers;
use crate::names::ETag;

/// What must hold for a key to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WriteCondition {
    /// Nothing.
    #[default]
    None,
    /// There is no object.
    Absent,
    /// There is this object.
    Match(ETagMatch),
}

impl WriteCondition {
    /// Those of `PutObject`, `CopyObject` and `CompleteMultipartUpload`.
    ///
    /// # Errors
    /// `NotImplemented` for what AWS does not evaluate on writes either: another `If-None-Match` than `*`, both
    /// headers, and dates.
    pub fn of(headers: &Headers<'_>) -> Result<Self, S3Error> {
        refuse(headers, &["if-modified-since", "if-unmodified-since"])?;
        match (headers.text("if-match")?, headers.text("if-none-match")?) {
            (None, None) => Ok(Self::None),
            (Some(tag), None) => if_match(tag).map(Self::Match),
            (None, Some("*")) => Ok(Self::Absent),
            (_, Some(_)) => Err(S3Error::header_not_implemented("if-none-match")),
        }
    }

    /// Whether a key may be written whose current object has that tag; `None` when there is none, or a delete marker.
    ///
    /// # Errors
    /// `PreconditionFailed`; `NoSuchKey` when an object is expected and there is none.
    pub fn check(&self, current: Option<&ETag>) -> Result<(), S3Error> {
        match (self, current) {
            (Self::None, _) | (Self::Absent, None) => Ok(()),
            (Self::Absent, Some(_)) => Err(failed("If-None-Match")),
            (Self::Match(_), None) => Err(ErrorCode::NoSuchKey.into()),
            (Self::Match(tag), Some(current)) if tag.matches(current) => Ok(()),
            (Self::Match(_), Some(_)) => Err(failed("If-Match")),
        }
    }
}

/// What must hold for a key to be deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DeleteCondition {
    /// Nothing.
    #[default]
    None,
    /// There is this object.
    Match(ETagMatch),
}

impl DeleteCondition {
    /// That of `DeleteObject`.
    ///
    /// # Errors
    /// `NotImplemented` for the conditions of directory buckets and for those that deletes do not have.
    pub fn of(headers: &Headers<'_>) -> Result<Self, S3Error> {
        refuse(
            headers,
            &[
                "if-none-match",
                "if-modified-since",
                "if-unmodified-since",
                "x-amz-if-match-last-modified-time",
                "x-amz-if-match-size",
            ],
        )?;
        let tag = headers.text("if-match")?.map(if_match).transpose()?;
        Ok(tag.map_or(Self::None, Self::Match))
    }

    /// Whether a key may be deleted whose current object has that tag; `None` when there is none, or a delete marker.
    /// An object that is gone already is what a delete of a certain tag wants.
    ///
    /// # Errors
    /// `PreconditionFailed`.
    pub fn check(&self, current: Option<&ETag>) -> Result<(), S3Error> {
        match (self, current) {
            (Self::None, _) | (Self::Match(ETagMatch::Tag(_) | ETagMatch::Weak(_)), None) => Ok(()),
            (Self::Match(tag), Some(current)) if tag.matches(current) => Ok(()),
            (Self::Match(_), _) => Err(failed("If-Match")),
        }
    }
}

impl From<Option<ETagMatch>> for DeleteCondition {
    fn from(if_match: Option<ETagMatch>) -> Self {
        if_match.map_or(Self::None, Self::Match)
    }
}

fn if_match(text: &str) -> Result<ETagMatch, S3Error> {
    ETagMatch::parse(text).map_err(|_| S3Error::invalid_argument("Invalid ETag", "if-match", text))
}

fn refuse(headers: &Headers<'_>, names: &[&str]) -> Result<(), S3Error> {
    let found = names.iter().find(|name| headers.contains(name));
    found.map_or(Ok(()), |name| Err(S3Error::header_not_implemented(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers<'a>(given: &[(&'a str, &'a str)]) -> Headers<'a> {
        given
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect()
    }

    fn etag() -> ETag {
        "ab".parse().unwrap()
    }

    #[test]
    fn given_conditions_of_a_write_when_checked_then_against_the_current_object() {
        for (given, absent, present) in [
            (&[][..], 200, 200),
            (&[("if-none-match", "*")], 200, 412),
            (&[("if-match", "*")], 404, 200),
            (&[("if-match", "\"ab\"")], 404, 200),
            (&[("if-match", "ab")], 404, 200),
            (&[("if-match", "\"cd\"")], 404, 412),
        ] {
            let condition = WriteCondition::of(&headers(given)).unwrap();
            let status = |current| {
                condition
                    .check(current)
                    .map_or_else(|error| error.status(), |()| 200)
            };
            assert_eq!(
                (status(None), status(Some(&etag()))),
                (absent, present),
                "{given:?}"
            );
        }
    }

    #[test]
    fn given_conditions_of_a_delete_when_checked_then_against_the_current_object() {
        for (given, absent, present) in [
            (&[][..], 204, 204),
            (&[("if-match", "*")], 412, 204),
            (&[("if-match", "\"ab\"")], 204, 204),
            (&[("if-match", "\"cd\"")], 204, 412),
        ] {
            let condition = DeleteCondition::of(&headers(given)).unwrap();
            let status = |current| {
                condition
                    .check(current)
                    .map_or_else(|error| error.status(), |()| 204)
            };
            assert_eq!(
                (status(None), status(Some(&etag()))),
                (absent, present),
                "{given:?}"
            );
        }
        let in_document = DeleteCondition::from(Some(ETagMatch::Any));
        assert_eq!(
            in_document.check(None).unwrap_err().code(),
            ErrorCode::PreconditionFailed
        );
    }

    #[test]
    fn given_conditions_that_writes_do_not_have_when_sent_then_refused_by_name() {
        for given in [
            &[("if-none-match", "\"ab\"")][..],
            &[("if-none-match", "*"), ("if-match", "*")],
            &[("if-unmodified-since", "Fri, 24 May 2013 00:00:00 GMT")],
        ] {
            let error = WriteCondition::of(&headers(given)).unwrap_err();
            assert_eq!(error.code(), ErrorCode::NotImplemented, "{given:?}");
        }
        for name in [
            "if-none-match",
            "x-amz-if-match-size",
            "x-amz-if-match-last-modified-time",
        ] {
            let error = DeleteCondition::of(&headers(&[(name, "1")])).unwrap_err();
            assert_eq!(error.element("Header"), Some(name));
        }
        let error = WriteCondition::of(&headers(&[("if-match", "")])).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
    }
}
