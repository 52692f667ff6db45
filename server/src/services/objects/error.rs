//! Why objects are refused or fail. The protocol maps these to its own codes.

use zas_blobs::BlobError;
use zas_metadata::{DeleteMarker, MetadataError};
use zas_s3::S3Error;

use crate::services::capacity::Refusal;
use crate::services::content::ContentError;

/// The result of an operation on buckets or objects.
pub type Result<T> = std::result::Result<T, ObjectsError>;

/// A refusal or failure.
#[derive(Debug, thiserror::Error)]
pub enum ObjectsError {
    /// There is no such bucket.
    #[error("there is no such bucket")]
    NoSuchBucket,
    /// The bucket holds versions or delete markers.
    #[error("the bucket is not empty")]
    BucketNotEmpty,
    /// There is no object with that key.
    #[error("there is no object with that key")]
    NoSuchKey,
    /// The object has no such version.
    #[error("the object has no such version")]
    NoSuchVersion,
    /// There is no such multipart upload.
    #[error("there is no such multipart upload")]
    NoSuchUpload,
    /// What was asked for is a delete marker.
    #[error("a delete marker has no content")]
    DeleteMarker {
        /// The marker.
        marker: DeleteMarker,
        /// Whether the client named it by its version.
        is_named: bool,
    },
    /// What the client expected of the present object does not hold.
    #[error("the object is not what was expected")]
    PreconditionFailed,
    /// The writer may not overwrite what is there, or may not make what is not.
    #[error("the key may not be written")]
    MayNotWrite,
    /// Too many uploads send at once.
    #[error("too many uploads at once")]
    TooManyUploads(Refusal),
    /// Somebody else took the upload over.
    #[error("another request wrote the same upload")]
    Superseded,
    /// The object is larger than the limit.
    #[error("the object has more than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The body is not as long as was announced.
    #[error("the body has {found} bytes, but {expected} were announced")]
    Incomplete {
        /// Announced bytes.
        expected: u64,
        /// Received bytes.
        found: u64,
    },
    /// The client went away, stalled or broke the protocol.
    #[error("the body ended early: {0}")]
    Interrupted(String),
    /// What was received is not what the client promised.
    #[error("the body is not what was promised")]
    Promise(S3Error),
    /// The facts cannot be read or written.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The bytes cannot be read or written.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// A task of the server ended unexpectedly.
    #[error("a task of the server ended unexpectedly: {0}")]
    Task(String),
}

impl From<ContentError> for ObjectsError {
    fn from(error: ContentError) -> Self {
        match error {
            ContentError::Blobs(error) => Self::Blobs(error),
            ContentError::Task(problem) => Self::Task(problem),
        }
    }
}
