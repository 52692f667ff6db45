//! `GetObjectAttributes`

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use zas_metadata::Versioning;
use zas_s3::headers::{AttributesRequest, ObjectAttribute, STANDARD};
use zas_s3::http_date;
use zas_s3::names::VersionId;
use zas_s3::xml::{self, ObjectAttributes};

use super::call::{Call, KeyOf, selector};
use super::error::Refusal;
use super::objects::{checksum, hidden, version_text};
use super::{document, set_header};
use crate::services::auth::action;

/// What a client asks for of an object, without its bytes.
pub(super) async fn get(
    call: &Call<'_>,
    object: &KeyOf<'_>,
    version: Option<VersionId>,
) -> Result<HttpResponse, Refusal> {
    let target = object.owned(version.as_ref());
    call.grant::<action::GetObjectAttributes>(&target)?;
    let granted = call.grant::<action::GetObject>(&target)?;
    let asked = AttributesRequest::of(&call.head.headers)?;
    let found = call
        .api
        .objects
        .stat_object(granted, object.bucket.id, selector(version.as_ref())?)
        .await;
    let found = found.map_err(|error| hidden(call, object, error))?;
    let checksum = checksum(&found).filter(|_| asked.wants(ObjectAttribute::Checksum));
    let attributes = ObjectAttributes {
        etag: asked
            .wants(ObjectAttribute::ETag)
            .then_some(found.attributes.etag.as_str()),
        checksum: checksum.as_ref(),
        parts: None,
        storage_class: asked.wants(ObjectAttribute::StorageClass).then_some(STANDARD),
        size: asked.wants(ObjectAttribute::ObjectSize).then_some(found.size),
    };
    let mut response = document(StatusCode::OK, xml::object_attributes(&attributes));
    set_header(&mut response, "last-modified", &http_date(found.modified_at));
    if object.bucket.versioning != Versioning::Never {
        set_header(&mut response, "x-amz-version-id", &version_text(&found.version));
    }
    Ok(response)
}
