//! Objects in parts.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::ETAG;
use zas_core::ByteRange;
use zas_metadata::{
    Bucket, ListMultiparts, Multipart, MultipartName, MultipartPosition, ObjectAttributes, Versioning,
};
use zas_s3::checksum::{ChecksumAlgorithm, ExpectedDigests, ObjectChecksum};
use zas_s3::conditions::{ReadConditions, WriteCondition};
use zas_s3::headers::{
    CompletionChecksum, ObjectHeaders, RequestedChecksum, STANDARD, checksum_headers, copy_source_range,
};
use zas_s3::listing::{ListMultipartUploadsParameters, ListPartsParameters, ListPosition};
use zas_s3::names::{MultipartUploadId, PartNumber};
use zas_s3::operation::CopySource;
use zas_s3::tags::TagSet;
use zas_s3::xml::{
    self, CompletedObject, CompletedUpload, CopyResult, Owner, PartEntry, UploadEntry, UploadPage,
};
use zas_s3::{ErrorCode, S3Error};

use super::call::{Call, KeyOf, selector};
use super::error::Refusal;
use super::objects::{etag, expected, hidden, pairs, version_text};
use super::{document, empty, set_header};
use crate::services::auth::{OwnedUpload, action};
use crate::services::objects::{
    Completion, NewParts, ObjectBody, Objects, ObjectsError, SourceRange, actor, checksum_of, owned,
};

/// Most bytes of a part.
const LARGEST_PART: u64 = 5 * 1024 * 1024 * 1024;

/// `CreateMultipartUpload`
pub(super) async fn create(call: &Call<'_>, object: &KeyOf<'_>) -> Result<HttpResponse, Refusal> {
    let target = object.owned(None);
    let granted = call.grant::<action::PutObject>(&target)?;
    let headers = &call.head.headers;
    let (algorithm, kind) = RequestedChecksum::of(headers)?.of_upload()?;
    let new = NewParts {
        attributes: ObjectAttributes {
            headers: ObjectHeaders::of(headers)?.into_pairs(),
            tags: pairs(&TagSet::of_header(headers)?.unwrap_or_default()),
            ..ObjectAttributes::default()
        },
        algorithm,
        kind,
    };
    let id = call
        .api
        .objects
        .create_multipart(granted, object.bucket.id, new)
        .await?;
    let id = MultipartUploadId::parse(&id.to_string())?;
    let bucket = object.bucket.name.as_str();
    let mut response = document(
        StatusCode::OK,
        xml::initiate_multipart_upload(bucket, &object.key, &id),
    );
    set_header(&mut response, "x-amz-checksum-algorithm", algorithm.name());
    set_header(&mut response, "x-amz-checksum-type", kind.name());
    Ok(response)
}

/// `UploadPart`
pub(super) async fn put(
    call: &mut Call<'_>,
    object: &KeyOf<'_>,
    upload: &MultipartUploadId,
    part: PartNumber,
) -> Result<HttpResponse, Refusal> {
    let target = object.owned(None);
    call.grant::<action::PutObject>(&target)?;
    let (name, multipart) = find(call, object, upload).await?;
    let promised = ExpectedDigests::of(&call.head)?;
    let length = call.announced_length()?;
    if length > LARGEST_PART {
        return Err(S3Error::new(ErrorCode::EntityTooLarge)
            .with("ProposedSize", length.to_string())
            .with("MaxSizeAllowed", LARGEST_PART.to_string())
            .into());
    }
    // A part that names no checksum of its own gets that of its upload.
    let algorithm = match promised.checksum {
        zas_s3::checksum::ExpectedChecksum::None => algorithm_of(&multipart),
        _ => promised.algorithm(),
    };
    let content = call.content()?;
    let proof = content.proof.clone();
    let body = ObjectBody {
        bytes: content.bytes,
        length,
        algorithm,
        verify: Box::new({
            let proof = proof.clone();
            move |computed| proof.verify(&promised, computed)
        }),
        client: call.client(),
    };
    let granted = call.grant::<action::PutObject>(&target)?;
    let stored = call.api.objects.put_part(granted, &name, part.get(), body).await;
    let (etag, computed) = stored.map_err(|error| proof.explain(error))?;
    let mut response = HttpResponse::Ok();
    response.insert_header((ETAG, etag.quoted()));
    let [checksum, _] = checksum_headers(&ObjectChecksum::FullObject(computed.checksum));
    response.insert_header(checksum);
    Ok(response.finish())
}

