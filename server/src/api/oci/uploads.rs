//! Pushing blobs: whole, in chunks, streamed, mounted; status and cancel.

use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderName, LOCATION, RANGE};
use actix_web::web::Payload;
use zas_core::{Algorithm, Digest, InvalidDigest, RepositoryName};

use super::call::Call;
use super::manifests::parse_digest;
use super::{DOCKER_CONTENT_DIGEST, OciError, OciErrorCode};
use crate::services::auth::Granted;
use crate::services::auth::action::Push;
use crate::services::registry::{Chunk, RegistryError, UploadTarget};

/// The upload's id, as Docker's clients know it.
const UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// Starts an upload, takes a whole blob, or mounts one.
pub(super) async fn start(
    call: &Call<'_>,
    name: &RepositoryName,
    payload: Payload,
) -> Result<HttpResponse, OciError> {
    let granted = call.grant(name)?;
    if let Some(mount) = call.parameter("mount") {
        if let Some(digest) = mountable(mount)?
            && mount_blob(call, granted, &digest).await?
        {
            return Ok(created(call, name, &digest));
        }
        return start_upload(call, granted).await;
    }
    if let Some(digest) = call.parameter("digest") {
        let digest = parse_digest(digest)?;
        let length = announced_length(call)?;
        let body = call.body(payload);
        call.api
            .registry
            .push_blob(granted, call.client(), digest, length, body)
            .await?;
        return Ok(created(call, name, &digest));
    }
    start_upload(call, granted).await
}

/// What can be mounted at all. A digest of an algorithm that this store does not verify is held by no repository.
fn mountable(mount: &str) -> Result<Option<Digest>, OciError> {
    match mount.parse() {
        Ok(digest) => Ok(Some(digest)),
        Err(InvalidDigest::Algorithm(_)) => Ok(None),
        Err(invalid) => Err(OciError::new(OciErrorCode::DigestInvalid, invalid.to_string())),
    }
}

/// Whether the blob could be mounted. Clients derive `from` from the names of other registries, so a name that no
/// repository can have is one that does not hold the blob.
async fn mount_blob(call: &Call<'_>, granted: Granted<'_, Push>, digest: &Digest) -> Result<bool, OciError> {
    let from = call.parameter("from").filter(|from| !from.is_empty());
    let Ok(from) = from.map(str::parse::<RepositoryName>).transpose() else {
        return Ok(false);
    };
    Ok(call
        .api
        .registry
        .mount_blob(granted, digest, from.as_ref(), &call.readable())
        .await?)
}

async fn start_upload(call: &Call<'_>, granted: Granted<'_, Push>) -> Result<HttpResponse, OciError> {
    announced_algorithm(call)?;
    let id = call.api.registry.start_upload(granted, call.client()).await?;
    let target = UploadTarget {
        repository: granted.target().clone(),
        id,
    };
    Ok(progress(call, StatusCode::ACCEPTED, &target, 0).finish())
}

/// How far an upload is.
pub(super) async fn status(call: &Call<'_>, target: &UploadTarget) -> Result<HttpResponse, OciError> {
    let granted = call.grant(&target.repository)?;
    let offset = call.api.registry.upload_offset(granted, target.id).await?;
    Ok(progress(call, StatusCode::NO_CONTENT, target, offset).finish())
}

/// Takes the next chunk, or everything when the request has no `Content-Range`.
pub(super) async fn append(
    call: &Call<'_>,
    target: &UploadTarget,
    payload: Payload,
) -> Result<HttpResponse, OciError> {
    let granted = call.grant(&target.repository)?;
    let chunk = chunk(call)?;
    let body = call.body(payload);
    let appended = call
        .api
        .registry
        .append_chunk(granted, target.id, chunk, body)
        .await;
    let offset = appended.map_err(|error| refused(call, target, error))?;
    Ok(progress(call, StatusCode::ACCEPTED, target, offset).finish())
}

