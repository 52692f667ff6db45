use serde_json::{Value, json};

use zas_crd::DataVolumeStatus;

use super::*;
use crate::children::{ClaimFacts, DeploymentFacts, Facts};
use crate::labels;
use crate::resources::tests::fixtures;
use crate::store::{Operand, ProxySettings};

/// What surrounds the resource in these tests.
struct Surroundings {
    settings: Settings,
    platform: Platform,
    references: References,
    status: Option<ZotArtifactStoreStatus>,
    observed: BTreeMap<ChildKey, Observed>,
}

fn surroundings() -> Surroundings {
    Surroundings {
        settings: Settings {
            operand: Operand {
                image: "registry.example.com/zas:0.2.0".to_owned(),
                version: "0.2.0".to_owned(),
            },
            allowed_host_suffixes: Vec::new(),
            namespace: "operators".to_owned(),
            proxy: ProxySettings {
                https: Some("http://proxy:3128".to_owned()),
                ..ProxySettings::default()
            },
            rollout_concurrency: 1,
            discovery: std::time::Duration::from_secs(60),
        },
        platform: fixtures::kubernetes(),
        references: References::default(),
        status: None,
        observed: BTreeMap::new(),
    }
}

impl Surroundings {
    fn plan(&self, spec: Value) -> Plans {
        let mut resource = ZotArtifactStore::new("store", serde_json::from_value(spec).unwrap());
        resource.metadata.namespace = Some("artifacts".to_owned());
        resource.metadata.uid = Some("uid".to_owned());
        plan(Input {
            resource: &resource,
            status: self.status.as_ref(),
            references: &self.references,
            settings: &self.settings,
            platform: &self.platform,
            observed: &self.observed,
        })
    }

    fn with_child(self, kind: ChildKind, name: &str) -> Self {
        self.with(kind, name, Facts::None)
    }

    fn problem(mut self, component: Component, reason: ConditionReason) -> Self {
        let problem = Problem::new(reason, "something is missing");
        self.references.problems.push((component, problem));
        self
    }

    fn with(mut self, kind: ChildKind, name: &str, facts: Facts) -> Self {
        let key = ChildKey {
            kind,
            name: name.to_owned(),
        };
        let seen = Observed {
            facts,
            annotations: BTreeMap::from([(labels::VERSION_ANNOTATION.to_owned(), "0.2.0".to_owned())]),
            ..Observed::default()
        };
        self.observed.insert(key, seen);
        self
    }

    fn with_claim(self, requested: &str) -> Self {
        let facts = ClaimFacts {
            is_bound: true,
            requested: Some(requested.to_owned()),
            ..ClaimFacts::default()
        };
        self.with(
            ChildKind::PersistentVolumeClaim,
            "data-store",
            Facts::Claim(facts),
        )
    }
}

fn reasons(problems: &[Problem]) -> Vec<ConditionReason> {
    problems.iter().map(|problem| problem.reason).collect()
}

/// The kinds of what is applied.
fn kinds(plan: &Plan) -> Vec<ChildKind> {
    plan.objects().iter().map(|object| object.key.kind).collect()
}

fn is_kept(plan: &Plan) -> bool {
    matches!(plan, Plan::Keep(..))
}

fn claim_size(plans: &Plans) -> Value {
    let claim = &plans.of(Component::Storage).objects()[0].object;
    claim["spec"]["resources"]["requests"]["storage"].clone()
}

fn image(plans: &Plans) -> Value {
    let deployment = &plans.of(Component::Workload).objects()[0].object;
    deployment["spec"]["template"]["spec"]["containers"][0]["image"].clone()
}

#[test]
fn given_the_minimal_resource_when_planned_then_everything_is_ready_and_in_the_order_of_application() {
    let plans = surroundings().plan(json!({}));
    assert_eq!(plans.problems(), []);
    let objects = plans.objects();
    let made: Vec<_> = objects.iter().map(|object| object.key.kind).collect();
    let mut sorted = made.clone();
    sorted.sort_unstable();
    assert_eq!(made, sorted);
    assert_eq!(made.last(), Some(&ChildKind::Deployment));
    assert_eq!(image(&plans), "registry.example.com/zas:0.2.0");
    assert_eq!(claim_size(&plans), "20Gi");
    assert_eq!(
        plans.store.proxy.https.as_deref(),
        Some("http://proxy:3128"),
        "the operator's own"
    );
}

