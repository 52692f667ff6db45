use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use zas_crd::{ConditionReason, ConditionType};

use clap::Parser;

use super::*;
use crate::arguments::Arguments;
use crate::children::{IngressFacts, RouteFacts, ServiceFacts};
use crate::pipeline::dereference::References;
use crate::pipeline::plan::{self, plan};
use crate::platform::Platform;
use crate::resources::tests::fixtures;
use crate::settings::Settings;

/// A store with the objects that a test gives it.
struct Scene {
    resource: ZotArtifactStore,
    platform: Platform,
    references: References,
    settings: Settings,
    /// What is there when the store is planned, and what is reported: everything, unless the test says otherwise.
    observed: BTreeMap<ChildKey, Observed>,
    change: Box<dyn Fn(&mut CarriedOut)>,
    outcome: Option<Outcome>,
    pending_update: Option<String>,
    server_version: Option<String>,
}

fn scene_on(platform: Platform, spec: &str) -> Scene {
    let mut resource = ZotArtifactStore::new("store", serde_saphyr::from_str(spec).unwrap());
    resource.metadata.namespace = Some("artifacts".to_owned());
    resource.metadata.uid = Some("uid".to_owned());
    resource.metadata.generation = Some(3);
    resource.metadata.creation_timestamp = Some(Time(Timestamp::from_second(1000).unwrap()));
    Scene {
        resource,
        platform,
        references: References::default(),
        settings: Settings::new(&Arguments::parse_from(["operator"]), |_| None),
        observed: BTreeMap::new(),
        change: Box::new(|_| ()),
        outcome: None,
        pending_update: None,
        server_version: Some("0.2.0".to_owned()),
    }
    .with_service(80, false)
}

fn scene(spec: &str) -> Scene {
    scene_on(fixtures::kubernetes(), spec)
}

fn deployment(available: i32) -> DeploymentFacts {
    DeploymentFacts {
        wanted: 1,
        observed_generation: 2,
        replicas: 1,
        updated: 1,
        ready: available,
        available,
        image: Some("zas:1".to_owned()),
        ..DeploymentFacts::default()
    }
}

impl Scene {
    fn with(mut self, kind: ChildKind, name: &str, facts: Facts) -> Self {
        let key = ChildKey {
            kind,
            name: name.to_owned(),
        };
        let seen = Observed {
            facts,
            generation: Some(2),
            created: Some(1000),
            ..Observed::default()
        };
        self.observed.insert(key, seen);
        self
    }

    fn with_service(self, port: i32, speaks_tls: bool) -> Self {
        let facts = ServiceFacts {
            port: Some(port),
            speaks_tls,
            ..ServiceFacts::default()
        };
        self.with(ChildKind::Service, "store", Facts::Service(facts))
    }

    fn with_deployment(self, facts: DeploymentFacts) -> Self {
        self.with(ChildKind::Deployment, "store", Facts::Deployment(facts))
    }

    fn with_claim(self, is_bound: bool, requested: &str, capacity: &str) -> Self {
        let facts = ClaimFacts {
            is_bound,
            is_lost: false,
            requested: Some(requested.to_owned()),
            capacity: Some(capacity.to_owned()),
            storage_class: Some("fast".to_owned()),
            resize_failure: None,
        };
        self.with(
            ChildKind::PersistentVolumeClaim,
            "data-store",
            Facts::Claim(facts),
        )
    }

    /// A store that runs as it should.
    fn settled(self) -> Self {
        self.with_deployment(deployment(1))
            .with_claim(true, "20Gi", "20Gi")
    }

    fn carried_out(mut self, change: impl Fn(&mut CarriedOut) + 'static) -> Self {
        self.change = Box::new(change);
        self
    }

    fn outcome(&self) -> Outcome {
        if let Some(outcome) = &self.outcome {
            return outcome.clone();
        }
        let plans = plan(plan::Input {
            resource: &self.resource,
            status: self.resource.status.as_ref(),
            references: &self.references,
            settings: &self.settings,
            platform: &self.platform,
            observed: &self.observed,
        });
        let mut carried_out = CarriedOut {
            plans,
            problems: Vec::new(),
            terminating: Vec::new(),
            wait: None,
            applied_generation: None,
        };
        (self.change)(&mut carried_out);
        Outcome::CarriedOut(Box::new(carried_out))
    }

    fn status_at(&self, second: i64) -> ZotArtifactStoreStatus {
        of(Input {
            resource: &self.resource,
            outcome: &self.outcome(),
            observed: &self.observed,
            pending_update: self.pending_update.as_deref(),
            server_version: self.server_version.as_deref(),
            now: Timestamp::from_second(second).unwrap(),
        })
    }

    fn status(&self) -> ZotArtifactStoreStatus {
        self.status_at(2000)
    }

    /// Whether the condition holds, and why.
    #[track_caller]
    fn assert(&self, kind: ConditionType, holds: bool, reason: ConditionReason) {
        let status = self.status();
        let condition = status.condition(kind).unwrap();
        let expected = (if holds { "True" } else { "False" }, reason.as_str());
        assert_eq!(
            (condition.status.as_str(), condition.reason.as_str()),
            expected,
            "{condition:?}"
        );
        assert_eq!(condition.observed_generation, Some(3));
    }
}

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
fn given_a_paused_store_when_reported_then_it_says_so_and_stays_fresh() {
    let mut scene = scene("paused: true").settled();
    scene.outcome = Some(Outcome::Paused);
    scene.assert(ConditionType::Paused, true, ConditionReason::Paused);
    scene.assert(ConditionType::Available, true, ConditionReason::AsExpected);
    assert_eq!(scene.status().ready_replicas, Some(1));
}

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
    scene("dataVolume: {existingClaim: old}").assert(
        ConditionType::StorageReady,
        true,
        ConditionReason::AsExpected,
    );
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
fn given_ways_to_reach_a_store_when_reported_then_the_outermost_that_is_admitted_is_its_url() {
    let url = |scene: Scene| scene.settled().status().url;
    assert_eq!(url(scene("{}")).as_deref(), Some("http://store.artifacts.svc"));
    assert_eq!(
        url(scene("{}").with_service(443, true)).as_deref(),
        Some("https://store.artifacts.svc")
    );
    assert_eq!(
        url(scene("{}").with_service(5000, false)).as_deref(),
        Some("http://store.artifacts.svc:5000")
    );
    let stated = "http: {externalUrl: 'https://artifacts.example.com'}";
    assert_eq!(
        url(scene(stated)).as_deref(),
        Some("https://artifacts.example.com")
    );
}

