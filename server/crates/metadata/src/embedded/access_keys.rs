//! Access keys over an ordered map.

use async_trait::async_trait;

use super::EmbeddedMetadata;
use crate::operations::access_keys;
use crate::ordered_map::OrderedMap;
use crate::{
    AccessKey, AccessKeyStore, CreateAccessKeyOutcome, ListAccessKeys, NewAccessKey, Origin, Page, Result,
    RevokeOutcome,
};

#[async_trait]
impl<M: OrderedMap> AccessKeyStore for EmbeddedMetadata<M> {
    async fn create_access_key(&self, _origin: &Origin, key: NewAccessKey) -> Result<CreateAccessKeyOutcome> {
        self.change(move |transaction| access_keys::create(transaction, key))
            .await
    }

    async fn access_key(&self, id: &str) -> Result<Option<AccessKey>> {
        self.read(|view| access_keys::find(view, id))
    }

    async fn list_access_keys(&self, list: ListAccessKeys) -> Result<Page<AccessKey>> {
        self.list_rows(move |view, effort| access_keys::list(view, &list, effort))
            .await
    }

    async fn revoke_access_key(&self, _origin: &Origin, id: &str) -> Result<RevokeOutcome> {
        let id = id.to_owned();
        self.change(move |transaction| access_keys::revoke(transaction, &id))
            .await
    }

    async fn used_kids(&self) -> Result<Vec<String>> {
        self.list_rows(access_keys::used_kids).await
    }
}
