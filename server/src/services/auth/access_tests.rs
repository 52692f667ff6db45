use std::net::IpAddr;
use std::path::Path;

use base64::Engine as _;
use zas_core::{ManualClock, Timestamp};

use super::*;

use super::super::request_head::tests::Authorization;

const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn configuration(htpasswd: &Path) -> Configuration {
    let text = format!(
        "configVersion: 1\nauth: {{ htpasswd: {{ path: {} }}, failedAttempts: {{ count: 2, window: 1m }} }}\n",
        htpasswd.display()
    );
    Configuration::parse(Path::new("test.yaml"), &text).unwrap()
}

async fn ask(access: &Access, header: &[u8], client: IpAddr) -> Result<Principal, AuthenticationError> {
    access.authenticate(&Authorization(&[header]).head(client)).await
}

fn basic(user: &str, password: &str) -> Vec<u8> {
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    format!("Basic {encoded}").into_bytes()
}

#[tokio::test]
async fn given_users_when_they_sign_in_then_let_in_and_guessing_is_slowed_down() {
    // Given
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("htpasswd");
    std::fs::write(&file, format!("alice:{}\n", bcrypt::hash("secret", 4).unwrap())).unwrap();
    let clock = Arc::new(ManualClock::starting_at(Timestamp::from_millis(1_000_000)));
    let access = Access::new(&configuration(&file), Arc::<ManualClock>::clone(&clock)).unwrap();
    let (good, bad) = (basic("alice", "secret"), basic("alice", "guess"));

    // When, then
    let alice = ask(&access, &good, CLIENT).await.unwrap();
    assert_eq!(alice.name(), "alice");
    for guess in [&bad, &bad, &bad, &basic("alice", "other")] {
        assert_eq!(
            ask(&access, guess, CLIENT).await,
            Err(AuthenticationError::Rejected)
        );
    }
    // The right password that is remembered passes, from behind the address that the wrong ones come from too.
    let slowed = ask(&access, &bad, CLIENT).await;
    assert!(
        matches!(slowed, Err(AuthenticationError::TooManyAttempts { .. })),
        "{slowed:?}"
    );
    assert_eq!(ask(&access, &good, CLIENT).await.unwrap(), alice);
    clock.advance(Duration::from_secs(61));
    assert_eq!(ask(&access, &good, CLIENT).await.unwrap(), alice);
    assert_eq!(
        access.authenticate(&Authorization(&[]).head(CLIENT)).await,
        Ok(Principal::ANONYMOUS)
    );

    // When the password changes, then the old one is worth nothing at once
    std::fs::write(&file, format!("alice:{}\n", bcrypt::hash("other", 4).unwrap())).unwrap();
    access.reload(&configuration(&file));
    clock.advance(Duration::from_secs(61));
    assert_eq!(
        ask(&access, &good, CLIENT).await,
        Err(AuthenticationError::Rejected)
    );
}

#[tokio::test]
async fn given_a_line_that_cannot_be_used_when_reloaded_then_every_other_change_is_in_force() {
    // Given
    let mounted = Mounted::new(true);
    let access = mounted.access();
    let hash = bcrypt::hash("secret", 4).unwrap();
    mounted.write("htpasswd", &format!("alice:{hash}\nbob:{hash}\ncarol:{hash}\n"));
    access.reload(&mounted.configuration());
    assert_eq!(access.problems(), AccessProblems::default());
    let bob = sign_in_as(&access, "bob", "secret").await.unwrap();
    let repository = "any/repository".parse().unwrap();
    assert!(!access.readable(&bob).contains(&repository));

    // When alice is removed, carol's line is damaged, and the rules change
    mounted.write("htpasswd", &format!("bob:{hash}\ncarol:$apr1$x$y\ndave:{hash}\n"));
    let mut configuration = mounted.configuration();
    let rules = r#"{"repositories": {"**": {"defaultPolicy": ["read"]}}}"#;
    configuration.access_control = Some(serde_json::from_str(rules).unwrap());
    access.reload(&configuration);

    // Then
    for (user, is_known) in [("alice", false), ("bob", true), ("carol", false), ("dave", true)] {
        assert_eq!(
            sign_in_as(&access, user, "secret").await.is_ok(),
            is_known,
            "{user}"
        );
    }
    assert!(access.readable(&bob).contains(&repository));
    let problems = access.problems();
    assert_eq!(problems.users.len(), 1);
    assert!(
        problems.users[0].contains("htpasswd:2: the hash of carol is neither"),
        "{problems:?}"
    );

    // When the administrator's file is damaged, then users who are removed at the same time are gone
    mounted.write("password", "");
    mounted.write("htpasswd", &format!("dave:{hash}\n"));
    access.reload(&configuration);
    assert!(sign_in_as(&access, "bob", "secret").await.is_err());
    assert!(sign_in_as(&access, "root", "first").await.is_ok());
    assert_eq!(access.problems().users, [""; 0]);
    assert_eq!(access.problems().administrator.len(), 1);
}

