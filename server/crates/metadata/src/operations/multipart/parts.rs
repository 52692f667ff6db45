//! The parts of open multipart uploads.

use zas_core::{BucketId, UploadId};

use super::opening;
use crate::keys::{CompositeOwner, Elements};
use crate::operations::listings;
use crate::operations::locations;
use crate::operations::objects::contents;
use crate::operations::objects::{Place, lookup};
use crate::operations::uploads::Taken;
use crate::ordered_map::Effort;
use crate::rows::{
    LocationOwner, MultipartStateRow, PartContent, PartRow, Payload, Row as _, Segment, Source, Unknown,
    VersionBody, VersionContent,
};
use crate::transaction::Transaction;
use crate::view::View;
use crate::{
    MetadataError, MultipartName, NewPartContent, Page, Part, PutPart, PutPartOutcome, Result, keys,
};

/// Size and place of the bytes of a new part, or why there are none.
type Admitted = std::result::Result<(u64, PartContent), PutPartOutcome>;

/// Writes a part; its bytes are the multipart upload's.
pub(crate) fn put(transaction: &mut Transaction<'_>, part: PutPart) -> Result<PutPartOutcome> {
    let PutPart {
        multipart: name,
        number,
        etag,
        checksum,
        content,
    } = part;
    let view = transaction.view();
    let Some((_, state)) = opening::open(&view, &name)? else {
        return Ok(PutPartOutcome::NoSuchMultipart);
    };
    let key = keys::part(name.id, number);
    let is_new = !view.has(&key)?;
    // First: what replaces an earlier part may refer to the same content.
    remove(transaction, name.id, number)?;
    let (size, content) = match admit(transaction, &name, number, content)? {
        Ok(admitted) => admitted,
        Err(refusal) => {
            transaction.undo();
            return Ok(refusal);
        }
    };
    let row = PartRow {
        size,
        etag,
        checksum,
        modified_at: transaction.now(),
        content,
        unknown: Unknown::default(),
    };
    transaction.put(key, &row);
    let state = MultipartStateRow {
        revision: state.revision + 1,
        parts: state.parts + u64::from(is_new),
        ..state
    };
    transaction.put(keys::multipart_state(name.id), &state);
    Ok(PutPartOutcome::Stored(row.modified_at))
}

fn admit(
    transaction: &mut Transaction<'_>,
    name: &MultipartName,
    number: u16,
    content: NewPartContent,
) -> Result<Admitted> {
    match content {
        NewPartContent::Inline(bytes) => {
            let size = bytes.len() as u64;
            transaction.put(keys::part_data(name.id, number), &Payload(bytes));
            Ok(Ok((size, PartContent::Inline)))
        }
        NewPartContent::Upload {
            id,
            epoch,
            size,
            extents,
        } => {
            let extents = match contents::take(transaction, name.bucket, id, epoch, extents)? {
                Taken::Extents(extents) => extents,
                Taken::Fenced => return Ok(Err(PutPartOutcome::Fenced)),
                Taken::Unknown => return Ok(Err(PutPartOutcome::NoSuchUpload)),
            };
            let stored: u64 = extents.iter().map(|extent| extent.length).sum();
            if stored != size {
                let problem = format!("part {number} has {size} bytes, but {stored} are stored");
                return Err(MetadataError::Corrupt(problem));
            }
            for extent in &extents {
                locations::put_live(transaction, extent.location, LocationOwner::Composite(name.id));
            }
            Ok(Ok((size, PartContent::Extents(extents))))
        }
        NewPartContent::CopyOf {
            bucket,
            key,
            version,
            offset,
            length,
        } => {
            let source = Place {
                bucket,
                key: &key,
                sequence: version.id.sequence,
            };
            let row = lookup::exactly(&transaction.view(), source, version)?;
            match row.map(|row| row.body) {
                Some(VersionBody::Object { size, content, .. })
                    if offset.checked_add(length).is_some_and(|end| end <= size) =>
                {
                    copy(transaction, name, number, source, content, offset, length)
                }
                Some(_) | None => Ok(Err(PutPartOutcome::NoSuchSource)),
            }
        }
    }
}

