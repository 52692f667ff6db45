//! What actions of S3 are done to. A bucket is asked for with its owner, who may do everything with it.

use zas_core::{BucketName, ObjectKey};

use super::Actor;

/// The buckets of the caller, whichever they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account;

/// A bucket that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedBucket {
    /// Its name.
    pub name: BucketName,
    /// Who made it.
    pub owner: Actor,
}

/// A key of a bucket that is there, whether or not an object has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedObject {
    /// The bucket.
    pub bucket: OwnedBucket,
    /// The key.
    pub key: ObjectKey,
    /// The id of a version, if the request names one.
    pub version: Option<String>,
}

/// A multipart upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedUpload {
    /// What it will be.
    pub object: OwnedObject,
    /// Who began it.
    pub beginner: Actor,
}

impl OwnedObject {
    pub(super) fn has_version(&self) -> bool {
        self.version.is_some()
    }
}
