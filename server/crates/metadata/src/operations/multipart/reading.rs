//! Reading composites: the list of parts says which part holds an offset, the part's row where its bytes are.

use std::ops::ControlFlow;

use bytes::Bytes;
use zas_core::{Digest, UploadId};

use super::parts;
use crate::operations::listings;
use crate::operations::objects::digests;
use crate::ordered_map::Effort;
use crate::rows::{
    BlobRow, CompositeRow, PartContent, PartListRow, PartRow, Payload, Row as _, Segment, Source,
    StoredContent,
};
use crate::transaction::Transaction;
use crate::view::{MAX_ATTEMPTS, View};
use crate::{CompositePart, DigestOutcome, Extent, MetadataError, Page, Result, Run, keys};

/// Ranges that a copied range is told as at most; more are one range of the composite that has them.
const FEW_SEGMENTS: usize = 64;

/// Composites within composites that are followed: more than there can be, since a chain grows only with new bytes.
const DEEPEST: usize = 64;

/// A part's place in a composite.
#[derive(Clone, Copy)]
struct Placed {
    number: u16,
    offset: u64,
    size: u64,
}

fn composite(view: &View<'_>, id: UploadId) -> Result<Option<CompositeRow>> {
    view.row(&keys::composite(id))
}

/// Up to `count` parts with bytes from `offset` on.
fn parts_from(view: &View<'_>, id: UploadId, attempt: u64, offset: u64, count: usize) -> Result<Vec<Placed>> {
    let (mut found, mut damaged) = (Vec::new(), None);
    let range = keys::part_lists_from(id, attempt, offset);
    view.scan(&range, Effort::Unbounded, &mut |key, value| {
        let Some(piece) = PartListRow::decode(&Bytes::copy_from_slice(value)) else {
            damaged = Some(listings::damage(key));
            return ControlFlow::Break(());
        };
        let mut start = piece.offset;
        for (number, size) in piece.parts {
            if found.len() == count {
                return ControlFlow::Break(());
            }
            let placed = Placed {
                number,
                offset: start,
                size,
            };
            start += size;
            if start > offset && size > 0 {
                found.push(placed);
            }
        }
        ControlFlow::Continue(())
    })?;
    damaged.map_or(Ok(found), Err)
}

fn part(view: &View<'_>, id: UploadId, number: u16) -> Result<PartRow> {
    view.row::<PartRow>(&keys::part(id, number))?
        .ok_or_else(|| MetadataError::Corrupt(format!("composite {id} has no part {number}")))
}

/// Runs of a composite's bytes from an offset on.
pub(crate) fn runs(view: &View<'_>, id: UploadId, offset: u64, count: usize) -> Result<Option<Vec<Run>>> {
    let Some(row) = composite(view, id)? else {
        return Ok(None);
    };
    let mut reader = Reader {
        view,
        count,
        runs: Vec::new(),
    };
    reader.composite(id, row.attempt, offset, u64::MAX, 0)?;
    Ok(Some(reader.runs))
}

struct Reader<'a> {
    view: &'a View<'a>,
    count: usize,
    runs: Vec<Run>,
}

