//! Buckets.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use zas_core::BucketName;
use zas_metadata::{Bucket, CreateBucketOutcome, Versioning};
use zas_s3::headers::{check_acl, check_put_acl};
use zas_s3::listing::{ContinuationToken, ListBucketsParameters, ListPosition};
use zas_s3::operation::{BucketConfiguration, BucketOperation, Operation};
use zas_s3::xml::{self, BucketEntry, CreateBucketConfiguration, Owner, VersioningStatus};
use zas_s3::{ErrorCode, S3Error};

use super::call::Call;
use super::error::Refusal;
use super::{document, empty};
use crate::services::auth::{Account, action};
use crate::services::objects::{actor, owned};

/// Where AWS answers a second creation by the owner with 200.
const FORGIVING_REGION: &str = "us-east-1";

/// The caller's own buckets.
pub(super) async fn list(call: &Call<'_>) -> Result<HttpResponse, Refusal> {
    let granted = call.grant::<action::ListAllMyBuckets>(&Account)?;
    let parameters = ListBucketsParameters::of(&call.head.query)?;
    let page = call
        .api
        .objects
        .list_buckets(
            granted,
            parameters.prefix.clone(),
            parameters.after().map(str::to_owned),
            usize::from(parameters.max_buckets),
        )
        .await?;
    let id = call.principal.actor().canonical_id();
    let entries = page.entries.iter().map(|bucket| BucketEntry {
        name: bucket.name.as_str(),
        created_at: bucket.created_at,
        region: &bucket.region,
    });
    let next = page.entries.last().filter(|_| page.more);
    let next = next.map(|last| ContinuationToken::new(ListPosition::Key(last.name.as_str().to_owned())));
    let owner = Owner {
        id: id.as_str(),
        display_name: call.principal.name(),
    };
    Ok(document(
        StatusCode::OK,
        xml::list_buckets(&parameters, owner, entries, next.as_ref()),
    ))
}

/// Makes a bucket.
pub(super) async fn create(call: &mut Call<'_>, name: &BucketName) -> Result<HttpResponse, Refusal> {
    call.grant::<action::CreateBucket>(name)?;
    check_acl(&call.head.headers)?;
    let body = call.document().await?;
    let configuration = CreateBucketConfiguration::read(&body)?;
    configuration.check_region(&call.api.region)?;
    let granted = call.grant::<action::CreateBucket>(name)?;
    let outcome = call.api.objects.create_bucket(granted, &call.api.region).await?;
    let bucket = match outcome {
        CreateBucketOutcome::Created(bucket) => bucket,
        CreateBucketOutcome::Exists(bucket) if !call.principal.is(&actor(&bucket.owner)) => {
            return Err(taken(ErrorCode::BucketAlreadyExists, name));
        }
        CreateBucketOutcome::Exists(_) if call.api.region != FORGIVING_REGION => {
            return Err(taken(ErrorCode::BucketAlreadyOwnedByYou, name));
        }
        CreateBucketOutcome::Exists(bucket) => bucket,
    };
    Ok(HttpResponse::Ok()
        .insert_header((LOCATION, format!("/{}", bucket.name)))
        .finish())
}

fn taken(code: ErrorCode, name: &BucketName) -> Refusal {
    S3Error::new(code).with("BucketName", name.as_str()).into()
}

/// Whether a bucket is there and the caller may see into it.
pub(super) fn head(call: &Call<'_>, bucket: &Bucket) -> Result<HttpResponse, Refusal> {
    let owned = owned(bucket);
    call.grant::<action::ListBucket>(&owned)?;
    Ok(HttpResponse::Ok()
        .insert_header(("x-amz-bucket-region", bucket.region.as_str()))
        .finish())
}

/// Deletes an empty bucket.
pub(super) async fn delete(call: &Call<'_>, bucket: &Bucket) -> Result<HttpResponse, Refusal> {
    let owned = owned(bucket);
    let granted = call.grant::<action::DeleteBucket>(&owned)?;
    call.api.objects.delete_bucket(granted, bucket.id).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// Where a bucket is.
pub(super) fn location(call: &Call<'_>, bucket: &Bucket) -> Result<HttpResponse, Refusal> {
    let owned = owned(bucket);
    call.grant::<action::GetBucketLocation>(&owned)?;
    Ok(document(StatusCode::OK, xml::location(&bucket.region)))
}

/// Whether a bucket keeps versions.
pub(super) fn versioning(call: &Call<'_>, bucket: &Bucket) -> Result<HttpResponse, Refusal> {
    let owned = owned(bucket);
    call.grant::<action::GetBucketVersioning>(&owned)?;
    let status = match bucket.versioning {
        Versioning::Never => None,
        Versioning::Enabled => Some(VersioningStatus::Enabled),
        Versioning::Suspended => Some(VersioningStatus::Suspended),
    };
    Ok(document(StatusCode::OK, xml::versioning(status)))
}

/// Changes whether a bucket keeps versions.
pub(super) async fn set_versioning(call: &mut Call<'_>, bucket: &Bucket) -> Result<HttpResponse, Refusal> {
    let owned = owned(bucket);
    call.grant::<action::PutBucketVersioning>(&owned)?;
    let body = call.document().await?;
    let versioning = match xml::read_versioning(&body)? {
        VersioningStatus::Enabled => Versioning::Enabled,
        VersioningStatus::Suspended => Versioning::Suspended,
    };
    let granted = call.grant::<action::PutBucketVersioning>(&owned)?;
    call.api
        .objects
        .set_versioning(granted, bucket.id, versioning)
        .await?;
    Ok(empty(StatusCode::OK))
}

/// Who may do what by access control lists: the owner everything, and nobody else.
pub(super) fn acl(call: &Call<'_>, bucket: &Bucket) -> Result<HttpResponse, Refusal> {
    check(call, bucket, BucketOperation::GetAcl)?;
    let owner = actor(&bucket.owner);
    let id = owner.canonical_id();
    let owner = Owner {
        id: id.as_str(),
        display_name: owner.subject(),
    };
    Ok(document(StatusCode::OK, xml::owner_acl(owner)))
}

/// Takes the access control list that every bucket has.
pub(super) async fn set_acl(call: &mut Call<'_>, bucket: &Bucket) -> Result<HttpResponse, Refusal> {
    check(call, bucket, BucketOperation::PutAcl)?;
    let body = call.document().await?;
    let owner = actor(&bucket.owner).canonical_id();
    check_put_acl(&call.head.headers, &body, &owner)?;
    Ok(empty(StatusCode::OK))
}

/// A configuration that no bucket has.
pub(super) fn unset(
    call: &Call<'_>,
    bucket: &Bucket,
    operation: BucketOperation,
    configuration: BucketConfiguration,
) -> Result<HttpResponse, Refusal> {
    check(call, bucket, operation)?;
    if let Some(error) = configuration.not_set() {
        return Err(error.with("BucketName", bucket.name.as_str()).into());
    }
    let document = xml::unset_configuration(configuration).ok_or(ErrorCode::InternalError)?;
    Ok(super::document(StatusCode::OK, document))
}

/// Deletes a configuration that no bucket has.
pub(super) fn delete_unset(
    call: &Call<'_>,
    bucket: &Bucket,
    operation: BucketOperation,
) -> Result<HttpResponse, Refusal> {
    check(call, bucket, operation)?;
    Ok(empty(StatusCode::NO_CONTENT))
}

fn check(call: &Call<'_>, bucket: &Bucket, operation: BucketOperation) -> Result<(), Refusal> {
    let asked = Operation::Bucket(bucket.name.clone(), operation);
    call.check_bucket(asked.actions(), &owned(bucket))
}
