//! Putting and getting objects.

use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_RANGES, CONTENT_RANGE, ETAG, LAST_MODIFIED};
use zas_core::ByteRange;
use zas_metadata::{Expected, NewVersion, ObjectAttributes, ObjectVersion, StoredVersion, Versioning};
use zas_s3::checksum::{ChecksumAlgorithm, ExpectedDigests, ObjectChecksum};
use zas_s3::conditions::{ETagMatch, ReadConditions, WriteCondition};
use zas_s3::headers::{
    ObjectHeaders, ResponseOverrides, check_acl, check_put_acl, check_storage_class, checksum_headers,
    requested_range, wants_checksum,
};
use zas_s3::names::{ETag, PartNumber, VersionId};
use zas_s3::operation::Action;
use zas_s3::tags::TagSet;
use zas_s3::{ErrorCode, S3Error, http_date, xml};

use super::call::{Call, KeyOf, selector};
use super::error::Refusal;
use super::{artifact, document, empty};
use crate::api::body::{BlobStream, Omitted};
use crate::services::auth::{Asked, action};
use crate::services::objects::{NewObject, ObjectBody, ObjectsError, actor, content_digest};

/// Most bytes of an object that comes in one request.
const LARGEST_PUT: u64 = 5 * 1024 * 1024 * 1024;

/// Writes an object.
pub(super) async fn put(call: &mut Call<'_>, object: &KeyOf<'_>) -> Result<HttpResponse, Refusal> {
    let target = object.owned(None);
    call.grant::<action::PutObject>(&target)?;
    let headers = &call.head.headers;
    check_acl(headers)?;
    check_storage_class(headers)?;
    let promised = ExpectedDigests::of(&call.head)?;
    let length = call.announced_length()?;
    if length > LARGEST_PUT {
        return Err(S3Error::new(ErrorCode::EntityTooLarge)
            .with("ProposedSize", length.to_string())
            .with("MaxSizeAllowed", LARGEST_PUT.to_string())
            .into());
    }
    let new = NewObject {
        attributes: ObjectAttributes {
            headers: ObjectHeaders::of(headers)?.into_pairs(),
            tags: pairs(&TagSet::of_header(headers)?.unwrap_or_default()),
            ..ObjectAttributes::default()
        },
        expected: expected(WriteCondition::of(headers)?),
    };
    let content = call.content()?;
    let proof = content.proof.clone();
    let body = ObjectBody {
        bytes: content.bytes,
        length,
        algorithm: promised.algorithm(),
        verify: Box::new({
            let proof = proof.clone();
            move |computed| proof.verify(&promised, computed)
        }),
        client: call.client(),
    };
    let granted = call.grant::<action::PutObject>(&target)?;
    let stored = call
        .api
        .objects
        .put_object(granted, object.bucket.id, new, body)
        .await;
    let stored = stored.map_err(|error| proof.explain(error))?;
    let mut response = HttpResponse::Ok();
    response.insert_header((ETAG, stored.etag.quoted()));
    for header in checksum_headers(&ObjectChecksum::FullObject(stored.computed.checksum)) {
        response.insert_header(header);
    }
    name_version(&mut response, &stored.written);
    let (content, size) = (stored.computed.digest, stored.computed.length);
    artifact::describe(&mut response, &object.bucket.name, &object.key, &content, size);
    Ok(response.finish())
}

/// Sends an object or a part of it.
pub(super) async fn get(
    call: &Call<'_>,
    object: &KeyOf<'_>,
    version: Option<VersionId>,
    part: Option<PartNumber>,
) -> Result<HttpResponse, Refusal> {
    let target = object.owned(version.as_ref());
    let granted = call.grant::<action::GetObject>(&target)?;
    let found = call
        .api
        .objects
        .find_object(granted, object.bucket.id, selector(version.as_ref())?)
        .await;
    let found = found.map_err(|error| hidden(call, object, error))?;
    let (mut response, range) = described(call, object, &found.version, part)?;
    let (body, range) = call.api.objects.open_range(&found, range).await?;
    Ok(response.body(BlobStream::new(&body, range, call.read_ahead())))
}

