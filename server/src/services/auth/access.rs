//! Signing in and asking the rules, with what a reload exchanges.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use zas_config::{Configuration, UserName};
use zas_core::{Clock, RepositoryName};

use super::attempts::AttemptLimit;
use super::basic::{self, Credentials};
use super::htpasswd::Htpasswd;
use super::passwords::{Passwords, SignIn};
use super::users::random;
use super::{AccessPolicy, AccessRequest, Decision, Principal};

/// Why somebody is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticationError {
    /// The credentials cannot be read.
    #[error("{0}")]
    Malformed(&'static str),
    /// The credentials are wrong; which part of them is not told.
    #[error("the user name or the password is wrong")]
    Rejected,
    /// Too many wrong ones came from the same client for the same user.
    #[error("too many failed attempts to sign in: try again in {} seconds", .retry_after.as_secs() + 1)]
    TooManyAttempts {
        /// When to try again.
        retry_after: Duration,
    },
    /// The server cannot verify at the moment.
    #[error("credentials cannot be verified at the moment: {0}")]
    Unavailable(String),
}

/// Signs callers in and decides what they may do.
#[derive(Debug)]
pub struct Access {
    rules: ArcSwap<Rules>,
    passwords: Passwords,
    clock: Arc<dyn Clock>,
}

/// What a reload exchanges as a whole.
#[derive(Debug)]
struct Rules {
    policy: AccessPolicy,
    challenge: String,
    sign_in: Option<SignIn>,
}

impl Rules {
    fn of(configuration: &Configuration, before: Option<&Self>) -> Result<Self, String> {
        let policy = AccessPolicy::new(configuration.access_control.as_ref());
        let auth = configuration.auth.as_ref();
        let Some((auth, htpasswd)) = auth.and_then(|auth| Some((auth, auth.htpasswd.as_ref()?))) else {
            return Ok(Self {
                policy,
                challenge: String::new(),
                sign_in: None,
            });
        };
        let has_users_to_lose = before
            .and_then(|rules| rules.sign_in.as_ref())
            .is_some_and(|sign_in| !sign_in.users.is_empty());
        let sign_in = SignIn {
            users: load_users(&htpasswd.path, has_users_to_lose)?,
            remember_for: auth.credential_cache.get(),
            limit: AttemptLimit {
                count: auth.failed_attempts.count,
                window: auth.failed_attempts.window.get(),
            },
        };
        let challenge = format!("Basic realm=\"{}\", charset=\"UTF-8\"", auth.realm);
        Ok(Self {
            policy,
            challenge,
            sign_in: Some(sign_in),
        })
    }
}

/// A file that is not there has no users yet; one that has vanished is a mistake, like a damaged one.
fn load_users(path: &Path, has_users_to_lose: bool) -> Result<Htpasswd, String> {
    if let Some(users) = Htpasswd::load(path)? {
        return Ok(users);
    }
    if has_users_to_lose {
        return Err(format!(
            "{} is not there: its users could not sign in any more",
            path.display()
        ));
    }
    tracing::warn!(file = %path.display(), "there is no htpasswd file yet, so nobody can sign in");
    Ok(Htpasswd::default())
}

impl Access {
    /// The users and rules of a configuration.
    ///
    /// # Errors
    /// What is wrong with the file of users.
    pub fn new(configuration: &Configuration, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let key = random::<32>().map_err(|error| error.to_string())?;
        Ok(Self {
            rules: ArcSwap::from_pointee(Rules::of(configuration, None)?),
            passwords: Passwords::new(key),
            clock,
        })
    }

    /// Reads users and rules again.
    ///
    /// # Errors
    /// What is wrong; everything stays as it was.
    pub fn reload(&self, configuration: &Configuration) -> Result<(), String> {
        let rules = Rules::of(configuration, Some(&self.rules.load()))?;
        self.rules.store(Arc::new(rules));
        Ok(())
    }

    /// Who shows these `Authorization` headers. Nobody in particular is an answer, wrong credentials are not.
    ///
    /// # Errors
    /// Why they are not let in.
    pub async fn authenticate(
        &self,
        headers: &[&[u8]],
        client: IpAddr,
    ) -> Result<Principal, AuthenticationError> {
        let Credentials::Password { user, password } =
            basic::read(headers).map_err(AuthenticationError::Malformed)?
        else {
            return Ok(Principal::Anonymous);
        };
        let rules = self.rules.load_full();
        let Some(sign_in) = &rules.sign_in else {
            return Err(AuthenticationError::Rejected);
        };
        // What is no user name can be no user's: it is neither compared nor counted.
        let user: UserName = user.parse().map_err(|_| AuthenticationError::Rejected)?;
        let verified = self
            .passwords
            .verify(sign_in, &user, &password, client, self.clock.now())
            .await;
        if verified == Err(AuthenticationError::Rejected) {
            tracing::warn!(%user, %client, "failed attempt to sign in");
        }
        verified.map(|()| Principal::User(user))
    }

    /// Answers whether something may be done.
    pub fn decide(&self, request: &AccessRequest<'_>) -> Decision {
        self.rules.load().policy.decide(request)
    }

