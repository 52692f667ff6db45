//! One writer per name: the table of the appends that run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use zas_core::UploadId;

type Turn = Arc<AsyncMutex<()>>;

/// The names that are being written or waited for, and nothing else: it is empty when nobody writes.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunningAppends(Arc<Mutex<HashMap<UploadId, Turn>>>);

/// The right to write a name, until it is dropped.
#[derive(Debug)]
pub(crate) struct RunningAppend {
    table: RunningAppends,
    name: UploadId,
    // Both are `None` only inside of `drop`, which has to count the owners that are left.
    turn: Option<Turn>,
    held: Option<OwnedMutexGuard<()>>,
}

impl RunningAppends {
    /// Waits until nobody else writes `name`; first come, first served.
    pub(crate) async fn claim(&self, name: UploadId) -> RunningAppend {
        let turn = Arc::clone(self.lock().entry(name).or_default());
        // Made before the waiting, so that a waiter that gives up cleans the table as well.
        let mut append = RunningAppend {
            table: self.clone(),
            name,
            turn: Some(Arc::clone(&turn)),
            held: None,
        };
        append.held = Some(turn.lock_owned().await);
        append
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UploadId, Turn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RunningAppend {
    fn drop(&mut self) {
        let mut table = self.table.lock();
        drop(self.held.take());
        drop(self.turn.take());
        // Owners are only added under this lock, so nobody can join between the count and the removal.
        if table
            .get(&self.name)
            .is_some_and(|turn| Arc::strong_count(turn) == 1)
        {
            table.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use zas_core::Timestamp;

    use super::*;

    fn name() -> UploadId {
        UploadId::new(Timestamp::from_millis(1), &[1; 10])
    }

    #[tokio::test(start_paused = true)]
    async fn given_a_running_append_when_the_name_is_claimed_then_the_claim_waits_for_its_end() {
        let running = RunningAppends::default();
        let first = running.claim(name()).await;

        let second = tokio::spawn({
            let running = running.clone();
            async move { running.claim(name()).await }
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!second.is_finished());

        drop(first);
        drop(second.await.unwrap());
        assert!(
            running.lock().is_empty(),
            "the table keeps no names that nobody writes"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn given_a_waiting_claim_when_it_gives_up_before_or_after_the_end_then_the_table_is_clean() {
        for holder_goes_first in [true, false] {
            let running = RunningAppends::default();
            let first = running.claim(name()).await;
            let mut waiting = Box::pin(running.claim(name()));
            assert!(
                tokio::time::timeout(Duration::from_secs(1), &mut waiting)
                    .await
                    .is_err()
            );

            if holder_goes_first {
                drop(first);
                drop(waiting);
            } else {
                drop(waiting);
                drop(first);
            }
            assert!(
                running.lock().is_empty(),
                "holder goes first: {holder_goes_first}"
            );
        }
    }
}
