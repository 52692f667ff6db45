//! How far a store is, and what is wrong with it.

use zas_crd::{ConditionReason, ConditionType};

use super::*;

#[test]
fn given_a_condition_that_changes_when_reported_then_only_its_time_moves() {
    let mut scene = scene("{}").settled();
    scene.resource.status = Some(scene.status_at(2000));
    let scene = scene.with_deployment(deployment(0));
    let status = scene.status_at(3000);
    let second = |kind| status.condition(kind).unwrap().last_transition_time.0.as_second();
    assert_eq!(
        (
            second(ConditionType::Available),
            second(ConditionType::StorageReady)
        ),
        (3000, 2000)
    );
}

#[test]
fn given_stages_of_a_rollout_when_reported_then_progress_says_which() {
    scene("{}").assert(ConditionType::Progressing, true, ConditionReason::Starting);
    scene("{}").with_deployment(deployment(0)).assert(
        ConditionType::Progressing,
        true,
        ConditionReason::Starting,
    );
    let old = DeploymentFacts {
        updated: 0,
        ..deployment(1)
    };
    scene("{}")
        .with_deployment(old)
        .assert(ConditionType::Progressing, true, ConditionReason::RollingOut);
    let unseen = scene("{}")
        .settled()
        .carried_out(|done| done.applied_generation = Some(9));
    unseen.assert(ConditionType::Ready, false, ConditionReason::RollingOut);
    let queued = scene("{}")
        .settled()
        .carried_out(|done| done.wait = Some(Wait::Queued));
    queued.assert(ConditionType::Progressing, true, ConditionReason::RolloutQueued);
    let stuck = DeploymentFacts {
        stuck: Some("too long".to_owned()),
        ..deployment(0)
    };
    let stuck = scene("{}").with_deployment(stuck);
    stuck.assert(
        ConditionType::Progressing,
        false,
        ConditionReason::ProgressDeadlineExceeded,
    );
    stuck.assert(
        ConditionType::Degraded,
        true,
        ConditionReason::ProgressDeadlineExceeded,
    );
}

#[test]
fn given_a_stopped_store_when_reported_then_it_is_not_degraded() {
    let stopped = DeploymentFacts {
        wanted: 0,
        observed_generation: 2,
        ..DeploymentFacts::default()
    };
    let scene = scene("replicas: 0")
        .with_deployment(stopped)
        .with_claim(true, "20Gi", "20Gi");
    scene.assert(ConditionType::Available, false, ConditionReason::Stopped);
    scene.assert(ConditionType::Degraded, false, ConditionReason::AsExpected);
    scene.assert(ConditionType::Progressing, false, ConditionReason::AsExpected);
    scene.assert(ConditionType::Ready, false, ConditionReason::Stopped);
}

#[test]
fn given_problems_when_reported_then_the_first_is_the_reason_and_all_are_told() {
    let mut scene = scene("{}").settled();
    scene.outcome = Some(Outcome::Blocked(vec![
        Problem::new(ConditionReason::SecretMissing, "Secret users"),
        Problem::new(ConditionReason::ConfigMapMissing, "ConfigMap rules"),
    ]));
    scene.assert(ConditionType::Degraded, true, ConditionReason::SecretMissing);
    scene.assert(ConditionType::Available, true, ConditionReason::AsExpected);
    scene.assert(ConditionType::Ready, false, ConditionReason::SecretMissing);
    let status = scene.status();
    assert_eq!(
        status.condition(ConditionType::Degraded).unwrap().message,
        "Secret users; ConfigMap rules"
    );
}

#[test]
fn given_a_pod_that_cannot_be_made_when_reported_then_the_account_is_told_from_the_rest() {
    for (failure, reason) in [
        (
            "error looking up service account: serviceaccount \"x\" not found",
            ConditionReason::ServiceAccountMissing,
        ),
        ("exceeded quota", ConditionReason::PodFailing),
    ] {
        let facts = DeploymentFacts {
            failure: Some(failure.to_owned()),
            ..deployment(0)
        };
        scene("{}")
            .with_deployment(facts)
            .assert(ConditionType::Degraded, true, reason);
    }
}

#[test]
fn given_a_restart_that_waits_for_a_failed_one_when_reported_then_the_way_on_is_told() {
    let why = "store a/b did not come up again: exit code 65";
    let scene = scene("{}")
        .settled()
        .carried_out(move |done| done.wait = Some(Wait::Halted(why.to_owned())));
    scene.assert(ConditionType::Progressing, true, ConditionReason::RolloutHalted);
    let status = scene.status();
    let message = &status.condition(ConditionType::Progressing).unwrap().message;
    assert!(
        message.contains(why) && message.contains("spec.version"),
        "{message}"
    );
}