    /// Whether there may be anything that the principal is allowed to do.
    pub fn may_enter(&self, principal: &Principal) -> bool {
        self.rules.load().policy.may_enter(principal)
    }

    /// Whether anybody can sign in at all.
    pub fn can_sign_in(&self) -> bool {
        self.rules.load().sign_in.is_some()
    }

    /// What invites a client to sign in; empty when nobody can.
    pub fn challenge(&self) -> String {
        self.rules.load().challenge.clone()
    }

    /// Which repositories the principal may read, by the rules of this moment.
    pub fn read_filter<'a>(&self, principal: &'a Principal) -> impl Fn(&RepositoryName) -> bool + use<'a> {
        let rules = self.rules.load_full();
        move |repository| rules.policy.may_read(principal, repository)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use zas_core::{ManualClock, Timestamp};

    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn configuration(htpasswd: &Path) -> Configuration {
        let text = format!(
            "configVersion: 1\nauth: {{ htpasswd: {{ path: {} }}, failedAttempts: {{ count: 2, window: 1m }} }}\n",
            htpasswd.display()
        );
        Configuration::parse(Path::new("test.yaml"), &text).unwrap()
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
        let alice = access.authenticate(&[&good], CLIENT).await.unwrap();
        assert_eq!(alice.name(), "alice");
        for guess in [&bad, &bad, &bad, &basic("alice", "other")] {
            assert_eq!(
                access.authenticate(&[guess], CLIENT).await,
                Err(AuthenticationError::Rejected)
            );
        }
        // Nothing is compared while guessing is slowed down, not even with what is remembered.
        for password in [&bad, &good] {
            let slowed = access.authenticate(&[password], CLIENT).await;
            assert!(
                matches!(slowed, Err(AuthenticationError::TooManyAttempts { .. })),
                "{slowed:?}"
            );
        }
        assert_eq!(
            access
                .authenticate(&[&good], [127, 0, 0, 2].into())
                .await
                .unwrap(),
            alice
        );
        clock.advance(Duration::from_secs(61));
        assert_eq!(access.authenticate(&[&good], CLIENT).await.unwrap(), alice);
        assert_eq!(access.authenticate(&[], CLIENT).await, Ok(Principal::Anonymous));

        // When the password changes, then the old one is worth nothing at once
        std::fs::write(&file, format!("alice:{}\n", bcrypt::hash("other", 4).unwrap())).unwrap();
        access.reload(&configuration(&file)).unwrap();
        clock.advance(Duration::from_secs(61));
        assert_eq!(
            access.authenticate(&[&good], CLIENT).await,
            Err(AuthenticationError::Rejected)
        );
    }

    #[tokio::test]
    async fn given_a_damaged_or_vanished_file_when_reloaded_then_the_last_good_users_stay() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("htpasswd");
        std::fs::write(&file, format!("alice:{}\n", bcrypt::hash("secret", 4).unwrap())).unwrap();
        let access = Access::new(&configuration(&file), Arc::new(ManualClock::default())).unwrap();
        std::fs::write(&file, "alice:plain\n").unwrap();
        assert!(access.reload(&configuration(&file)).is_err());
        std::fs::remove_file(&file).unwrap();
        assert!(access.reload(&configuration(&file)).is_err());
        assert!(
            access
                .authenticate(&[&basic("alice", "secret")], CLIENT)
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn given_no_users_at_all_when_credentials_are_shown_then_rejected() {
        let configuration = Configuration::parse(Path::new("test.yaml"), "configVersion: 1\n").unwrap();
        let access = Access::new(&configuration, Arc::new(ManualClock::default())).unwrap();
        assert!(!access.can_sign_in());
        assert_eq!(
            access.authenticate(&[&basic("a", "b")], CLIENT).await,
            Err(AuthenticationError::Rejected)
        );
    }

    #[tokio::test]
    async fn given_no_file_yet_when_started_then_nobody_signs_in_until_it_is_there() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("htpasswd");
        let access = Access::new(&configuration(&file), Arc::new(ManualClock::default())).unwrap();
        let challenge = "Basic realm=\"zot-artifact-store\", charset=\"UTF-8\"";
        assert_eq!(access.challenge(), challenge);
        let alice = basic("alice", "secret");
        assert_eq!(
            access.authenticate(&[&alice], CLIENT).await,
            Err(AuthenticationError::Rejected)
        );
        access.reload(&configuration(&file)).unwrap();
        std::fs::write(&file, format!("alice:{}\n", bcrypt::hash("secret", 4).unwrap())).unwrap();
        access.reload(&configuration(&file)).unwrap();
        assert!(access.authenticate(&[&alice], CLIENT).await.is_ok());
    }

    #[tokio::test]
    async fn given_what_is_no_user_name_when_shown_then_rejected_without_being_counted() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("htpasswd");
        std::fs::write(&file, format!("alice:{}\n", bcrypt::hash("secret", 4).unwrap())).unwrap();
        let access = Access::new(&configuration(&file), Arc::new(ManualClock::default())).unwrap();
        for number in 0..5 {
            let answer = access
                .authenticate(&[&basic(" alice", &number.to_string())], CLIENT)
                .await;
            assert_eq!(answer, Err(AuthenticationError::Rejected));
        }
    }
}
