//! Buckets: a name leads to an id, and everything in a bucket is kept under the id.

use std::ops::ControlFlow;

use bytes::Bytes;
use zas_core::{BucketId, BucketName, UploadId};

use crate::keys::Elements;
use crate::operations::listings;
use crate::operations::multipart::discard;
use crate::ordered_map::{Effort, Key};
use crate::rows::{BucketRow, BucketStateRow, Payload, Row as _, Unknown};
use crate::transaction::Transaction;
use crate::view::{Found, View};
use crate::{
    Bucket, BucketOutcome, CreateBucketOutcome, DeleteBucketOutcome, DocumentKind, GarbageKind, ListBuckets,
    ListedBucket, MetadataError, NewBucket, Page, Result, Versioning, keys,
};

/// Makes a bucket whose name is free.
pub(crate) fn create(transaction: &mut Transaction<'_>, bucket: NewBucket) -> Result<CreateBucketOutcome> {
    if let Some(existing) = stat(&transaction.view(), &bucket.name)? {
        return Ok(CreateBucketOutcome::Exists(existing));
    }
    let row = BucketRow {
        id: bucket.id,
        owner: bucket.owner,
        region: bucket.region,
        created_at: transaction.now(),
        unknown: Unknown::default(),
    };
    let state = BucketStateRow {
        name: bucket.name.clone(),
        versioning: Versioning::Never,
        unknown: Unknown::default(),
    };
    transaction.put(keys::bucket(&bucket.name), &row);
    transaction.put(keys::bucket_of(&row.owner, bucket.name.as_str()), &row);
    transaction.put(keys::bucket_state(bucket.id), &state);
    Ok(CreateBucketOutcome::Created(described(bucket.name, row, &state)))
}

/// The bucket of a name.
pub(crate) fn stat(view: &View<'_>, name: &BucketName) -> Result<Option<Bucket>> {
    // A reader may come between a bucket that goes and one that takes its name.
    for _ in 0..crate::view::MAX_ATTEMPTS {
        let Some(row) = view.row::<BucketRow>(&keys::bucket(name))? else {
            return Ok(None);
        };
        if let Some(state) = state(view, row.id)? {
            return Ok(Some(described(name.clone(), row, &state)));
        }
    }
    Err(MetadataError::Corrupt(format!("bucket {name} has no state")))
}

/// What changes about a bucket; `None`: there is none of this id.
pub(crate) fn state(view: &View<'_>, bucket: BucketId) -> Result<Option<BucketStateRow>> {
    view.row(&keys::bucket_state(bucket))
}

fn described(name: BucketName, row: BucketRow, state: &BucketStateRow) -> Bucket {
    Bucket {
        name,
        id: row.id,
        owner: row.owner,
        region: row.region,
        created_at: row.created_at,
        versioning: state.versioning,
    }
}

/// Buckets of one owner or of all.
pub(crate) fn list(
    view: &View<'_>,
    list: &ListBuckets,
    effort: Effort,
) -> Result<Option<Page<ListedBucket>>> {
    let (range, is_owned) = match &list.owner {
        Some(owner) => (keys::buckets_of(owner, &list.prefix), true),
        None => (keys::buckets(&list.prefix), false),
    };
    let after = list.after.as_ref().map(|after| match &list.owner {
        Some(owner) => keys::bucket_of(owner, after),
        None => keys::bucket_position(after),
    });
    let range = match after {
        Some(after) => range.after(&after),
        None => range,
    };
    listings::page(view, &range, list.count, effort, |key, value| {
        let mut elements = Elements::of(key);
        if is_owned {
            elements.text()?;
            elements.text()?;
        }
        let row = BucketRow::decode(&Bytes::copy_from_slice(value))?;
        Some(ListedBucket {
            name: elements.bucket_name()?,
            id: row.id,
            owner: row.owner,
            region: row.region,
            created_at: row.created_at,
        })
    })
}

/// The result of trying to delete a bucket.
pub(crate) enum Deletion {
    /// It was tried.
    Made(DeleteBucketOutcome),
    /// Too many deleted rows were in the way of seeing whether it is empty. Nothing changed.
    Unsure,
}

/// Deletes a bucket without versions.
pub(crate) fn delete(
    transaction: &mut Transaction<'_>,
    bucket: BucketId,
    effort: Effort,
) -> Result<Deletion> {
    let view = transaction.view();
    let Some(state) = state(&view, bucket)? else {
        return Ok(Deletion::Made(DeleteBucketOutcome::Unknown));
    };
    match view.find(&keys::versions(bucket, ""), effort, |_| true)? {
        Found::Row(_) => return Ok(Deletion::Made(DeleteBucketOutcome::NotEmpty)),
        Found::Unsure => return Ok(Deletion::Unsure),
        Found::Nothing => {}
    }
    let owner = view
        .row::<BucketRow>(&keys::bucket(&state.name))?
        .map(|row| row.owner);
    for document in all_documents(&view, bucket)? {
        transaction.delete(document);
    }
    if let Some(owner) = owner {
        transaction.delete(keys::bucket_of(&owner, state.name.as_str()));
    }
    transaction.delete(keys::bucket(&state.name));
    transaction.delete(keys::bucket_state(bucket));
    let id = UploadId::from_bytes(bucket.to_bytes());
    discard(transaction, GarbageKind::Bucket, id, transaction.now());
    Ok(Deletion::Made(DeleteBucketOutcome::Deleted))
}

/// Also those of kinds that this version does not know.
fn all_documents(view: &View<'_>, bucket: BucketId) -> Result<Vec<Key>> {
    let (range, mut documents) = (keys::documents(bucket), Vec::new());
    view.scan(&range, Effort::Unbounded, &mut |key, _| {
        documents.push(Key {
            family: range.family,
            bytes: key.to_vec(),
        });
        ControlFlow::Continue(())
    })?;
    Ok(documents)
}

/// Changes whether a bucket keeps versions.
pub(crate) fn set_versioning(
    transaction: &mut Transaction<'_>,
    bucket: BucketId,
    versioning: Versioning,
) -> Result<BucketOutcome> {
    let Some(state) = state(&transaction.view(), bucket)? else {
        return Ok(BucketOutcome::Unknown);
    };
    transaction.put(
        keys::bucket_state(bucket),
        &BucketStateRow { versioning, ..state },
    );
    Ok(BucketOutcome::Done)
}

/// A document of a bucket.
pub(crate) fn document(view: &View<'_>, bucket: BucketId, kind: DocumentKind) -> Result<Option<Bytes>> {
    let row = view.row::<Payload>(&document_key(bucket, kind))?;
    Ok(row.map(|Payload(document)| document))
}

/// Sets or removes a document of a bucket.
pub(crate) fn set_document(
    transaction: &mut Transaction<'_>,
    bucket: BucketId,
    kind: DocumentKind,
    document: Option<Bytes>,
) -> Result<BucketOutcome> {
    if state(&transaction.view(), bucket)?.is_none() {
        return Ok(BucketOutcome::Unknown);
    }
    let key = document_key(bucket, kind);
    match document {
        Some(document) => transaction.put(key, &Payload(document)),
        None => transaction.delete(key),
    }
    Ok(BucketOutcome::Done)
}

/// The numbers are stored.
fn document_key(bucket: BucketId, kind: DocumentKind) -> Key {
    let number = match kind {
        DocumentKind::Tags => 1,
        DocumentKind::Cors => 2,
    };
    keys::document(bucket, number)
}
