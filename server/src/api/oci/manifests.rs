//! Pulling, pushing and deleting manifests.

use std::collections::HashSet;

use actix_web::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Payload;
use actix_web::{HttpResponse, HttpResponseBuilder};
use zas_core::{Digest, MediaType, Reference, RepositoryName, Tag};
use zas_metadata::SharedManifest;

use super::call::Call;
use super::conditional::{is_not_modified, typed_entity_tag};
use super::uploads::announced_length;
use super::{DOCKER_CONTENT_DIGEST, OciError, OciErrorCode};
use crate::api::body::Omitted;
use crate::api::request_body::{CollectError, Collected};
use crate::services::auth::OciAction;
use crate::services::content::BodyError;
use crate::services::registry::{PushGrant, PushManifest, RegistryError};

/// Sends a manifest as it was pushed, or for HEAD what describes it.
pub(super) async fn get(
    call: &Call<'_>,
    name: &RepositoryName,
    reference: &Reference,
) -> Result<HttpResponse, OciError> {
    let granted = call.grant(name)?;
    let headers = call.request.headers();
    let is_head = *call.request.method() == Method::HEAD;
    // Neither of them needs the bytes.
    if is_head || headers.contains_key(IF_NONE_MATCH) {
        let manifest = call.api.registry.stat_manifest(granted, reference).await?;
        let entity_tag = typed_entity_tag(&manifest.digest, &manifest.media_type);
        if is_not_modified(headers, &entity_tag) {
            let status = StatusCode::NOT_MODIFIED;
            return Ok(described(status, &manifest.digest, &manifest.media_type).finish());
        }
        if is_head {
            let mut response = described(StatusCode::OK, &manifest.digest, &manifest.media_type);
            return Ok(response.body(Omitted::of(manifest.size)));
        }
    }
    let manifest = call.api.registry.manifest(granted, reference).await?;
    Ok(described(StatusCode::OK, &manifest.digest, &manifest.media_type).body(manifest.body))
}

pub(super) fn described(status: StatusCode, digest: &Digest, media_type: &MediaType) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((CONTENT_TYPE, media_type.as_str()))
        .insert_header((DOCKER_CONTENT_DIGEST, digest.to_string()))
        .insert_header((ETAG, typed_entity_tag(digest, media_type)));
    response
}

/// Stores a manifest under a tag, or under its digest with any number of tags.
pub(super) async fn put(
    call: &Call<'_>,
    name: &RepositoryName,
    reference: &Reference,
    payload: Payload,
) -> Result<HttpResponse, OciError> {
    let tags = tags(call, reference)?;
    let grant = push_grant(call, name, !tags.is_empty())?;
    let limit = call.api.limits().manifest_size;
    if announced_length(call)?.is_some_and(|length| length > limit as u64) {
        // Said before the client sends what would be thrown away.
        return Err(RegistryError::ManifestTooLarge { limit }.into());
    }
    let body = call
        .request_stream(payload)
        .collect(limit, &call.api.memory, call.client())
        .await
        .map_err(|error| unreadable(error, limit))?;
    // Held until the manifest is stored.
    let Collected { bytes: body, memory } = body;
    let digest = match reference {
        Reference::Digest(digest) => Some(*digest),
        Reference::Tag(_) => call.parameter("digest").map(parse_digest).transpose()?,
    };
    let media_type = media_type(call)?;
    let push = PushManifest {
        grant,
        digest,
        tags: tags.clone(),
        media_type,
        body,
    };
    let pushed = call
        .api
        .registry
        .push_manifest(push)
        .await
        .map_err(|error| denied(call, name, error))?;
    drop(memory);

    let mut response = HttpResponse::Created();
    response
        .insert_header((
            LOCATION,
            call.location(&format!("/v2/{name}/manifests/{}", pushed.digest)),
        ))
        .insert_header((DOCKER_CONTENT_DIGEST, pushed.digest.to_string()));
    if let Some(subject) = pushed.subject {
        response.insert_header(("OCI-Subject", subject.to_string()));
    }
    if matches!(reference, Reference::Digest(_)) {
        for tag in &tags {
            response.append_header(("OCI-Tag", tag.as_str()));
        }
    }
    Ok(response.finish())
}

