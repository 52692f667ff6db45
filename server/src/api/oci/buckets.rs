//! Buckets as repositories: the bucket `b` is the repository `s3/b`, and each of its objects an artifact that any client
//! pulls. Who may read an object by S3 may read it here, and nobody else.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_TYPE, LINK, RETRY_AFTER};
use actix_web::http::{Method, StatusCode};
use bytes::Bytes;
use zas_blobs::BlobError;
use zas_core::{
    BucketName, Digest, EMPTY_CONFIGURATION, MediaType, ObjectKey, ObjectManifest, Reference, RepositoryName,
    empty_configuration, key_of_tag, tag_of_key,
};
use zas_metadata::{Bucket, ListObjects, ListPosition, ObjectWithDigest, VersionSelector};

use super::call::Call;
use super::conditional::{is_not_modified, typed_entity_tag};
use super::path::OciPath;
use super::{OciError, OciErrorCode, blobs, manifests, page, tags};
use crate::api::body::Omitted;
use crate::services::auth::{Granted, OwnedObject, action};
use crate::services::objects::{Objects, ObjectsError, owned};
use crate::services::registry::{Blob, BlobBody, RegistryError};

/// Most tags of a page, and keys that are read at a time for it.
const PAGE: usize = 1_000;

/// Keys that are read for a page of tags, at most, in pages of [`PAGE`]: most of them may be none that a tag shows.
const PAGES_READ: usize = 10;

/// When a client shall ask again for an object whose digest is being computed.
const DIGEST_RETRY_AFTER: Duration = Duration::from_secs(5);

/// Answers what reads from the repository of a bucket; `None`: that is no question to one.
pub(super) async fn get(
    call: &Call<'_>,
    objects: &Objects,
    name: &RepositoryName,
    path: &OciPath,
) -> Result<HttpResponse, OciError> {
    let view = View {
        call,
        objects,
        name,
        bucket: bucket(objects, name).await?,
    };
    match path {
        OciPath::Manifest(_, Reference::Tag(tag)) => view.manifest_of_tag(tag).await,
        OciPath::Manifest(_, Reference::Digest(digest)) => view.manifest_of_digest(digest).await,
        OciPath::Blob(_, digest) => view.blob(digest).await,
        OciPath::Tags(_) => view.tags().await,
        OciPath::Referrers(_, subject) => view.referrers(subject).await,
        _ => Err(RegistryError::Reserved(name.clone()).into()),
    }
}

async fn bucket(objects: &Objects, name: &RepositoryName) -> Result<Bucket, OciError> {
    let unknown = || RegistryError::RepositoryUnknown(name.clone()).into();
    let (_, bucket) = name.as_str().split_once('/').ok_or_else(unknown)?;
    let bucket: BucketName = bucket.parse().map_err(|_| unknown())?;
    objects.bucket(&bucket).await.map_err(|error| match error {
        ObjectsError::NoSuchBucket => unknown(),
        error => failed(error),
    })
}

/// One request to the repository of a bucket.
struct View<'a> {
    call: &'a Call<'a>,
    objects: &'a Objects,
    name: &'a RepositoryName,
    bucket: Bucket,
}

