//! Which version runs, and which waits.

use zas_crd::{ConditionReason, ConditionType};

use super::*;

#[test]
fn given_an_update_that_waits_when_reported_then_its_version_is_named() {
    let mut scene = scene("updatePolicy: Manual").settled();
    scene.pending_update = Some("0.3.0".to_owned());
    scene.assert(
        ConditionType::UpdateAvailable,
        true,
        ConditionReason::UpdateAvailable,
    );
    scene.assert(ConditionType::Ready, true, ConditionReason::AsExpected);
    assert_eq!(scene.status().pending_update.as_deref(), Some("0.3.0"));
}

#[test]
fn given_an_upgrade_when_the_new_server_cannot_be_asked_then_its_version_is_that_of_its_deployment() {
    let mut scene = scene("{}").settled();
    scene.resource.status = Some(scene.status());
    scene.server_version = None;
    for (key, seen) in &mut scene.observed {
        if key.kind == ChildKind::Deployment {
            seen.annotations = BTreeMap::from([(labels::VERSION_ANNOTATION.to_owned(), "0.3.0".to_owned())]);
        }
    }
    assert_eq!(scene.status().version.as_deref(), Some("0.3.0"));
}

#[test]
fn given_a_deployment_that_somebody_deleted_when_reported_then_what_ran_is_remembered() {
    let mut scene = scene("{}").settled();
    scene.resource.status = Some(scene.status());
    scene.server_version = None;
    scene.observed.retain(|key, _| key.kind != ChildKind::Deployment);
    let status = scene.status();
    assert_eq!(
        (status.image.as_deref(), status.version.as_deref()),
        (Some("zas:1"), Some("0.2.0"))
    );
}
