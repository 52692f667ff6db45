//! Lists of objects and of versions.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use zas_metadata::{
    Bucket, ListObjects, ListPosition as StoredPosition, ListVersions, ListedObject, ListedVersion,
    Owner as StoredOwner, VersionPosition, VersionSelector,
};
use zas_s3::headers::STANDARD;
use zas_s3::listing::{
    ListObjectVersionsParameters, ListObjectsParameters, ListObjectsV2Parameters, ListPosition,
};
use zas_s3::names::VersionId;
use zas_s3::xml::{self, ObjectEntry, Owner, VersionEntry, VersionPage};

use super::call::{Call, selector};
use super::document;
use super::error::Refusal;
use super::objects::version_text;
use crate::services::auth::action;
use crate::services::objects::{actor, owned};

/// `ListObjects`
pub(super) async fn objects(call: &Call<'_>, bucket: &Bucket) -> Result<HttpResponse, Refusal> {
    let owned = owned(bucket);
    let granted = call.grant::<action::ListBucket>(&owned)?;
    let parameters = ListObjectsParameters::of(&call.head.query)?;
    let list = ListObjects {
        bucket: bucket.id,
        prefix: parameters.prefix.clone(),
        delimiter: parameters.delimiter.clone(),
        after: parameters.after().map(to_stored),
        count: usize::from(parameters.max_keys),
    };
    let page = call.api.objects.list_objects(granted, list).await?;
    let owners = Owners::of(page.objects.iter().map(|object| &object.owner));
    let entries = page
        .objects
        .iter()
        .map(|object| entry(object, owners.get(&object.owner)));
    let prefixes = page.prefixes.iter().map(String::as_str);
    let next = page.next.map(from_stored);
    Ok(document(
        StatusCode::OK,
        xml::list_objects(
            bucket.name.as_str(),
            &parameters,
            entries,
            prefixes,
            next.as_ref(),
        ),
    ))
}

/// `ListObjectsV2`
pub(super) async fn objects_v2(call: &Call<'_>, bucket: &Bucket) -> Result<HttpResponse, Refusal> {
    let owned = owned(bucket);
    let granted = call.grant::<action::ListBucket>(&owned)?;
    let parameters = ListObjectsV2Parameters::of(&call.head.query)?;
    let list = ListObjects {
        bucket: bucket.id,
        prefix: parameters.prefix.clone(),
        delimiter: parameters.delimiter.clone(),
        after: parameters.after().map(to_stored),
        count: usize::from(parameters.max_keys),
    };
    let page = call.api.objects.list_objects(granted, list).await?;
    let owners = Owners::of(page.objects.iter().map(|object| &object.owner));
    let entries = page.objects.iter().map(|object| {
        let owner = owners.get(&object.owner).filter(|_| parameters.fetch_owner);
        entry(object, owner)
    });
    let entries: Vec<ObjectEntry<'_>> = entries.collect();
    let prefixes: Vec<&str> = page.prefixes.iter().map(String::as_str).collect();
    let next = page.next.map(from_stored);
    Ok(document(
        StatusCode::OK,
        xml::list_objects_v2(
            bucket.name.as_str(),
            &parameters,
            entries,
            prefixes,
            next.as_ref(),
        ),
    ))
}

/// `ListObjectVersions`
pub(super) async fn versions(call: &Call<'_>, bucket: &Bucket) -> Result<HttpResponse, Refusal> {
    let owned = owned(bucket);
    let granted = call.grant::<action::ListBucketVersions>(&owned)?;
    let parameters = ListObjectVersionsParameters::of(&call.head.query)?;
    let list = ListVersions {
        bucket: bucket.id,
        prefix: parameters.prefix.clone(),
        delimiter: parameters.delimiter.clone(),
        after: position(&parameters)?,
        count: usize::from(parameters.max_keys),
    };
    let page = call.api.objects.list_versions(granted, list).await?;
    let owners = Owners::of(page.versions.iter().map(|version| &version.owner));
    let ids: Vec<String> = page
        .versions
        .iter()
        .map(|version| version_text(&version.version))
        .collect();
    let entries = page
        .versions
        .iter()
        .zip(&ids)
        .map(|(version, id)| version_entry(version, id, owners.get(&version.owner)));
    let prefixes = page.prefixes.iter().map(String::as_str);
    let next = page.next.as_ref().map(next_of);
    let next = next.as_ref().map(|(key, version)| VersionPage {
        next_key: key,
        next_version: version.as_deref(),
    });
    Ok(document(
        StatusCode::OK,
        xml::list_object_versions(bucket.name.as_str(), &parameters, entries, prefixes, next),
    ))
}

