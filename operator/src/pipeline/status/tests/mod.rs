//! What is reported of stores in every state.

mod addresses;
mod progress;
mod report;
mod storage;
mod versions;

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
