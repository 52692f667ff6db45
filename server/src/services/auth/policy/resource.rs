//! What something is done to.

use std::borrow::Cow;
use std::fmt;

use zas_core::RepositoryName;

use crate::services::auth::Action;

/// What every pattern that can match a bucket begins with, and what buckets are called among repositories.
const BUCKETS: &str = "s3/";

/// What is asked: an action on a resource.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// What is to be done.
    pub action: Action,
    /// To what.
    pub resource: Resource<'a>,
}

/// What something is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource<'a> {
    /// A repository and what is in it. One below `s3` is the bucket that it shows.
    Repository(&'a RepositoryName),
    /// A bucket.
    Bucket(&'a str),
    /// An object, which has the rules of its bucket.
    Object {
        /// The bucket.
        bucket: &'a str,
        /// The key in it.
        key: &'a str,
    },
}

impl<'a> From<&'a RepositoryName> for Resource<'a> {
    fn from(name: &'a RepositoryName) -> Self {
        Self::Repository(name)
    }
}

impl<'a> Resource<'a> {
    /// The text that patterns are compared with.
    pub(super) fn text(&self) -> Cow<'a, str> {
        match self {
            Self::Repository(name) => Cow::Borrowed(name.as_str()),
            Self::Bucket(bucket) | Self::Object { bucket, .. } => Cow::Owned(format!("{BUCKETS}{bucket}")),
        }
    }

    /// Whether the rules of buckets apply.
    pub(super) fn is_bucket(&self) -> bool {
        match self {
            Self::Repository(name) => name.is_reserved(),
            Self::Bucket(_) | Self::Object { .. } => true,
        }
    }

    /// Whether a pattern with this text may match: buckets are matched only by patterns that say so.
    pub(super) fn may_match(&self, pattern: &str) -> bool {
        !self.is_bucket() || pattern.starts_with(BUCKETS)
    }
}

impl fmt::Display for Resource<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository(name) => write!(formatter, "repository {name}"),
            Self::Bucket(bucket) => write!(formatter, "bucket {bucket}"),
            Self::Object { bucket, key } => write!(formatter, "object {key:?} of bucket {bucket}"),
        }
    }
}
