//! Access keys.

use zas_core::Timestamp;

use super::Owner;

/// An access key. Its secret is derived whenever it is needed and is nowhere in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    /// Its id, which is public.
    pub id: String,
    /// Whose key it is.
    pub owner: Owner,
    /// The id of the key-encryption key that its secret is derived from.
    pub kid: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is worth nothing; never without.
    pub expires_at: Option<Timestamp>,
    /// What its owner says that it is for.
    pub description: String,
    /// When it was revoked, for good.
    pub revoked_at: Option<Timestamp>,
}

/// An access key to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccessKey {
    /// An id that no key ever had.
    pub id: String,
    /// Whose key it is.
    pub owner: Owner,
    /// The id of the key-encryption key that its secret is derived from.
    pub kid: String,
    /// From when on it is worth nothing; never without.
    pub expires_at: Option<Timestamp>,
    /// What its owner says that it is for.
    pub description: String,
}

/// The outcome of making an access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateAccessKeyOutcome {
    /// It is there now.
    Created(AccessKey),
    /// A key has this id. Nothing changed.
    Exists,
}

/// The outcome of revoking an access key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokeOutcome {
    /// It is revoked, now or since before.
    Revoked,
    /// There is no such key.
    Unknown,
}

/// Which access keys are listed, those that are revoked with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListAccessKeys {
    /// Those of this owner; `None`: everybody's.
    pub owner: Option<Owner>,
    /// Those whose id sorts behind this.
    pub after: Option<String>,
    /// So many at most.
    pub count: usize,
}
