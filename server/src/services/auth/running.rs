//! Verifications under way, which requests with the same credentials share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

use super::AuthenticationError;
use super::keys::Key;

/// Source and password.
type Credentials = (Key, Key);
type Cell = Arc<OnceCell<bool>>;

/// The verifications under way.
#[derive(Debug, Default)]
pub(super) struct Running(Mutex<HashMap<Credentials, Cell>>);

/// A request's part in a verification. The last to go takes the verification away.
#[derive(Debug)]
pub(super) struct Joined<'a> {
    running: &'a Running,
    credentials: Credentials,
    cell: Cell,
}

impl Running {
    /// Takes part in the verification of these credentials, which may be a new one.
    pub(super) fn join(&self, credentials: Credentials) -> Joined<'_> {
        let cell = Arc::clone(self.lock().entry(credentials).or_default());
        Joined {
            running: self,
            credentials,
            cell,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Credentials, Cell>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }
}

impl Joined<'_> {
    /// The outcome of the verification, made by whoever comes first. When that one fails or gives up, the next makes it.
    pub(super) async fn outcome<V>(&self, verify: impl FnOnce() -> V) -> Result<bool, AuthenticationError>
    where
        V: Future<Output = Result<bool, AuthenticationError>>,
    {
        self.cell.get_or_try_init(verify).await.copied()
    }
}

impl Drop for Joined<'_> {
    fn drop(&mut self) {
        let mut running = self.running.lock();
        // Joining takes the lock too, so nobody can come in between: the table's and this one are the last two.
        if Arc::strong_count(&self.cell) <= 2 {
            running.remove(&self.credentials);
        }
    }
}
