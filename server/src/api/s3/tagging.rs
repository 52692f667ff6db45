//! Tags of objects and buckets.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use zas_metadata::{Bucket, Versioning};
use zas_s3::names::VersionId;
use zas_s3::tags::{Tag, TagSet};
use zas_s3::{ErrorCode, S3Error, xml};

use super::call::{Call, KeyOf, selector};
use super::error::Refusal;
use super::objects::{hidden, pairs, version_text};
use super::{document, empty};
use crate::services::auth::action;
use crate::services::objects::owned;

/// The tags of an object.
pub(super) async fn get(
    call: &Call<'_>,
    object: &KeyOf<'_>,
    version: Option<VersionId>,
) -> Result<HttpResponse, Refusal> {
    let target = object.owned(version.as_ref());
    let granted = call.grant::<action::GetObjectTagging>(&target)?;
    let found = call
        .api
        .objects
        .object_tags(granted, object.bucket.id, selector(version.as_ref())?)
        .await;
    let found = found.map_err(|error| hidden(call, object, error))?;
    let tags = found.attributes.tags.into_iter();
    let tags = tags
        .map(|(key, value)| Tag::new(key, value))
        .collect::<Result<_, _>>()?;
    let mut response = document(StatusCode::OK, xml::tagging(&TagSet::of_object(tags)?));
    if object.bucket.versioning != Versioning::Never {
        super::set_header(&mut response, "x-amz-version-id", &version_text(&found.version));
    }
    Ok(response)
}

/// Gives an object these tags.
pub(super) async fn put(
    call: &mut Call<'_>,
    object: &KeyOf<'_>,
    version: Option<VersionId>,
) -> Result<HttpResponse, Refusal> {
    let target = object.owned(version.as_ref());
    call.grant::<action::PutObjectTagging>(&target)?;
    let body = call.document().await?;
    let tags = xml::read_object_tags(&body)?;
    set(call, object, version.as_ref(), pairs(&tags)).await?;
    Ok(empty(StatusCode::OK))
}

/// Takes the tags of an object away.
pub(super) async fn delete(
    call: &Call<'_>,
    object: &KeyOf<'_>,
    version: Option<VersionId>,
) -> Result<HttpResponse, Refusal> {
    let target = object.owned(version.as_ref());
    call.grant::<action::DeleteObjectTagging>(&target)?;
    set(call, object, version.as_ref(), Vec::new()).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

async fn set(
    call: &Call<'_>,
    object: &KeyOf<'_>,
    version: Option<&VersionId>,
    tags: Vec<(String, String)>,
) -> Result<(), Refusal> {
    let target = object.owned(version);
    let granted = call.grant::<action::PutObjectTagging>(&target)?;
    let done = call
        .api
        .objects
        .set_object_tags(granted, object.bucket.id, selector(version)?, tags)
        .await;
    done.map_err(|error| hidden(call, object, error))
}

/// The tags of a bucket.
pub(super) async fn get_of_bucket(call: &Call<'_>, bucket: &Bucket) -> Result<HttpResponse, Refusal> {
    let owned = owned(bucket);
    let granted = call.grant::<action::GetBucketTagging>(&owned)?;
    let tags = call.api.objects.bucket_tags(granted, bucket.id).await?;
    let Some(stored) = tags else {
        let error = S3Error::new(ErrorCode::NoSuchTagSet);
        return Err(error.with("BucketName", bucket.name.as_str()).into());
    };
    let tags = xml::read_bucket_tags(&stored)?;
    Ok(document(StatusCode::OK, xml::tagging(&tags)))
}

/// Gives a bucket these tags.
pub(super) async fn put_of_bucket(call: &mut Call<'_>, bucket: &Bucket) -> Result<HttpResponse, Refusal> {
    let owned = owned(bucket);
    call.grant::<action::PutBucketTagging>(&owned)?;
    let body = call.document().await?;
    let tags = xml::read_bucket_tags(&body)?;
    let granted = call.grant::<action::PutBucketTagging>(&owned)?;
    let document = Some(xml::tagging(&tags).into());
    call.api
        .objects
        .set_bucket_tags(granted, bucket.id, document)
        .await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// Takes the tags of a bucket away.
pub(super) async fn delete_of_bucket(call: &Call<'_>, bucket: &Bucket) -> Result<HttpResponse, Refusal> {
    let owned = owned(bucket);
    let granted = call.grant::<action::PutBucketTagging>(&owned)?;
    call.api.objects.set_bucket_tags(granted, bucket.id, None).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
