//! Operations on access keys.

use async_trait::async_trait;

use crate::{
    AccessKey, CreateAccessKeyOutcome, ListAccessKeys, NewAccessKey, Origin, Page, Result, RevokeOutcome,
};

/// Access keys by their ids.
#[async_trait]
pub trait AccessKeyStore: std::fmt::Debug + Send + Sync + 'static {
    /// Makes an access key, unless its id is taken.
    async fn create_access_key(&self, origin: &Origin, key: NewAccessKey) -> Result<CreateAccessKeyOutcome>;

    /// The access key of an id, also a revoked one.
    async fn access_key(&self, id: &str) -> Result<Option<AccessKey>>;

    /// Access keys in the byte order of their ids.
    async fn list_access_keys(&self, list: ListAccessKeys) -> Result<Page<AccessKey>>;

    /// Revokes an access key. Nothing makes a revoked key valid again.
    async fn revoke_access_key(&self, origin: &Origin, id: &str) -> Result<RevokeOutcome>;

    /// The ids of the key-encryption keys that keys which are not revoked need, in byte order.
    async fn used_kids(&self) -> Result<Vec<String>>;
}
