//! The Deployment of the server.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::Value;

use super::{Prepared, metadata, pod};
use crate::children::ChildKind;
use crate::store::{Release, ResolvedStore};
use crate::{hash, labels};

/// What the recommended label of Kubernetes is called. Not on the Pod, where it would be one more reason to roll.
const VERSION_LABEL: &str = "app.kubernetes.io/version";
/// Enough to look back on; each one is an object.
const REVISIONS: i32 = 3;
/// How long a rollout may take unless the Pod itself is granted more.
const PROGRESS_DEADLINE_SECONDS: i32 = 600;
/// The most characters of a label's value.
const LABEL_LENGTH: usize = 63;

/// The Deployment.
pub(crate) fn build(store: &ResolvedStore, release: &Release) -> Prepared {
    let template = pod::template(store, release);
    let template_hash = hash::of_json(&serde_json::to_value(&template).unwrap_or_default());
    let version = release.operand.version.clone();
    let mut metadata = metadata(store, store.names.store(), Some(store.owner()));
    if is_label_value(&version) {
        metadata
            .labels
            .get_or_insert_default()
            .insert(VERSION_LABEL.to_owned(), version.clone());
    }
    metadata.annotations = Some(
        [
            (labels::VERSION_ANNOTATION.to_owned(), version),
            (labels::TEMPLATE_ANNOTATION.to_owned(), template_hash),
        ]
        .into(),
    );
    let deployment = Deployment {
        metadata,
        spec: Some(DeploymentSpec {
            replicas: Some(store.spec.replicas),
            // The database has one writer: the old server ends before the new one starts.
            strategy: Some(DeploymentStrategy {
                type_: Some("Recreate".to_owned()),
                ..DeploymentStrategy::default()
            }),
            selector: LabelSelector {
                match_labels: Some(labels::selector(&store.key.name)),
                ..LabelSelector::default()
            },
            revision_history_limit: Some(REVISIONS),
            progress_deadline_seconds: Some(PROGRESS_DEADLINE_SECONDS.max(pod::rollout_seconds(store))),
            template,
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    };
    let mut object = serde_json::to_value(&deployment).unwrap_or_default();
    own_rolling_update(&mut object);
    Prepared::new(ChildKind::Deployment, &object)
}

/// States `rollingUpdate: null`. A Deployment that somebody switched to a rolling update has that field filled, and it
/// is forbidden beside `Recreate`: only an owner of the field can take it away.
fn own_rolling_update(object: &mut Value) {
    if let Some(Value::Object(strategy)) = object.pointer_mut("/spec/strategy") {
        strategy.insert("rollingUpdate".to_owned(), Value::Null);
    }
}

/// Whether a version can be a label: it may be longer, or end with a dot.
fn is_label_value(version: &str) -> bool {
    let ends_well = version.ends_with(|letter: char| letter.is_ascii_alphanumeric());
    version.len() <= LABEL_LENGTH && ends_well
}