#[test]
fn given_a_missing_secret_of_the_server_when_planned_then_only_the_server_is_left_as_it_is() {
    let missing = || surroundings().problem(Component::Credentials, ConditionReason::SecretMissing);
    let new = missing().plan(json!({}));
    assert!(matches!(new.of(Component::Workload), Plan::Blocked(_)));
    assert_eq!(reasons(&new.problems()), [ConditionReason::SecretMissing]);

    let plans = missing()
        .with_child(ChildKind::Deployment, "store")
        .plan(json!({"logging": {"level": "debug"}}));
    assert!(is_kept(plans.of(Component::Workload)));
    assert_eq!(
        kinds(plans.of(Component::Configuration)),
        [ChildKind::ConfigMap; 2]
    );
    for component in [Component::Identity, Component::Storage, Component::Network] {
        assert!(plans.of(component).is_wanted(), "{component:?}");
    }
    assert!(!plans.sweepable().contains(&ChildKind::Deployment));
}

#[test]
fn given_access_rules_that_cannot_be_read_when_planned_then_what_is_in_force_stays_and_the_rest_goes_on() {
    let spec = json!({"access": {"accessControl": {"configMapRef": {"name": "rules", "key": "k"}}}});
    let broken = || surroundings().problem(Component::Configuration, ConditionReason::AccessControlInvalid);

    let plans = broken()
        .with_child(ChildKind::ConfigMap, "store-settings")
        .plan(spec.clone());
    let configuration = plans.of(Component::Configuration);
    assert!(is_kept(configuration));
    let names: Vec<_> = configuration
        .objects()
        .iter()
        .map(|one| one.key.name.as_str())
        .collect();
    assert!(
        names.len() == 1 && names[0].starts_with("store-config-"),
        "{names:?}"
    );
    assert!(plans.of(Component::Workload).is_wanted());

    let mut known = broken();
    known.references.access_control = Some(std::sync::Arc::default());
    let plans = known.plan(spec.clone());
    let configuration = plans.of(Component::Configuration);
    assert!(is_kept(configuration));
    assert_eq!(
        configuration.objects().len(),
        2,
        "the last valid rules, and what else has changed"
    );

    let plans = broken().plan(spec);
    assert!(matches!(plans.of(Component::Configuration), Plan::Blocked(_)));
    assert!(
        !plans.of(Component::Workload).is_wanted(),
        "nothing starts without rules"
    );
}

#[test]
fn given_kinds_that_the_cluster_lacks_when_asked_for_then_the_problem_names_the_field_and_the_rest_is_built()
{
    let mut given = surroundings();
    given.platform = Platform::new(false, []);
    let plans = given.plan(json!({
        "exposure": {"route": {"host": "a.example.com"}},
        "monitoring": {"serviceMonitor": {"enabled": true}, "prometheusRule": {"enabled": true}},
    }));
    assert_eq!(reasons(&plans.problems()), [ConditionReason::APIMissing; 3]);
    assert!(plans.problems()[0].message.contains("spec.exposure.route"));
    let objects = plans.objects();
    assert!(objects.iter().all(|object| !object.key.kind.is_optional()));
    assert!(plans.of(Component::Workload).is_wanted());
}

#[test]
fn given_kinds_that_cannot_be_seen_when_planned_then_they_are_neither_built_nor_swept() {
    let mut given = surroundings().with_child(ChildKind::Route, "store");
    given.platform = fixtures::openshift().without_answer_for(ChildKind::Route, "503");
    let plans = given.plan(json!({}));
    let route = plans.of(Component::Route);
    assert!(is_kept(route) && route.objects().is_empty());
    assert_eq!(reasons(route.problems()), [ConditionReason::APIUnavailable]);
    assert!(!plans.sweepable().contains(&ChildKind::Route));

    let off = given.plan(json!({"exposure": {"route": {"enabled": false}}}));
    assert_eq!(off.problems(), [], "nobody asks for it");
    assert!(!off.of(Component::Route).is_wanted());
    assert!(
        !off.sweepable().contains(&ChildKind::Route),
        "it goes when the API is back"
    );
}

