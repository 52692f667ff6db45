use serde_json::{Value, json};

use super::*;
use crate::children::{ClaimFacts, DeploymentFacts};
use crate::resources::tests::fixtures;

/// What surrounds the resource in these tests.
struct Surroundings {
    settings: Settings,
    platform: Platform,
    references: References,
    broken_rules: Vec<Problem>,
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
        broken_rules: Vec::new(),
        observed: BTreeMap::new(),
    }
}

impl Surroundings {
    fn validate(&self, spec: Value) -> Result<Validated, Vec<Problem>> {
        let mut resource = ZotArtifactStore::new("store", serde_json::from_value(spec).unwrap());
        resource.metadata.namespace = Some("artifacts".to_owned());
        resource.metadata.uid = Some("uid".to_owned());
        validate(Input {
            resource: &resource,
            broken_rules: &self.broken_rules,
            references: &self.references,
            settings: &self.settings,
            platform: &self.platform,
            observed: &self.observed,
        })
    }

    fn with(mut self, kind: ChildKind, name: &str, facts: Facts) -> Self {
        let key = ChildKey {
            kind,
            name: name.to_owned(),
        };
        let seen = Observed {
            facts,
            annotations: BTreeMap::from([(labels::VERSION_ANNOTATION.to_owned(), "0.1.0".to_owned())]),
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

#[test]
fn given_the_minimal_resource_when_validated_then_every_default_is_resolved() {
    let validated = surroundings().validate(json!({})).unwrap();
    let store = validated.store;
    assert_eq!(store.operand.image, "registry.example.com/zas:0.2.0");
    assert_eq!(
        store.claim,
        DataClaim::Managed {
            size: "20Gi".to_owned()
        }
    );
    assert_eq!(
        (store.port(), store.service_port(), store.has_route),
        (8080, 80, false)
    );
    assert_eq!(store.administrator_secret(), "store-admin");
    assert_eq!(
        store.proxy.https.as_deref(),
        Some("http://proxy:3128"),
        "the operator's own"
    );
    assert_eq!(validated.warnings, []);
    assert_eq!(validated.pending_update, None);
}

#[test]
fn given_missing_references_and_broken_rules_when_validated_then_all_are_told_and_nothing_is_built() {
    let mut given = surroundings();
    given.references.problems = vec![Problem::new(ConditionReason::SecretMissing, "Secret users")];
    given.broken_rules = vec![Problem::new(ConditionReason::InvalidSpec, "a rule")];
    let problems = given.validate(json!({})).unwrap_err();
    assert_eq!(
        reasons(&problems),
        [ConditionReason::SecretMissing, ConditionReason::InvalidSpec]
    );
}

#[test]
fn given_kinds_that_the_cluster_lacks_when_asked_for_then_a_warning_names_the_field_and_the_rest_is_built() {
    let mut given = surroundings();
    given.platform = Platform::new(false, []);
    let validated = given
        .validate(json!({
            "exposure": {"route": {"host": "a.example.com"}},
            "monitoring": {"serviceMonitor": {"enabled": true}, "prometheusRule": {"enabled": true}},
        }))
        .unwrap();
    assert_eq!(reasons(&validated.warnings), [ConditionReason::APIMissing; 3]);
    assert!(validated.warnings[0].message.contains("spec.exposure.route"));
    assert!(!validated.store.has_route);
}

#[test]
fn given_hosts_that_may_not_be_claimed_when_validated_then_they_are_not() {
    let mut given = surroundings();
    given.platform = fixtures::openshift();
    given.settings.allowed_host_suffixes = vec!["apps.example.com".to_owned()];
    let foreign = json!({"exposure": {
        "route": {"host": "evil.example.com"},
        "ingress": {"host": "store.example.org"},
    }});
    let validated = given.validate(foreign).unwrap();
    assert_eq!(reasons(&validated.warnings), [ConditionReason::HostNotAllowed; 2]);
    assert!(!validated.store.has_route && validated.store.spec.exposure.ingress.is_none());

    let label = "a".repeat(64);
    let long = json!({"exposure": {"route": {"host": format!("{label}.apps.example.com")}}});
    assert_eq!(
        reasons(&given.validate(long).unwrap().warnings),
        [ConditionReason::HostInvalid]
    );

    let fine = json!({"exposure": {"route": {"host": "store.apps.example.com"}}});
    let validated = given.validate(fine).unwrap();
    assert!(validated.warnings.is_empty() && validated.store.has_route);
}

#[test]
fn given_a_claim_when_the_size_is_below_then_it_stays_and_the_owner_is_told() {
    let shrunk = surroundings()
        .with_claim("50Gi")
        .validate(json!({"dataVolume": {"size": "10Gi"}}))
        .unwrap();
    assert_eq!(
        shrunk.store.claim,
        DataClaim::Managed {
            size: "50Gi".to_owned()
        }
    );
    assert_eq!(reasons(&shrunk.warnings), [ConditionReason::VolumeShrinkRefused]);

    let adopted = surroundings().with_claim("50Gi").validate(json!({})).unwrap();
    assert_eq!(
        adopted.store.claim,
        DataClaim::Managed {
            size: "50Gi".to_owned()
        }
    );
    assert_eq!(adopted.warnings, [], "nobody asked for less");

    let grown = surroundings()
        .with_claim("50Gi")
        .validate(json!({"dataVolume": {"size": "60Gi"}}))
        .unwrap();
    assert_eq!(
        grown.store.claim,
        DataClaim::Managed {
            size: "60Gi".to_owned()
        }
    );
}

#[test]
fn given_manual_updates_when_an_older_server_runs_then_it_stays() {
    let running = DeploymentFacts {
        image: Some("registry.example.com/zas:0.2.0-old".to_owned()),
        ..DeploymentFacts::default()
    };
    let mut given = surroundings().with(ChildKind::Deployment, "store", Facts::Deployment(running));
    for seen in given.observed.values_mut() {
        seen.annotations
            .insert(labels::VERSION_ANNOTATION.to_owned(), "0.2.0".to_owned());
    }
    given.settings.operand.version = "0.3.0".to_owned();
    let validated = given.validate(json!({"updatePolicy": "Manual"})).unwrap();
    assert_eq!(
        validated.store.operand.image,
        "registry.example.com/zas:0.2.0-old"
    );
    assert_eq!(validated.pending_update.as_deref(), Some("0.3.0"));
}

#[test]
fn given_an_existing_claim_and_a_proxy_when_validated_then_they_are_used_as_stated() {
    let validated = surroundings()
        .validate(json!({
            "dataVolume": {"existingClaim": "old"},
            "network": {"proxy": {"httpProxy": "http://other:3128"}},
        }))
        .unwrap();
    assert_eq!(validated.store.claim_name(), "old");
    let http = Some("http://other:3128".to_owned());
    assert_eq!(
        validated.store.proxy,
        ProxySettings {
            http,
            ..ProxySettings::default()
        }
    );
}
