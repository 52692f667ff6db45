//! The status as a whole.

use zas_crd::{ConditionReason, ConditionType};

use super::*;

#[test]
fn given_a_settled_store_when_reported_then_it_is_ready_and_everything_is_filled_in() {
    let scene = scene("{}").settled();
    scene.assert(ConditionType::Ready, true, ConditionReason::AsExpected);
    scene.assert(ConditionType::Progressing, false, ConditionReason::AsExpected);
    scene.assert(ConditionType::Degraded, false, ConditionReason::AsExpected);
    scene.assert(ConditionType::StorageReady, true, ConditionReason::AsExpected);
    let status = scene.status();
    assert_eq!(status.observed_generation, Some(3));
    assert_eq!(status.version.as_deref(), Some("0.2.0"));
    assert_eq!(status.image.as_deref(), Some("zas:1"));
    assert_eq!(status.selector.as_deref(), Some("zot.candlekeep.io/store=store"));
    assert_eq!(status.admin_ref.unwrap().name, "store-admin");
    assert_eq!(status.data_volume.unwrap().claim_name, "data-store");
    assert_eq!(status.conditions.len(), ConditionType::ALL.len());
}

#[test]
fn given_the_same_state_when_reported_later_then_the_status_is_the_same_to_the_byte() {
    let mut scene = scene("{}").settled();
    let first = scene.status_at(2000);
    scene.resource.status = Some(first.clone());
    let second = scene.status_at(9000);
    assert_eq!(first, second);
    assert!(!is_newer(Some(&first), &second));
    scene.resource.metadata.generation = Some(4);
    assert!(is_newer(Some(&first), &scene.status_at(9000)));
}

#[test]
fn given_a_paused_store_when_reported_then_it_says_so_and_stays_fresh() {
    let mut scene = scene("paused: true").settled();
    scene.outcome = Some(Outcome::Paused);
    scene.assert(ConditionType::Paused, true, ConditionReason::Paused);
    scene.assert(ConditionType::Available, true, ConditionReason::AsExpected);
    assert_eq!(scene.status().ready_replicas, Some(1));
}
