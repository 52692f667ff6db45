//! The configuration of the server, in two parts.

use k8s_openapi::api::core::v1::ConfigMap;

use super::{Prepared, metadata};
use crate::children::ChildKind;
use crate::layout;
use crate::store::ResolvedStore;

/// The ConfigMap whose name makes the Deployment roll.
pub(crate) fn restart(store: &ResolvedStore, content: &str) -> Prepared {
    prepare(
        store,
        store.names.restart_configuration(content),
        content,
        Some(true),
    )
}

/// The ConfigMap that the server reads while running.
pub(crate) fn hot(store: &ResolvedStore, content: &str) -> Prepared {
    prepare(store, store.names.hot_configuration(), content, None)
}

fn prepare(store: &ResolvedStore, name: String, content: &str, immutable: Option<bool>) -> Prepared {
    let map = ConfigMap {
        metadata: metadata(store, name, Some(store.owner())),
        data: Some([(layout::CONFIGURATION_FILE.to_owned(), content.to_owned())].into()),
        immutable,
        ..ConfigMap::default()
    };
    Prepared::new(ChildKind::ConfigMap, &map)
}
