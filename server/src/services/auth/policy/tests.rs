use std::path::Path;

use zas_config::Configuration;

use super::*;
use crate::services::auth::OciAction;

const RULES: &str = r#"
configVersion: 1
accessControl:
  groups:
    developers: { users: [alice, bob] }
    operators: { users: [olga] }
  adminPolicy: { users: [root], groups: [operators], actions: [read, delete] }
  repositories:
    "**": { anonymousPolicy: [read] }
    "team/**":
      defaultPolicy: [read]
      policies:
        - { users: [carol], actions: [read, create] }
        - { groups: [developers], actions: [create, update] }
    "team/secret/**":
      policies: [{ users: [alice], actions: [read] }]
    "team/secret/open": { anonymousPolicy: [read, create] }
    "locked/*": {}
"#;

fn policy(text: &str) -> AccessPolicy {
    let configuration = Configuration::parse(Path::new("test.yaml"), text).unwrap();
    AccessPolicy::new(configuration.access_control.as_ref())
}

fn principal(name: &str) -> Principal {
    if name.is_empty() {
        Principal::ANONYMOUS
    } else {
        Principal::user(name.parse().unwrap())
    }
}

fn decide(policy: &AccessPolicy, who: &str, action: OciAction, repository: &str) -> Decision {
    let repository = repository.parse().unwrap();
    let resource = Resource::Repository(&repository);
    policy.decide(
        &principal(who),
        &Asked {
            action: action.into(),
            resource,
        },
    )
}

#[test]
fn given_the_action_that_detects_collisions_when_asked_then_only_rules_of_the_repository_give_it() {
    let rules = r#"
configVersion: 1
accessControl:
  adminPolicy: { users: [root], actions: [delete, detectManifestCollision] }
  repositories:
    "team/**":
      policies: [{ users: [carol, root], actions: [delete, detectManifestCollision] }]
    "team/free": { defaultPolicy: [delete] }
"#;
    let with_rules = policy(rules);
    let detects = |policy: &AccessPolicy, who: &Principal, repository: &str| {
        policy.detects_collisions(who, &repository.parse().unwrap())
    };
    let administrator = Principal::administrator("boss".parse().unwrap());
    assert!(detects(&with_rules, &principal("carol"), "team/app"));
    assert!(detects(&with_rules, &principal("root"), "team/app"));
    assert!(!detects(&with_rules, &principal("carol"), "team/free"));
    assert!(!detects(&with_rules, &principal("root"), "other"));
    assert!(!detects(&with_rules, &administrator, "team/app"));
    assert!(!detects(
        &policy("configVersion: 1"),
        &principal("carol"),
        "team/app"
    ));
}

#[test]
fn given_zots_rules_when_asked_then_each_answer_has_its_reason() {
    use OciAction::{Delete, Pull as Read, Push as Create, Retag as Update};
    let policy = policy(RULES);
    let denied = None;
    let table = [
        // The widest pattern: open to anonymous, closed to everybody else, as zot has it.
        ("", Read, "library/alpine", Some(Reason::AnonymousPolicy)),
        ("", Create, "library/alpine", denied.clone()),
        ("", Update, "library/alpine", denied.clone()),
        ("", Delete, "library/alpine", denied.clone()),
        ("alice", Read, "library/alpine", denied.clone()),
        ("alice", Create, "library/alpine", denied.clone()),
        // A longer pattern decides alone: nothing of the wider one is added.
        ("", Read, "team/app", denied.clone()),
        ("", Create, "team/app", denied.clone()),
        ("dave", Read, "team/app", Some(Reason::DefaultPolicy)),
        ("dave", Create, "team/app", denied.clone()),
        ("dave", Update, "team/app", denied.clone()),
        ("dave", Delete, "team/app", denied.clone()),
        ("carol", Read, "team/app", Some(Reason::UserPolicy)),
        ("carol", Create, "team/app", Some(Reason::UserPolicy)),
        ("carol", Update, "team/app", denied.clone()),
        ("carol", Delete, "team/app", denied.clone()),
        ("alice", Read, "team/app", Some(Reason::DefaultPolicy)),
        ("alice", Create, "team/app", Some(Reason::GroupPolicy)),
        ("alice", Update, "team/app", Some(Reason::GroupPolicy)),
        ("alice", Delete, "team/app", denied.clone()),
        ("bob", Update, "team/deep/er/app", Some(Reason::GroupPolicy)),
        ("bob", Delete, "team/deep/er/app", denied.clone()),
        // A still longer one takes rights away again.
        ("alice", Read, "team/secret/plan", Some(Reason::UserPolicy)),
        ("alice", Create, "team/secret/plan", denied.clone()),
        ("bob", Read, "team/secret/plan", denied.clone()),
        ("carol", Read, "team/secret/plan", denied.clone()),
        ("", Read, "team/secret/plan", denied.clone()),
        ("", Read, "team/secret/open", Some(Reason::AnonymousPolicy)),
        ("", Create, "team/secret/open", Some(Reason::AnonymousPolicy)),
        ("alice", Read, "team/secret/open", denied.clone()),
        // A rule that allows nothing.
        ("", Read, "locked/box", denied.clone()),
        ("alice", Read, "locked/box", denied.clone()),
        // A single star does not cross a slash, so the widest pattern decides.
        ("", Read, "locked/box/inner", Some(Reason::AnonymousPolicy)),
        // Administrators: by name, by group, and only what their policy lists.
        ("root", Read, "locked/box", Some(Reason::AdminPolicy)),
        ("root", Delete, "team/secret/plan", Some(Reason::AdminPolicy)),
        ("root", Create, "team/app", denied.clone()),
        ("root", Update, "locked/box", denied.clone()),
        ("root", Read, "team/app", Some(Reason::DefaultPolicy)),
        ("olga", Delete, "library/alpine", Some(Reason::AdminPolicy)),
        ("olga", Read, "locked/box", Some(Reason::AdminPolicy)),
        ("olga", Create, "locked/box", denied.clone()),
        ("bob", Delete, "library/alpine", denied),
    ];
    for (who, action, repository, expected) in table {
        let decision = decide(&policy, who, action, repository);
        assert_eq!(
            decision.is_allowed(),
            expected.is_some(),
            "{who} {action:?} {repository}: {}",
            decision.reason()
        );
        if let Some(expected) = expected {
            assert_eq!(decision.reason(), &expected, "{who} {action:?} {repository}");
        }
    }
}

