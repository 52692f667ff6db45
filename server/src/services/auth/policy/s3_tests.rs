//! Who may do what with buckets and objects.

use std::path::Path;

use zas_config::Configuration;
use zas_core::{BucketName, ObjectKey};

use super::*;
use crate::services::auth;
use crate::services::auth::target::{Account, OwnedBucket, OwnedObject, OwnedUpload};
use crate::services::auth::{Actor, OciAction, action};
use zas_s3::operation::Action;

const RULES: &str = r#"
configVersion: 1
accessControl:
  groups:
    writers: { users: [wanda] }
  adminPolicy: { users: [root], actions: [read, create, update, delete] }
  repositories:
    "**": { defaultPolicy: [read, create, update, delete], anonymousPolicy: [read] }
    "{s3,x}/*": { defaultPolicy: [read, create, update, delete] }
    "s3/data":
      defaultPolicy: [read]
      policies:
        - { users: [carl], actions: [create] }
        - { users: [uma], actions: [update] }
        - { users: [dora], actions: [delete] }
        - { groups: [writers], actions: [create, update] }
    "s3/data/Public Files/**": { anonymousPolicy: [read] }
    "s3/data/inbox/**": { anonymousPolicy: [create] }
    "s3/new-*":
      policies: [{ users: [carl], actions: [create] }]
      anonymousPolicy: [create]
"#;

fn policy(text: &str) -> AccessPolicy {
    let configuration = Configuration::parse(Path::new("test.yaml"), text).unwrap();
    AccessPolicy::new(configuration.access_control.as_ref())
}

fn user(name: &str) -> Principal {
    match name {
        "" => Principal::ANONYMOUS,
        "boss" => Principal::administrator("boss".parse().unwrap()),
        name => Principal::user(name.parse().unwrap()),
    }
}

fn bucket(name: &str) -> OwnedBucket {
    OwnedBucket {
        name: name.parse().unwrap(),
        owner: Actor::local(&"olga".parse().unwrap()),
    }
}

fn object(key: &str) -> OwnedObject {
    OwnedObject {
        bucket: bucket("data"),
        key: ObjectKey::from_text(key).unwrap(),
        version: None,
    }
}

fn may<'a>(
    policy: &AccessPolicy,
    who: &str,
    action: impl Into<auth::Action>,
    target: impl Into<Resource<'a>>,
) -> bool {
    let (action, resource) = (action.into(), target.into());
    let asked = Asked { action, resource };
    let is_allowed = policy.decide(&user(who), &asked).is_allowed();
    assert_eq!(policy.allows(&user(who), &asked).is_some(), is_allowed);
    is_allowed
}

#[test]
fn given_actions_on_a_bucket_when_asked_then_each_has_the_verb_that_the_table_gives_it() {
    use Action::*;
    let policy = policy(RULES);
    let (data, key) = (bucket("data"), object("a/B"));
    let table = [
        // Everybody who signed in may read.
        (ListBucket, "carl uma dora wanda root"),
        (ListBucketVersions, "carl uma dora wanda root"),
        (ListBucketMultipartUploads, "carl uma dora wanda root"),
        (GetBucketLocation, "carl uma dora wanda root"),
        (DeleteBucket, ""),
        (PutBucketTagging, ""),
        (GetBucketTagging, ""),
        (PutBucketVersioning, ""),
        (PutBucketCORS, ""),
        (GetLifecycleConfiguration, ""),
        (PutBucketPublicAccessBlock, ""),
        (GetObject, "carl uma dora wanda root"),
        (GetObjectVersion, "carl uma dora wanda root"),
        (GetObjectTagging, "carl uma dora wanda root"),
        (PutObject, "carl uma wanda"),
        (PutObjectTagging, "uma wanda"),
        (DeleteObjectTagging, "uma wanda"),
        (PutObjectAcl, "uma wanda"),
        (DeleteObject, "dora"),
        (DeleteObjectVersion, "dora"),
    ];
    for (action, allowed) in table {
        let resource = match action.name().contains("Object") {
            true => Resource::Object(&key),
            false => Resource::Bucket(&data),
        };
        for who in ["carl", "uma", "dora", "wanda", "root", "", "olga", "boss"] {
            let is_owner = ["olga", "boss"].contains(&who);
            let expected = is_owner || (!who.is_empty() && allowed.split(' ').any(|name| name == who));
            assert_eq!(may(&policy, who, action, resource), expected, "{who} {action}");
        }
    }
}

#[test]
fn given_patterns_when_a_bucket_is_asked_for_then_only_those_that_begin_with_s3_count_by_either_protocol() {
    let policy = policy(RULES);
    let closed = bucket("closed");
    let shown = "s3/closed".parse::<RepositoryName>().unwrap();
    for who in ["", "carl", "root"] {
        assert!(!may(&policy, who, Action::ListBucket, &closed), "{who}");
        assert!(!may(&policy, who, OciAction::Pull, &shown), "{who}");
    }
    let shown = "s3/data".parse::<RepositoryName>().unwrap();
    assert!(may(&policy, "carl", OciAction::Pull, &shown) && !may(&policy, "", OciAction::Pull, &shown));
    assert!(!policy.may_read(&user(""), &shown) && policy.may_read(&user("carl"), &shown));
}

