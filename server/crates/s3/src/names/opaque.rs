//! Ids that clients give back as they got them.

use std::fmt;

use crate::error::{ErrorCode, S3Error};

/// Longer than any id that this server makes.
const MAX_BYTES: usize = 256;

/// Which version of a key: the one without an id, or one by its opaque id (user guide, "Using versioning").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VersionId {
    /// The version that was written while versioning was off or suspended; `null` on the wire.
    Null,
    /// Any other version.
    Id(String),
}

impl VersionId {
    /// Reads the parameter `versionId`.
    ///
    /// # Errors
    /// `InvalidArgument` when it is empty or cannot be an id.
    pub fn parse(text: &str) -> Result<Self, S3Error> {
        match text {
            "null" => Ok(Self::Null),
            "" => Err(S3Error::invalid_argument(
                "Version id cannot be the empty string",
                "versionId",
                "",
            )),
            id if is_opaque(id) => Ok(Self::Id(id.to_owned())),
            id => Err(S3Error::invalid_argument(
                "Invalid version id specified",
                "versionId",
                id,
            )),
        }
    }

    /// The id on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Null => "null",
            Self::Id(id) => id,
        }
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The opaque id of a multipart upload (user guide, "Multipart upload initiation").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MultipartUploadId(String);

impl MultipartUploadId {
    /// Reads the parameter `uploadId`.
    ///
    /// # Errors
    /// `NoSuchUpload`: what cannot be an id names no upload.
    pub fn parse(text: &str) -> Result<Self, S3Error> {
        if is_opaque(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(ErrorCode::NoSuchUpload.into())
    }

    /// The id on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MultipartUploadId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn is_opaque(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_BYTES && id.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_version_ids_when_parsed_then_null_an_id_or_refused() {
        assert_eq!(VersionId::parse("null").unwrap(), VersionId::Null);
        assert_eq!(VersionId::parse("3HL4kqtJ").unwrap().as_str(), "3HL4kqtJ");
        for text in ["", "a b", "\u{e9}"] {
            assert_eq!(
                VersionId::parse(text).unwrap_err().code(),
                ErrorCode::InvalidArgument
            );
        }
    }

    #[test]
    fn given_an_upload_id_that_cannot_be_one_when_parsed_then_no_such_upload() {
        assert!(MultipartUploadId::parse("VXBsb2Fk").is_ok());
        for text in ["", "a\nb"] {
            assert_eq!(
                MultipartUploadId::parse(text).unwrap_err().code(),
                ErrorCode::NoSuchUpload
            );
        }
    }
}
