//! The XML of S3: documents that clients send, and those that they get (API reference, "Actions").

mod read;
mod write;

pub use read::{
    CompletedPart, CompletedUpload, CreateBucketConfiguration, DeleteObjects, MAX_DOCUMENT_BYTES,
    ObjectToDelete, VersioningStatus, check_owner_acl, read_bucket_tags, read_object_tags, read_versioning,
};
pub use write::{
    BucketEntry, CompletedObject, CopyResult, DECLARATION, DeletedObject, ObjectAttributes, ObjectEntry,
    ObjectParts, Owner, PartEntry, UploadEntry, UploadPage, VersionEntry, VersionPage,
    complete_multipart_upload, copy_object_result, copy_part_result, delete_result, error,
    initiate_multipart_upload, list_buckets, list_multipart_uploads, list_object_versions, list_objects,
    list_objects_v2, list_parts, location, object_attributes, owner_acl, tagging, unset_configuration,
    versioning,
};
