//! Objects: the versions of a key, and the head that says which of them is current.

pub(crate) mod contents;
pub(crate) mod deletion;
pub(crate) mod digests;
pub(crate) mod heads;
pub(crate) mod listing;
pub(crate) mod lookup;
pub(crate) mod version_listing;
pub(crate) mod walk;
pub(crate) mod writing;

use zas_core::{BucketId, ObjectKey};

/// A version's place.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) bucket: BucketId,
    pub(crate) key: &'a ObjectKey,
    pub(crate) sequence: u64,
}