#[test]
fn given_an_ingress_when_it_has_no_address_then_there_is_no_url_and_the_store_is_not_ready() {
    let spec = "exposure: {ingress: {host: store.example.com, tlsSecretRef: {name: tls}}}";
    let waiting = scene(spec).settled();
    assert_eq!(waiting.status().url, None);
    waiting.assert(
        ConditionType::ExposureReady,
        false,
        ConditionReason::IngressPending,
    );
    waiting.assert(ConditionType::Ready, false, ConditionReason::IngressPending);
    let facts = Facts::Ingress(IngressFacts {
        has_address: true,
        host: Some("store.example.com".to_owned()),
        has_tls: true,
    });
    let admitted = waiting.with(ChildKind::Ingress, "store", facts);
    assert_eq!(
        admitted.status().url.as_deref(),
        Some("https://store.example.com")
    );
    assert_eq!(admitted.status().endpoints.len(), 2);
    admitted.assert(ConditionType::Ready, true, ConditionReason::AsExpected);
}

#[test]
fn given_a_route_when_the_router_decides_then_the_url_or_the_refusal_is_told() {
    let waiting = scene_on(fixtures::openshift(), "{}").settled();
    waiting.assert(
        ConditionType::ExposureReady,
        false,
        ConditionReason::RouteNotAdmitted,
    );
    let admitted = RouteFacts {
        admitted_host: Some("store.apps.example.com".to_owned()),
        refusal: None,
    };
    let admitted = waiting.with(ChildKind::Route, "store", Facts::Route(admitted));
    assert_eq!(
        admitted.status().url.as_deref(),
        Some("https://store.apps.example.com")
    );
    let refused = RouteFacts {
        admitted_host: None,
        refusal: Some("host taken".to_owned()),
    };
    let refused = admitted.with(ChildKind::Route, "store", Facts::Route(refused));
    refused.assert(ConditionType::Degraded, true, ConditionReason::RouteNotAdmitted);
}

#[test]
fn given_a_load_balancer_when_it_gets_an_address_then_that_is_the_url() {
    let spec = "exposure: {service: {type: LoadBalancer}}";
    let waiting = scene(spec).settled();
    waiting.assert(
        ConditionType::ExposureReady,
        false,
        ConditionReason::LoadBalancerPending,
    );
    let facts = ServiceFacts {
        load_balancer: Some("192.0.2.7".to_owned()),
        is_load_balanced: true,
        port: Some(80),
        ..ServiceFacts::default()
    };
    let admitted = waiting.with(ChildKind::Service, "store", Facts::Service(facts));
    assert_eq!(admitted.status().url.as_deref(), Some("http://192.0.2.7"));
}

/// A store on OpenShift that is reached by its Route.
fn exposed() -> Scene {
    let admitted = RouteFacts {
        admitted_host: Some("store.apps.example.com".to_owned()),
        refusal: None,
    };
    let mut scene = scene_on(fixtures::openshift(), "updatePolicy: Manual")
        .settled()
        .with(ChildKind::Route, "store", Facts::Route(admitted));
    scene.pending_update = Some("0.3.0".to_owned());
    scene
}

#[test]
fn given_a_store_that_serves_when_it_is_paused_or_blocked_then_addresses_and_updates_are_still_told() {
    let before = exposed().status();
    assert_eq!(before.url.as_deref(), Some("https://store.apps.example.com"));
    let problem = Problem::new(ConditionReason::InvalidSpec, "a rule is broken");
    for outcome in [Outcome::Paused, Outcome::Blocked(vec![problem])] {
        let mut scene = exposed();
        scene.outcome = Some(outcome);
        let status = scene.status();
        assert_eq!(
            (&status.url, &status.endpoints, &status.pending_update),
            (&before.url, &before.endpoints, &before.pending_update)
        );
        scene.assert(ConditionType::ExposureReady, true, ConditionReason::AsExpected);
        scene.assert(
            ConditionType::UpdateAvailable,
            true,
            ConditionReason::UpdateAvailable,
        );
    }
}

#[test]
fn given_a_route_that_cannot_be_as_asked_when_reported_then_exposure_says_so_and_the_old_address_stays() {
    let mut long = exposed();
    let label = "a".repeat(64);
    long.resource.spec.exposure =
        serde_saphyr::from_str(&format!("route: {{host: {label}.example.com}}")).unwrap();
    let mut unseen = exposed();
    unseen.platform = fixtures::openshift().without_answer_for(ChildKind::Route, "503");
    for (scene, reason) in [
        (long, ConditionReason::HostInvalid),
        (unseen, ConditionReason::APIUnavailable),
    ] {
        scene.assert(ConditionType::ExposureReady, false, reason);
        scene.assert(ConditionType::Degraded, true, reason);
        scene.assert(ConditionType::Available, true, ConditionReason::AsExpected);
        assert_eq!(
            scene.status().url.as_deref(),
            Some("https://store.apps.example.com")
        );
    }
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
