//! What stores report.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use zas_crd::{ConditionType, ZotArtifactStore, ZotArtifactStoreStatus};

/// The status, empty before the first report.
pub(crate) fn status(store: &ZotArtifactStore) -> ZotArtifactStoreStatus {
    store.status.clone().unwrap_or_default()
}

/// A condition that speaks of the newest generation.
pub(crate) fn condition(store: &ZotArtifactStore, kind: ConditionType) -> Option<Condition> {
    let condition = status(store).condition(kind).cloned()?;
    (condition.observed_generation == store.metadata.generation).then_some(condition)
}

/// Whether a condition of the newest generation has this status and reason.
pub(crate) fn is(store: &ZotArtifactStore, kind: ConditionType, holds: bool, reason: &str) -> bool {
    let expected = if holds { "True" } else { "False" };
    condition(store, kind).is_some_and(|condition| condition.status == expected && condition.reason == reason)
}

/// Whether everything is as the specification asks.
pub(crate) fn is_ready(store: &ZotArtifactStore) -> bool {
    is(store, ConditionType::Ready, true, "AsExpected")
}