#[tokio::test]
async fn given_a_file_that_vanished_or_cannot_be_read_when_reloaded_then_its_users_are_gone_or_stay() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("htpasswd");
    let alice = basic("alice", "secret");
    let write = || std::fs::write(&file, format!("alice:{}\n", bcrypt::hash("secret", 4).unwrap())).unwrap();
    write();
    let access = Access::new(&configuration(&file), Arc::new(ManualClock::default())).unwrap();

    // When nothing can be known of the users, then they stay
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    access.reload(&configuration(&file));
    assert!(ask(&access, &alice, CLIENT).await.is_ok());
    assert!(access.problems().users[0].contains("cannot be read"));

    // When there is no file, then there are no users
    std::fs::remove_dir(&file).unwrap();
    access.reload(&configuration(&file));
    assert!(ask(&access, &alice, CLIENT).await.is_err());
    assert!(access.problems().users[0].contains("is not there"));

    // When it is back, then they are
    write();
    access.reload(&configuration(&file));
    assert!(ask(&access, &alice, CLIENT).await.is_ok());
    assert_eq!(access.problems(), AccessProblems::default());
}

#[tokio::test]
async fn given_nobody_can_sign_in_when_a_client_shows_a_stored_login_then_it_is_anybody() {
    let configuration = Configuration::parse(Path::new("test.yaml"), "configVersion: 1\n").unwrap();
    let access = Access::new(&configuration, Arc::new(ManualClock::default())).unwrap();
    assert!(access.challenges(&Principal::ANONYMOUS, None).is_empty());
    for shown in [basic("a", "b"), b"Bearer abc".to_vec(), b"nonsense".to_vec()] {
        assert_eq!(ask(&access, &shown, CLIENT).await, Ok(Principal::ANONYMOUS));
    }
}

#[tokio::test]
async fn given_very_many_guesses_when_the_right_password_is_remembered_then_guesses_are_not_answered_for_ever()
 {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("htpasswd");
    std::fs::write(&file, format!("alice:{}\n", bcrypt::hash("secret", 4).unwrap())).unwrap();
    let access = Access::new(&configuration(&file), Arc::new(ManualClock::default())).unwrap();
    let good = basic("alice", "secret");
    ask(&access, &good, CLIENT).await.unwrap();
    for number in 0..250 {
        let guess = basic("alice", &number.to_string());
        assert!(ask(&access, &guess, CLIENT).await.is_err());
    }
    let flooded = ask(&access, &good, CLIENT).await;
    assert!(
        matches!(flooded, Err(AuthenticationError::TooManyAttempts { .. })),
        "{flooded:?}"
    );
    // From elsewhere nobody has guessed.
    assert!(ask(&access, &good, [127, 0, 0, 2].into()).await.is_ok());
}

#[tokio::test]
async fn given_no_file_yet_when_started_then_nobody_signs_in_until_it_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("htpasswd");
    let access = Access::new(&configuration(&file), Arc::new(ManualClock::default())).unwrap();
    let challenge = "Basic realm=\"zot-artifact-store\", charset=\"UTF-8\"";
    assert_eq!(access.challenges(&Principal::ANONYMOUS, None), [challenge]);
    let alice = basic("alice", "secret");
    assert_eq!(
        ask(&access, &alice, CLIENT).await,
        Err(AuthenticationError::Rejected)
    );
    access.reload(&configuration(&file));
    std::fs::write(&file, format!("alice:{}\n", bcrypt::hash("secret", 4).unwrap())).unwrap();
    access.reload(&configuration(&file));
    assert!(ask(&access, &alice, CLIENT).await.is_ok());
}

