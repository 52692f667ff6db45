//! Documents that clients get. A page is written entry by entry, from an iterator: nothing is kept but its text.

mod bucket;
mod copy;
mod delete;
mod error;
mod listing;
mod multipart;
mod object;
mod unset;
mod versions;
mod writer;

pub use bucket::{BucketEntry, list_buckets, location, tagging, versioning};
pub use copy::{CopyResult, copy_object_result, copy_part_result};
pub use delete::{DeletedObject, delete_result};
pub use error::error;
pub use listing::{ObjectEntry, list_objects, list_objects_v2};
pub use multipart::{
    CompletedObject, PartEntry, UploadEntry, UploadPage, complete_multipart_upload,
    initiate_multipart_upload, list_multipart_uploads, list_parts,
};
pub use object::{ObjectAttributes, ObjectParts, object_attributes};
pub use unset::{owner_acl, unset_configuration};
pub use versions::{VersionEntry, VersionPage, list_object_versions};
pub use writer::{DECLARATION, Owner};

#[cfg(test)]
mod tests;
