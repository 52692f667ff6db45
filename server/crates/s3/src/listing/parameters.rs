//! The parameters of each listing.

use super::encoding::KeyEncoding;
use super::markers::{Filter, text};
use super::number::{integer, up_to};
use super::position::{ContinuationToken, ListPosition};
use crate::error::S3Error;
use crate::names::{MultipartUploadId, PartNumber, VersionId};
use crate::query::Query;

/// The most entries on a page, and how many there are when nobody says.
const PAGE: u16 = 1000;
const PAGE_OF_BUCKETS: u16 = 10_000;

/// `ListObjects`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListObjectsParameters {
    /// Only keys that begin with this.
    pub prefix: String,
    /// Keys that share what is before this are shown as one.
    pub delimiter: Option<String>,
    /// How keys stand in the answer.
    pub encoding: KeyEncoding,
    /// The most entries; 0 is an empty page.
    pub max_keys: u16,
    /// Only keys behind this.
    pub marker: Option<String>,
}

impl ListObjectsParameters {
    /// Reads the query.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn of(query: &Query<'_>) -> Result<Self, S3Error> {
        let filter = Filter::of(query)?;
        Ok(Self {
            prefix: filter.prefix,
            delimiter: filter.delimiter,
            encoding: filter.encoding,
            max_keys: up_to(query, "max-keys", PAGE)?,
            marker: text(query, "marker")?,
        })
    }

    /// Where to begin.
    pub fn after(&self) -> Option<ListPosition> {
        let marker = self.marker.as_deref()?;
        Some(ListPosition::behind(
            marker,
            &self.prefix,
            self.delimiter.as_deref(),
        ))
    }
}

/// `ListObjectsV2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListObjectsV2Parameters {
    /// Only keys that begin with this.
    pub prefix: String,
    /// Keys that share what is before this are shown as one.
    pub delimiter: Option<String>,
    /// How keys stand in the answer.
    pub encoding: KeyEncoding,
    /// The most entries; 0 is an empty page.
    pub max_keys: u16,
    /// Only keys behind this, on the first page.
    pub start_after: Option<String>,
    /// Where the page before ended.
    pub continuation_token: Option<ContinuationToken>,
    /// Owners are shown.
    pub fetch_owner: bool,
}

impl ListObjectsV2Parameters {
    /// Reads the query.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn of(query: &Query<'_>) -> Result<Self, S3Error> {
        let filter = Filter::of(query)?;
        let token = query.text("continuation-token")?;
        Ok(Self {
            prefix: filter.prefix,
            delimiter: filter.delimiter,
            encoding: filter.encoding,
            max_keys: up_to(query, "max-keys", PAGE)?,
            start_after: text(query, "start-after")?,
            continuation_token: token.map(ContinuationToken::parse).transpose()?,
            fetch_owner: query
                .text("fetch-owner")?
                .is_some_and(|text| text.eq_ignore_ascii_case("true")),
        })
    }

    /// Where to begin: a token says it more exactly than the key that the first page began behind.
    pub fn after(&self) -> Option<ListPosition> {
        if let Some(token) = &self.continuation_token {
            return Some(token.position().clone());
        }
        let start = self.start_after.as_deref()?;
        Some(ListPosition::behind(
            start,
            &self.prefix,
            self.delimiter.as_deref(),
        ))
    }
}

/// `ListObjectVersions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListObjectVersionsParameters {
    /// Only keys that begin with this.
    pub prefix: String,
    /// Keys that share what is before this are shown as one.
    pub delimiter: Option<String>,
    /// How keys stand in the answer.
    pub encoding: KeyEncoding,
    /// The most entries; 0 is an empty page.
    pub max_keys: u16,
    /// Only what is behind this key, or behind a version of it.
    pub key_marker: Option<String>,
    /// The version of that key.
    pub version_id_marker: Option<VersionId>,
}

impl ListObjectVersionsParameters {
    /// Reads the query.
    ///
    /// # Errors
    /// `InvalidArgument`, also for a version without a key.
    pub fn of(query: &Query<'_>) -> Result<Self, S3Error> {
        let filter = Filter::of(query)?;
        let key_marker = text(query, "key-marker")?;
        let says = |message: &'static str, value: &str| {
            S3Error::invalid_argument(message, "version-id-marker", value)
        };
        let version_id_marker = match query.text("version-id-marker")? {
            None => None,
            Some("") if key_marker.is_none() => None,
            Some("") => return Err(says("A version-id marker cannot be empty.", "")),
            Some(version) if key_marker.is_none() => {
                let message = "A version-id marker cannot be specified without a key marker.";
                return Err(says(message, version));
            }
            Some(version) => {
                let parsed = VersionId::parse(version);
                Some(parsed.map_err(|_| says("Invalid version id specified", version))?)
            }
        };
        Ok(Self {
            prefix: filter.prefix,
            delimiter: filter.delimiter,
            encoding: filter.encoding,
            max_keys: up_to(query, "max-keys", PAGE)?,
            key_marker,
            version_id_marker,
        })
    }

    /// Behind which key, all its versions, or which common prefix to begin. With a
    /// [`version_id_marker`](Self::version_id_marker) the rest of that key's versions come first.
    pub fn after(&self) -> Option<ListPosition> {
        let marker = self.key_marker.as_deref()?;
        if self.version_id_marker.is_some() {
            return Some(ListPosition::Key(marker.to_owned()));
        }
        Some(ListPosition::behind(
            marker,
            &self.prefix,
            self.delimiter.as_deref(),
        ))
    }
}

