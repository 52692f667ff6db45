use std::time::Duration;

use super::cases;
use super::object_setting::owner;
use super::setting::{Setting, origin};
use crate::{CreateAccessKeyOutcome, ListAccessKeys, NewAccessKey, RevokeOutcome};

cases![
    given_a_free_id_when_an_access_key_is_made_then_it_is_found_with_all_that_was_given,
    given_a_taken_id_when_an_access_key_is_made_then_nothing_changes,
    given_access_keys_of_two_owners_when_listed_then_by_owner_and_page,
    given_an_access_key_when_revoked_then_it_stays_revoked_and_its_id_taken,
    given_access_keys_when_revoked_then_only_kids_of_others_are_used,
];

fn new(id: &str, subject: &str, kid: &str) -> NewAccessKey {
    NewAccessKey {
        id: id.to_owned(),
        owner: owner(subject),
        kid: kid.to_owned(),
        expires_at: None,
        description: format!("{id} of {subject}"),
    }
}

async fn create(given: &Setting, key: NewAccessKey) -> CreateAccessKeyOutcome {
    given.store.create_access_key(&origin(), key).await.unwrap()
}

async fn revoke(given: &Setting, id: &str) -> RevokeOutcome {
    given.store.revoke_access_key(&origin(), id).await.unwrap()
}

async fn list(given: &Setting, subject: Option<&str>, after: Option<&str>, count: usize) -> (String, bool) {
    let list = ListAccessKeys {
        owner: subject.map(owner),
        after: after.map(str::to_owned),
        count,
    };
    let page = given.store.list_access_keys(list).await.unwrap();
    let ids: Vec<_> = page.entries.iter().map(|key| key.id.as_str()).collect();
    (ids.join(" "), page.more)
}

async fn given_a_free_id_when_an_access_key_is_made_then_it_is_found_with_all_that_was_given(given: Setting) {
    assert_eq!(given.store.access_key("K1").await.unwrap(), None);
    let expires_at = Some(given.now().plus(Duration::from_secs(60)));
    let key = NewAccessKey {
        expires_at,
        ..new("K1", "alice", "k-1")
    };

    let CreateAccessKeyOutcome::Created(made) = create(&given, key).await else {
        panic!("the id was free");
    };

    assert_eq!(
        (&made.id[..], &made.owner, &made.kid[..]),
        ("K1", &owner("alice"), "k-1")
    );
    assert_eq!(
        (made.created_at, made.expires_at, made.revoked_at),
        (given.now(), expires_at, None)
    );
    assert_eq!(made.description, "K1 of alice");
    assert_eq!(given.store.access_key("K1").await.unwrap(), Some(made));
}

async fn given_a_taken_id_when_an_access_key_is_made_then_nothing_changes(given: Setting) {
    create(&given, new("K1", "alice", "k-1")).await;
    let before = given.store.access_key("K1").await.unwrap();
    let again = create(&given, new("K1", "bob", "k-2")).await;
    assert_eq!(again, CreateAccessKeyOutcome::Exists);
    assert_eq!(given.store.access_key("K1").await.unwrap(), before);
    assert_eq!(list(&given, Some("bob"), None, 9).await, (String::new(), false));
    assert_eq!(given.store.used_kids().await.unwrap(), ["k-1"]);
}

async fn given_access_keys_of_two_owners_when_listed_then_by_owner_and_page(given: Setting) {
    for (id, subject) in [("K3", "alice"), ("K1", "alice"), ("K2", "bob"), ("K4", "ali")] {
        create(&given, new(id, subject, "k-1")).await;
    }
    let expected = |ids: &str, more| (ids.to_owned(), more);
    assert_eq!(
        list(&given, Some("alice"), None, 9).await,
        expected("K1 K3", false)
    );
    assert_eq!(list(&given, Some("alice"), None, 1).await, expected("K1", true));
    assert_eq!(
        list(&given, Some("alice"), Some("K1"), 1).await,
        expected("K3", false)
    );
    assert_eq!(list(&given, None, Some("K1"), 2).await, expected("K2 K3", true));
    assert_eq!(list(&given, None, Some("K3"), 2).await, expected("K4", false));
}

async fn given_an_access_key_when_revoked_then_it_stays_revoked_and_its_id_taken(given: Setting) {
    create(&given, new("K1", "alice", "k-1")).await;
    assert_eq!(revoke(&given, "K2").await, RevokeOutcome::Unknown);
    let revoked_at = given.now();
    assert_eq!(revoke(&given, "K1").await, RevokeOutcome::Revoked);
    given.pass(Duration::from_secs(1));
    assert_eq!(revoke(&given, "K1").await, RevokeOutcome::Revoked);
    let again = create(&given, new("K1", "alice", "k-1")).await;
    assert_eq!(again, CreateAccessKeyOutcome::Exists);

    let key = given.store.access_key("K1").await.unwrap().unwrap();
    assert_eq!(key.revoked_at, Some(revoked_at));
    let listed = ListAccessKeys {
        owner: Some(owner("alice")),
        after: None,
        count: 9,
    };
    let listed = given.store.list_access_keys(listed).await.unwrap();
    assert_eq!(listed.entries, [key]);
}

async fn given_access_keys_when_revoked_then_only_kids_of_others_are_used(given: Setting) {
    for (id, kid) in [("K1", "b"), ("K2", "a"), ("K3", "b"), ("K4", "b/c")] {
        create(&given, new(id, "alice", kid)).await;
    }
    let used = async || given.store.used_kids().await.unwrap();
    assert_eq!(used().await, ["a", "b", "b/c"]);
    revoke(&given, "K1").await;
    revoke(&given, "K2").await;
    assert_eq!(used().await, ["b", "b/c"]);
    revoke(&given, "K3").await;
    assert_eq!(used().await, ["b/c"]);
}