#[test]
fn given_no_rules_when_asked_then_whoever_signed_in_may_and_nobody_else() {
    let policy = policy("configVersion: 1\n");
    assert!(decide(&policy, "alice", OciAction::Delete, "a").is_allowed());
    assert!(!decide(&policy, "", OciAction::Pull, "a").is_allowed());
    assert!(policy.may_enter(&principal("alice")));
    assert!(!policy.may_enter(&Principal::ANONYMOUS));
}

#[test]
fn given_the_administrator_when_asked_then_everything_is_allowed_whatever_the_rules_say() {
    let administrator = Principal::administrator("eve".parse().unwrap());
    for rules in [
        RULES,
        "configVersion: 1\n",
        "configVersion: 1\naccessControl: {}\n",
    ] {
        let policy = policy(rules);
        for repository in ["library/alpine", "team/secret/plan", "locked/box"] {
            let repository = repository.parse().unwrap();
            for action in OciAction::ALL {
                let asked = Asked {
                    action: (*action).into(),
                    resource: Resource::Repository(&repository),
                };
                let decision = policy.decide(&administrator, &asked);
                assert_eq!(decision.reason(), &Reason::Administrator);
            }
            assert!(policy.may_read(&administrator, &repository));
        }
        assert!(policy.may_enter(&administrator));
    }
    assert_eq!(administrator.name(), "eve");
    // A user of the same name is not the administrator.
    assert!(!decide(&policy(RULES), "eve", OciAction::Pull, "locked/box").is_allowed());
}

#[test]
fn given_something_open_when_anonymous_comes_then_they_may_enter_and_listings_agree_with_decisions() {
    let policy = policy(RULES);
    assert!(policy.may_enter(&Principal::ANONYMOUS));
    for repository in ["library/alpine", "team/app", "team/secret/open", "locked/box"] {
        for who in ["", "alice", "root", "dave"] {
            let name = repository.parse().unwrap();
            let listed = policy.may_read(&principal(who), &name);
            assert_eq!(
                listed,
                decide(&policy, who, OciAction::Pull, repository).is_allowed(),
                "{who} {repository}"
            );
        }
    }
}

#[test]
fn given_a_denial_when_shown_then_it_says_who_what_and_where() {
    let policy = policy(RULES);
    let reason = decide(&policy, "dave", OciAction::Push, "team/app");
    assert_eq!(
        reason.reason().to_string(),
        "dave may not push to repository team/app"
    );
    let reason = decide(&policy, "", OciAction::Pull, "team/app");
    assert_eq!(
        reason.reason().to_string(),
        "anonymous may not read from repository team/app"
    );
}

#[test]
fn given_groups_that_an_issuer_says_when_asked_then_they_count_like_configured_ones() {
    let somebody = Principal::of(Identity {
        actor: crate::services::auth::Actor::new("https://id.example", "4711").unwrap(),
        display_name: "Eve".to_owned(),
        user: "eve".parse().unwrap(),
        groups: vec!["developers".parse().unwrap()],
        roles: Vec::new(),
    });
    let repository = "team/app".parse().unwrap();
    let asked = Asked {
        action: OciAction::Retag.into(),
        resource: Resource::Repository(&repository),
    };
    let decision = policy(RULES).decide(&somebody, &asked);
    assert_eq!(decision.reason(), &Reason::GroupPolicy);
}
