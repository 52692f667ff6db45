//! Verifying passwords, at most once in a while for each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use zas_config::UserName;
use zas_core::Timestamp;

use super::htpasswd::{Htpasswd, StoredHash};

/// Most verified credentials that are remembered.
const MOST: usize = 10_000;

/// Verifications at a time: each occupies a core and 19 MiB.
const AT_A_TIME: usize = 4;

/// Verifies passwords on other threads and remembers the good ones for a while.
#[derive(Debug)]
pub(super) struct Passwords {
    /// Makes what is remembered worthless outside this process.
    key: [u8; 32],
    verified: Mutex<HashMap<[u8; 32], Timestamp>>,
    turns: Semaphore,
}

impl Passwords {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self {
            key,
            verified: Mutex::default(),
            turns: Semaphore::new(AT_A_TIME),
        }
    }

    /// The user that the password belongs to, if it was verified so recently that it need not be again.
    pub(super) fn recall<'a>(
        &self,
        users: &'a Htpasswd,
        user: &str,
        password: &str,
        now: Timestamp,
    ) -> Option<&'a UserName> {
        let (name, hash) = users.hash_of(user)?;
        let until = *self.lock().get(&self.fingerprint(user, password, hash))?;
        (now < until).then_some(name)
    }

    /// Verifies a password. A name that does not exist costs what one that does costs.
    pub(super) async fn verify(
        &self,
        users: &Htpasswd,
        user: &str,
        password: &str,
        now: Timestamp,
        remember_for: Duration,
    ) -> Result<Option<UserName>, String> {
        // The semaphore is never closed.
        let _turn = self.turns.acquire().await.map_err(|error| error.to_string())?;
        // Somebody else may have verified the same password while this one waited for its turn.
        if let Some(name) = self.recall(users, user, password, now) {
            return Ok(Some(name.clone()));
        }
        let known = users.hash_of(user);
        let Some(hash) = known.map(|(_, hash)| hash).or_else(|| users.any_hash()) else {
            return Ok(None);
        };
        let is_right = verify_elsewhere(hash.clone(), password.to_owned()).await?;
        let Some((name, hash)) = known.filter(|_| is_right) else {
            return Ok(None);
        };
        self.remember(self.fingerprint(user, password, hash), now, remember_for);
        Ok(Some(name.clone()))
    }

    fn remember(&self, fingerprint: [u8; 32], now: Timestamp, remember_for: Duration) {
        let mut verified = self.lock();
        if verified.len() >= MOST {
            verified.retain(|_, until| now < *until);
            if verified.len() >= MOST {
                verified.clear();
            }
        }
        verified.insert(fingerprint, now.plus(remember_for));
    }

    /// Stands for user, password and stored hash together, so that a changed hash forgets the old password.
    fn fingerprint(&self, user: &str, password: &str, hash: &StoredHash) -> [u8; 32] {
        let mut hashing = Sha256::new_with_prefix(self.key);
        for part in [user, password, hash.text()] {
            hashing.update((part.len() as u64).to_be_bytes());
            hashing.update(part);
        }
        hashing.finalize().into()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], Timestamp>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn verify_elsewhere(hash: StoredHash, password: String) -> Result<bool, String> {
    let verifying = tokio::task::spawn_blocking(move || hash.verify(&password));
    verifying.await.map_err(|panic| panic.to_string())
}

/// Shared between requests.
pub(super) type SharedPasswords = Arc<Passwords>;

#[cfg(test)]
mod tests {
    use super::*;

    fn users(password: &str) -> Htpasswd {
        Htpasswd::parse(&format!("alice:{}", bcrypt::hash(password, 4).unwrap())).unwrap()
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn given_a_good_password_when_verified_then_recalled_until_its_time_or_its_hash_changes() {
        // Given
        let passwords = Passwords::new([7; 32]);
        let before = users("secret");
        let start = Timestamp::from_millis(1_000_000);

        // When
        let verified = passwords
            .verify(&before, "alice", "secret", start, MINUTE)
            .await
            .unwrap();

        // Then
        assert_eq!(verified.as_ref().map(UserName::as_str), Some("alice"));
        assert!(
            passwords
                .recall(&before, "alice", "secret", start.plus(MINUTE / 2))
                .is_some()
        );
        assert!(passwords.recall(&before, "alice", "Secret", start).is_none());
        assert!(
            passwords
                .recall(&before, "alice", "secret", start.plus(MINUTE))
                .is_none()
        );
        let after = users("secret");
        assert!(passwords.recall(&after, "alice", "secret", start).is_none());
    }

    #[tokio::test]
    async fn given_a_bad_password_or_name_when_verified_then_nobody_and_nothing_is_remembered() {
        let passwords = Passwords::new([7; 32]);
        let users = users("secret");
        let now = Timestamp::from_millis(1);
        for (user, password) in [
            ("alice", "wrong"),
            ("eve", "secret"),
            ("", ""),
            ("bad:name", "secret"),
        ] {
            assert_eq!(
                passwords
                    .verify(&users, user, password, now, MINUTE)
                    .await
                    .unwrap(),
                None
            );
        }
        assert!(passwords.lock().is_empty());
    }
}