impl Reader<'_> {
    fn is_full(&self) -> bool {
        self.runs.len() >= self.count
    }

    /// The bytes of a composite from `offset` on, `length` of them at most.
    fn composite(
        &mut self,
        id: UploadId,
        attempt: u64,
        offset: u64,
        length: u64,
        depth: usize,
    ) -> Result<()> {
        if depth == DEEPEST {
            return Err(MetadataError::Corrupt(format!("composite {id} is within itself")));
        }
        let end = offset.saturating_add(length);
        let left = self.count.saturating_sub(self.runs.len());
        for placed in parts_from(self.view, id, attempt, offset, left)? {
            if self.is_full() || placed.offset >= end {
                break;
            }
            let from = offset.saturating_sub(placed.offset);
            let to = placed.size.min(end - placed.offset);
            self.part(id, placed.number, from, to - from, depth)?;
        }
        Ok(())
    }

    fn part(&mut self, id: UploadId, number: u16, from: u64, length: u64, depth: usize) -> Result<()> {
        match part(self.view, id, number)?.content {
            PartContent::Inline => {
                let data = self.view.row::<Payload>(&keys::part_data(id, number))?;
                let data = data
                    .ok_or_else(|| MetadataError::Corrupt(format!("part {number} of {id} has no bytes")))?;
                self.inline(&data.0, from, length);
            }
            PartContent::Extents(extents) => self.extents(&extents, from, length),
            PartContent::Segments(_, segments) => {
                for (segment, from, length) in overlaps(segments, |segment| segment.length, from, length) {
                    if self.is_full() {
                        break;
                    }
                    self.segment(segment, from, length, depth)?;
                }
            }
        }
        Ok(())
    }

    fn segment(&mut self, segment: Segment, from: u64, length: u64, depth: usize) -> Result<()> {
        let offset = segment.offset + from;
        match segment.source {
            Source::Blob(digest) => self.blob(&digest, offset, length),
            Source::Composite(id) => {
                let row = composite(self.view, id)?
                    .ok_or_else(|| MetadataError::Corrupt(format!("there is no composite {id}")))?;
                self.composite(id, row.attempt, offset, length, depth + 1)
            }
        }
    }

    fn blob(&mut self, digest: &Digest, from: u64, length: u64) -> Result<()> {
        // A reader may come between the rows of a blob that is stored anew.
        for _ in 0..MAX_ATTEMPTS {
            let row = self.view.row::<BlobRow>(&keys::blob(digest))?;
            let row = row.filter(|row| row.damaged_since.is_none());
            match row.map(|row| row.content) {
                Some(StoredContent::Extents(extents)) => {
                    self.extents(&extents, from, length);
                    return Ok(());
                }
                Some(StoredContent::Inline) => {
                    if let Some(data) = self.view.row::<Payload>(&keys::blob_data(digest))? {
                        self.inline(&data.0, from, length);
                        return Ok(());
                    }
                }
                None => break,
            }
        }
        Err(MetadataError::Corrupt(format!(
            "blob {digest} of a composite is damaged or gone"
        )))
    }

    fn inline(&mut self, bytes: &Bytes, from: u64, length: u64) {
        let size = bytes.len() as u64;
        let (from, to) = (from.min(size), from.saturating_add(length).min(size));
        self.runs
            .push(Run::Inline(bytes.slice(from as usize..to as usize)));
    }

    fn extents(&mut self, extents: &[Extent], from: u64, length: u64) {
        let each = extents.iter().copied();
        for (extent, from, length) in overlaps(each, |extent| extent.length, from, length) {
            if self.is_full() {
                break;
            }
            self.runs.push(Run::Extent(Extent {
                offset: extent.offset + from,
                length,
                ..extent
            }));
        }
    }
}

/// Those of adjoining pieces that have bytes of a range, each with where in it they start and how many they are.
fn overlaps<T>(
    pieces: impl IntoIterator<Item = T>,
    length_of: impl Fn(&T) -> u64,
    from: u64,
    length: u64,
) -> Vec<(T, u64, u64)> {
    let (mut start, end, mut found) = (0_u64, from.saturating_add(length), Vec::new());
    for piece in pieces {
        let size = length_of(&piece);
        let (first, last) = (from.max(start), end.min(start + size));
        if first < last {
            found.push((piece, first - start, last - first));
        }
        start += size;
    }
    found
}