/// Where a list of versions continues, as the store knows it.
fn position(parameters: &ListObjectVersionsParameters) -> Result<Option<VersionPosition>, Refusal> {
    let Some(after) = parameters.after() else {
        return Ok(None);
    };
    Ok(Some(match (after, &parameters.version_id_marker) {
        (ListPosition::Prefix(prefix), _) => VersionPosition::Prefix(prefix),
        (ListPosition::Key(key), None) => VersionPosition::Key(key),
        (ListPosition::Key(key), Some(version)) => VersionPosition::Version(key, selector(Some(version))?),
    }))
}

fn next_of(next: &VersionPosition) -> (String, Option<String>) {
    match next {
        VersionPosition::Key(key) | VersionPosition::Prefix(key) => (key.clone(), None),
        VersionPosition::Version(key, version) => {
            let version = match version {
                VersionSelector::Current => None,
                VersionSelector::Null => Some(VersionId::Null.as_str().to_owned()),
                VersionSelector::Id(id) => Some(id.to_string()),
            };
            (key.clone(), version)
        }
    }
}

fn to_stored(position: ListPosition) -> StoredPosition {
    match position {
        ListPosition::Key(text) => StoredPosition::Key(text),
        ListPosition::Prefix(text) => StoredPosition::Prefix(text),
    }
}

fn from_stored(position: StoredPosition) -> ListPosition {
    match position {
        StoredPosition::Key(text) => ListPosition::Key(text),
        StoredPosition::Prefix(text) => ListPosition::Prefix(text),
    }
}

fn entry<'a>(object: &'a ListedObject, owner: Option<Owner<'a>>) -> ObjectEntry<'a> {
    ObjectEntry {
        key: object.key.as_str(),
        last_modified: object.modified_at,
        etag: &object.etag,
        size: object.size,
        storage_class: object.storage_class.as_deref().unwrap_or(STANDARD),
        owner,
        checksum: checksum(object.checksum.as_ref()),
    }
}

fn version_entry<'a>(version: &'a ListedVersion, id: &'a str, owner: Option<Owner<'a>>) -> VersionEntry<'a> {
    match &version.object {
        None => VersionEntry::DeleteMarker {
            key: version.key.as_str(),
            version_id: id,
            is_latest: version.is_current,
            last_modified: version.modified_at,
            owner,
        },
        Some(object) => VersionEntry::Version {
            object: ObjectEntry {
                key: version.key.as_str(),
                last_modified: version.modified_at,
                etag: &object.etag,
                size: object.size,
                storage_class: object.storage_class.as_deref().unwrap_or(STANDARD),
                owner,
                checksum: checksum(object.checksum.as_ref()),
            },
            version_id: id,
            is_latest: version.is_current,
        },
    }
}

fn checksum(stored: Option<&(String, String)>) -> Option<(&str, &str)> {
    stored.map(|(algorithm, kind)| (algorithm.as_str(), kind.as_str()))
}

/// The owners on a page with their canonical ids, each computed once.
struct Owners<'a>(Vec<(&'a StoredOwner, String)>);

impl<'a> Owners<'a> {
    fn of(owners: impl Iterator<Item = &'a StoredOwner>) -> Self {
        let mut known: Vec<(&StoredOwner, String)> = Vec::new();
        for owner in owners {
            if !known.iter().any(|(seen, _)| *seen == owner) {
                known.push((owner, actor(owner).canonical_id().as_str().to_owned()));
            }
        }
        Self(known)
    }

    fn get<'b>(&'b self, owner: &'b StoredOwner) -> Option<Owner<'b>> {
        let (owner, id) = self.0.iter().find(|(known, _)| *known == owner)?;
        Some(Owner {
            id,
            display_name: &owner.subject,
        })
    }
}
