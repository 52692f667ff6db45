//! Where access keys are kept.

use super::tables::{ACCESS_KEY, ACCESS_KEY_OF, ACCESS_KEY_UNDER};
use super::{Elements, Tuple};
use crate::Owner;
use crate::ordered_map::{Key, KeyRange};

/// The key of an access key's row; the id need not be a valid one.
pub(crate) fn access_key(id: &str) -> Key {
    Tuple::new(ACCESS_KEY).text(id).key()
}

/// All access keys.
pub(crate) fn access_keys() -> KeyRange {
    Tuple::new(ACCESS_KEY).range()
}

/// The key of the copy of an access key's row that leads to it from its owner.
pub(crate) fn access_key_of(owner: &Owner, id: &str) -> Key {
    of(owner).text(id).key()
}

/// All access keys of an owner.
pub(crate) fn access_keys_of(owner: &Owner) -> KeyRange {
    of(owner).range()
}

fn of(owner: &Owner) -> Tuple {
    Tuple::new(ACCESS_KEY_OF).text(&owner.issuer).text(&owner.subject)
}

/// The key of the row that says that an access key which is not revoked needs a key-encryption key.
pub(crate) fn access_key_under(kid: &str, id: &str) -> Key {
    Tuple::new(ACCESS_KEY_UNDER).text(kid).text(id).key()
}

/// All such rows behind those of the key-encryption key `kid`.
pub(crate) fn access_keys_under(behind: Option<&str>) -> KeyRange {
    let all = Tuple::new(ACCESS_KEY_UNDER).range();
    match behind {
        Some(kid) => all.starting_at(&Tuple::new(ACCESS_KEY_UNDER).text(kid).range().to),
        None => all,
    }
}

impl Elements<'_> {
    /// The next element, any text.
    pub(crate) fn string(&mut self) -> Option<String> {
        self.text().map(|text| text.to_string())
    }
}
