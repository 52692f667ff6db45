//! Blobs whose bytes a reader missed, for somebody to check.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;
use zas_core::Digest;

/// More are found by the check of all blobs.
const MOST: usize = 1_000;

/// A bounded set that readers add to and one checker takes from.
#[derive(Debug, Default)]
pub struct Suspects {
    digests: Mutex<BTreeSet<Digest>>,
    added: Notify,
}

impl Suspects {
    /// Wants a blob checked soon.
    pub(crate) fn add(&self, digest: Digest) {
        let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        if digests.len() < MOST && digests.insert(digest) {
            self.added.notify_one();
        }
    }

    /// The next one, as soon as there is one.
    pub(crate) async fn next(&self) -> Digest {
        loop {
            let next = self
                .digests
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_first();
            match next {
                Some(digest) => return digest,
                None => self.added.notified().await,
            }
        }
    }
}