#[tokio::test]
async fn given_what_is_no_user_name_when_shown_then_rejected_without_being_counted() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("htpasswd");
    std::fs::write(&file, format!("alice:{}\n", bcrypt::hash("secret", 4).unwrap())).unwrap();
    let access = Access::new(&configuration(&file), Arc::new(ManualClock::default())).unwrap();
    for number in 0..5 {
        let answer = ask(&access, &basic(" alice", &number.to_string()), CLIENT).await;
        assert_eq!(answer, Err(AuthenticationError::Rejected));
    }
}

/// An administrator in two files, beside a user of the same name and another one.
struct Mounted {
    directory: tempfile::TempDir,
}

impl Mounted {
    fn new(has_htpasswd: bool) -> Self {
        let mounted = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        mounted.write("username", "root\n");
        mounted.write("password", "first\n");
        let hash = bcrypt::hash("secret", 4).unwrap();
        if has_htpasswd {
            mounted.write("htpasswd", &format!("root:{hash}\nalice:{hash}\n"));
        }
        mounted
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.directory.path().join(name), text).unwrap();
    }

    fn configuration(&self) -> Configuration {
        let path = |name: &str| self.directory.path().join(name).display().to_string();
        let htpasswd = if self.directory.path().join("htpasswd").try_exists().unwrap() {
            format!("htpasswd: {{ path: {} }}, ", path("htpasswd"))
        } else {
            String::new()
        };
        let text = format!(
            "configVersion: 1\nauth: {{ {htpasswd}administrator: {{ usernameFile: {}, passwordFile: {} }} }}\n\
             accessControl: {{}}\n",
            path("username"),
            path("password"),
        );
        Configuration::parse(Path::new("test.yaml"), &text).unwrap()
    }

    fn access(&self) -> Access {
        Access::new(&self.configuration(), Arc::new(ManualClock::default())).unwrap()
    }
}

async fn sign_in_as(access: &Access, user: &str, password: &str) -> Result<Principal, AuthenticationError> {
    ask(access, &basic(user, password), CLIENT).await
}

#[tokio::test]
async fn given_an_administrator_when_signing_in_then_with_the_own_password_and_every_right() {
    for has_htpasswd in [true, false] {
        let mounted = Mounted::new(has_htpasswd);
        let access = mounted.access();
        assert!(!access.challenges(&Principal::ANONYMOUS, None).is_empty());

        let root = sign_in_as(&access, "root", "first").await.unwrap();
        assert_eq!(root, Principal::administrator("root".parse().unwrap()));
        assert!(access.may_enter(&root));
        assert!(
            access
                .readable(&root)
                .contains(&"any/repository".parse().unwrap())
        );

        // The line of the same name in the htpasswd file is worth nothing.
        let shadowed = sign_in_as(&access, "root", "secret").await;
        assert_eq!(shadowed, Err(AuthenticationError::Rejected));
        let unknown = sign_in_as(&access, "eve", "first").await;
        assert_eq!(unknown, Err(AuthenticationError::Rejected));
        if has_htpasswd {
            let alice = sign_in_as(&access, "alice", "secret").await.unwrap();
            assert_eq!(alice, Principal::user("alice".parse().unwrap()));
            assert!(
                !access
                    .readable(&alice)
                    .contains(&"any/repository".parse().unwrap())
            );
        }
    }
}

#[tokio::test]
async fn given_a_new_password_when_reloaded_then_the_old_one_is_worth_nothing_at_once() {
    let mounted = Mounted::new(true);
    let access = mounted.access();
    sign_in_as(&access, "root", "first").await.unwrap();

    mounted.write("password", "second");
    access.reload(&mounted.configuration());

    assert!(
        sign_in_as(&access, "root", "second")
            .await
            .unwrap()
            .is_administrator()
    );
    assert_eq!(
        sign_in_as(&access, "root", "first").await,
        Err(AuthenticationError::Rejected)
    );
}

