//! The header `x-amz-copy-source` (API reference, `CopyObject`).

use super::action::Action;
use crate::error::S3Error;
use crate::head::Headers;
use crate::names::{BucketName, ObjectKey, VersionId};
use crate::percent;

/// Which object a copy reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopySource {
    /// The bucket.
    pub bucket: BucketName,
    /// The key.
    pub key: ObjectKey,
    /// The version; the current one without.
    pub version: Option<VersionId>,
}

impl CopySource {
    /// The name of the header.
    pub const HEADER: &str = "x-amz-copy-source";

    /// Reads the header; `None` when there is none.
    ///
    /// # Errors
    /// `InvalidArgument` when it is not `bucket/key`, percent-encoded, with `?versionId=` or without.
    pub(super) fn of(headers: &Headers<'_>) -> Result<Option<Self>, S3Error> {
        headers.text(Self::HEADER)?.map(Self::parse).transpose()
    }

    fn parse(text: &str) -> Result<Self, S3Error> {
        let invalid = |message: &'static str| S3Error::invalid_argument(message, Self::HEADER, text);
        let (path, parameter) = match text.split_once('?') {
            None => (text, None),
            Some((path, parameter)) => (path, Some(parameter)),
        };
        let version = match parameter.map(|parameter| parameter.strip_prefix("versionId=")) {
            None => None,
            Some(None) => return Err(invalid("Unsupported copy source parameter.")),
            Some(Some(version)) => Some(VersionId::parse(version)?),
        };
        let malformed = || invalid("Invalid copy source encoding.");
        let decoded = percent::decode(path).ok_or_else(malformed)?;
        let decoded = std::str::from_utf8(&decoded).map_err(|_| malformed())?;
        let (bucket, key) = decoded
            .strip_prefix('/')
            .unwrap_or(decoded)
            .split_once('/')
            .filter(|(_, key)| !key.is_empty())
            .ok_or_else(|| {
                invalid("Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
            })?;
        Ok(Self {
            bucket: bucket.parse()?,
            key: ObjectKey::from_bytes(key.as_bytes())?,
            version,
        })
    }

    /// What has to be allowed on it.
    pub const fn action(&self) -> Action {
        match self.version {
            None => Action::GetObject,
            Some(_) => Action::GetObjectVersion,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn given_copy_sources_when_parsed_then_bucket_key_and_version() {
        for (text, bucket, key, version) in [
            ("photos/a", "photos", "a", None),
            ("/photos/a/b", "photos", "a/b", None),
            ("photos//a", "photos", "/a", None),
            ("photos%2Fa%20b+c", "photos", "a b+c", None),
            ("photos/a%3Fb?versionId=3HL4", "photos", "a?b", Some("3HL4")),
            (
                "photos/../other/a?versionId=null",
                "photos",
                "../other/a",
                Some("null"),
            ),
        ] {
            let source = CopySource::parse(text).unwrap();
            assert_eq!(
                (source.bucket.as_str(), source.key.as_str()),
                (bucket, key),
                "{text}"
            );
            assert_eq!(source.version.as_ref().map(VersionId::as_str), version, "{text}");
        }
    }

    #[test]
    fn given_a_version_when_asked_for_its_action_then_the_one_of_versions() {
        let action = |text| CopySource::parse(text).unwrap().action();
        assert_eq!(action("photos/a"), Action::GetObject);
        assert_eq!(action("photos/a?versionId=3HL4"), Action::GetObjectVersion);
    }

    #[test]
    fn given_what_is_no_copy_source_when_parsed_then_refused() {
        for (text, code) in [
            ("", ErrorCode::InvalidArgument),
            ("photos", ErrorCode::InvalidArgument),
            ("photos/", ErrorCode::InvalidArgument),
            ("photos/a%", ErrorCode::InvalidArgument),
            ("photos/%ff", ErrorCode::InvalidArgument),
            ("photos/a?version=1", ErrorCode::InvalidArgument),
            ("photos/a?versionId=", ErrorCode::InvalidArgument),
            ("PHOTOS/a", ErrorCode::InvalidBucketName),
            (
                &format!("photos/{}", "k".repeat(1025)),
                ErrorCode::KeyTooLongError,
            ),
        ] {
            assert_eq!(CopySource::parse(text).unwrap_err().code(), code, "{text}");
        }
    }
}
