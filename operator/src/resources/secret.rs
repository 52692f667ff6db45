//! The generated credentials of the administrator.

use k8s_openapi::api::core::v1::Secret;

use super::{Prepared, metadata};
use crate::children::ChildKind;
use crate::store::ResolvedStore;

/// The Secret without its content, unless an existing one is named. The content is written once, by another field
/// manager: what is not stated here is not touched here.
pub(crate) fn build(store: &ResolvedStore) -> Option<Prepared> {
    if store.spec.access.admin_ref.is_some() {
        return None;
    }
    let origin = &store.credentials_origin;
    let mut metadata = metadata(store, store.names.administrator(), store.owner_of_data(origin));
    metadata.annotations = store.made_for(origin).map(|annotation| [annotation].into());
    let secret = Secret {
        metadata,
        type_: Some("Opaque".to_owned()),
        ..Secret::default()
    };
    Some(Prepared::new(ChildKind::Secret, &secret))
}