/// `UploadPartCopy`
pub(super) async fn copy(
    call: &Call<'_>,
    object: &KeyOf<'_>,
    upload: &MultipartUploadId,
    part: PartNumber,
    source: &CopySource,
) -> Result<HttpResponse, Refusal> {
    let target = object.owned(None);
    let granted = call.grant::<action::PutObject>(&target)?;
    let (name, _) = find(call, object, upload).await?;
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
    let found = found.map_err(|error| hidden(call, &from, error))?;
    let headers = &call.head.headers;
    ReadConditions::of_copy_source(headers)?.check(&etag(&found)?, found.modified_at)?;
    let range = copy_source_range(headers, found.size)?.unwrap_or(ByteRange {
        start: 0,
        length: found.size,
    });
    if range.length > LARGEST_PART {
        return Err(S3Error::invalid_request(
            "The specified copy range is larger than the maximum allowable size for a copy source: 5368709120",
        )
        .into());
    }
    let source = SourceRange {
        granted: right,
        bucket: bucket.id,
        version: &found,
        range,
    };
    let (etag, modified_at) = call
        .api
        .objects
        .copy_part(granted, &name, part.get(), source)
        .await?;
    let result = CopyResult {
        last_modified: modified_at,
        etag: etag.as_str(),
        checksum: None,
    };
    let mut response = document(StatusCode::OK, xml::copy_part_result(&result));
    if bucket.versioning != Versioning::Never {
        set_header(
            &mut response,
            "x-amz-copy-source-version-id",
            &version_text(&found.version),
        );
    }
    Ok(response)
}

/// `CompleteMultipartUpload`
pub(super) async fn complete(
    call: &mut Call<'_>,
    object: &KeyOf<'_>,
    upload: &MultipartUploadId,
) -> Result<HttpResponse, Refusal> {
    let target = object.owned(None);
    call.grant::<action::PutObject>(&target)?;
    let name = Objects::multipart_name(object.bucket.id, &object.key, upload.as_str())?;
    let promised = CompletionChecksum::of(&call.head.headers)?;
    let expected = expected(WriteCondition::of(&call.head.headers)?);
    let body = call.document_without_checksum().await?;
    let completion = Completion {
        parts: CompletedUpload::read(&body)?.into_parts(),
        promised,
        expected,
    };
    let granted = call.grant::<action::PutObject>(&target)?;
    let completed = call
        .api
        .objects
        .complete_multipart(granted, &name, completion)
        .await?;
    let checksum = completed.checksum.as_ref().and_then(|stored| {
        let algorithm = ChecksumAlgorithm::of_name(&stored.algorithm)?;
        ObjectChecksum::parse(algorithm, &stored.value).ok()
    });
    let location = call.location(object);
    let result = CompletedObject {
        location: &location,
        bucket: object.bucket.name.as_str(),
        key: &object.key,
        etag: &completed.etag,
        checksum: checksum.as_ref(),
    };
    let mut response = document(StatusCode::OK, xml::complete_multipart_upload(&result));
    if completed.version.versioning != Versioning::Never {
        set_header(
            &mut response,
            "x-amz-version-id",
            &version_text(&completed.version.version),
        );
    }
    Ok(response)
}