#[tokio::test]
async fn given_unusable_files_when_reloaded_then_the_last_good_administrator_stays_and_the_rest_is_in_force()
{
    let mounted = Mounted::new(true);
    let access = mounted.access();
    for (name, text) in [("password", ""), ("username", "\n")] {
        mounted.write(name, text);
        let hash = bcrypt::hash("changed", 4).unwrap();
        mounted.write("htpasswd", &format!("alice:{hash}\n"));
        access.reload(&mounted.configuration());
        assert!(
            sign_in_as(&access, "root", "first")
                .await
                .unwrap()
                .is_administrator()
        );
        assert!(sign_in_as(&access, "alice", "changed").await.is_ok());
    }
    std::fs::remove_file(mounted.directory.path().join("password")).unwrap();
    access.reload(&mounted.configuration());
    assert!(
        sign_in_as(&access, "root", "first")
            .await
            .unwrap()
            .is_administrator()
    );

    // Without the section there is no administrator any more.
    access.reload(&configuration(&mounted.directory.path().join("htpasswd")));
    assert_eq!(
        sign_in_as(&access, "root", "first").await,
        Err(AuthenticationError::Rejected)
    );
}

#[test]
fn given_unusable_files_when_started_or_added_then_an_error_that_names_the_field() {
    let mounted = Mounted::new(true);
    mounted.write("password", "");
    std::fs::remove_file(mounted.directory.path().join("htpasswd")).unwrap();
    std::fs::create_dir(mounted.directory.path().join("htpasswd")).unwrap();
    let errors = Access::new(&mounted.configuration(), Arc::new(ManualClock::default())).unwrap_err();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].contains("htpasswd cannot be read"), "{errors:?}");
    assert!(
        errors[1].starts_with("auth.administrator: ") && errors[1].ends_with("password is empty"),
        "{errors:?}"
    );

    let htpasswd = configuration(&mounted.directory.path().join("absent"));
    let access = Access::new(&htpasswd, Arc::new(ManualClock::default())).unwrap();
    access.reload(&mounted.configuration());
    assert_eq!(access.problems().administrator.len(), 1);
}

#[tokio::test]
async fn given_guesses_of_the_administrators_password_when_too_many_then_slowed_down() {
    let mounted = Mounted::new(false);
    let access = mounted.access();
    for number in 0..10 {
        let guess = sign_in_as(&access, "root", &number.to_string()).await;
        assert_eq!(guess, Err(AuthenticationError::Rejected));
    }
    let slowed = sign_in_as(&access, "root", "first").await;
    assert!(
        matches!(slowed, Err(AuthenticationError::TooManyAttempts { .. })),
        "{slowed:?}"
    );
}

#[tokio::test]
async fn given_what_users_own_when_they_are_looked_up_then_found_while_they_exist_and_told_apart_by_issuer() {
    // Given
    let mounted = Mounted::new(true);
    let access = mounted.access();
    let hash = bcrypt::hash("secret", 4).unwrap();
    mounted.write("htpasswd", &format!("alice:{hash}\nroot:{hash}\n"));
    access.reload(&mounted.configuration());
    let name = |name: &str| name.parse().unwrap();
    let (alice, boss) = (Actor::local(&name("alice")), Actor::administrator(&name("root")));

    // Then
    assert_eq!(access.principal_of(&alice), Some(Principal::user(name("alice"))));
    assert!(access.principal_of(&boss).unwrap().is_administrator());
    for unknown in [
        // A line with the administrator's name does not count.
        Actor::local(&name("root")),
        Actor::administrator(&name("alice")),
        Actor::new("https://id.example", "alice").unwrap(),
        Actor::nobody(),
    ] {
        assert_eq!(access.principal_of(&unknown), None, "{unknown}");
    }

    // When
    mounted.write("htpasswd", "");
    access.reload(&mounted.configuration());

    // Then
    assert_eq!(access.principal_of(&alice), None);
}