#[test]
fn given_hosts_that_may_not_be_claimed_when_planned_then_they_are_not_and_what_is_there_stays() {
    let mut given = surroundings();
    given.platform = fixtures::openshift();
    given.settings.allowed_host_suffixes = vec!["apps.example.com".to_owned()];
    let foreign = json!({"exposure": {
        "route": {"host": "evil.example.com"},
        "ingress": {"host": "store.example.org"},
    }});
    let plans = given.plan(foreign.clone());
    assert_eq!(reasons(&plans.problems()), [ConditionReason::HostNotAllowed; 2]);
    for component in [Component::Route, Component::Ingress] {
        assert!(matches!(plans.of(component), Plan::Blocked(_)), "{component:?}");
    }

    let mut given = given
        .with_child(ChildKind::Route, "store")
        .with_child(ChildKind::Ingress, "store");
    let plans = given.plan(foreign);
    for (component, kind) in [
        (Component::Route, ChildKind::Route),
        (Component::Ingress, ChildKind::Ingress),
    ] {
        assert!(is_kept(plans.of(component)), "{component:?}");
        assert!(!plans.sweepable().contains(&kind), "{component:?}");
    }

    given.settings.allowed_host_suffixes.clear();
    let label = "a".repeat(64);
    let long = given.plan(json!({"exposure": {"route": {"host": format!("{label}.apps.example.com")}}}));
    assert_eq!(reasons(&long.problems()), [ConditionReason::HostInvalid]);
    assert!(is_kept(long.of(Component::Route)));

    let fine = given.plan(json!({"exposure": {"route": {"host": "store.apps.example.com"}}}));
    assert!(fine.problems().is_empty() && fine.of(Component::Route).is_wanted());
}

#[test]
fn given_a_certificate_that_a_route_misses_when_planned_then_only_the_route_waits() {
    let mut given = surroundings().problem(Component::Route, ConditionReason::SecretMissing);
    given.platform = fixtures::openshift();
    let plans = given.plan(json!({"exposure": {"route": {"certificateRef": {"name": "tls"}}}}));
    assert!(!plans.of(Component::Route).is_wanted());
    assert!(plans.of(Component::Workload).is_wanted());
}

#[test]
fn given_a_certificate_that_an_ingress_misses_when_planned_then_it_is_made_and_the_problem_told() {
    let given = surroundings().problem(Component::Ingress, ConditionReason::SecretMissing);
    let plans = given
        .plan(json!({"exposure": {"ingress": {"host": "a.example.com", "tlsSecretRef": {"name": "tls"}}}}));
    assert_eq!(
        kinds(plans.of(Component::Ingress)),
        [ChildKind::Ingress],
        "issuers of certificates look at it"
    );
    assert_eq!(reasons(&plans.problems()), [ConditionReason::SecretMissing]);
    assert!(plans.of(Component::Workload).is_wanted());
}

#[test]
fn given_a_claim_when_the_size_is_below_then_it_stays_and_the_owner_is_told() {
    let shrunk = surroundings()
        .with_claim("50Gi")
        .plan(json!({"dataVolume": {"size": "10Gi"}}));
    assert_eq!(claim_size(&shrunk), "50Gi");
    assert_eq!(
        reasons(&shrunk.problems()),
        [ConditionReason::VolumeShrinkRefused]
    );
    assert!(shrunk.of(Component::Workload).is_wanted());

    let adopted = surroundings().with_claim("50Gi").plan(json!({}));
    assert_eq!(claim_size(&adopted), "50Gi");
    assert_eq!(adopted.problems(), [], "nobody asked for less");

    let grown = surroundings()
        .with_claim("50Gi")
        .plan(json!({"dataVolume": {"size": "60Gi"}}));
    assert_eq!(claim_size(&grown), "60Gi");
}

#[test]
fn given_a_small_claim_when_it_grows_then_the_server_is_not_restarted() {
    let template = |plans: &Plans| {
        let deployment = &plans.of(Component::Workload).objects()[0].object;
        deployment["spec"]["template"].clone()
    };
    let sized = |size: &str| json!({"dataVolume": {"size": size}});
    let new = surroundings().plan(sized("8Gi"));
    let mut given = surroundings().with_claim("8Gi");
    let unnoted = given.plan(sized("12Gi"));
    for seen in given.observed.values_mut() {
        seen.annotations = new.of(Component::Storage).objects()[0].annotations();
        if let Facts::Claim(facts) = &mut seen.facts {
            facts.requested = Some("12Gi".to_owned());
        }
    }
    let (grown, later) = (given.plan(sized("12Gi")), given.plan(sized("40Gi")));
    assert_eq!(claim_size(&later), "40Gi");
    for (size, plans) in [("unnoted", &unnoted), ("12Gi", &grown), ("40Gi", &later)] {
        assert_eq!(template(plans), template(&new), "{size}");
    }
}

