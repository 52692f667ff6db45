//! The identity of the server's Pod.

use k8s_openapi::api::core::v1::ServiceAccount;

use super::{Prepared, metadata, stated};
use crate::children::ChildKind;
use crate::store::ResolvedStore;

/// The ServiceAccount, unless an existing one is named.
pub(crate) fn build(store: &ResolvedStore) -> Option<Prepared> {
    if store.spec.service_account.name.is_some() {
        return None;
    }
    let mut metadata = metadata(store, store.names.store(), Some(store.owner()));
    metadata.annotations = stated(&store.spec.service_account.annotations);
    let account = ServiceAccount {
        metadata,
        // The server asks the API server for nothing.
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    };
    Some(Prepared::new(ChildKind::ServiceAccount, &account))
}
