//! What copies say beside their source.

use zas_core::ByteRange;

use crate::error::S3Error;
use crate::head::Headers;
use crate::names::{BucketName, ObjectKey};
use crate::operation::CopySource;

/// Where a copy takes metadata or tags from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Directive {
    /// From the source.
    #[default]
    Copy,
    /// From the request.
    Replace,
}

impl Directive {
    /// Reads `x-amz-metadata-directive`.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn of_metadata(headers: &Headers<'_>) -> Result<Self, S3Error> {
        Self::of(headers, "x-amz-metadata-directive", "Unknown metadata directive.")
    }

    /// Reads `x-amz-tagging-directive`.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn of_tagging(headers: &Headers<'_>) -> Result<Self, S3Error> {
        Self::of(headers, "x-amz-tagging-directive", "Unknown tagging directive.")
    }

    fn of(headers: &Headers<'_>, name: &'static str, unknown: &'static str) -> Result<Self, S3Error> {
        match headers.text(name)? {
            None | Some("COPY") => Ok(Self::Copy),
            Some("REPLACE") => Ok(Self::Replace),
            Some(other) => Err(S3Error::invalid_argument(unknown, name, other)),
        }
    }
}

/// A copy of an object onto itself must change something. One of an older version makes it the current one.
///
/// # Errors
/// `InvalidRequest`.
pub fn check_self_copy(
    source: &CopySource,
    bucket: &BucketName,
    key: &ObjectKey,
    metadata: Directive,
) -> Result<(), S3Error> {
    let is_itself = source.bucket == *bucket && source.key == *key && source.version.is_none();
    if !is_itself || metadata == Directive::Replace {
        return Ok(());
    }
    Err(S3Error::invalid_request(
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's \
         metadata, storage class, website redirect location or encryption attributes.",
    ))
}

/// Reads `x-amz-copy-source-range` for a source of `size` bytes; `None` without it: the whole.
///
/// # Errors
/// `InvalidArgument` unless it is `bytes=first-last` within the source.
pub fn copy_source_range(headers: &Headers<'_>, size: u64) -> Result<Option<ByteRange>, S3Error> {
    const HEADER: &str = "x-amz-copy-source-range";
    let Some(text) = headers.text(HEADER)? else {
        return Ok(None);
    };
    let position = |text: &str| {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u64>().ok().filter(|_| is_number)
    };
    let range = text
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
        .and_then(|(first, last)| position(first).zip(position(last)))
        .filter(|(first, last)| first <= last);
    let Some((first, last)) = range else {
        return Err(S3Error::invalid_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
             zero-based offsets of the first and last bytes to copy",
            HEADER,
            text,
        ));
    };
    if last >= size {
        return Err(S3Error::invalid_argument(
            format!("Range specified is not valid for source object of size: {size}"),
            HEADER,
            text,
        ));
    }
    Ok(Some(ByteRange {
        start: first,
        length: last - first + 1,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;
    use crate::names::VersionId;

    fn headers<'a>(name: &'a str, value: &'a str) -> Headers<'a> {
        [(name, value.as_bytes())].into_iter().collect()
    }

    #[test]
    fn given_directives_when_read_then_copy_unless_replaced() {
        assert_eq!(Directive::of_metadata(&Headers::default()), Ok(Directive::Copy));
        let replace = headers("x-amz-metadata-directive", "REPLACE");
        assert_eq!(Directive::of_metadata(&replace), Ok(Directive::Replace));
        let copy = headers("x-amz-tagging-directive", "COPY");
        assert_eq!(Directive::of_tagging(&copy), Ok(Directive::Copy));
        let unknown = headers("x-amz-tagging-directive", "replace");
        assert_eq!(
            Directive::of_tagging(&unknown).unwrap_err().code(),
            ErrorCode::InvalidArgument
        );
    }

    #[test]
    fn given_a_copy_onto_itself_when_nothing_changes_then_refused() {
        let (bucket, key): (BucketName, _) =
            ("photos".parse().unwrap(), ObjectKey::from_bytes(b"a").unwrap());
        let source = |key: &str, version| CopySource {
            bucket: bucket.clone(),
            key: ObjectKey::from_bytes(key.as_bytes()).unwrap(),
            version,
        };
        let check = |source: &CopySource, directive| check_self_copy(source, &bucket, &key, directive);
        assert!(check(&source("a", None), Directive::Copy).is_err());
        assert!(check(&source("a", None), Directive::Replace).is_ok());
        assert!(check(&source("b", None), Directive::Copy).is_ok());
        assert!(check(&source("a", Some(VersionId::Null)), Directive::Copy).is_ok());
    }

    #[test]
    fn given_a_range_of_the_source_when_read_then_first_and_last_within_it() {
        let read = |text| copy_source_range(&headers("x-amz-copy-source-range", text), 10);
        assert_eq!(copy_source_range(&Headers::default(), 10), Ok(None));
        assert_eq!(read("bytes=0-9"), Ok(Some(ByteRange { start: 0, length: 10 })));
        assert_eq!(read("bytes=9-9"), Ok(Some(ByteRange { start: 9, length: 1 })));
        for text in [
            "bytes=0-10",
            "bytes=5-4",
            "bytes=0-",
            "bytes=-5",
            "0-9",
            "bytes=+0-9",
            "bytes=0-9,1-2",
            "",
        ] {
            assert_eq!(
                read(text).unwrap_err().code(),
                ErrorCode::InvalidArgument,
                "{text}"
            );
        }
    }
}