#[test]
fn given_a_claim_in_deletion_when_planned_then_nothing_that_ends_the_server_is_done() {
    let mut given = surroundings()
        .with_claim("20Gi")
        .with_child(ChildKind::Deployment, "store");
    for (key, seen) in &mut given.observed {
        seen.is_leaving = key.kind == ChildKind::PersistentVolumeClaim;
    }
    let plans = given.plan(json!({"http": {"port": 8181}, "logging": {"level": "debug"}}));
    assert_eq!(reasons(&plans.problems()), [ConditionReason::VolumeTerminating]);
    assert!(is_kept(plans.of(Component::Workload)));
    assert!(
        plans.of(Component::Configuration).is_wanted(),
        "what needs no restart goes on"
    );
}

#[test]
fn given_a_claim_that_held_data_when_it_is_gone_then_no_empty_one_takes_its_place() {
    let volume = |capacity: Option<&str>| DataVolumeStatus {
        claim_name: "data-store".to_owned(),
        requested: Some("20Gi".to_owned()),
        capacity: capacity.map(str::to_owned),
        adopted: false,
    };
    let planned = |capacity| {
        let mut given = surroundings().with_child(ChildKind::Deployment, "store");
        given.status = Some(ZotArtifactStoreStatus {
            data_volume: Some(volume(capacity)),
            ..ZotArtifactStoreStatus::default()
        });
        given.plan(json!({}))
    };
    let gone = planned(Some("20Gi"));
    assert_eq!(reasons(&gone.problems()), [ConditionReason::VolumeMissing]);
    assert!(
        gone.problems()[0]
            .message
            .contains("zot.candlekeep.io/store=store")
    );
    assert!(gone.of(Component::Storage).objects().is_empty());
    assert!(is_kept(gone.of(Component::Workload)));

    assert!(
        planned(None).of(Component::Storage).is_wanted(),
        "it never had a volume"
    );
}

#[test]
fn given_manual_updates_when_an_older_server_runs_then_it_stays_also_after_its_deployment_was_deleted() {
    let running = DeploymentFacts {
        image: Some("registry.example.com/zas@sha256:old".to_owned()),
        ..DeploymentFacts::default()
    };
    let mut given = surroundings().with(ChildKind::Deployment, "store", Facts::Deployment(running));
    given.settings.operand.version = "0.3.0".to_owned();
    let manual = json!({"updatePolicy": "Manual"});
    assert_eq!(
        image(&given.plan(manual.clone())),
        "registry.example.com/zas@sha256:old"
    );

    given.observed.clear();
    given.status = Some(ZotArtifactStoreStatus {
        image: Some("registry.example.com/zas@sha256:old".to_owned()),
        version: Some("0.2.0".to_owned()),
        ..ZotArtifactStoreStatus::default()
    });
    assert_eq!(image(&given.plan(manual)), "registry.example.com/zas@sha256:old");
    let automatic = given.plan(json!({}));
    assert_eq!(image(&automatic), "registry.example.com/zas:0.2.0");
}

#[test]
fn given_an_image_that_is_not_known_when_planned_then_what_runs_goes_on_and_takes_hot_changes() {
    let running = DeploymentFacts {
        image: Some("registry.example.com/zas@sha256:old".to_owned()),
        ..DeploymentFacts::default()
    };
    let mut given = surroundings().with(ChildKind::Deployment, "store", Facts::Deployment(running));
    given.settings.operand.image = "registry.example.com/zas@sha256:new".to_owned();
    let plans = given.plan(json!({"version": "0.2.7", "logging": {"level": "debug"}}));
    assert_eq!(reasons(&plans.problems()), [ConditionReason::InvalidSpec]);
    assert!(is_kept(plans.of(Component::Workload)));
    let hot = &plans.of(Component::Configuration).objects()[1].object;
    assert!(
        hot["data"]["config.yaml"].as_str().unwrap().contains("debug"),
        "{hot}"
    );
}

#[test]
fn given_an_existing_claim_and_a_proxy_when_planned_then_they_are_used_as_stated() {
    let given = surroundings().with_child(ChildKind::PersistentVolumeClaim, "old");
    let plans = given.plan(json!({
        "dataVolume": {"existingClaim": "old"},
        "network": {"proxy": {"httpProxy": "http://other:3128"}},
    }));
    assert_eq!(plans.store.claim_name(), "old");
    assert!(plans.of(Component::Storage).objects().is_empty());
    let http = Some("http://other:3128".to_owned());
    assert_eq!(
        plans.store.proxy,
        ProxySettings {
            http,
            ..ProxySettings::default()
        }
    );
}
