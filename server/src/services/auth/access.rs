//! Signing in and asking the rules, with what a reload exchanges.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use zas_config::Configuration;
use zas_core::{Clock, RepositoryName};
use zas_s3::sigv4::SecretKey;

use super::action::GrantableAction;
use super::granted::{Granted, Readable, WriteRight};
use super::in_force::{AccessProblems, InForce};
use super::passwords::Passwords;
use super::policy::{Asked, Reason};
use super::positions::Positions;
use super::tokens::Issuers;
use super::users::random;
use super::{Actor, Principal, RequestHead};

/// How often to look whether the keys of an issuer have to be fetched.
const KEEP_FRESH: Duration = Duration::from_secs(15);

/// Why somebody is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticationError {
    /// The credentials cannot be read.
    #[error("{0}")]
    Malformed(&'static str),
    /// The credentials are wrong; which part of them is not told.
    #[error("the user name or the password is wrong")]
    Rejected,
    /// A token that somebody else has signed is not taken, for this reason. It is told: whoever shows a token holds it.
    #[error("{0}")]
    InvalidToken(String),
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

/// Something is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// Why.
    pub reason: Reason,
    /// What to show in `WWW-Authenticate`; nothing when signing in cannot help.
    pub challenges: Vec<String>,
}

/// Signs callers in and decides what they may do.
#[derive(Debug)]
pub struct Access {
    in_force: ArcSwap<InForce>,
    passwords: Arc<Passwords>,
    issuers: Issuers,
    positions: Positions,
    reloaded: Notify,
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
        let passwords = Arc::new(Passwords::new(key));
        let issuers = Issuers::default();
        let in_force = InForce::first(configuration, &passwords, &issuers)?;
        let secret = random::<32>().map_err(|error| vec![error.to_string()])?;
        let positions = Positions::new(&secret).map_err(|error| vec![error])?;
        Ok(Self {
            in_force: ArcSwap::from_pointee(in_force),
            passwords,
            issuers,
            positions,
            reloaded: Notify::new(),
            clock,
        })
    }

    /// Reads users, administrator and rules again, each by itself: what cannot be read stays as it was, everything else
    /// is in force when this returns.
    pub fn reload(&self, configuration: &Configuration) {
        let before = self.in_force.load_full();
        let in_force = InForce::next(configuration, &self.passwords, &self.issuers, &before);
        self.in_force.store(Arc::new(in_force));
        self.reloaded.notify_one();
    }

    /// Waits for the next reload, or for one since the last call. For one caller.
    pub async fn reloaded(&self) {
        self.reloaded.notified().await;
    }

    /// Fetches the keys of the issuers whose tokens are taken, now and every few minutes until `stop` fires, so that no request
    /// waits for them. Those of a reload are fetched within [`KEEP_FRESH`].
    pub async fn keep_fresh(&self, stop: &CancellationToken) {
        loop {
            self.issuers.keep_fresh(self.clock.now()).await;
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(KEEP_FRESH) => {}
            }
        }
    }

    /// What of the configuration that was read last is not in force as it was written.
    pub fn problems(&self) -> AccessProblems {
        self.in_force.load().problems.clone()
    }

    /// Who the head of a request shows to call. Nobody in particular is an answer, wrong credentials are not.
    ///
    /// # Errors
    /// Why they are not let in.
    pub async fn authenticate(&self, head: &RequestHead<'_>) -> Result<Principal, AuthenticationError> {
        let in_force = self.in_force.load_full();
        if in_force.credentials.is_empty() {
            // Nothing that is shown can be right or wrong here: clients that keep a login for this host are anybody.
            return Ok(Principal::ANONYMOUS);
        }
        let now = self.clock.now();
        match head.headers.all("authorization").len() {
            0 | 1 => {}
            _ => {
                let reason = "there are several Authorization headers: send one";
                return Err(AuthenticationError::Malformed(reason));
            }
        }
        for credential in &in_force.credentials {
            if let Some(principal) = credential.identify(head, now).await? {
                return Ok(principal);
            }
        }
        match head.headers.first("authorization") {
            None => Ok(Principal::ANONYMOUS),
            Some(_) => Err(AuthenticationError::Malformed(
                "the Authorization header has credentials of a kind that is not taken here",
            )),
        }
    }

    /// The principal that something is ascribed to, for credentials that name their owner, such as access keys; `None`
    /// when there is no such user any more.
    pub fn principal_of(&self, actor: &Actor) -> Option<Principal> {
        self.in_force.load().principal_of(actor)
    }

    /// Whether a user of this server's own files is none any more. `false` while it is not known who they are.
    pub fn is_removed(&self, actor: &Actor) -> bool {
        self.in_force.load().is_removed(actor)
    }

    /// The secret of an access key, and who signs with it; `None` when there is no such key.
    pub fn access_key(&self, id: &str) -> Option<(SecretKey, Principal)> {
        self.in_force.load().access_key(id)
    }

    /// Allows the principal an action, or says why not.
    ///
    /// # Errors
    /// [`Denied`] with what may help.
    pub fn grant<'a, A: GrantableAction>(
        &self,
        principal: &'a Principal,
        target: &'a A::Target,
    ) -> Result<Granted<'a, A>, Denied> {
        let right = self.check(principal, asked::<A>(target))?;
        Ok(Granted::new(principal, target, right))
    }

    /// Whether the principal may do something whose kind is known only at run time, and which keys it may write. It is a
    /// first answer: services want a [`Granted`].
    ///
    /// # Errors
    /// [`Denied`] with what may help.
    pub fn check(&self, principal: &Principal, asked: Asked<'_>) -> Result<WriteRight, Denied> {
        let in_force = self.in_force.load();
        if let Some(right) = in_force.policy.allows(principal, &asked) {
            return Ok(right);
        }
        let decision = in_force.policy.decide(principal, &asked);
        tracing::debug!(
            actor = principal.name(), action = %asked.action, resource = %asked.resource,
            reason = %decision.reason(), "denied"
        );
        Err(Denied {
            reason: decision.reason().clone(),
            challenges: self.challenges(principal, Some(asked)),
        })
    }

    /// Allows the principal an action, for callers that go on without.
    pub fn grant_if_allowed<'a, A: GrantableAction>(
        &self,
        principal: &'a Principal,
        target: &'a A::Target,
    ) -> Option<Granted<'a, A>> {
        let right = self
            .in_force
            .load()
            .policy
            .allows(principal, &asked::<A>(target))?;
        Some(Granted::new(principal, target, right))
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

    /// What invites the principal to show credentials, for what was denied or for nothing in particular; nothing when
    /// they have shown some, or when nobody can sign in.
    pub fn challenges(&self, principal: &Principal, denied: Option<Asked<'_>>) -> Vec<String> {
        if !principal.is_anonymous() {
            return Vec::new();
        }
        let in_force = self.in_force.load();
        let credentials = in_force.credentials.iter();
        credentials
            .filter_map(|credential| credential.challenge(denied))
            .collect()
    }

    /// Which repositories the principal may read, by the rules of this moment.
    pub fn readable(&self, principal: &Principal) -> Readable {
        let in_force = self.in_force.load_full();
        Readable::new(principal, move |principal, repository| {
            in_force.policy.may_read(principal, repository)
        })
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

fn asked<A: GrantableAction>(target: &A::Target) -> Asked<'_> {
    Asked {
        action: A::action(target),
        resource: A::resource(target),
    }
}

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