fn copy(
    transaction: &mut Transaction<'_>,
    name: &MultipartName,
    number: u16,
    source: Place<'_>,
    content: VersionContent,
    offset: u64,
    length: u64,
) -> Result<Admitted> {
    let view = transaction.view();
    let segment = |source| Segment {
        source,
        offset,
        length,
    };
    let segments = match content {
        VersionContent::Inline(_) => {
            let data = view.row::<Payload>(&contents::data_key(source))?;
            let (from, to) = (offset as usize, (offset + length) as usize);
            let range = data.and_then(|Payload(bytes)| (to <= bytes.len()).then(|| bytes.slice(from..to)));
            let Some(range) = range else {
                return Ok(Err(PutPartOutcome::NoSuchSource));
            };
            transaction.put(keys::part_data(name.id, number), &Payload(range));
            return Ok(Ok((length, PartContent::Inline)));
        }
        VersionContent::Blob(digest) => vec![segment(Source::Blob(digest))],
        VersionContent::Composite(id, _) => {
            // Ranges of ranges are told as ranges of what they are ranges of, as long as they are few: else an object that is
            // copied onto itself every day would become a longer and longer chain.
            super::reading::flattened(&view, id, offset, length)?
                .unwrap_or_else(|| vec![segment(Source::Composite(id))])
        }
    };
    for segment in &segments {
        if !hold(transaction, name.bucket, name.id, number, segment.source)? {
            return Ok(Err(PutPartOutcome::NoSuchSource));
        }
    }
    Ok(Ok((length, PartContent::Segments(name.bucket, segments))))
}

/// Makes a part refer to other content; `false`: that is gone or damaged.
fn hold(
    transaction: &mut Transaction<'_>,
    bucket: BucketId,
    id: UploadId,
    number: u16,
    source: Source,
) -> Result<bool> {
    match source {
        Source::Blob(digest) => contents::hold_for_part(transaction, bucket, &digest, id, number),
        Source::Composite(composite) => {
            contents::refer(transaction, composite, CompositeOwner::Part(id, number));
            Ok(true)
        }
    }
}

/// Removes a part and gives its bytes up; tells how many physical names those were.
pub(crate) fn remove(transaction: &mut Transaction<'_>, id: UploadId, number: u16) -> Result<usize> {
    let key = keys::part(id, number);
    if !transaction.view().has(&key)? {
        return Ok(0);
    }
    // The names that an unreadable row named are found by the sweep when no part is left.
    let row = transaction.view().row_to_replace::<PartRow>(&key)?;
    transaction.delete(key);
    match row.map(|row| row.content) {
        Some(PartContent::Extents(extents)) => {
            for extent in &extents {
                locations::doom(transaction, extent.location, LocationOwner::Composite(id))?;
            }
            Ok(extents.len())
        }
        Some(PartContent::Segments(bucket, segments)) => {
            for segment in segments {
                match segment.source {
                    Source::Blob(digest) => {
                        contents::release_for_part(transaction, bucket, &digest, id, number)?;
                    }
                    Source::Composite(composite) => {
                        contents::part_from(transaction, composite, CompositeOwner::Part(id, number));
                    }
                }
            }
            Ok(1)
        }
        Some(PartContent::Inline) | None => {
            transaction.delete(keys::part_data(id, number));
            Ok(1)
        }
    }
}

/// The parts of an open multipart upload.
pub(crate) fn list(
    view: &View<'_>,
    name: &MultipartName,
    after: u16,
    count: usize,
    effort: Effort,
) -> Result<Option<Option<Page<Part>>>> {
    if opening::open(view, name)?.is_none() {
        return Ok(Some(None));
    }
    let range = keys::parts(name.id).after(&keys::part(name.id, after));
    let page = listings::page(view, &range, count, effort, |key, value| {
        let mut elements = Elements::of(key);
        elements.id()?;
        let number = elements.part_number()?;
        Some(described(
            number,
            PartRow::decode(&bytes::Bytes::copy_from_slice(value))?,
        ))
    })?;
    Ok(page.map(Some))
}

/// What clients are told of a part.
pub(crate) fn described(number: u16, row: PartRow) -> Part {
    Part {
        number,
        size: row.size,
        etag: row.etag,
        checksum: row.checksum,
        modified_at: row.modified_at,
    }
}