/// `AbortMultipartUpload`
pub(super) async fn abort(
    call: &Call<'_>,
    object: &KeyOf<'_>,
    upload: &MultipartUploadId,
) -> Result<HttpResponse, Refusal> {
    let (name, multipart) = find(call, object, upload).await?;
    let target = owned_upload(object, &multipart);
    let granted = call.grant::<action::AbortMultipartUpload>(&target)?;
    call.api.objects.abort_multipart(granted, &name).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// `ListParts`
pub(super) async fn list_parts(
    call: &Call<'_>,
    object: &KeyOf<'_>,
    upload: &MultipartUploadId,
) -> Result<HttpResponse, Refusal> {
    let (name, multipart) = find(call, object, upload).await?;
    let target = owned_upload(object, &multipart);
    let granted = call.grant::<action::ListMultipartUploadParts>(&target)?;
    let parameters = ListPartsParameters::of(&call.head.query)?;
    let page = call
        .api
        .objects
        .list_parts(
            granted,
            &name,
            parameters.part_number_marker,
            usize::from(parameters.max_parts),
        )
        .await?;
    let parts: Vec<PartEntry<'_>> = page
        .entries
        .iter()
        .filter_map(|part| {
            Some(PartEntry {
                number: PartNumber::new(part.number)?,
                last_modified: part.modified_at,
                etag: &part.etag,
                size: part.size,
                checksum: checksum_of(part),
            })
        })
        .collect();
    let next = parts.last().map(|part| part.number).filter(|_| page.more);
    let shown = Shown::of(&multipart);
    let entry = shown.entry(&multipart);
    let bucket = object.bucket.name.as_str();
    Ok(document(
        StatusCode::OK,
        xml::list_parts(bucket, &entry, &parameters, parts, next),
    ))
}

/// `ListMultipartUploads`
pub(super) async fn list(call: &Call<'_>, bucket: &Bucket) -> Result<HttpResponse, Refusal> {
    let owned = owned(bucket);
    let granted = call.grant::<action::ListBucketMultipartUploads>(&owned)?;
    let parameters = ListMultipartUploadsParameters::of(&call.head.query)?;
    let list = ListMultiparts {
        bucket: bucket.id,
        prefix: parameters.prefix.clone(),
        delimiter: parameters.delimiter.clone(),
        after: position(&parameters)?,
        count: usize::from(parameters.max_uploads),
    };
    let page = call.api.objects.list_multiparts(granted, list).await?;
    let shown: Vec<Shown> = page.uploads.iter().map(Shown::of).collect();
    let entries = page
        .uploads
        .iter()
        .zip(&shown)
        .map(|(upload, shown)| shown.entry(upload));
    let prefixes = page.prefixes.iter().map(String::as_str);
    let next = page.next.map(|next| match next {
        MultipartPosition::Key(key) | MultipartPosition::Prefix(key) => (key, String::new()),
        MultipartPosition::Upload(key, id) => (key, id.to_string()),
    });
    let next = next.as_ref().map(|(key, upload)| UploadPage {
        next_key: key,
        next_upload: upload,
    });
    Ok(document(
        StatusCode::OK,
        xml::list_multipart_uploads(bucket.name.as_str(), &parameters, entries, prefixes, next),
    ))
}

fn position(parameters: &ListMultipartUploadsParameters) -> Result<Option<MultipartPosition>, Refusal> {
    let Some(after) = parameters.after() else {
        return Ok(None);
    };
    Ok(Some(match (after, &parameters.upload_id_marker) {
        (ListPosition::Prefix(prefix), _) => MultipartPosition::Prefix(prefix),
        (ListPosition::Key(key), None) => MultipartPosition::Key(key),
        (ListPosition::Key(key), Some(upload)) => {
            let id = upload.as_str().parse().map_err(|_| {
                S3Error::invalid_argument("Invalid uploadId marker", "upload-id-marker", upload.as_str())
            })?;
            MultipartPosition::Upload(key, id)
        }
    }))
}

async fn find(
    call: &Call<'_>,
    object: &KeyOf<'_>,
    upload: &MultipartUploadId,
) -> Result<(MultipartName, Multipart), Refusal> {
    let name = Objects::multipart_name(object.bucket.id, &object.key, upload.as_str())?;
    let multipart = call.api.objects.multipart(&name).await;
    let multipart = multipart.map_err(|error| match error {
        ObjectsError::NoSuchUpload => Refusal::from(error).about("UploadId", upload.as_str()),
        error => error.into(),
    })?;
    Ok((name, multipart))
}

fn owned_upload(object: &KeyOf<'_>, multipart: &Multipart) -> OwnedUpload {
    OwnedUpload {
        object: object.owned(None),
        beginner: actor(&multipart.initiator),
    }
}

fn algorithm_of(multipart: &Multipart) -> ChecksumAlgorithm {
    let checksum = multipart.attributes.checksum.as_ref();
    let algorithm = checksum.and_then(|checksum| ChecksumAlgorithm::of_name(&checksum.algorithm));
    algorithm.unwrap_or(ChecksumAlgorithm::Crc64Nvme)
}

/// What a list shows of an upload beside its row.
struct Shown {
    id: String,
    initiator: (String, String),
    owner: (String, String),
}

impl Shown {
    fn of(multipart: &Multipart) -> Self {
        let shown = |owner| {
            let actor = actor(owner);
            (
                actor.canonical_id().as_str().to_owned(),
                actor.subject().to_owned(),
            )
        };
        Self {
            id: multipart.id.to_string(),
            initiator: shown(&multipart.initiator),
            owner: shown(&multipart.attributes.owner),
        }
    }

    fn entry<'a>(&'a self, multipart: &'a Multipart) -> UploadEntry<'a> {
        let owner = |(id, display_name): &'a (String, String)| Owner { id, display_name };
        UploadEntry {
            key: multipart.key.as_str(),
            upload_id: &self.id,
            initiator: owner(&self.initiator),
            owner: owner(&self.owner),
            storage_class: STANDARD,
            initiated: multipart.created_at,
            checksum: multipart
                .attributes
                .checksum
                .as_ref()
                .map(|checksum| (checksum.algorithm.as_str(), checksum.kind.as_str())),
        }
    }
}
