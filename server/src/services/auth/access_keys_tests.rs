use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use zas_config::Configuration;
use zas_core::{ManualClock, SystemIds};
use zas_metadata::{MemoryMetadata, Timing};

use super::*;

struct World {
    directory: TempDir,
    access: Arc<Access>,
    metadata: Arc<dyn MetadataStore>,
    clock: Arc<ManualClock>,
    keys: AccessKeys,
}

fn key_set(kids: &[(&str, u8)]) -> Arc<KeySet> {
    use base64::Engine as _;
    let encode = |byte: u8| base64::engine::general_purpose::STANDARD.encode([byte; 32]);
    let lines: String = kids
        .iter()
        .map(|(kid, byte)| format!("{kid}: {}\n", encode(*byte)))
        .collect();
    Arc::new(KeySet::parse(&lines).unwrap())
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("username"), "root").unwrap();
        std::fs::write(directory.path().join("password"), "first").unwrap();
        write_users(directory.path(), &["alice", "bob"]);
        let clock = Arc::new(ManualClock::starting_at(Timestamp::from_millis(1_000_000)));
        let wall: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let access = Access::new(&configuration(directory.path()), Arc::clone(&wall)).unwrap();
        let (access, minute) = (Arc::new(access), Duration::from_secs(60));
        let timing = Timing {
            grace: minute,
            doom_delay: minute,
        };
        let metadata: Arc<dyn MetadataStore> = Arc::new(MemoryMetadata::new(Arc::clone(&wall), timing));
        let keys = AccessKeys::new(
            Arc::clone(&metadata),
            Arc::clone(&access),
            Some(key_set(&[("k1", 1)])),
            wall,
            Arc::new(SystemIds::default()),
        );
        Self {
            directory,
            access,
            metadata,
            clock,
            keys,
        }
    }

    /// The same store with other key-encryption keys, as the next start has them.
    fn with(&self, keys: Option<Arc<KeySet>>) -> AccessKeys {
        AccessKeys {
            keys,
            ..self.keys.clone()
        }
    }

    fn set_users(&self, users: &[&str]) {
        write_users(self.directory.path(), users);
        self.access.reload(&configuration(self.directory.path()));
    }

    async fn make(&self, caller: &Principal) -> CreatedAccessKey {
        self.keys.create(caller, AccessKeyWish::default()).await.unwrap()
    }
}

fn write_users(directory: &Path, users: &[&str]) {
    let hash = "$2b$04$abcdefghijklmnopqrstuuJDUG9gGX1lVsIHKJ.xBHRT8cOLhLQ2K";
    let lines: String = users.iter().map(|user| format!("{user}:{hash}\n")).collect();
    std::fs::write(directory.join("htpasswd"), lines).unwrap();
}

fn configuration(directory: &Path) -> Configuration {
    let at = |name: &str| directory.join(name).display().to_string();
    let text = format!(
        "configVersion: 1\nauth:\n  htpasswd: {{ path: {} }}\n  administrator: {{ usernameFile: {}, passwordFile: {} }}\n",
        at("htpasswd"),
        at("username"),
        at("password")
    );
    Configuration::parse(Path::new("test.yaml"), &text).unwrap()
}

fn user(name: &str) -> Principal {
    Principal::user(name.parse().unwrap())
}

fn administrator() -> Principal {
    Principal::administrator("root".parse().unwrap())
}

#[tokio::test]
async fn given_a_key_when_made_then_found_with_the_same_secret_which_is_in_no_row() {
    let world = World::new();
    let made = world.make(&user("alice")).await;
    let found = world.keys.find(&made.key.id).await.unwrap().unwrap();
    assert_eq!((found.principal, &found.secret), (user("alice"), &made.secret));
    assert_eq!(made.secret.expose().len(), 40);
    assert_eq!(
        (made.key.kid.as_str(), made.key.owner.issuer.as_str()),
        ("k1", "local")
    );
    let row = world.metadata.access_key(&made.key.id).await.unwrap();
    assert!(!format!("{row:?}").contains(made.secret.expose()));
    for unknown in ["ZASKAAAAAAAAAAAAAAAA", "AKIAIOSFODNN7EXAMPLE", ""] {
        assert!(world.keys.find(unknown).await.unwrap().is_none(), "{unknown}");
    }
}