/// Describes an object.
pub(super) async fn head(
    call: &Call<'_>,
    object: &KeyOf<'_>,
    version: Option<VersionId>,
    part: Option<PartNumber>,
) -> Result<HttpResponse, Refusal> {
    let target = object.owned(version.as_ref());
    let granted = call.grant::<action::GetObject>(&target)?;
    let found = call
        .api
        .objects
        .stat_object(granted, object.bucket.id, selector(version.as_ref())?)
        .await;
    let found = found.map_err(|error| hidden(call, object, error))?;
    let (mut response, range) = described(call, object, &found, part)?;
    Ok(response.body(Omitted::of(range.length)))
}

/// What `GET` and `HEAD` say of an object, and which bytes of it are meant.
fn described(
    call: &Call<'_>,
    object: &KeyOf<'_>,
    found: &ObjectVersion,
    part: Option<PartNumber>,
) -> Result<(HttpResponseBuilder, ByteRange), Refusal> {
    let (headers, query) = (&call.head.headers, &call.head.query);
    let overrides = ResponseOverrides::of(query, call.principal.is_anonymous())?;
    let etag = etag(found)?;
    let conditions = ReadConditions::of_read(headers)?.check(&etag, found.modified_at);
    if let Err(error) = conditions {
        return Err(Refusal::from(error)
            .with_header("etag", &etag.quoted())
            .with_header("last-modified", &http_date(found.modified_at)));
    }
    if part.is_some_and(|part| part.get() > 1) {
        return Err(ErrorCode::InvalidPartNumber.into());
    }
    let range = requested_range(headers, part, found.size)?;
    let whole = ByteRange {
        start: 0,
        length: found.size,
    };
    let mut response = HttpResponse::build(match (range, part) {
        (None, None) => StatusCode::OK,
        _ => StatusCode::PARTIAL_CONTENT,
    });
    response
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header((ETAG, etag.quoted()))
        .insert_header((LAST_MODIFIED, http_date(found.modified_at)));
    if object.bucket.versioning != Versioning::Never {
        response.insert_header(("x-amz-version-id", version_text(&found.version)));
    }
    let stored = ObjectHeaders::from_pairs(found.attributes.headers.clone());
    for (name, value) in stored.answer(&overrides) {
        response.insert_header((name, value.as_ref()));
    }
    if let Some(content) = content_digest(found) {
        artifact::describe(
            &mut response,
            &object.bucket.name,
            &object.key,
            &content,
            found.size,
        );
    }
    if !found.attributes.tags.is_empty() {
        response.insert_header(("x-amz-tagging-count", found.attributes.tags.len()));
    }
    if range.is_none()
        && wants_checksum(headers)?
        && let Some(checksum) = checksum(found)
    {
        for header in checksum_headers(&checksum) {
            response.insert_header(header);
        }
    }
    let sent = range.unwrap_or(whole);
    if range.is_some() || part.is_some() && found.size > 0 {
        let shown = format!("bytes {}-{}/{}", sent.start, sent.last(), found.size);
        response.insert_header((CONTENT_RANGE, shown));
    }
    Ok((response, sent))
}

/// Who may see which object by access control lists: its owner, and nobody else.
pub(super) async fn acl(
    call: &Call<'_>,
    object: &KeyOf<'_>,
    version: Option<VersionId>,
) -> Result<HttpResponse, Refusal> {
    let found = check(call, object, version.as_ref(), Action::GetObjectAcl).await?;
    let owner = actor(&found.attributes.owner);
    let id = owner.canonical_id();
    let owner = xml::Owner {
        id: id.as_str(),
        display_name: owner.subject(),
    };
    Ok(document(StatusCode::OK, xml::owner_acl(owner)))
}