/// `ListMultipartUploads`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListMultipartUploadsParameters {
    /// Only keys that begin with this.
    pub prefix: String,
    /// Keys that share what is before this are shown as one.
    pub delimiter: Option<String>,
    /// How keys stand in the answer.
    pub encoding: KeyEncoding,
    /// The most entries; 0 is an empty page.
    pub max_uploads: u16,
    /// Only what is behind this key, or behind an upload to it.
    pub key_marker: Option<String>,
    /// The upload to that key; says nothing without a key.
    pub upload_id_marker: Option<MultipartUploadId>,
}

impl ListMultipartUploadsParameters {
    /// Reads the query.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn of(query: &Query<'_>) -> Result<Self, S3Error> {
        let filter = Filter::of(query)?;
        let key_marker = text(query, "key-marker")?;
        let upload = text(query, "upload-id-marker")?.filter(|_| key_marker.is_some());
        let upload_id_marker = upload.map(|text| {
            MultipartUploadId::parse(&text).map_err(|_| {
                S3Error::invalid_argument("Invalid uploadId marker", "upload-id-marker", text.as_str())
            })
        });
        Ok(Self {
            prefix: filter.prefix,
            delimiter: filter.delimiter,
            encoding: filter.encoding,
            max_uploads: up_to(query, "max-uploads", PAGE)?,
            key_marker,
            upload_id_marker: upload_id_marker.transpose()?,
        })
    }

    /// Behind which key, all its uploads, or which common prefix to begin. With an
    /// [`upload_id_marker`](Self::upload_id_marker) the rest of the uploads to that key come first.
    pub fn after(&self) -> Option<ListPosition> {
        let marker = self.key_marker.as_deref()?;
        if self.upload_id_marker.is_some() {
            return Some(ListPosition::Key(marker.to_owned()));
        }
        Some(ListPosition::behind(
            marker,
            &self.prefix,
            self.delimiter.as_deref(),
        ))
    }
}

/// `ListParts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListPartsParameters {
    /// The most parts; 0 is an empty page.
    pub max_parts: u16,
    /// Only parts with higher numbers.
    pub part_number_marker: u16,
}

impl ListPartsParameters {
    /// Reads the query.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn of(query: &Query<'_>) -> Result<Self, S3Error> {
        const MARKER: &str = "part-number-marker";
        let marker = query.text(MARKER)?.filter(|text| !text.is_empty());
        let marker = marker.map_or(Ok(0), |text| integer(MARKER, text))?;
        Ok(Self {
            max_parts: up_to(query, "max-parts", PAGE)?,
            part_number_marker: u16::try_from(marker)
                .unwrap_or(PartNumber::MAX)
                .min(PartNumber::MAX),
        })
    }
}

/// `ListBuckets`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListBucketsParameters {
    /// Only names that begin with this.
    pub prefix: String,
    /// The most buckets.
    pub max_buckets: u16,
    /// Where the page before ended.
    pub continuation_token: Option<ContinuationToken>,
    /// Only buckets in this region.
    pub bucket_region: Option<String>,
}

impl ListBucketsParameters {
    /// Reads the query.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn of(query: &Query<'_>) -> Result<Self, S3Error> {
        const MOST: &str = "max-buckets";
        let max_buckets = match query.text(MOST)?.filter(|text| !text.is_empty()) {
            None => PAGE_OF_BUCKETS,
            Some(text) => {
                let number = integer(MOST, text)?;
                let number = u16::try_from(number)
                    .ok()
                    .filter(|number| (1..=PAGE_OF_BUCKETS).contains(number));
                number.ok_or_else(|| {
                    S3Error::invalid_argument(
                        format!("Argument {MOST} must be an integer between 1 and {PAGE_OF_BUCKETS}"),
                        MOST,
                        text,
                    )
                })?
            }
        };
        let token = query.text("continuation-token")?;
        Ok(Self {
            prefix: query.text("prefix")?.unwrap_or_default().to_owned(),
            max_buckets,
            continuation_token: token.map(ContinuationToken::parse).transpose()?,
            bucket_region: text(query, "bucket-region")?,
        })
    }

    /// The name behind which to begin.
    pub fn after(&self) -> Option<&str> {
        self.continuation_token
            .as_ref()
            .map(|token| token.position().marker())
    }
}
