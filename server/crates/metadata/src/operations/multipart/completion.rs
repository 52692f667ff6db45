//! Completing multipart uploads.

use zas_core::UploadId;

use super::{discard, opening};
use crate::keys::{self, CompositeOwner};
use crate::operations::buckets;
use crate::operations::objects::{Place, contents, heads, writing};
use crate::rows::{CompositeRow, EmptyRow, MultipartStateRow, PartListRow, VersionBody, VersionContent};
use crate::transaction::Transaction;
use crate::view::View;
use crate::{
    CompleteMultipart, CompleteOutcome, CompletedMultipart, GarbageKind, MultipartName, NewVersion,
    ObjectAttributes, PutOutcome, Result, Versioning,
};

/// Parts in a piece of a list, so that a piece is a few kilobytes.
pub(crate) const PIECE: usize = 512;

/// A piece of a list of parts, and where it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    index: u32,
    end: u64,
    row: PartListRow,
}

/// Cuts a list of parts into pieces.
pub(crate) fn pieces(parts: &[(u16, u64)]) -> Vec<Piece> {
    let mut offset = 0_u64;
    let cut = |(index, parts): (usize, &[(u16, u64)])| {
        let row = PartListRow {
            offset,
            parts: parts.to_vec(),
        };
        let size: u64 = parts.iter().map(|(_, size)| size).sum();
        offset += size;
        Piece {
            index: index as u32,
            end: offset,
            row,
        }
    };
    parts.chunks(PIECE).enumerate().map(cut).collect()
}

fn put_piece(transaction: &mut Transaction<'_>, id: UploadId, attempt: u64, piece: &Piece) {
    let key = keys::part_list(id, attempt, piece.end, piece.index);
    transaction.put(key, &piece.row);
}

/// Whether an attempt at completion may go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// It may.
    Open,
    /// It has ended.
    Ended(CompleteOutcome),
}

/// Writes pieces ahead of the completion.
pub(crate) fn prepare(
    transaction: &mut Transaction<'_>,
    name: &MultipartName,
    revision: u64,
    attempt: u64,
    pieces: &[Piece],
) -> Result<Attempt> {
    let Some((_, state)) = opening::open(&transaction.view(), name)? else {
        return repeated(&transaction.view(), name).map(Attempt::Ended);
    };
    if state.revision != revision {
        return Ok(Attempt::Ended(CompleteOutcome::PartsChanged));
    }
    for piece in pieces {
        put_piece(transaction, name.id, attempt, piece);
    }
    if !state.has_pieces {
        let state = MultipartStateRow {
            has_pieces: true,
            ..state
        };
        transaction.put(keys::multipart_state(name.id), &state);
    }
    Ok(Attempt::Open)
}

/// Makes the object; `last` are the pieces that were not written ahead.
pub(crate) fn complete(
    transaction: &mut Transaction<'_>,
    completion: CompleteMultipart,
    last: &[Piece],
) -> Result<CompleteOutcome> {
    let CompleteMultipart {
        name,
        revision,
        parts,
        etag,
        checksum,
        condition,
        random,
    } = completion;
    let view = transaction.view();
    let Some(bucket) = buckets::state(&view, name.bucket)? else {
        return Ok(CompleteOutcome::NoSuchMultipart);
    };
    let Some((row, state)) = opening::open(&view, &name)? else {
        return repeated(&view, &name);
    };
    if state.revision != revision {
        return Ok(CompleteOutcome::PartsChanged);
    }
    let head = heads::read(&view, name.bucket, &name.key)?;
    if let Some(refusal) = heads::refusal(head.as_ref(), &condition) {
        return Ok(refused(refusal));
    }

    let is_null = bucket.versioning != Versioning::Enabled;
    let version = heads::next(transaction.now(), head.as_ref(), random, is_null);
    let place = Place {
        bucket: name.bucket,
        key: &name.key,
        sequence: version.id.sequence,
    };
    let composite = CompositeRow {
        bucket: name.bucket,
        key: name.key.clone(),
        version,
        versioning: bucket.versioning,
        modified_at: transaction.now(),
        etag: etag.clone(),
        checksum: checksum.clone(),
        attempt: random,
        size: parts.iter().map(|(_, size)| size).sum(),
        digest: None,
        unknown: crate::rows::Unknown::default(),
    };
    for piece in last {
        put_piece(transaction, name.id, random, piece);
    }
    opening::close(transaction, &name);
    transaction.put(keys::composite(name.id), &composite);
    transaction.put(keys::undigested(name.id), &EmptyRow);
    let owner = CompositeOwner::Version(name.bucket, &name.key, version.id.sequence);
    contents::refer(transaction, name.id, owner);
    if state.parts != parts.len() as u64 || state.has_pieces {
        discard(transaction, GarbageKind::Leftovers, name.id, transaction.now());
    }
    let body = VersionBody::Object {
        size: composite.size,
        attributes: ObjectAttributes {
            etag,
            checksum,
            ..row.attributes
        },
        content: VersionContent::Composite(name.id, parts.len() as u32),
    };
    writing::add(transaction, place, head.as_ref(), version, body)?;
    Ok(CompleteOutcome::Completed(told(composite)))
}

/// What a multipart upload became that is not open any more.
fn repeated(view: &View<'_>, name: &MultipartName) -> Result<CompleteOutcome> {
    let completed = completed(view, name)?;
    Ok(completed.map_or(CompleteOutcome::NoSuchMultipart, CompleteOutcome::Completed))
}

/// What a multipart upload became.
pub(crate) fn completed(view: &View<'_>, name: &MultipartName) -> Result<Option<CompletedMultipart>> {
    let row = view.row::<CompositeRow>(&keys::composite(name.id))?;
    Ok(row
        .filter(|row| row.bucket == name.bucket && row.key == name.key)
        .map(told))
}

fn told(row: CompositeRow) -> CompletedMultipart {
    CompletedMultipart {
        version: NewVersion {
            version: row.version,
            versioning: row.versioning,
            modified_at: row.modified_at,
        },
        etag: row.etag,
        checksum: row.checksum,
    }
}

fn refused(refusal: PutOutcome) -> CompleteOutcome {
    match refusal {
        PutOutcome::AccessDenied => CompleteOutcome::AccessDenied,
        PutOutcome::NoCurrent => CompleteOutcome::NoCurrent,
        _ => CompleteOutcome::PreconditionFailed,
    }
}