/// Takes what is left and makes the upload a blob.
pub(super) async fn finish(
    call: &Call<'_>,
    target: &UploadTarget,
    payload: Payload,
) -> Result<HttpResponse, OciError> {
    let granted = call.grant(&target.repository)?;
    let digest = call.parameter("digest").ok_or_else(|| {
        OciError::new(
            OciErrorCode::DigestInvalid,
            "the parameter digest is required to finish an upload",
        )
    })?;
    let digest = parse_digest(digest)?;
    let chunk = chunk(call)?;
    let body = call.body(payload);
    call.api
        .registry
        .finish_upload(granted, target.id, digest, chunk, body)
        .await
        .map_err(|error| refused(call, target, error))?;
    Ok(created(call, &target.repository, &digest))
}

/// Cancels an upload.
pub(super) async fn cancel(call: &Call<'_>, target: &UploadTarget) -> Result<HttpResponse, OciError> {
    let granted = call.grant(&target.repository)?;
    call.api.registry.cancel_upload(granted, target.id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The `Range` of an upload with `offset` bytes. Before the first byte clients still expect a range.
pub(super) fn position_range(offset: u64) -> String {
    format!("0-{}", offset.saturating_sub(1))
}

/// A chunk that does not continue the upload is told where to go on, and how far the upload is.
fn refused(call: &Call<'_>, target: &UploadTarget, error: RegistryError) -> OciError {
    let is_out_of_order = matches!(error, RegistryError::OutOfOrder { .. });
    let error = OciError::from(error);
    if !is_out_of_order {
        return error;
    }
    error
        .with_header(LOCATION, upload_location(call, target))
        .with_header(UPLOAD_UUID, target.id.to_string())
}

fn upload_location(call: &Call<'_>, target: &UploadTarget) -> String {
    let mut location = format!("/v2/{}/blobs/uploads/{}", target.repository, target.id);
    // The location carries the announcement, so that the hash runs from the first byte.
    if let Some(algorithm) = call.parameter("digest-algorithm") {
        location = format!("{location}?digest-algorithm={}", super::page::escape(algorithm));
    }
    call.location(&location)
}

fn progress(call: &Call<'_>, status: StatusCode, target: &UploadTarget, offset: u64) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((LOCATION, upload_location(call, target)))
        .insert_header((RANGE, position_range(offset)))
        .insert_header((UPLOAD_UUID, target.id.to_string()));
    response
}

fn created(call: &Call<'_>, name: &RepositoryName, digest: &Digest) -> HttpResponse {
    HttpResponse::Created()
        .insert_header((LOCATION, call.location(&format!("/v2/{name}/blobs/{digest}"))))
        .insert_header((DOCKER_CONTENT_DIGEST, digest.to_string()))
        .finish()
}

fn chunk(call: &Call<'_>) -> Result<Chunk, OciError> {
    let range = match call.request.headers().get(CONTENT_RANGE) {
        None => None,
        Some(value) => {
            let parsed = value.to_str().unwrap_or_default().parse();
            Some(parsed.map_err(|invalid: zas_core::InvalidChunkRange| {
                OciError::new(OciErrorCode::BlobUploadInvalid, invalid.to_string())
            })?)
        }
    };
    Ok(Chunk {
        range,
        length: announced_length(call)?,
        algorithm: announced_algorithm(call)?,
        client: call.client(),
    })
}

pub(super) fn announced_length(call: &Call<'_>) -> Result<Option<u64>, OciError> {
    let Some(value) = call.request.headers().get(CONTENT_LENGTH) else {
        return Ok(None);
    };
    let length = value.to_str().ok().and_then(|text| text.parse().ok());
    length.map(Some).ok_or_else(|| {
        OciError::new(
            OciErrorCode::SizeInvalid,
            "the header Content-Length is not a number",
        )
    })
}

fn announced_algorithm(call: &Call<'_>) -> Result<Option<Algorithm>, OciError> {
    let algorithm = call.parameter("digest-algorithm").map(str::parse).transpose();
    algorithm.map_err(|invalid: zas_core::InvalidDigest| {
        OciError::new(OciErrorCode::DigestInvalid, invalid.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_offsets_when_written_as_ranges_then_clients_can_parse_each() {
        assert_eq!(position_range(0), "0-0");
        assert_eq!(position_range(1), "0-0");
        assert_eq!(position_range(1024), "0-1023");
    }
}
