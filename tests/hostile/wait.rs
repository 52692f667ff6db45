//! Waiting for what happens in its own time.

use std::thread;
use std::time::{Duration, Instant};

/// Far more than anything here takes.
const LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

/// Looks until `look` sees something.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + LIMIT;
    while Instant::now() < limit {
        if let Some(seen) = look() {
            return seen;
        }
        thread::sleep(POLL);
    }
    panic!("{what}: not within {LIMIT:?}");
}
