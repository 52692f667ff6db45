//! Verifying passwords, bounded in processor time and memory whatever clients send.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use zas_blocking::PASSWORDS;
use zas_config::UserName;
use zas_core::Timestamp;

use super::administrator::Administrator;
use super::attempts::{AttemptLimit, Attempts, Refusal, Reservation};
use super::htpasswd::Htpasswd;
use super::keys::{Key, Keys};
use super::running::Running;
use super::stored_hash::StoredHash;
use super::verified::Verified;
use super::{AuthenticationError, Principal};

/// Verifications at a time: each occupies a core, and 19 MiB with the hashes that this product makes.
const AT_A_TIME: usize = 4;

/// Most verifications that wait for their turn. At tens of milliseconds each, the last waits for a few seconds.
const MAX_WAITING: usize = 256;

/// What an operator may change while the server runs.
#[derive(Debug)]
pub(super) struct SignIn {
    pub(super) users: Htpasswd,
    /// Whether the whole file of users was there and could be read, so that who is not in it is none.
    pub(super) are_users_known: bool,
    /// Comes before a user of the same name.
    pub(super) administrator: Option<Administrator>,
    /// How long a verified password is not verified again.
    pub(super) remember_for: Duration,
    pub(super) limit: AttemptLimit,
}

impl SignIn {
    fn hash_of(&self, user: &UserName) -> Option<&StoredHash> {
        let administrator = self.administrator.as_ref();
        match administrator.filter(|administrator| administrator.name() == user) {
            Some(administrator) => Some(administrator.hash()),
            None => self.users.get(user.as_str()),
        }
    }

    /// The user or administrator of that name, if there is one.
    pub(super) fn principal_named(&self, user: &UserName) -> Option<Principal> {
        self.hash_of(user).map(|_| self.principal(user))
    }

    /// Who has shown the password of this user.
    fn principal(&self, user: &UserName) -> Principal {
        match &self.administrator {
            Some(administrator) if administrator.name() == user => Principal::administrator(user.clone()),
            _ => Principal::user(user.clone()),
        }
    }

    /// Somebody's hash, always the same for the same choice: what the password of a name that does not exist is compared
    /// with, so that it costs what one that does costs.
    fn stand_in(&self, choice: u64) -> Option<&StoredHash> {
        let administrator = self.administrator.as_ref().map(Administrator::hash);
        let mut hashes = self.users.hashes().iter().chain(administrator);
        let position = choice.checked_rem(hashes.clone().count() as u64)?;
        hashes.nth(usize::try_from(position).ok()?)
    }
}

/// Verifies passwords on other threads, remembers the good ones for a while and limits the bad ones.
#[derive(Debug)]
pub(super) struct Passwords {
    keys: Keys,
    verified: Arc<Verified>,
    attempts: Arc<Attempts>,
    running: Running,
    line: Semaphore,
    turns: Arc<Semaphore>,
}

/// One password of one user from one source.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    source: Key,
    password: Key,
    now: Timestamp,
}

impl Passwords {
    pub(super) fn new(secret: [u8; 32]) -> Self {
        Self {
            keys: Keys::new(secret),
            verified: Arc::default(),
            attempts: Arc::default(),
            running: Running::default(),
            line: Semaphore::new(MAX_WAITING),
            turns: Arc::new(Semaphore::new(AT_A_TIME)),
        }
    }

    /// Makes the keys under which passwords are remembered.
    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Who it is, when the password is the user's. A name that does not exist costs what one that does costs.
    pub(super) async fn verify(
        &self,
        sign_in: &SignIn,
        user: &UserName,
        password: &str,
        client: IpAddr,
        now: Timestamp,
    ) -> Result<Principal, AuthenticationError> {
        let known = sign_in.hash_of(user);
        let Some(stored) = known.or_else(|| sign_in.stand_in(self.keys.choice(user))) else {
            return Err(AuthenticationError::Rejected);
        };
        let password_key = self.keys.password(user, password, stored.text());
        let source = || self.keys.source(user, client);
        // Wrong passwords that others send from behind the same address keep nobody out who has shown the right one.
        if known.is_some()
            && let Some(principal) = self.verified.recall(&password_key, now)
            && !self.attempts.is_flooded(source, sign_in.limit, now)
        {
            return Ok(principal);
        }
        let attempt = Attempt {
            source: source(),
            password: password_key,
            now,
        };
        // Requests that come together with the same password are one attempt.
        let running = self.running.join((attempt.source, attempt.password));
        let is_right = running
            .outcome(|| async {
                let reservation = self.reserve(attempt, sign_in.limit)?;
                let principal = known.is_some().then(|| sign_in.principal(user));
                self.hash(reservation, attempt, sign_in, principal, stored, password)
                    .await
            })
            .await?;
        if is_right {
            Ok(sign_in.principal(user))
        } else {
            Err(AuthenticationError::Rejected)
        }
    }

    fn reserve(&self, attempt: Attempt, limit: AttemptLimit) -> Result<Reservation, AuthenticationError> {
        let reservation = self
            .attempts
            .reserve(attempt.source, attempt.password, limit, attempt.now);
        reservation.map_err(|refusal| match refusal {
            Refusal::TooMany(retry_after) => AuthenticationError::TooManyAttempts { retry_after },
            Refusal::KnownWrong => AuthenticationError::Rejected,
        })
    }

    async fn hash(
        &self,
        reservation: Reservation,
        attempt: Attempt,
        sign_in: &SignIn,
        principal: Option<Principal>,
        stored: &StoredHash,
        password: &str,
    ) -> Result<bool, AuthenticationError> {
        let unavailable = |reason: &str| AuthenticationError::Unavailable(reason.to_owned());
        let place = self
            .line
            .try_acquire()
            .map_err(|_| unavailable("too many sign-ins wait to be verified"))?;
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| unavailable("the server stops"))?;
        drop(place);
        // Another request may have verified the same password while this one waited for its turn.
        if principal.is_some() && self.verified.recall(&attempt.password, attempt.now).is_some() {
            return Ok(true);
        }
        let (verified, remember_for) = (Arc::clone(&self.verified), sign_in.remember_for);
        let (stored, password) = (stored.clone(), password.to_owned());
        // Turn and reservation travel along: a caller that gives up ends neither the hashing nor what follows from it.
        let verifying = PASSWORDS.run(move || {
            // A name that does not exist is hashed too.
            let who = stored.verify(&password).then_some(principal).flatten();
            let is_right = who.is_some();
            match who {
                Some(principal) => verified.remember(attempt.password, principal, attempt.now, remember_for),
                None => reservation.failed(attempt.password),
            }
            drop(turn);
            is_right
        });
        verifying
            .await
            .map_err(|_| unavailable("the password could not be hashed"))
    }
}

#[cfg(test)]
#[path = "passwords_tests.rs"]
mod tests;
