//! What the listings of a bucket's keys share.

use super::encoding::KeyEncoding;
use crate::error::S3Error;
use crate::query::Query;

/// Prefix, delimiter and encoding.
pub(super) struct Filter {
    pub(super) prefix: String,
    pub(super) delimiter: Option<String>,
    pub(super) encoding: KeyEncoding,
}

impl Filter {
    pub(super) fn of(query: &Query<'_>) -> Result<Self, S3Error> {
        Ok(Self {
            prefix: query.text("prefix")?.unwrap_or_default().to_owned(),
            delimiter: text(query, "delimiter")?,
            encoding: KeyEncoding::of(query)?,
        })
    }
}

/// A parameter that says nothing when it is empty.
pub(super) fn text(query: &Query<'_>, name: &str) -> Result<Option<String>, S3Error> {
    Ok(query
        .text(name)?
        .filter(|text| !text.is_empty())
        .map(str::to_owned))
}
