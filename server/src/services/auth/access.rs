//! Signing in and asking the rules, with what a reload exchanges.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use zas_config::{Administrator as AdministratorFiles, Auth, Configuration, UserName};
use zas_core::{Clock, RepositoryName};

use super::administrator::Administrator;
use super::attempts::AttemptLimit;
use super::basic::{self, Credentials};
use super::htpasswd::Htpasswd;
use super::keys::Keys;
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
    fn of(configuration: &Configuration, keys: &Keys, before: Option<&Self>) -> Result<Self, String> {
        let policy = AccessPolicy::new(configuration.access_control.as_ref());
        let before = before.and_then(|rules| rules.sign_in.as_ref());
        let auth = configuration.auth.as_ref();
        let Some(auth) = auth.filter(|auth| auth.htpasswd.is_some() || auth.administrator.is_some()) else {
            return Ok(Self {
                policy,
                challenge: String::new(),
                sign_in: None,
            });
        };
        let challenge = format!("Basic realm=\"{}\", charset=\"UTF-8\"", auth.realm);
        Ok(Self {
            policy,
            challenge,
            sign_in: Some(sign_in(auth, keys, before)?),
        })
    }
}

fn sign_in(auth: &Auth, keys: &Keys, before: Option<&SignIn>) -> Result<SignIn, String> {
    let has_users_to_lose = before.is_some_and(|sign_in| !sign_in.users.hashes().is_empty());
    let users = match &auth.htpasswd {
        Some(htpasswd) => load_users(&htpasswd.path, has_users_to_lose)?,
        None => Htpasswd::default(),
    };
    let before = before.and_then(|sign_in| sign_in.administrator.as_ref());
    let administrator = match &auth.administrator {
        Some(files) => Some(load_administrator(files, keys, before)?),
        None => None,
    };
    if let Some(name) = administrator.as_ref().map(Administrator::name)
        && users.get(name.as_str()).is_some()
    {
        tracing::warn!(%name, "the htpasswd file names the administrator too: that line does not count");
    }
    Ok(SignIn {
        users,
        administrator,
        remember_for: auth.credential_cache.get(),
        limit: AttemptLimit {
            count: auth.failed_attempts.count,
            window: auth.failed_attempts.window.get(),
        },
    })
}

/// What cannot be used leaves the last good administrator, and must be there at the start.
fn load_administrator(
    files: &AdministratorFiles,
    keys: &Keys,
    before: Option<&Administrator>,
) -> Result<Administrator, String> {
    match (Administrator::load(files, keys, before), before) {
        (Err(error), Some(before)) => {
            tracing::error!(%error, "the administrator cannot be read: the last good one stays in force");
            Ok(before.clone())
        }
        (loaded, _) => loaded.map_err(|error| format!("auth.administrator: {error}")),
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
    /// What is wrong with the files of users and administrator.
    pub fn new(configuration: &Configuration, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let key = random::<32>().map_err(|error| error.to_string())?;
        let passwords = Passwords::new(key);
        let rules = Rules::of(configuration, passwords.keys(), None)?;
        Ok(Self {
            rules: ArcSwap::from_pointee(rules),
            passwords,
            clock,
        })
    }

    /// Reads users and rules again.
    ///
    /// # Errors
    /// What is wrong; everything stays as it was.
    pub fn reload(&self, configuration: &Configuration) -> Result<(), String> {
        let rules = Rules::of(configuration, self.passwords.keys(), Some(&self.rules.load()))?;
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
        let administrator = sign_in.administrator.as_ref().map(Administrator::name);
        verified.map(|()| {
            if administrator == Some(&user) {
                Principal::Administrator(user)
            } else {
                Principal::User(user)
            }
        })
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
#[path = "access_tests.rs"]
mod tests;
