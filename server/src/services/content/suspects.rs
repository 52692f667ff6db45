//! Blobs whose bytes are in doubt, for somebody to check.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use zas_core::Digest;

/// More are found by the check of all blobs.
const MAX_WAITING: usize = 1_000;

/// How long a check of bytes that nobody missed is good for. Short, because whoever saw wrong bytes and pushes the right ones
/// waits for it; long enough that a layer that every build pushes is not read for each of them.
const CHECK_IS_GOOD_FOR: Duration = Duration::from_mins(10);

/// Checks remembered at most: of what is forgotten one more is made.
const MAX_REMEMBERED: usize = 10_000;

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
    checked: HashMap<Digest, Instant>,
}

impl Suspects {
    /// Wants a blob checked soon.
    pub(crate) fn add(&self, digest: Digest) {
        self.add_to(&mut self.lock(), digest);
    }

    /// Wants a blob checked soon that nobody has missed, unless that was done a moment ago.
    pub(crate) fn add_pushed(&self, digest: Digest) {
        let mut waiting = self.lock();
        if !waiting.was_checked(&digest) {
            self.add_to(&mut waiting, digest);
        }
    }

    fn add_to(&self, waiting: &mut Waiting, digest: Digest) {
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
        self.remember(digest);
        Some(digest)
    }

    fn was_checked(&self, digest: &Digest) -> bool {
        self.checked.get(digest).is_some_and(is_good)
    }

    fn remember(&mut self, digest: Digest) {
        if self.checked.len() >= MAX_REMEMBERED {
            self.checked.retain(|_, at| is_good(at));
        }
        if self.checked.len() < MAX_REMEMBERED {
            self.checked.insert(digest, Instant::now());
        }
    }
}

fn is_good(at: &Instant) -> bool {
    at.elapsed() < CHECK_IS_GOOD_FOR
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

    #[tokio::test(start_paused = true)]
    async fn given_a_blob_that_is_pushed_again_and_again_when_checked_then_not_anew_before_some_time_unless_it_is_missed()
     {
        let (hot, missed) = (Digest::sha256_of(b"hot"), Digest::sha256_of(b"missed"));
        let suspects = Suspects::default();
        suspects.add_pushed(hot);
        assert_eq!(suspects.next().await, hot);

        suspects.add_pushed(hot);
        suspects.add(missed);
        assert_eq!(
            suspects.next().await,
            missed,
            "the hot one was checked a moment ago"
        );
        suspects.add(hot);
        assert_eq!(suspects.next().await, hot, "somebody missed its bytes");

        tokio::time::advance(CHECK_IS_GOOD_FOR).await;
        suspects.add_pushed(hot);
        assert_eq!(suspects.next().await, hot);
    }
}
