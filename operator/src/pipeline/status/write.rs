//! Writing a status, when it says something new.

use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use zas_crd::{API_VERSION, KIND, ZotArtifactStore, ZotArtifactStoreStatus};

use crate::answers::{self, Answer};
use crate::children::StoreKey;
use crate::error::ReconcileError;
use crate::metrics::Metrics;

/// The field manager of the status.
const MANAGER: &str = "zot-artifact-store-operator-status";

/// Whether `status` says something that `before` does not.
pub fn is_newer(before: Option<&ZotArtifactStoreStatus>, status: &ZotArtifactStoreStatus) -> bool {
    before != Some(status)
}

/// Writes a status. A definition that is older than the operator does not know all fields: those that it knows are
/// written then.
///
/// Returns whether the definition knew all fields.
///
/// # Errors
/// When the API server does not answer or refuses. A store that is gone is no error.
pub async fn write(
    client: &kube::Client,
    store: &StoreKey,
    status: &ZotArtifactStoreStatus,
    metrics: &Metrics,
) -> Result<bool, ReconcileError> {
    let api: Api<ZotArtifactStore> = Api::namespaced(client.clone(), &store.namespace);
    let object = json!({
        "apiVersion": API_VERSION, "kind": KIND,
        "metadata": {"name": store.name, "namespace": store.namespace},
        "status": status,
    });
    let parameters = PatchParams::apply(MANAGER).force();
    metrics.wrote(KIND, "status");
    match api
        .patch_status(&store.name, &parameters, &Patch::Apply(&object))
        .await
    {
        Ok(_) => Ok(true),
        Err(error) if answers::of(&error) == Answer::NotFound => Ok(true),
        Err(error) if answers::of(&error) == Answer::UnknownField => {
            tracing::warn!(store = %store, %error, "the installed CustomResourceDefinition is older than this operator");
            // A merge drops what the definition does not know.
            let written = api
                .patch_status(&store.name, &PatchParams::default(), &Patch::Merge(&object))
                .await;
            written.map(|_| false).map_err(ReconcileError::Status)
        }
        Err(error) => Err(ReconcileError::Status(error)),
    }
}
