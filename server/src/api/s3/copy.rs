//! `CopyObject`: nothing is copied but what is in a row.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use zas_metadata::{ObjectAttributes, Versioning};
use zas_s3::S3Error;
use zas_s3::conditions::{ReadConditions, WriteCondition};
use zas_s3::headers::{Directive, ObjectHeaders, check_acl, check_self_copy, check_storage_class};
use zas_s3::operation::CopySource;
use zas_s3::tags::TagSet;
use zas_s3::xml::{self, CopyResult};

use super::call::{Call, KeyOf, selector};
use super::error::Refusal;
use super::objects::{checksum, etag, expected, hidden, pairs, version_text};
use super::{document, set_header};
use crate::services::auth::action;
use crate::services::objects::{NewObject, ObjectsError};

/// Most bytes that one copy takes.
const LARGEST_COPY: u64 = 5 * 1024 * 1024 * 1024;

/// Writes an object with the content of another.
pub(super) async fn object(
    call: &Call<'_>,
    object: &KeyOf<'_>,
    source: &CopySource,
) -> Result<HttpResponse, Refusal> {
    let target = object.owned(None);
    let granted = call.grant::<action::PutObject>(&target)?;
    let headers = &call.head.headers;
    check_acl(headers)?;
    check_storage_class(headers)?;
    let metadata = Directive::of_metadata(headers)?;
    let tagging = Directive::of_tagging(headers)?;
    check_self_copy(source, &object.bucket.name, &object.key, metadata)?;

    let bucket = call.source_bucket(&source.bucket).await?;
    let from = KeyOf {
        bucket: &bucket,
        key: source.key.clone(),
    };
    let readable = from.owned(source.version.as_ref());
    let right = call.grant::<action::GetObject>(&readable)?;
    let found = call
        .api
        .objects
        .stat_object(right, bucket.id, selector(source.version.as_ref())?)
        .await;
    let found = found.map_err(|error| match error {
        // A copy is no read of the marker: it names what cannot be read.
        ObjectsError::DeleteMarker { is_named: true, .. } => S3Error::invalid_request(
            "The source of a copy request may not specifically refer to a delete marker by version id.",
        )
        .into(),
        error => hidden(call, &from, error),
    })?;
    ReadConditions::of_copy_source(headers)?.check(&etag(&found)?, found.modified_at)?;
    if found.size > LARGEST_COPY {
        return Err(S3Error::invalid_request(
            "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120",
        )
        .into());
    }
    let new = NewObject {
        attributes: ObjectAttributes {
            etag: found.attributes.etag.clone(),
            headers: match metadata {
                Directive::Copy => found.attributes.headers.clone(),
                Directive::Replace => ObjectHeaders::of(headers)?.into_pairs(),
            },
            tags: match tagging {
                Directive::Copy => found.attributes.tags.clone(),
                Directive::Replace => pairs(&TagSet::of_header(headers)?.unwrap_or_default()),
            },
            checksum: found.attributes.checksum.clone(),
            ..ObjectAttributes::default()
        },
        expected: expected(WriteCondition::of(headers)?),
    };
    let written = call
        .api
        .objects
        .copy_object(granted, object.bucket.id, new, right, bucket.id, &found)
        .await?;
    let checksum = checksum(&found);
    let result = CopyResult {
        last_modified: written.modified_at,
        etag: &found.attributes.etag,
        checksum: checksum.as_ref(),
    };
    let mut response = document(StatusCode::OK, xml::copy_object_result(&result));
    if bucket.versioning != Versioning::Never {
        set_header(
            &mut response,
            "x-amz-copy-source-version-id",
            &version_text(&found.version),
        );
    }
    if written.versioning != Versioning::Never {
        set_header(&mut response, "x-amz-version-id", &version_text(&written.version));
    }
    Ok(response)
}