/// A range of a composite as ranges of what its parts are ranges of; `None` when a part has bytes of its own or there are
/// too many.
pub(crate) fn flattened(
    view: &View<'_>,
    id: UploadId,
    offset: u64,
    length: u64,
) -> Result<Option<Vec<Segment>>> {
    let Some(row) = composite(view, id)? else {
        return Ok(None);
    };
    let (end, mut flat) = (offset + length, Vec::new());
    for placed in parts_from(view, id, row.attempt, offset, FEW_SEGMENTS + 1)? {
        if placed.offset >= end {
            break;
        }
        let PartContent::Segments(_, segments) = part(view, id, placed.number)?.content else {
            return Ok(None);
        };
        let from = offset.saturating_sub(placed.offset);
        let to = placed.size.min(end - placed.offset);
        for (segment, from, length) in overlaps(segments, |segment| segment.length, from, to - from) {
            flat.push(Segment {
                offset: segment.offset + from,
                length,
                ..segment
            });
        }
    }
    let is_whole = flat.iter().map(|segment| segment.length).sum::<u64>() == length;
    Ok(Some(flat).filter(|flat| is_whole && flat.len() <= FEW_SEGMENTS && !flat.is_empty()))
}

/// The numbers and places of all parts of a composite, in order.
fn all_parts(view: &View<'_>, id: UploadId, attempt: u64) -> Result<Vec<Placed>> {
    let (mut all, mut damaged) = (Vec::new(), None);
    let range = keys::part_lists_of(id, attempt);
    view.scan(&range, Effort::Unbounded, &mut |key, value| {
        let Some(piece) = PartListRow::decode(&Bytes::copy_from_slice(value)) else {
            damaged = Some(listings::damage(key));
            return ControlFlow::Break(());
        };
        let mut offset = piece.offset;
        for (number, size) in piece.parts {
            all.push(Placed { number, offset, size });
            offset += size;
        }
        ControlFlow::Continue(())
    })?;
    damaged.map_or(Ok(all), Err)
}

/// The numbers of the parts that a composite consists of, in ascending order; `None`: there is no such composite.
pub(crate) fn listed_numbers(view: &View<'_>, id: UploadId) -> Result<Option<(u64, Vec<u16>)>> {
    let Some(row) = composite(view, id)? else {
        return Ok(None);
    };
    let all = all_parts(view, id, row.attempt)?;
    let mut numbers: Vec<u16> = all.iter().map(|placed| placed.number).collect();
    numbers.sort_unstable();
    Ok(Some((row.attempt, numbers)))
}

/// Parts of a composite.
pub(crate) fn list(
    view: &View<'_>,
    id: UploadId,
    after: u16,
    count: usize,
) -> Result<Option<Page<CompositePart>>> {
    let Some(row) = composite(view, id)? else {
        return Ok(None);
    };
    let all = all_parts(view, id, row.attempt)?;
    let mut wanted = all.into_iter().filter(|placed| placed.number > after);
    let mut entries = Vec::new();
    for placed in wanted.by_ref().take(count) {
        let row = part(view, id, placed.number)?;
        entries.push(CompositePart {
            offset: placed.offset,
            part: parts::described(placed.number, row),
        });
    }
    let more = wanted.next().is_some();
    Ok(Some(Page { entries, more }))
}

/// The digest of a composite, if it is known.
pub(crate) fn digest(view: &View<'_>, id: UploadId) -> Result<Option<Digest>> {
    Ok(composite(view, id)?.and_then(|row| row.digest))
}

/// Tells the digest of a composite.
pub(crate) fn set_digest(
    transaction: &mut Transaction<'_>,
    id: UploadId,
    digest: &Digest,
) -> Result<DigestOutcome> {
    let row = composite(&transaction.view(), id)?;
    transaction.delete(keys::undigested(id));
    let Some(row) = row else {
        return Ok(DigestOutcome::Unknown);
    };
    if let Some(known) = row.digest {
        return Ok(DigestOutcome::Known(known));
    }
    let (content, digest) = (digest, Some(*digest));
    digests::note_parts(transaction, id, content, row.size)?;
    transaction.put(keys::composite(id), &CompositeRow { digest, ..row });
    Ok(DigestOutcome::Set)
}
