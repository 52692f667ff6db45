//! What something is done to.

use std::fmt;

use zas_config::GlobPattern;
use zas_core::{BucketName, ObjectKey, RepositoryName};

use crate::services::auth::target::{Account, OwnedBucket, OwnedObject, OwnedUpload};
use crate::services::auth::{Action, Actor};

/// What every pattern that can match a bucket begins with, and what buckets are called among repositories.
const BUCKETS: &str = "s3/";

/// The first component of the name of a repository that shows a bucket.
const BUCKETS_COMPONENT: &str = "s3";

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
    /// The caller's buckets.
    Account,
    /// A bucket that is to be made.
    NewBucket(&'a BucketName),
    /// A bucket.
    Bucket(&'a OwnedBucket),
    /// A key of a bucket.
    Object(&'a OwnedObject),
    /// A multipart upload.
    Upload(&'a OwnedUpload),
}

impl<'a> From<&'a RepositoryName> for Resource<'a> {
    fn from(name: &'a RepositoryName) -> Self {
        Self::Repository(name)
    }
}

impl From<&Account> for Resource<'_> {
    fn from(_: &Account) -> Self {
        Self::Account
    }
}

impl<'a> From<&'a BucketName> for Resource<'a> {
    fn from(name: &'a BucketName) -> Self {
        Self::NewBucket(name)
    }
}

impl<'a> From<&'a OwnedBucket> for Resource<'a> {
    fn from(bucket: &'a OwnedBucket) -> Self {
        Self::Bucket(bucket)
    }
}

impl<'a> From<&'a OwnedObject> for Resource<'a> {
    fn from(object: &'a OwnedObject) -> Self {
        Self::Object(object)
    }
}

impl<'a> From<&'a OwnedUpload> for Resource<'a> {
    fn from(upload: &'a OwnedUpload) -> Self {
        Self::Upload(upload)
    }
}

/// The texts that patterns are compared with.
pub(super) enum Matched<'a> {
    Repository(&'a str),
    /// `s3/<bucket>`, and for an object also `s3/<bucket>/<key>`.
    Bucket {
        bucket: String,
        object: Option<String>,
    },
}

impl<'a> Matched<'a> {
    fn bucket(bucket: &BucketName, key: Option<&ObjectKey>) -> Self {
        let text = format!("{BUCKETS}{bucket}");
        Self::Bucket {
            object: key.map(|key| format!("{text}/{key}")),
            bucket: text,
        }
    }

    /// The first component of every text.
    pub(super) fn first_component(&self) -> &str {
        match self {
            Self::Repository(name) => name.split('/').next().unwrap_or_default(),
            Self::Bucket { .. } => BUCKETS_COMPONENT,
        }
    }

    /// Whether a pattern speaks of it. Of buckets only patterns do whose text begins with `s3/`; what is said of a bucket
    /// is said of its objects too, until a longer pattern says more.
    pub(super) fn is_meant_by(&self, pattern: &GlobPattern) -> bool {
        match self {
            Self::Repository(name) => pattern.matches(name),
            Self::Bucket { bucket, object } => {
                pattern.as_str().starts_with(BUCKETS)
                    && (pattern.matches(bucket)
                        || object.as_ref().is_some_and(|object| pattern.matches(object)))
            }
        }
    }
}

impl<'a> Resource<'a> {
    /// What patterns are compared with; nothing when no rule can speak of it.
    pub(super) fn matched(&self) -> Option<Matched<'a>> {
        Some(match *self {
            Self::Account => return None,
            Self::Repository(name) if name.is_reserved() => Matched::Bucket {
                bucket: name.as_str().to_owned(),
                object: None,
            },
            Self::Repository(name) => Matched::Repository(name.as_str()),
            Self::NewBucket(name) => Matched::bucket(name, None),
            Self::Bucket(bucket) => Matched::bucket(&bucket.name, None),
            Self::Object(object) => Matched::bucket(&object.bucket.name, Some(&object.key)),
            Self::Upload(upload) => Matched::bucket(&upload.object.bucket.name, Some(&upload.object.key)),
        })
    }

    /// Whether the rules of buckets apply.
    pub(super) fn is_bucket(&self) -> bool {
        match self {
            Self::Repository(name) => name.is_reserved(),
            _ => true,
        }
    }

    /// The owner of the bucket.
    pub(super) fn owner(&self) -> Option<&'a Actor> {
        match *self {
            Self::Repository(_) | Self::Account | Self::NewBucket(_) => None,
            Self::Bucket(bucket) => Some(&bucket.owner),
            Self::Object(object) => Some(&object.bucket.owner),
            Self::Upload(upload) => Some(&upload.object.bucket.owner),
        }
    }

    /// Who began the upload.
    pub(super) fn beginner(&self) -> Option<&'a Actor> {
        match *self {
            Self::Upload(upload) => Some(&upload.beginner),
            _ => None,
        }
    }
}

impl fmt::Display for Resource<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository(name) => write!(formatter, "repository {name}"),
            Self::Account => formatter.write_str("buckets"),
            Self::NewBucket(name) => write!(formatter, "bucket {name}"),
            Self::Bucket(bucket) => write!(formatter, "bucket {}", bucket.name),
            Self::Object(object) => object_of(formatter, object),
            Self::Upload(upload) => {
                formatter.write_str("an upload of ")?;
                object_of(formatter, &upload.object)
            }
        }
    }
}

fn object_of(formatter: &mut fmt::Formatter<'_>, object: &OwnedObject) -> fmt::Result {
    write!(
        formatter,
        "object {:?} of bucket {}",
        object.key.as_str(),
        object.bucket.name
    )
}
