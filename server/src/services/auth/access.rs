//! Signing in and asking the rules, with what a reload exchanges.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use zas_config::Configuration;
use zas_core::{Clock, RepositoryName};

use super::attempts::{AttemptLimit, Attempts};
use super::basic::{self, Credentials};
use super::htpasswd::Htpasswd;
use super::passwords::{Passwords, SharedPasswords};
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
    passwords: SharedPasswords,
    attempts: Attempts,
    clock: Arc<dyn Clock>,
}

/// What a reload exchanges as a whole.
#[derive(Debug)]
struct Rules {
    policy: AccessPolicy,
    sign_in: Option<SignIn>,
}

#[derive(Debug)]
struct SignIn {
    challenge: String,
    users: Htpasswd,
    remember_for: Duration,
    limit: AttemptLimit,
}

impl Rules {
    fn of(configuration: &Configuration) -> Result<Self, String> {
        let policy = AccessPolicy::new(configuration.access_control.clone());
        let Some(auth) = &configuration.auth else {
            return Ok(Self {
                policy,
                sign_in: None,
            });
        };
        let users = auth
            .htpasswd
            .as_ref()
            .map(|htpasswd| Htpasswd::load(&htpasswd.path))
            .transpose()?;
        let sign_in = users.map(|users| SignIn {
            challenge: format!("Basic realm=\"{}\"", auth.realm),
            users,
            remember_for: auth.credential_cache.get(),
            limit: AttemptLimit {
                count: auth.failed_attempts.count,
                window: auth.failed_attempts.window.get(),
            },
        });
        Ok(Self { policy, sign_in })
    }
}

impl Access {
    /// The users and rules of a configuration.
    ///
    /// # Errors
    /// What is wrong with the file of users.
    pub fn new(configuration: &Configuration, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let key = random::<32>().map_err(|error| error.to_string())?;
        Ok(Self {
            rules: ArcSwap::from_pointee(Rules::of(configuration)?),
            passwords: Arc::new(Passwords::new(key)),
            attempts: Attempts::default(),
            clock,
        })
    }

    /// Reads users and rules again.
    ///
    /// # Errors
    /// What is wrong; everything stays as it was.
    pub fn reload(&self, configuration: &Configuration) -> Result<(), String> {
        self.rules.store(Arc::new(Rules::of(configuration)?));
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
        let now = self.clock.now();
        if let Some(name) = self.passwords.recall(&sign_in.users, &user, &password, now) {
            return Ok(Principal::User(name.clone()));
        }
        if let Some(retry_after) = self.attempts.wait(&user, client, sign_in.limit, now) {
            return Err(AuthenticationError::TooManyAttempts { retry_after });
        }
        let verified = self
            .passwords
            .verify(&sign_in.users, &user, &password, now, sign_in.remember_for)
            .await;
        match verified.map_err(AuthenticationError::Unavailable)? {
            Some(name) => Ok(Principal::User(name)),
            None => {
                tracing::warn!(user, %client, "failed attempt to sign in");
                self.attempts.failed(&user, client, sign_in.limit, now);
                Err(AuthenticationError::Rejected)
            }
        }
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
        self.rules
            .load()
            .sign_in
            .as_ref()
            .map_or_else(String::new, |sign_in| sign_in.challenge.clone())
    }

    /// Which repositories the principal may read, by the rules of this moment.
    pub fn read_filter<'a>(&self, principal: &'a Principal) -> impl Fn(&RepositoryName) -> bool + use<'a> {
        let rules = self.rules.load_full();
        move |repository| rules.policy.may_read(principal, repository)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

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
        for _ in 0..2 {
            assert_eq!(
                access.authenticate(&[&bad], CLIENT).await,
                Err(AuthenticationError::Rejected)
            );
        }
        let slowed = access.authenticate(&[&bad], CLIENT).await;
        assert!(
            matches!(slowed, Err(AuthenticationError::TooManyAttempts { .. })),
            "{slowed:?}"
        );
        assert_eq!(access.authenticate(&[&good], CLIENT).await.unwrap(), alice);
        clock.advance(Duration::from_secs(61));
        assert_eq!(
            access.authenticate(&[&bad], CLIENT).await,
            Err(AuthenticationError::Rejected)
        );
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
    async fn given_a_damaged_file_when_reloaded_then_the_last_good_users_stay() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("htpasswd");
        std::fs::write(&file, format!("alice:{}\n", bcrypt::hash("secret", 4).unwrap())).unwrap();
        let access = Access::new(&configuration(&file), Arc::new(ManualClock::default())).unwrap();
        std::fs::write(&file, "alice:plain\n").unwrap();
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
}
