//! What a request asks for (API reference, "Actions").
//!
//! [`Operation::of`] reads method, host, path, sub-resource and the ids in the query: enough to authorise. What else
//! an operation takes is read by the operation itself once it is authorised.

mod action;
mod addressing;
mod bucket;
mod copy_source;
mod never_set;
mod object;
mod refused_headers;
mod sub_resource;

pub use action::Action;
pub use addressing::{Addressing, Target};
pub use bucket::BucketOperation;
pub use copy_source::CopySource;
pub use never_set::{BucketConfiguration, ObjectLockProperty};
pub use object::ObjectOperation;

use crate::error::{ErrorCode, S3Error};
use crate::head::{Method, RequestHead};
use crate::names::{BucketName, ObjectKey};
use crate::payload::BodyRule;

/// What a request asks for, and of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `ListBuckets`.
    ListBuckets,
    /// An operation on a bucket.
    Bucket(BucketName, BucketOperation),
    /// An operation on an object, or on one that is being written.
    Object(BucketName, ObjectKey, ObjectOperation),
}

impl Operation {
    /// Reads what a request asks for. An operation, a sub-resource or a header that this server does not implement is
    /// refused by its name, so that nothing a client relies on is ignored.
    ///
    /// # Errors
    /// `InvalidURI`, `InvalidBucketName`, `KeyTooLongError`, `InvalidArgument`, `NoSuchUpload`, `MethodNotAllowed`,
    /// `NotImplemented`, `AccessControlListNotSupported`, `InvalidStorageClass`.
    pub fn of(head: &RequestHead<'_>, addressing: &Addressing<'_>) -> Result<Self, S3Error> {
        let operation = match Target::of(head, addressing)? {
            Target::Service if head.method == Method::Get => Self::ListBuckets,
            Target::Service => return Err(not_allowed(head.method, "SERVICE")),
            Target::Bucket(bucket) => Self::Bucket(bucket, BucketOperation::of(head)?),
            Target::Object(bucket, key) => Self::Object(bucket, key, ObjectOperation::of(head)?),
        };
        refused_headers::check(head, &operation)?;
        Ok(operation)
    }

    /// The name in AWS's API reference.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ListBuckets => "ListBuckets",
            Self::Bucket(_, operation) => operation.name(),
            Self::Object(_, _, operation) => operation.name(),
        }
    }

    /// What has to be allowed on the bucket or the object, all of it. What a copy reads is asked for with
    /// [`CopySource::action`], what `DeleteObjects` deletes with [`Action::delete_object`] for each key.
    pub const fn actions(&self) -> &'static [Action] {
        match self {
            Self::ListBuckets => &[Action::ListAllMyBuckets],
            Self::Bucket(_, operation) => operation.actions(),
            Self::Object(_, _, operation) => operation.actions(),
        }
    }

    /// Whether the body may come in chunks.
    pub const fn body_rule(&self) -> BodyRule {
        match self {
            Self::Object(_, _, ObjectOperation::Put | ObjectOperation::UploadPart { .. }) => {
                BodyRule::MayBeChunked
            }
            _ => BodyRule::Whole,
        }
    }

    /// What the body is.
    pub const fn body(&self) -> Body {
        match self {
            Self::ListBuckets => Body::None,
            Self::Bucket(_, operation) => operation.body(),
            Self::Object(_, _, operation) => operation.body(),
        }
    }

    /// The bucket, if there is one.
    pub const fn bucket(&self) -> Option<&BucketName> {
        match self {
            Self::ListBuckets => None,
            Self::Bucket(bucket, _) | Self::Object(bucket, _, _) => Some(bucket),
        }
    }
}

/// What the body of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Nothing: what comes is not read.
    None,
    /// A document of up to [`MAX_DOCUMENT_BYTES`](crate::xml::MAX_DOCUMENT_BYTES).
    Document,
    /// A document that would destroy something if it were damaged: [`ExpectedDigests::require`] holds.
    ///
    /// [`ExpectedDigests::require`]: crate::checksum::ExpectedDigests::require
    ProvenDocument,
    /// Content to be stored.
    Content,
}

fn not_allowed(method: Method, resource: &str) -> S3Error {
    S3Error::new(ErrorCode::MethodNotAllowed)
        .with("Method", method.as_str())
        .with("ResourceType", resource)
}

#[cfg(test)]
mod tests;