#[test]
fn given_rules_of_keys_when_asked_then_the_longest_counts_and_anonymous_has_what_it_says() {
    let policy = policy(RULES);
    for (key, action, who, expected) in [
        ("Public Files/x", Action::GetObject, "", true),
        ("Public Files/a//../x", Action::GetObject, "", true),
        ("Public Files/x", Action::PutObject, "", false),
        // The longer pattern counts alone.
        ("Public Files/x", Action::GetObject, "carl", false),
        ("public files/x", Action::GetObject, "", false),
        ("x/Public Files/x", Action::GetObject, "", false),
        ("inbox/x", Action::PutObject, "", true),
        ("inbox/x", Action::GetObject, "", false),
        ("inbox/x", Action::DeleteObject, "", false),
    ] {
        assert_eq!(may(&policy, who, action, &object(key)), expected, "{who} {key}");
    }
}

#[test]
fn given_a_right_to_write_when_granted_then_it_says_which_keys() {
    let policy = policy(RULES);
    let key = object("a");
    let right = |who: &str| {
        let asked = Asked {
            action: Action::PutObject.into(),
            resource: Resource::Object(&key),
        };
        policy.allows(&user(who), &asked)
    };
    for (who, expected) in [
        ("carl", Some(WriteRight::Create)),
        ("uma", Some(WriteRight::Update)),
        ("wanda", Some(WriteRight::Any)),
        ("olga", Some(WriteRight::Any)),
        ("boss", Some(WriteRight::Any)),
        ("dora", None),
        ("", None),
    ] {
        assert_eq!(right(who), expected, "{who}");
    }
}

#[test]
fn given_a_bucket_to_be_made_when_asked_then_a_rule_gives_create_or_there_are_no_rules() {
    let (with, without) = (policy(RULES), policy("configVersion: 1\n"));
    let name = |text: &str| text.parse::<BucketName>().unwrap();
    let make = Action::CreateBucket;
    for (bucket, who, expected) in [
        ("new-one", "carl", true),
        ("new-one", "uma", false),
        ("new-one", "", false),
        ("other", "carl", false),
        ("other", "root", false),
        ("other", "boss", true),
    ] {
        assert_eq!(may(&with, who, make, &name(bucket)), expected, "{who} {bucket}");
    }
    assert!(may(&without, "carl", make, &name("any")) && !may(&without, "", make, &name("any")));
    for policy in [with, without] {
        let list = Action::ListAllMyBuckets;
        assert!(may(&policy, "carl", list, &Account) && !may(&policy, "", list, &Account));
    }
}

#[test]
fn given_no_rules_when_buckets_of_others_are_asked_for_then_only_owner_and_administrator_may() {
    let policy = policy("configVersion: 1\n");
    let data = bucket("data");
    for (who, expected) in [("carl", false), ("", false), ("olga", true), ("boss", true)] {
        assert_eq!(may(&policy, who, Action::ListBucket, &data), expected, "{who}");
    }
    // Somebody else whom another issuer calls so is not the owner, and nobody owns what nobody made.
    let asked = |bucket| Asked {
        action: Action::ListBucket.into(),
        resource: Resource::Bucket(bucket),
    };
    let administrator_once = OwnedBucket {
        owner: Actor::administrator(&"carl".parse().unwrap()),
        ..bucket("data")
    };
    assert!(
        policy
            .allows(&user("carl"), &asked(&administrator_once))
            .is_none()
    );
    let nobodys = OwnedBucket {
        owner: Actor::nobody(),
        ..bucket("data")
    };
    assert!(policy.allows(&Principal::ANONYMOUS, &asked(&nobodys)).is_none());
}

#[test]
fn given_a_multipart_upload_when_given_up_then_only_who_began_it_owner_and_administrator_may() {
    let policy = policy(RULES);
    let upload = OwnedUpload {
        object: object("a"),
        beginner: Actor::local(&"carl".parse().unwrap()),
    };
    for (who, expected) in [
        ("carl", true),
        ("wanda", false),
        ("", false),
        ("olga", true),
        ("boss", true),
    ] {
        let action = Action::AbortMultipartUpload;
        assert_eq!(may(&policy, who, action, &upload), expected, "{who}");
    }
}

#[test]
fn given_a_version_in_the_target_when_asked_then_the_action_is_the_one_on_versions() {
    use super::super::GrantableAction as _;
    let current = object("a");
    let old = OwnedObject {
        version: Some("7".to_owned()),
        ..object("a")
    };
    assert_eq!(action::GetObject::action(&current), Action::GetObject.into());
    assert_eq!(action::GetObject::action(&old), Action::GetObjectVersion.into());
    assert_eq!(
        action::DeleteObject::action(&old),
        Action::DeleteObjectVersion.into()
    );
}

#[test]
fn given_a_denial_when_shown_then_it_names_action_resource_and_what_is_wanting() {
    let policy = policy(RULES);
    let (data, key) = (bucket("data"), object("a/b"));
    let sentence = |who, action: Action, resource| {
        let action = action.into();
        let decision = policy.decide(&user(who), &Asked { action, resource });
        decision.reason().to_string()
    };
    assert_eq!(
        sentence("dora", Action::PutObject, Resource::Object(&key)),
        "dora may not do s3:PutObject with object \"a/b\" of bucket data: no rule gives create or update"
    );
    assert_eq!(
        sentence("", Action::DeleteBucket, Resource::Bucket(&data)),
        "anonymous may not do s3:DeleteBucket with bucket data: only the owner of the bucket and the administrator may"
    );
}
