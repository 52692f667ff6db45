//! Documents that clients send. Their size is bounded before they are read, what they may hold is named, and
//! everything else is `MalformedXML`: a document type, an entity, an unknown element, an element twice.

mod acl;
mod complete;
mod create_bucket;
mod delete;
mod elements;
mod tagging;
mod versioning;

pub use acl::check_owner_acl;
pub use complete::{CompletedPart, CompletedUpload};
pub use create_bucket::CreateBucketConfiguration;
pub use delete::{DeleteObjects, ObjectToDelete};
pub use elements::MAX_DOCUMENT_BYTES;
pub use tagging::{read_bucket_tags, read_object_tags};
pub use versioning::{VersioningStatus, read_versioning};

#[cfg(test)]
mod tests;