/// Takes the access control list that every object has.
pub(super) async fn set_acl(
    call: &mut Call<'_>,
    object: &KeyOf<'_>,
    version: Option<VersionId>,
) -> Result<HttpResponse, Refusal> {
    let found = check(call, object, version.as_ref(), Action::PutObjectAcl).await?;
    let body = call.document().await?;
    let owner = actor(&found.attributes.owner).canonical_id();
    check_put_acl(&call.head.headers, &body, &owner)?;
    Ok(empty(StatusCode::OK))
}

/// A version, for an action on it that no service has.
async fn check(
    call: &Call<'_>,
    object: &KeyOf<'_>,
    version: Option<&VersionId>,
    action: Action,
) -> Result<ObjectVersion, Refusal> {
    let target = object.owned(version);
    call.check_object(action, &target)?;
    let granted = call.grant::<action::GetObject>(&target)?;
    let found = call
        .api
        .objects
        .stat_object(granted, object.bucket.id, selector(version)?)
        .await;
    found.map_err(|error| hidden(call, object, error))
}

/// Who may not list is not told which keys there are.
pub(super) fn hidden(call: &Call<'_>, object: &KeyOf<'_>, error: ObjectsError) -> Refusal {
    let is_missing = matches!(
        error,
        ObjectsError::NoSuchKey | ObjectsError::NoSuchVersion | ObjectsError::DeleteMarker { .. }
    );
    if is_missing && !call.may_list(object.bucket) {
        return ErrorCode::AccessDenied.into();
    }
    let refusal = Refusal::from(error);
    if refusal.error().code() == ErrorCode::NoSuchKey {
        return refusal.about("Key", object.key.as_str());
    }
    refusal
}

/// The entity tag of a version.
pub(super) fn etag(found: &ObjectVersion) -> Result<ETag, Refusal> {
    let etag = found.attributes.etag.parse();
    etag.map_err(|_| ErrorCode::InternalError.into())
}

/// The checksum of a version, if it has one that this server knows.
pub(super) fn checksum(found: &ObjectVersion) -> Option<ObjectChecksum> {
    let stored = found.attributes.checksum.as_ref()?;
    let algorithm = ChecksumAlgorithm::of_name(&stored.algorithm)?;
    ObjectChecksum::parse(algorithm, &stored.value).ok()
}

/// What clients name a version by.
pub(super) fn version_text(version: &StoredVersion) -> String {
    version
        .id()
        .map_or_else(|| "null".to_owned(), |id| id.to_string())
}

/// Says which version was written, where versions are kept.
pub(super) fn name_version(response: &mut HttpResponseBuilder, written: &NewVersion) {
    if written.versioning != Versioning::Never {
        response.insert_header(("x-amz-version-id", version_text(&written.version)));
    }
}

/// What must hold for a write, as the store compares it.
pub(super) fn expected(condition: WriteCondition) -> Expected {
    match condition {
        WriteCondition::None => Expected::Any,
        WriteCondition::Absent => Expected::Absent,
        WriteCondition::Match(tag) => matching(&tag),
    }
}

/// The object that a tag means; a weak one never matches.
pub(super) fn matching(tag: &ETagMatch) -> Expected {
    match tag {
        ETagMatch::Any => Expected::Present,
        ETagMatch::Tag(tag) => Expected::Tagged(vec![tag.as_str().to_owned()]),
        ETagMatch::Weak(_) => Expected::Tagged(Vec::new()),
    }
}

/// Tags as they are stored.
pub(super) fn pairs(tags: &TagSet) -> Vec<(String, String)> {
    tags.tags()
        .iter()
        .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
        .collect()
}

impl Call<'_> {
    fn check_object(
        &self,
        action: Action,
        target: &crate::services::auth::OwnedObject,
    ) -> Result<(), Refusal> {
        self.check(Asked {
            action: action.into(),
            resource: target.into(),
        })
    }
}
