//! Pulling, looking at and deleting blobs.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_RANGE, CONTENT_TYPE, ETAG, RANGE};
use zas_core::{ByteRange, Digest, RangeRequest, RepositoryName};

use super::call::Call;
use super::conditional::{entity_tag, is_not_modified, range_applies};
use super::multipart::Boundary;
use super::{DOCKER_CONTENT_DIGEST, OciError, OciErrorCode};
use crate::api::body::{BlobStream, Omitted, ReadAhead};
use crate::services::registry::Blob;

/// Content never changes under its digest, so a cache that may keep it may keep it for ever.
const IMMUTABLE: &str = "private, max-age=31536000, immutable";

/// Sends a blob or a part of it.
pub(super) async fn get(
    call: &Call<'_>,
    name: &RepositoryName,
    digest: &Digest,
) -> Result<HttpResponse, OciError> {
    let granted = call.grant(name)?;
    let entity_tag = entity_tag(digest);
    let headers = call.request.headers();
    if is_not_modified(headers, &entity_tag) {
        call.api.registry.blob_size(granted, None, digest).await?;
        return Ok(described(StatusCode::NOT_MODIFIED, digest).finish());
    }
    let blob = call.api.registry.open_blob(granted, digest).await?;
    send(call, &blob)
}

/// Sends a blob, or what is asked for of it.
pub(super) fn send(call: &Call<'_>, blob: &Blob) -> Result<HttpResponse, OciError> {
    let (headers, digest) = (call.request.headers(), &blob.digest);
    let entity_tag = entity_tag(digest);
    if is_not_modified(headers, &entity_tag) {
        return Ok(described(StatusCode::NOT_MODIFIED, digest).finish());
    }
    let range = headers
        .get(RANGE)
        .and_then(|value| value.to_str().ok())
        .filter(|_| range_applies(headers, &entity_tag));
    let size = blob.size;
    let part = match range.map(|range| RangeRequest::parse(range, size)) {
        None | Some(Ok(RangeRequest::Whole)) => None,
        Some(Ok(RangeRequest::Part(part))) => Some(part),
        Some(Ok(RangeRequest::Parts(parts))) => return Ok(several(call, blob, parts)),
        Some(Err(unsatisfiable)) => {
            return Err(
                OciError::new(OciErrorCode::SizeInvalid, unsatisfiable.to_string())
                    .with_status(StatusCode::RANGE_NOT_SATISFIABLE)
                    .with_header(CONTENT_RANGE, format!("bytes */{size}")),
            );
        }
    };
    let Some(part) = part else {
        let whole = ByteRange {
            start: 0,
            length: size,
        };
        return Ok(described(StatusCode::OK, digest).body(BlobStream::new(
            &blob.body,
            whole,
            read_ahead(call),
        )));
    };
    let mut response = described(StatusCode::PARTIAL_CONTENT, digest);
    response.insert_header((
        CONTENT_RANGE,
        format!("bytes {}-{}/{size}", part.start, part.last()),
    ));
    Ok(response.body(BlobStream::new(&blob.body, part, read_ahead(call))))
}

/// Sends several parts of a blob.
fn several(call: &Call<'_>, blob: &Blob, ranges: Vec<ByteRange>) -> HttpResponse {
    let boundary = Boundary::of(&blob.digest);
    let parts = boundary.parts(ranges, blob.size);
    described(StatusCode::PARTIAL_CONTENT, &blob.digest)
        .insert_header((CONTENT_TYPE, boundary.content_type()))
        .body(BlobStream::multipart(
            &blob.body,
            parts,
            boundary.end(),
            read_ahead(call),
        ))
}

/// Tells whether a blob is there. To someone who may push, a yes is a promise to keep it for the grace.
pub(super) async fn head(
    call: &Call<'_>,
    name: &RepositoryName,
    digest: &Digest,
) -> Result<HttpResponse, OciError> {
    let (granted, push) = (call.grant(name)?, call.grant_if_allowed(name));
    let size = call.api.registry.blob_size(granted, push, digest).await?;
    Ok(describe(call, digest, size))
}

/// Describes a blob that is there.
pub(super) fn describe(call: &Call<'_>, digest: &Digest, size: u64) -> HttpResponse {
    if is_not_modified(call.request.headers(), &entity_tag(digest)) {
        return described(StatusCode::NOT_MODIFIED, digest).finish();
    }
    described(StatusCode::OK, digest).body(Omitted::of(size))
}

/// Takes a blob out of a repository.
pub(super) async fn delete(
    call: &Call<'_>,
    name: &RepositoryName,
    digest: &Digest,
) -> Result<HttpResponse, OciError> {
    let granted = call.grant(name)?;
    call.api.registry.delete_blob(granted, digest).await?;
    Ok(HttpResponse::Accepted()
        .insert_header((DOCKER_CONTENT_DIGEST, digest.to_string()))
        .finish())
}

fn read_ahead(call: &Call<'_>) -> ReadAhead {
    ReadAhead {
        chunk: call.api.read_chunk,
        memory: Arc::clone(&call.api.memory),
        client: call.client(),
    }
}

fn described(status: StatusCode, digest: &Digest) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((DOCKER_CONTENT_DIGEST, digest.to_string()))
        .insert_header((ETAG, entity_tag(digest)))
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header((CACHE_CONTROL, IMMUTABLE))
        .insert_header((CONTENT_TYPE, "application/octet-stream"));
    response
}
