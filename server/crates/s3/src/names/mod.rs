//! Names in the S3 name space: buckets, keys, versions, uploads, entity tags.

mod bucket;
mod etag;
mod key;
mod opaque;
mod part_number;

pub use bucket::{BucketName, InvalidBucketName};
pub use etag::{ETag, InvalidETag};
pub use key::{InvalidKey, MAX_KEY_BYTES, ObjectKey};
pub use opaque::{MultipartUploadId, VersionId};
pub use part_number::PartNumber;
