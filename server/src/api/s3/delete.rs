//! Deleting objects.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use zas_metadata::{Bucket, DeleteOutcome, Expected, VersionKind, VersionSelector};
use zas_s3::checksum::ExpectedDigests;
use zas_s3::conditions::DeleteCondition;
use zas_s3::names::VersionId;
use zas_s3::xml::{self, DeleteObjects, DeletedObject, ObjectToDelete};
use zas_s3::{ErrorCode, S3Error};

use super::call::{Call, KeyOf, selector};
use super::document;
use super::error::Refusal;
use super::objects::{matching, version_text};
use crate::services::auth::{Granted, OwnedObject, action};

/// Deletes an object, or a version for good.
pub(super) async fn one(
    call: &Call<'_>,
    object: &KeyOf<'_>,
    version: Option<VersionId>,
) -> Result<HttpResponse, Refusal> {
    let target = object.owned(version.as_ref());
    let granted = call.grant::<action::DeleteObject>(&target)?;
    let expected = expected(DeleteCondition::of(&call.head.headers)?);
    let outcome = call
        .api
        .objects
        .delete_object(granted, object.bucket.id, selector(version.as_ref())?, expected)
        .await?;
    let done = done(outcome, version.as_ref())?;
    let mut response = HttpResponse::build(StatusCode::NO_CONTENT);
    if done.is_marker {
        response.insert_header(("x-amz-delete-marker", "true"));
    }
    if let Some(version) = done.version {
        response.insert_header(("x-amz-version-id", version));
    }
    Ok(response.finish())
}

/// One deletion that is made or not by itself.
struct Deletion {
    asked: ObjectToDelete,
    target: OwnedObject,
}

/// Deletes up to a thousand objects, each by itself.
pub(super) async fn several(call: &mut Call<'_>, bucket: &Bucket) -> Result<HttpResponse, Refusal> {
    ExpectedDigests::of(&call.head)?.require()?;
    let body = call.document().await?;
    let DeleteObjects { quiet, objects } = DeleteObjects::read(&body)?;
    let deletions: Vec<Deletion> = objects
        .into_iter()
        .map(|asked| {
            let object = KeyOf {
                bucket,
                key: asked.key.clone(),
            };
            let version = asked.version.as_ref().ok().and_then(Option::as_ref);
            Deletion {
                target: object.owned(version),
                asked,
            }
        })
        .collect();
    let mut results: Vec<Result<Done, S3Error>> = Vec::with_capacity(deletions.len());
    let (mut granted, mut what, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for (place, deletion) in deletions.iter().enumerate() {
        match allowed(call, deletion) {
            Ok((right, version, expected)) => {
                granted.push(right);
                what.push((version, expected));
                places.push(place);
                results.push(Err(ErrorCode::InternalError.into()));
            }
            Err(error) => results.push(Err(error)),
        }
    }
    let actor = call.principal.actor();
    let outcomes = call
        .api
        .objects
        .delete_objects(&granted, &actor, bucket.id, what)
        .await?;
    for (place, outcome) in places.into_iter().zip(outcomes) {
        let version = deletions
            .get(place)
            .and_then(|deletion| deletion.asked.version.as_ref().ok())
            .and_then(Option::as_ref);
        if let Some(result) = results.get_mut(place) {
            *result = done(outcome, version).map_err(|refusal| refusal.error().clone());
        }
    }
    let entries = deletions.iter().zip(&results).map(|(deletion, result)| {
        let version = deletion.asked.version.as_ref().ok().and_then(Option::as_ref);
        let (key, version_id) = (deletion.asked.key.as_str(), version.map(VersionId::as_str));
        match result {
            Ok(done) => DeletedObject::Deleted {
                key,
                version_id,
                delete_marker: done.version.as_deref().filter(|_| done.is_marker),
            },
            Err(error) => DeletedObject::Failed {
                key,
                version_id,
                error,
            },
        }
    });
    Ok(document(StatusCode::OK, xml::delete_result(quiet, entries)))
}

fn allowed<'c>(
    call: &'c Call<'_>,
    deletion: &'c Deletion,
) -> Result<(Granted<'c, action::DeleteObject>, VersionSelector, Expected), S3Error> {
    let version = deletion.asked.version.clone()?;
    let granted = call.grant::<action::DeleteObject>(&deletion.target);
    let granted = granted.map_err(|refusal| refusal.error().clone())?;
    let version = selector(version.as_ref()).map_err(|refusal| refusal.error().clone())?;
    let condition = DeleteCondition::from(deletion.asked.if_match.clone());
    Ok((granted, version, expected(condition)))
}

fn expected(condition: DeleteCondition) -> Expected {
    match condition {
        DeleteCondition::None => Expected::Any,
        DeleteCondition::Match(tag) => matching(&tag),
    }
}

/// What was done, as answers show it.
struct Done {
    is_marker: bool,
    version: Option<String>,
}

fn done(outcome: DeleteOutcome, named: Option<&VersionId>) -> Result<Done, Refusal> {
    let named = named.map(|version| version.as_str().to_owned());
    match outcome {
        DeleteOutcome::MarkerMade(marker) => Ok(Done {
            is_marker: true,
            version: Some(version_text(&marker)),
        }),
        DeleteOutcome::Removed(kind) => Ok(Done {
            is_marker: kind == VersionKind::DeleteMarker,
            version: named,
        }),
        // Whoever expects an object that is gone has what they want.
        DeleteOutcome::Absent | DeleteOutcome::NoCurrent => Ok(Done {
            is_marker: false,
            version: named,
        }),
        DeleteOutcome::PreconditionFailed => Err(ErrorCode::PreconditionFailed.into()),
        DeleteOutcome::Damaged => {
            tracing::error!("an object was not deleted: its row is damaged");
            Err(ErrorCode::InternalError.into())
        }
        DeleteOutcome::NoSuchBucket => Err(ErrorCode::NoSuchBucket.into()),
    }
}
