//! The configuration of the server, in two parts.

use k8s_openapi::api::core::v1::ConfigMap;

use super::{Prepared, metadata};
use crate::children::ChildKind;
use crate::layout;
use crate::store::ValidatedStore;

/// The ConfigMap whose name makes the Deployment roll, and the one that the server reads while running.
pub(crate) fn build(store: &ValidatedStore) -> Vec<Prepared> {
    let restart = &store.restart_configuration;
    vec![
        prepare(
            store,
            store.names.restart_configuration(restart),
            restart,
            Some(true),
        ),
        prepare(
            store,
            store.names.hot_configuration(),
            &store.hot_configuration,
            None,
        ),
    ]
}

fn prepare(store: &ValidatedStore, name: String, content: &str, immutable: Option<bool>) -> Prepared {
    let map = ConfigMap {
        metadata: metadata(store, name, Some(store.owner())),
        data: Some([(layout::CONFIGURATION_FILE.to_owned(), content.to_owned())].into()),
        immutable,
        ..ConfigMap::default()
    };
    Prepared::new(ChildKind::ConfigMap, &map)
}
