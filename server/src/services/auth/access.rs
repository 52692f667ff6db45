//! Signing in and asking the rules, with what a reload exchanges.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use zas_config::{Configuration, UserName};
use zas_core::{Clock, RepositoryName};

use super::administrator::Administrator;
use super::basic::{self, Credentials};
use super::in_force::{AccessProblems, InForce};
use super::passwords::Passwords;
use super::positions::Positions;
use super::users::random;
use super::{AccessRequest, Decision, Principal};

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
    in_force: ArcSwap<InForce>,
    passwords: Passwords,
    positions: Positions,
    clock: Arc<dyn Clock>,
}

impl Access {
    /// The users and rules of a configuration. Lines of the file of users that cannot be used, and a file that is not
    /// there yet, are among the [`problems`](Self::problems).
    ///
    /// # Errors
    /// Each file of users and administrator that cannot be read.
    pub fn new(configuration: &Configuration, clock: Arc<dyn Clock>) -> Result<Self, Vec<String>> {
        let key = random::<32>().map_err(|error| vec![error.to_string()])?;
        let passwords = Passwords::new(key);
        let in_force = InForce::first(configuration, passwords.keys())?;
        let secret = random::<32>().map_err(|error| vec![error.to_string()])?;
        let positions = Positions::new(&secret).map_err(|error| vec![error])?;
        Ok(Self {
            in_force: ArcSwap::from_pointee(in_force),
            passwords,
            positions,
            clock,
        })
    }

    /// Reads users, administrator and rules again, each by itself: what cannot be read stays as it was, everything else
    /// is in force when this returns.
    pub fn reload(&self, configuration: &Configuration) {
        let before = self.in_force.load_full();
        let in_force = InForce::next(configuration, self.passwords.keys(), &before);
        self.in_force.store(Arc::new(in_force));
    }

    /// What of the configuration that was read last is not in force as it was written.
    pub fn problems(&self) -> AccessProblems {
        self.in_force.load().problems.clone()
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
        let in_force = self.in_force.load_full();
        let Some(sign_in) = &in_force.sign_in else {
            // Nothing that is shown can be right or wrong here: clients that keep a login for this host are anybody.
            return Ok(Principal::Anonymous);
        };
        let Credentials::Password { user, password } =
            basic::read(headers).map_err(AuthenticationError::Malformed)?
        else {
            return Ok(Principal::Anonymous);
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
        self.in_force.load().policy.decide(request)
    }

    /// Whether a rule of the repository gives the principal `detectManifestCollision`.
    pub fn detects_collisions(&self, principal: &Principal, repository: &RepositoryName) -> bool {
        self.in_force
            .load()
            .policy
            .detects_collisions(principal, repository)
    }

    /// Whether there may be anything that the principal is allowed to do.
    pub fn may_enter(&self, principal: &Principal) -> bool {
        self.in_force.load().policy.may_enter(principal)
    }

    /// Whether anybody can sign in at all.
    pub fn can_sign_in(&self) -> bool {
        self.in_force.load().sign_in.is_some()
    }

    /// What invites a client to sign in; empty when nobody can.
    pub fn challenge(&self) -> String {
        self.in_force.load().challenge.clone()
    }

    /// Which repositories the principal may read, by the rules of this moment.
    pub fn read_filter(&self, principal: &Principal) -> ReadFilter {
        ReadFilter {
            in_force: self.in_force.load_full(),
            principal: principal.clone(),
        }
    }

    /// Where a listing that is filtered by rights goes on, as its reader may see it; `None` when the system has no
    /// randomness.
    pub fn seal_position(&self, listing: &str, position: &str) -> Option<String> {
        self.positions.seal(listing, position)
    }

    /// The position that [`Self::seal_position`] sealed for the same listing since the server was started.
    pub fn open_position(&self, listing: &str, sealed: &str) -> Option<String> {
        self.positions.open(listing, sealed)
    }
}

/// Which repositories somebody may read, by the rules of one moment. Can be asked on any thread.
#[derive(Clone, Debug)]
pub struct ReadFilter {
    in_force: Arc<InForce>,
    principal: Principal,
}

impl ReadFilter {
    /// Whether they may read this one.
    pub fn allows(&self, repository: &RepositoryName) -> bool {
        self.in_force.policy.may_read(&self.principal, repository)
    }
}

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