impl View<'_> {
    async fn manifest_of_tag(&self, tag: &zas_core::Tag) -> Result<HttpResponse, OciError> {
        let reference = Reference::Tag(tag.clone());
        let Some(key) = key_of_tag(tag) else {
            return Err(self.unknown_manifest(reference));
        };
        let target = self.object(key, None);
        let granted = self.call.grant::<action::GetObject>(&target)?;
        let manifest = self
            .objects
            .manifest(granted, self.bucket.id, VersionSelector::Current)
            .await;
        match manifest {
            Ok(Some(manifest)) => Ok(self.send(manifest)),
            Ok(None) => Err(digest_pending()),
            Err(error) => Err(self.missing(error, reference)),
        }
    }

    async fn manifest_of_digest(&self, digest: &Digest) -> Result<HttpResponse, OciError> {
        for found in self.with_digest(digest).await? {
            let manifest = ObjectManifest::of(&found.content, found.size, &found.key);
            if manifest.digest == *digest && self.is_readable(&found) {
                return Ok(self.send(manifest));
            }
        }
        Err(self.unknown_manifest(Reference::Digest(*digest)))
    }

    fn send(&self, manifest: ObjectManifest) -> HttpResponse {
        let media_type = MediaType::oci_manifest();
        let entity_tag = typed_entity_tag(&manifest.digest, &media_type);
        if is_not_modified(self.call.request.headers(), &entity_tag) {
            return manifests::described(StatusCode::NOT_MODIFIED, &manifest.digest, &media_type).finish();
        }
        let mut response = manifests::described(StatusCode::OK, &manifest.digest, &media_type);
        if *self.call.request.method() == Method::HEAD {
            return response.body(Omitted::of(manifest.body.len() as u64));
        }
        response.body(manifest.body)
    }

    async fn blob(&self, digest: &Digest) -> Result<HttpResponse, OciError> {
        if *digest == empty_configuration() {
            // Every manifest here refers to it, and it says nothing.
            return blobs::send(self.call, &empty_blob());
        }
        for found in self.with_digest(digest).await? {
            let target = self.object_of(&found);
            let granted: Option<Granted<'_, action::GetObject>> = self.call.grant_if_allowed(&target);
            let Some(granted) = granted.filter(|_| found.content == *digest) else {
                continue;
            };
            if *self.call.request.method() == Method::HEAD {
                return Ok(blobs::describe(self.call, digest, found.size));
            }
            match self.objects.open_content(granted, self.bucket.id, &found).await {
                Ok(blob) => return blobs::send(self.call, &blob),
                // It went meanwhile, and another may have the same.
                Err(ObjectsError::NoSuchKey | ObjectsError::NoSuchVersion) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        self.check_list()?;
        let (digest, repository) = (*digest, self.name.clone());
        Err(RegistryError::BlobUnknown { digest, repository }.into())
    }

    /// The keys that are tags as they are: without `/`, and without a character that a tag cannot have.
    async fn tags(&self) -> Result<HttpResponse, OciError> {
        let target = owned(&self.bucket);
        let granted = self.call.grant::<action::ListBucket>(&target)?;
        let count = page::count(self.call.parameter("n"))?.unwrap_or(PAGE).min(PAGE);
        let last = self.call.parameter("last").map(str::to_owned);
        let mut position = last.map(ListPosition::Key);
        let (mut tags, mut more) = (Vec::new(), count > 0);
        for _ in 0..PAGES_READ {
            if !more || tags.len() == count {
                break;
            }
            let list = ListObjects {
                bucket: self.bucket.id,
                prefix: String::new(),
                delimiter: Some("/".to_owned()),
                after: position.take(),
                count: PAGE,
            };
            let listed = self.objects.list_objects(granted, list).await.map_err(failed)?;
            more = listed.next.is_some();
            position = listed.next;
            for object in listed.objects {
                if tags.len() == count {
                    more = true;
                    break;
                }
                tags.extend(tag_of_key(&object.key).filter(|tag| tag.as_str() == object.key.as_str()));
            }
        }
        let read_to = position.map(|position| match position {
            ListPosition::Key(text) | ListPosition::Prefix(text) => text,
        });
        let last = tags.get(count.wrapping_sub(1)).map(|tag| tag.as_str().to_owned());
        let last = last.or(read_to);
        let mut response = HttpResponse::Ok();
        if let (true, Some(last)) = (more, &last) {
            let path = format!("/v2/{}/tags/list", self.name);
            let size = count.to_string();
            response.insert_header((LINK, page::next_link(&path, &[("n", &size), ("last", last)])));
        }
        Ok(response.json(tags::document(self.name, &tags)))
    }

    /// Nothing refers to an object.
    async fn referrers(&self, subject: &Digest) -> Result<HttpResponse, OciError> {
        let found = self.with_digest(subject).await?;
        if !found.iter().any(|found| self.is_readable(found)) {
            self.check_list()?;
        }
        let index = format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[]}}"#,
            MediaType::OCI_INDEX
        );
        Ok(HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, MediaType::OCI_INDEX))
            .body(index))
    }

    async fn with_digest(&self, digest: &Digest) -> Result<Vec<ObjectWithDigest>, OciError> {
        self.objects
            .with_digest(self.bucket.id, digest)
            .await
            .map_err(failed)
    }

    fn object(&self, key: ObjectKey, version: Option<String>) -> OwnedObject {
        OwnedObject {
            bucket: owned(&self.bucket),
            key,
            version,
        }
    }

    /// Reading what is not the current version is a right of its own.
    fn object_of(&self, found: &ObjectWithDigest) -> OwnedObject {
        let id = found.version.id();
        let id = id.map_or_else(|| "null".to_owned(), |id| id.to_string());
        let version = (!found.is_current).then_some(id);
        self.object(found.key.clone(), version)
    }

    fn is_readable(&self, found: &ObjectWithDigest) -> bool {
        let target = self.object_of(found);
        let granted: Option<Granted<'_, action::GetObject>> = self.call.grant_if_allowed(&target);
        granted.is_some()
    }

    /// Whether the caller may learn what is not there.
    fn check_list(&self) -> Result<(), OciError> {
        let target = owned(&self.bucket);
        self.call.grant::<action::ListBucket>(&target).map(|_| ())
    }

    fn unknown_manifest(&self, reference: Reference) -> OciError {
        if let Err(refusal) = self.check_list() {
            return refusal;
        }
        let repository = self.name.clone();
        RegistryError::ManifestUnknown {
            reference,
            repository,
        }
        .into()
    }

    fn missing(&self, error: ObjectsError, reference: Reference) -> OciError {
        match error {
            ObjectsError::NoSuchKey | ObjectsError::NoSuchVersion | ObjectsError::DeleteMarker { .. } => {
                self.unknown_manifest(reference)
            }
            error => failed(error),
        }
    }
}

fn empty_blob() -> Blob {
    Blob {
        digest: empty_configuration(),
        size: EMPTY_CONFIGURATION.len() as u64,
        body: BlobBody::Inline(Bytes::from_static(EMPTY_CONFIGURATION)),
    }
}

fn digest_pending() -> OciError {
    OciError::new(
        OciErrorCode::ManifestUnknown,
        "the digest of this object is being computed: try again in a moment",
    )
    .with_header(RETRY_AFTER, DIGEST_RETRY_AFTER.as_secs().to_string())
}

/// What a store did not do.
fn failed(error: ObjectsError) -> OciError {
    match error {
        ObjectsError::Metadata(error) => RegistryError::Metadata(error).into(),
        ObjectsError::Blobs(error @ (BlobError::NotFound(_) | BlobError::TooShort { .. })) => {
            tracing::error!(%error, "stored bytes of an object are missing");
            RegistryError::Blobs(error).into()
        }
        ObjectsError::Blobs(error) => RegistryError::Blobs(error).into(),
        error => RegistryError::Task(error.to_string()).into(),
    }
}