/// Deletes a tag, or a manifest with all its tags.
pub(super) async fn delete(
    call: &Call<'_>,
    name: &RepositoryName,
    reference: &Reference,
) -> Result<HttpResponse, OciError> {
    let granted = call.grant(name)?;
    match reference {
        Reference::Tag(tag) => call.api.registry.delete_tag(granted, tag).await?,
        Reference::Digest(digest) => {
            let shared = if call.detects_collisions(name) {
                SharedManifest::Keep
            } else {
                SharedManifest::Delete
            };
            call.api.registry.delete_manifest(granted, digest, shared).await?;
        }
    }
    Ok(HttpResponse::Accepted().finish())
}

/// The tags of a push, each once.
fn tags(call: &Call<'_>, reference: &Reference) -> Result<Vec<Tag>, OciError> {
    if let Reference::Tag(tag) = reference {
        return Ok(vec![tag.clone()]);
    }
    let limit = call.api.limits().tag_parameters;
    let (mut tags, mut seen) = (Vec::new(), HashSet::new());
    for (position, value) in call.parameters("tag").enumerate() {
        if position == limit {
            return Err(OciError::new(
                OciErrorCode::ManifestInvalid,
                format!("at most {limit} tag parameters are allowed"),
            )
            .with_status(StatusCode::URI_TOO_LONG));
        }
        let tag: Tag = value.parse().map_err(|invalid: zas_core::InvalidTag| {
            OciError::new(OciErrorCode::ManifestInvalid, invalid.to_string())
        })?;
        if seen.insert(tag.clone()) {
            tags.push(tag);
        }
    }
    Ok(tags)
}

/// Making a tag and moving one are different rights; which of them a tag needs is decided when the manifest is
/// committed.
fn push_grant<'c>(
    call: &'c Call<'_>,
    name: &'c RepositoryName,
    has_tags: bool,
) -> Result<PushGrant<'c>, OciError> {
    if !has_tags {
        let push = call.grant(name)?;
        return Ok(PushGrant::Untagged(push, call.grant_if_allowed(name)));
    }
    match (call.grant_if_allowed(name), call.grant_if_allowed(name)) {
        (Some(create), Some(update)) => Ok(PushGrant::AnyTags(create, update)),
        (None, Some(update)) => Ok(PushGrant::MovedTags(update)),
        (_, None) => call.grant(name).map(PushGrant::NewTags),
    }
}

/// A refusal for want of rights to a tag or to stored content is a 401 for someone who has not signed in.
fn denied(call: &Call<'_>, name: &RepositoryName, error: RegistryError) -> OciError {
    let action = match &error {
        RegistryError::TagForbidden { exists: false, .. } => OciAction::Tag,
        RegistryError::TagForbidden { .. } | RegistryError::TypeForbidden { .. } => OciAction::Retag,
        _ => return error.into(),
    };
    call.refusal(&error.to_string(), action, name)
}

fn unreadable(error: CollectError, limit: usize) -> OciError {
    match error {
        CollectError::Refused(refusal) => OciError::no_memory(refusal),
        CollectError::TooLarge => RegistryError::ManifestTooLarge { limit }.into(),
        CollectError::Broken(BodyError(reason)) => OciError::new(
            OciErrorCode::ManifestInvalid,
            format!("the body ended early: {reason}"),
        ),
    }
}

fn media_type(call: &Call<'_>) -> Result<Option<MediaType>, OciError> {
    let Some(header) = call.request.headers().get(CONTENT_TYPE) else {
        return Ok(None);
    };
    let text = header.to_str().unwrap_or_default();
    let media_type = MediaType::from_header(text);
    media_type
        .map(Some)
        .map_err(|invalid| OciError::new(OciErrorCode::ManifestInvalid, invalid.to_string()))
}

pub(super) fn parse_digest(text: &str) -> Result<Digest, OciError> {
    text.parse().map_err(|invalid: zas_core::InvalidDigest| {
        OciError::new(OciErrorCode::DigestInvalid, invalid.to_string())
    })
}
