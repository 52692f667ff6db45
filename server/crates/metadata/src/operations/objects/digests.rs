//! Which versions have a digest: an entry for the content of each, and one for the manifest that it is pulled by.

use std::ops::ControlFlow;

use zas_core::{BucketId, Digest, ObjectManifest, UploadId};

use super::{Place, heads, lookup};
use crate::keys::{self, Elements};
use crate::operations::multipart::reading;
use crate::ordered_map::Effort;
use crate::rows::{EmptyRow, VersionBody, VersionContent};
use crate::transaction::Transaction;
use crate::view::View;
use crate::{ObjectWithDigest, Result};

/// The digest of a version's bytes; none of a delete marker, and of parts as long as nobody has read them.
pub(crate) fn of(view: &View<'_>, body: &VersionBody) -> Result<Option<(Digest, u64)>> {
    let VersionBody::Object { size, content, .. } = body else {
        return Ok(None);
    };
    let digest = match content {
        VersionContent::Inline(digest) | VersionContent::Blob(digest) => Some(*digest),
        VersionContent::Composite(id, _) => reading::digest(view, *id)?,
    };
    Ok(digest.map(|digest| (digest, *size)))
}

/// Notes that a version has this content.
pub(crate) fn note(transaction: &mut Transaction<'_>, place: Place<'_>, content: &Digest, size: u64) {
    for digest in [*content, ObjectManifest::of(content, size, place.key).digest] {
        transaction.put(key(place, &digest), &EmptyRow);
    }
}

/// Forgets that a version has this content.
pub(crate) fn forget(transaction: &mut Transaction<'_>, place: Place<'_>, content: &Digest, size: u64) {
    for digest in [*content, ObjectManifest::of(content, size, place.key).digest] {
        transaction.delete(key(place, &digest));
    }
}

fn key(place: Place<'_>, digest: &Digest) -> crate::ordered_map::Key {
    keys::object_digest(place.bucket, digest, place.key, place.sequence)
}

/// Notes the content of every version that is made of these parts.
pub(crate) fn note_parts(
    transaction: &mut Transaction<'_>,
    id: UploadId,
    content: &Digest,
    size: u64,
) -> Result<()> {
    let mut versions = Vec::new();
    transaction
        .view()
        .scan(&keys::composite_edges(id), Effort::Unbounded, &mut |key, _| {
            versions.extend(Elements::of(key).version_of_parts());
            ControlFlow::Continue(())
        })?;
    for (bucket, key, sequence) in &versions {
        let place = Place {
            bucket: *bucket,
            key,
            sequence: *sequence,
        };
        note(transaction, place, content, size);
    }
    Ok(())
}

/// Up to `count` versions of a bucket whose content or whose manifest has this digest.
pub(crate) fn find(
    view: &View<'_>,
    bucket: BucketId,
    digest: &Digest,
    count: usize,
) -> Result<Vec<ObjectWithDigest>> {
    let mut places = Vec::new();
    view.scan(
        &keys::object_digests(bucket, digest),
        Effort::Unbounded,
        &mut |key, _| {
            places.extend(Elements::of(key).object_of_digest());
            if places.len() < count {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        },
    )?;
    let mut found = Vec::with_capacity(places.len());
    for (key, sequence) in places {
        let place = Place {
            bucket,
            key: &key,
            sequence,
        };
        // One that went meanwhile is left out.
        let Some((version, row)) = lookup::at(view, place)? else {
            continue;
        };
        let head = heads::read(view, bucket, &key)?;
        if let Some((content, size)) = of(view, &row.body)? {
            found.push(ObjectWithDigest {
                is_current: head.is_some_and(|head| head.current == version),
                key,
                version,
                content,
                size,
            });
        }
    }
    Ok(found)
}
