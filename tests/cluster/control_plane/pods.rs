//! In place of a kubelet.

use std::pin::pin;

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, ResourceExt};
use serde_json::json;
use tokio::task::JoinHandle;

/// Lets every Pod of a namespace become ready, until the task is aborted.
pub(crate) fn run(client: Client, namespace: &str) -> JoinHandle<()> {
    let pods: Api<Pod> = Api::namespaced(client, namespace);
    tokio::spawn(async move {
        let watch = watcher(pods.clone(), watcher::Config::default());
        let mut seen = pin!(watch.default_backoff().applied_objects());
        while let Some(event) = seen.next().await {
            let Ok(pod) = event else { continue };
            if !is_ready(&pod) {
                // One that is gone already need not run.
                let _ = pods
                    .patch_status(&pod.name_any(), &PatchParams::default(), &Patch::Merge(&ready()))
                    .await;
            }
        }
    })
}

fn is_ready(pod: &Pod) -> bool {
    let status = pod.status.as_ref();
    let conditions = status
        .and_then(|status| status.conditions.as_deref())
        .unwrap_or_default();
    conditions
        .iter()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn ready() -> serde_json::Value {
    json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}})
}
