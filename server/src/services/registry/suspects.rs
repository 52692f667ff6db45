//! Blobs whose bytes are in doubt, for somebody to check.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use zas_core::Digest;

/// More are found by the check of all blobs.
const MAX_WAITING: usize = 1_000;

/// A bounded queue, each blob in it once, that many add to and one checker takes from. First come, first served: a
/// damaged blob that is asked for again and again waits behind the others each time.
#[derive(Debug, Default)]
pub struct Suspects {
    waiting: Mutex<Waiting>,
    added: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    queue: VecDeque<Digest>,
    queued: HashSet<Digest>,
}

impl Suspects {
    /// Wants a blob checked soon.
    pub(crate) fn add(&self, digest: Digest) {
        let mut waiting = self.lock();
        if waiting.queue.len() < MAX_WAITING && waiting.queued.insert(digest) {
            waiting.queue.push_back(digest);
            self.added.notify_one();
        }
    }

    /// The next one, as soon as there is one.
    pub(crate) async fn next(&self) -> Digest {
        loop {
            if let Some(digest) = self.lock().take() {
                return digest;
            }
            self.added.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn take(&mut self) -> Option<Digest> {
        let digest = self.queue.pop_front()?;
        self.queued.remove(&digest);
        Some(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn given_a_damaged_blob_that_is_polled_when_others_are_suspected_then_each_has_its_turn() {
        let mut digests: Vec<Digest> = (0..4).map(|seed: u8| Digest::sha256_of(&[seed])).collect();
        digests.sort();
        let (polled, others) = digests.split_first().unwrap();
        let suspects = Suspects::default();
        suspects.add(*polled);
        for other in others {
            suspects.add(*other);
        }

        let mut checked = Vec::new();
        for _ in 0..digests.len() {
            checked.push(suspects.next().await);
            suspects.add(*polled);
        }

        assert_eq!(checked, digests);
    }
}