#[tokio::test]
async fn given_keys_of_users_when_managed_then_each_by_its_owner_and_all_by_the_administrator() {
    // Given
    let world = World::new();
    let (alice, bob, root) = (user("alice"), user("bob"), administrator());
    let wish = |user: &str| AccessKeyWish {
        user: Some(user.to_owned()),
        ..AccessKeyWish::default()
    };

    // When, then
    let bobs = world.keys.create(&root, wish("bob")).await.unwrap();
    assert_eq!(bobs.key.owner.subject, "bob");
    let found = world.keys.find(&bobs.key.id).await.unwrap().unwrap();
    assert_eq!(found.principal, bob);
    let own = world.make(&root).await;
    let found = world.keys.find(&own.key.id).await.unwrap().unwrap();
    assert!(found.principal.is_administrator());

    let denied = world.keys.create(&alice, wish("bob")).await;
    assert!(matches!(denied, Err(AccessKeyError::Denied)), "{denied:?}");
    let denied = world.keys.list(&alice, Some("bob"), None, 9).await;
    assert!(matches!(denied, Err(AccessKeyError::Denied)), "{denied:?}");
    let denied = world.keys.revoke(&alice, &bobs.key.id).await;
    assert!(matches!(denied, Err(AccessKeyError::Unknown(_))), "{denied:?}");
    let anonymous = world
        .keys
        .create(&Principal::ANONYMOUS, AccessKeyWish::default())
        .await;
    assert!(
        matches!(anonymous, Err(AccessKeyError::Anonymous)),
        "{anonymous:?}"
    );
    let unknown = world.keys.create(&root, wish("nobody")).await;
    assert!(
        matches!(unknown, Err(AccessKeyError::UnknownUser(_))),
        "{unknown:?}"
    );

    for (caller, asked) in [(&bob, None), (&root, Some("bob"))] {
        let listed = world.keys.list(caller, asked, None, 9).await.unwrap();
        assert_eq!(listed.entries.len(), 1);
        assert_eq!(listed.entries.first(), Some(&bobs.key));
    }
    world.keys.revoke(&bob, &bobs.key.id).await.unwrap();
    assert!(world.keys.find(&bobs.key.id).await.unwrap().is_none());
}

#[tokio::test]
async fn given_a_removed_user_when_keys_are_revoked_then_a_later_user_of_that_name_does_not_have_them() {
    // Given
    let world = World::new();
    let (alices, bobs) = (world.make(&user("alice")).await, world.make(&user("bob")).await);

    // When
    world.set_users(&["bob"]);
    assert!(world.keys.find(&alices.key.id).await.unwrap().is_none());
    let revoked = world.keys.revoke_those_of_removed_users().await.unwrap();

    // Then
    assert_eq!(revoked, 1);
    world.set_users(&["alice", "bob"]);
    assert!(world.keys.find(&alices.key.id).await.unwrap().is_none());
    assert!(world.keys.find(&bobs.key.id).await.unwrap().is_some());

    // When it is not known who the users are, then their keys do not work and are not lost.
    std::fs::remove_file(world.directory.path().join("htpasswd")).unwrap();
    world.access.reload(&configuration(world.directory.path()));
    assert!(world.keys.find(&bobs.key.id).await.unwrap().is_none());
    assert_eq!(world.keys.revoke_those_of_removed_users().await.unwrap(), 0);
    world.set_users(&["bob"]);
    assert!(world.keys.find(&bobs.key.id).await.unwrap().is_some());
}

#[tokio::test]
async fn given_a_new_key_encryption_key_when_rotated_then_old_secrets_stay_and_a_used_one_may_not_go() {
    // Given
    let world = World::new();
    let old = world.make(&user("alice")).await;

    // When
    let rotated = world.with(Some(key_set(&[("k1", 1), ("k2", 2)])));

    // Then
    let new = rotated
        .create(&user("alice"), AccessKeyWish::default())
        .await
        .unwrap();
    assert_eq!(new.key.kid, "k2");
    let found = rotated.find(&old.key.id).await.unwrap().unwrap();
    assert_eq!(found.secret, old.secret);
    rotated.check_kids().await.unwrap();
    for lacking in [world.with(Some(key_set(&[("k2", 2)]))), world.with(None)] {
        let error = lacking.check_kids().await.unwrap_err();
        assert!(error.contains("encryption.keys lacks k1"), "{error}");
    }
    rotated.revoke(&user("alice"), &old.key.id).await.unwrap();
    world
        .with(Some(key_set(&[("k2", 2)])))
        .check_kids()
        .await
        .unwrap();
}

#[tokio::test]
async fn given_an_end_of_a_key_when_it_is_reached_then_not_found_and_impossible_wishes_are_refused() {
    let world = World::new();
    let wish = |seconds: u64| AccessKeyWish {
        expires_at: Some(world.clock.now().plus(Duration::from_secs(seconds))),
        ..AccessKeyWish::default()
    };
    let made = world.keys.create(&user("alice"), wish(60)).await.unwrap();
    assert!(world.keys.find(&made.key.id).await.unwrap().is_some());
    world.clock.advance(Duration::from_secs(60));
    assert!(world.keys.find(&made.key.id).await.unwrap().is_none());

    let long = AccessKeyWish {
        description: "x".repeat(257),
        ..AccessKeyWish::default()
    };
    for refused in [wish(0), long] {
        let refused = world.keys.create(&user("alice"), refused).await;
        assert!(matches!(refused, Err(AccessKeyError::Invalid(_))), "{refused:?}");
    }
}
