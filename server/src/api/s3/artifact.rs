//! What S3's answers tell of the artifact that an object is.

use actix_web::HttpResponseBuilder;
use zas_core::{BucketName, Digest, ObjectKey, ObjectManifest, RepositoryName, tag_of_key};

/// Adds the digest of the content, and the reference by which an OCI client pulls the object from this server. A bucket
/// whose name is no component of a repository's has no references.
pub(super) fn describe(
    response: &mut HttpResponseBuilder,
    bucket: &BucketName,
    key: &ObjectKey,
    content: &Digest,
    size: u64,
) {
    response.insert_header(("x-zas-digest", content.to_string()));
    if let Ok(repository) = format!("s3/{bucket}").parse::<RepositoryName>() {
        let manifest = ObjectManifest::of(content, size, key).digest;
        let tag = tag_of_key(key).map_or_else(String::new, |tag| format!(":{tag}"));
        response.insert_header(("x-zas-reference", format!("{repository}{tag}@{manifest}")));
    }
}
