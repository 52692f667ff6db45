//! What is said of the claim.

use zas_crd::{ConditionReason, ConditionType};

use super::*;

#[test]
fn given_claims_in_every_state_when_reported_then_storage_says_which() {
    let reported = |is_bound, requested, capacity| scene("{}").with_claim(is_bound, requested, capacity);
    scene("{}").assert(ConditionType::StorageReady, false, ConditionReason::VolumePending);
    let pending = reported(false, "20Gi", "0");
    pending.assert(ConditionType::StorageReady, false, ConditionReason::VolumePending);
    assert!(
        pending
            .status()
            .condition(ConditionType::StorageReady)
            .unwrap()
            .message
            .contains("fast")
    );
    reported(true, "30Gi", "20Gi").assert(
        ConditionType::StorageReady,
        false,
        ConditionReason::VolumeResizing,
    );
    reported(true, "20Gi", "50Gi").assert(ConditionType::StorageReady, true, ConditionReason::AsExpected);
}

#[test]
fn given_a_claim_that_the_resource_names_when_reported_then_storage_says_what_it_is_like() {
    let named = |facts: ClaimFacts| {
        scene("dataVolume: {existingClaim: old}")
            .with_deployment(deployment(1))
            .with(ChildKind::PersistentVolumeClaim, "old", Facts::Claim(facts))
    };
    let pending = named(ClaimFacts::default());
    pending.assert(ConditionType::StorageReady, false, ConditionReason::VolumePending);
    let lost = named(ClaimFacts {
        is_lost: true,
        ..ClaimFacts::default()
    });
    lost.assert(ConditionType::StorageReady, false, ConditionReason::VolumeLost);
    lost.assert(ConditionType::Ready, false, ConditionReason::VolumeLost);
    let bound = named(ClaimFacts {
        is_bound: true,
        capacity: Some("5Gi".to_owned()),
        ..ClaimFacts::default()
    });
    bound.assert(ConditionType::StorageReady, true, ConditionReason::AsExpected);
    let volume = bound.status().data_volume.unwrap();
    assert!(volume.adopted, "it was there before");
    assert_eq!(
        (volume.claim_name.as_str(), volume.capacity.as_deref()),
        ("old", Some("5Gi"))
    );

    let mut leaving = named(ClaimFacts {
        is_bound: true,
        ..ClaimFacts::default()
    });
    for (key, seen) in &mut leaving.observed {
        seen.is_leaving = key.kind == ChildKind::PersistentVolumeClaim;
    }
    leaving.assert(
        ConditionType::StorageReady,
        false,
        ConditionReason::VolumeTerminating,
    );
    let missing = scene("dataVolume: {existingClaim: old}");
    missing.assert(ConditionType::StorageReady, false, ConditionReason::VolumeMissing);
    missing.assert(ConditionType::Degraded, true, ConditionReason::VolumeMissing);
}

#[test]
fn given_a_claim_that_lost_its_volume_when_reported_then_the_store_is_degraded() {
    let facts = ClaimFacts {
        is_lost: true,
        ..ClaimFacts::default()
    };
    let lost = scene("{}").settled().with(
        ChildKind::PersistentVolumeClaim,
        "data-store",
        Facts::Claim(facts),
    );
    lost.assert(ConditionType::StorageReady, false, ConditionReason::VolumeLost);
    lost.assert(ConditionType::Degraded, true, ConditionReason::VolumeLost);
}

#[test]
fn given_a_claim_that_was_not_made_for_the_store_when_reported_then_it_was_adopted() {
    let mut scene = scene("{}").settled();
    assert!(scene.status().data_volume.unwrap().adopted);
    for seen in scene.observed.values_mut() {
        let made_for = (labels::MADE_FOR_ANNOTATION.to_owned(), "uid".to_owned());
        seen.annotations = BTreeMap::from([made_for]);
    }
    assert!(!scene.status().data_volume.unwrap().adopted);
}

#[test]
fn given_a_claim_in_deletion_when_reported_then_the_store_is_not_ready_and_says_what_is_at_stake() {
    let mut scene = scene("{}").settled();
    for (key, seen) in &mut scene.observed {
        seen.is_leaving = key.kind == ChildKind::PersistentVolumeClaim;
    }
    scene.assert(
        ConditionType::StorageReady,
        false,
        ConditionReason::VolumeTerminating,
    );
    scene.assert(ConditionType::Ready, false, ConditionReason::VolumeTerminating);
    scene.assert(
        ConditionType::Progressing,
        false,
        ConditionReason::VolumeTerminating,
    );
}

#[test]
fn given_a_claim_with_data_when_it_is_gone_then_that_is_remembered_and_told() {
    let mut scene = scene("{}").settled();
    scene.resource.status = Some(scene.status());
    scene
        .observed
        .retain(|key, _| key.kind != ChildKind::PersistentVolumeClaim);
    for _ in 0..2 {
        scene.assert(ConditionType::StorageReady, false, ConditionReason::VolumeMissing);
        scene.assert(ConditionType::Degraded, true, ConditionReason::VolumeMissing);
        scene.resource.status = Some(scene.status());
    }
}
