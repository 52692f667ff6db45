//! Sorted listings. Each visits the rows it shows and one more. A listing of bounded effort that met too many rows, there
//! or deleted, is `None`: it is to be repeated where it may take its time.

use std::ops::ControlFlow;

use bytes::Bytes;
use zas_core::{Digest, Holder, RepositoryName, Tag};

use crate::keys::Elements;
use crate::ordered_map::{Effort, KeyRange, ScanEnd};
use crate::rows::{Payload, Row as _};
use crate::view::View;
use crate::{MetadataError, Page, ReferrerCursor, ReferrerPage, Result, keys};

/// Most rows that a listing of bounded effort shows. How many it was asked for says little: most repositories have a few
/// tags, and clients that name no number ask for a thousand.
pub(crate) const FEW_ROWS: usize = 128;

/// Most bytes of such rows.
const FEW_BYTES: usize = 64 * 1024;

/// Tags of a holder; `None` when there is no such repository.
pub(crate) fn tags(
    view: &View<'_>,
    holder: &Holder,
    after: Option<&str>,
    count: usize,
    effort: Effort,
) -> Result<Option<Option<Page<Tag>>>> {
    if let Some(name) = holder.repository()
        && !view.has(&keys::repository(name))?
    {
        return Ok(Some(None));
    }
    let mut range = keys::tags(holder);
    if let Some(after) = after {
        range = range.after(&keys::tag_position(holder, after));
    }
    let read = |key: &[u8], _: &[u8]| {
        let mut elements = Elements::of(key);
        elements.skip_holder()?;
        elements.tag()
    };
    Ok(page(view, &range, count, effort, read)?.map(Some))
}

/// Repositories by prefix.
pub(crate) fn repositories(
    view: &View<'_>,
    prefix: &str,
    after: Option<&str>,
    count: usize,
    effort: Effort,
) -> Result<Option<Page<RepositoryName>>> {
    let mut range = keys::repositories(prefix);
    if let Some(after) = after {
        range = range.after(&keys::repository_position(after));
    }
    page(view, &range, count, effort, |key, _| {
        Elements::of(key).repository()
    })
}

/// Who holds a blob, repositories first.
pub(crate) fn holders(
    view: &View<'_>,
    digest: &Digest,
    count: usize,
    effort: Effort,
) -> Result<Option<Vec<Holder>>> {
    let read = |key: &[u8], _: &[u8]| {
        let mut elements = Elements::of(key);
        elements.digest()?;
        elements.holder()
    };
    let page = page(view, &keys::links(digest), count, effort, read)?;
    Ok(page.map(|page| page.entries))
}

/// The referrers of a subject that follow a page.
pub(crate) fn referrers_after(
    holder: &Holder,
    subject: &Digest,
    artifact_type: Option<&str>,
    after: Option<&ReferrerCursor>,
) -> KeyRange {
    let range = keys::referrers(holder, subject, artifact_type);
    match after {
        Some(ReferrerCursor {
            artifact_type,
            digest,
        }) => range.after(&keys::referrer(holder, subject, artifact_type, digest)),
        None => range,
    }
}

/// Referrers of a range, bounded by number and by the bytes of all descriptors together; one in any case.
pub(crate) fn referrers(
    view: &View<'_>,
    range: &KeyRange,
    count: usize,
    bytes: usize,
    effort: Effort,
) -> Result<Option<ReferrerPage>> {
    let mut page = ReferrerPage::default();
    let (mut last, mut room) = (None, bytes);
    let (mut damaged, mut gave_up) = (None, false);
    let end = view.scan(range, effort, &mut |key, value| {
        gave_up = effort == Effort::Bounded
            && (page.descriptors.len() == FEW_ROWS || bytes.saturating_sub(room) > FEW_BYTES);
        if gave_up {
            return ControlFlow::Break(());
        }
        let Some((cursor, descriptor)) = read_referrer(key, value) else {
            damaged = Some(damage(key));
            return ControlFlow::Break(());
        };
        let is_full = page.descriptors.len() >= count || descriptor.len() > room;
        // A page without a row would make the client ask for the same page for ever.
        if is_full && !page.descriptors.is_empty() {
            page.next = last.take();
            return ControlFlow::Break(());
        }
        room = room.saturating_sub(descriptor.len());
        page.descriptors.push(descriptor);
        last = Some(cursor);
        ControlFlow::Continue(())
    })?;
    if gave_up {
        Ok(None)
    } else {
        ended(page, end, damaged)
    }
}

fn read_referrer(key: &[u8], value: &[u8]) -> Option<(ReferrerCursor, Bytes)> {
    let mut elements = Elements::of(key);
    elements.skip_holder()?;
    elements.digest()?;
    let cursor = ReferrerCursor {
        artifact_type: elements.text()?.into_owned(),
        digest: elements.digest()?,
    };
    let Payload(descriptor) = Payload::decode(&Bytes::copy_from_slice(value))?;
    Some((cursor, descriptor))
}

/// The first `count` rows of a range, and whether there are more.
pub(crate) fn page<T>(
    view: &View<'_>,
    range: &KeyRange,
    count: usize,
    effort: Effort,
    mut read: impl FnMut(&[u8], &[u8]) -> Option<T>,
) -> Result<Option<Page<T>>> {
    let (mut entries, mut more, mut damaged) = (Vec::new(), false, None);
    let mut gave_up = false;
    let end = view.scan(range, effort, &mut |key, value| {
        if entries.len() == count {
            more = true;
            return ControlFlow::Break(());
        }
        gave_up = effort == Effort::Bounded && entries.len() == FEW_ROWS;
        if gave_up {
            return ControlFlow::Break(());
        }
        match read(key, value) {
            Some(entry) => entries.push(entry),
            None => {
                damaged = Some(damage(key));
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    if gave_up {
        Ok(None)
    } else {
        ended(Page { entries, more }, end, damaged)
    }
}

fn ended<T>(page: T, end: ScanEnd, damaged: Option<MetadataError>) -> Result<Option<T>> {
    match (damaged, end) {
        (Some(error), _) => Err(error),
        (None, ScanEnd::Complete) => Ok(Some(page)),
        (None, ScanEnd::TooManyDeleted) => Ok(None),
    }
}

/// Names a row that cannot be read.
pub(crate) fn damage(key: &[u8]) -> MetadataError {
    MetadataError::Corrupt(format!("listed row at {}", key.escape_ascii()))
}
