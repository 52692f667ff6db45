//! Tags.

use bytes::Bytes;
use zas_core::{Digest, Holder, Tag};

use crate::rows::{EmptyRow, Row as _, TagRow, Unknown};
use crate::transaction::Transaction;
use crate::view::View;
use crate::{DeleteTagOutcome, Precondition, Result, keys};

/// What a tag's row says before it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pointer {
    /// There is no such tag.
    Absent,
    /// It points to this manifest.
    To(Digest),
    /// There is one, but its row is damaged: nobody knows where it points.
    Damaged,
}

impl Pointer {
    /// What the stored value of a tag's key says.
    pub(crate) fn of(value: Option<&Bytes>) -> Self {
        Self::with_unknown(value).0
    }

    /// What the stored value says, and what a newer version added to it.
    pub(crate) fn with_unknown(value: Option<&Bytes>) -> (Self, Unknown) {
        match value.map(TagRow::decode) {
            None => (Self::Absent, Unknown::default()),
            Some(Some(row)) => (Self::To(row.digest), row.unknown),
            Some(None) => (Self::Damaged, Unknown::default()),
        }
    }

    /// Whether a tag like this may be changed.
    pub(crate) fn meets(self, precondition: Precondition) -> bool {
        match precondition {
            Precondition::Any => true,
            Precondition::Absent => self == Self::Absent,
            Precondition::Equals(expected) => self == Self::To(expected),
        }
    }
}

/// Points a tag to a manifest; `present` is where it points so far. When that is not known, the row that leads to the
/// tag from its old manifest stays behind until that is deleted.
pub(crate) fn point(
    transaction: &mut Transaction<'_>,
    holder: &Holder,
    tag: &Tag,
    present: Pointer,
    row: &TagRow,
) {
    if let Pointer::To(present) = present {
        transaction.delete(keys::tag_of(holder, &present, tag));
    }
    transaction.put(keys::tag(holder, tag), row);
    transaction.put(keys::tag_of(holder, &row.digest, tag), &EmptyRow);
}

/// Removes the tags that rows lead to from a manifest, except for those that point elsewhere: such a row is left over
/// from a tag that was damaged.
pub(crate) fn remove_all(
    transaction: &mut Transaction<'_>,
    holder: &Holder,
    digest: &Digest,
    tags: &[Tag],
) -> Result<()> {
    let keys: Vec<_> = tags.iter().map(|tag| keys::tag(holder, tag)).collect();
    let values = transaction.view().meta_values(&keys)?;
    for ((tag, key), value) in tags.iter().zip(keys).zip(values) {
        match Pointer::of(value.as_ref()) {
            Pointer::To(other) if other != *digest => {}
            _ => transaction.delete(key),
        }
        transaction.delete(keys::tag_of(holder, digest, tag));
    }
    Ok(())
}

/// How many of the tags that rows lead to from a manifest point to it; one that is damaged may.
pub(crate) fn count_pointing(
    view: &View<'_>,
    holder: &Holder,
    digest: &Digest,
    tags: &[Tag],
) -> Result<usize> {
    let keys: Vec<_> = tags.iter().map(|tag| keys::tag(holder, tag)).collect();
    let values = view.meta_values(&keys)?;
    let pointers = values.iter().map(|value| Pointer::of(value.as_ref()));
    Ok(pointers
        .filter(|pointer| matches!(pointer, Pointer::Damaged) || *pointer == Pointer::To(*digest))
        .count())
}

/// Deletes a tag that meets the precondition.
pub(crate) fn delete(
    transaction: &mut Transaction<'_>,
    holder: &Holder,
    tag: &Tag,
    precondition: Precondition,
) -> Result<DeleteTagOutcome> {
    let key = keys::tag(holder, tag);
    let value = transaction.view().meta_values(std::slice::from_ref(&key))?;
    let present = Pointer::of(value.first().and_then(Option::as_ref));
    if present == Pointer::Absent {
        return Ok(DeleteTagOutcome::Unknown);
    }
    if !present.meets(precondition) {
        return Ok(DeleteTagOutcome::Conflict);
    }
    transaction.delete(key);
    let Pointer::To(digest) = present else {
        return Ok(DeleteTagOutcome::Deleted(None));
    };
    transaction.delete(keys::tag_of(holder, &digest, tag));
    Ok(DeleteTagOutcome::Deleted(Some(digest)))
}
