//! What went wrong, collected by all threads.

use std::sync::{Mutex, PoisonError};

/// A shared list of broken promises.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Mutex<Vec<String>>,
}

impl Findings {
    /// Adds one.
    pub(crate) fn add(&self, finding: String) {
        self.list
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(finding);
    }

    /// Everything found so far.
    pub(crate) fn all(&self) -> Vec<String> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
