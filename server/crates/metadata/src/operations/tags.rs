//! Tags.

use zas_core::{Digest, RepositoryName, Tag};

use crate::rows::{Marker, TagRow};
use crate::transaction::Transaction;
use crate::{DeleteTagOutcome, Precondition, Result, keys};

/// Whether a tag that points to `present` may be changed.
pub(crate) fn meets(precondition: Precondition, present: Option<Digest>) -> bool {
    match precondition {
        Precondition::Any => true,
        Precondition::Absent => present.is_none(),
        Precondition::Equals(expected) => present == Some(expected),
    }
}

/// Points a tag to a manifest; `present` is where it points so far.
pub(crate) fn point(
    transaction: &mut Transaction<'_>,
    repository: &RepositoryName,
    tag: &Tag,
    present: Option<Digest>,
    row: &TagRow,
) {
    if let Some(present) = present {
        transaction.delete(keys::tag_of(repository, &present, tag));
    }
    transaction.put(keys::tag(repository, tag), row);
    transaction.put(keys::tag_of(repository, &row.digest, tag), &Marker);
}

/// Removes a tag with the row that leads to it.
pub(crate) fn remove(
    transaction: &mut Transaction<'_>,
    repository: &RepositoryName,
    tag: &Tag,
    digest: &Digest,
) {
    transaction.delete(keys::tag(repository, tag));
    transaction.delete(keys::tag_of(repository, digest, tag));
}

/// Deletes a tag that meets the precondition.
pub(crate) fn delete(
    transaction: &mut Transaction<'_>,
    repository: &RepositoryName,
    tag: &Tag,
    precondition: Precondition,
) -> Result<DeleteTagOutcome> {
    let Some(row) = transaction.view().row::<TagRow>(&keys::tag(repository, tag))? else {
        return Ok(DeleteTagOutcome::Unknown);
    };
    if !meets(precondition, Some(row.digest)) {
        return Ok(DeleteTagOutcome::Conflict);
    }
    remove(transaction, repository, tag, &row.digest);
    Ok(DeleteTagOutcome::Deleted(row.digest))
}
