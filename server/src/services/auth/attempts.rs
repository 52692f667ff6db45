//! Counting failed sign-ins, so that passwords cannot be guessed at the speed of the network.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use zas_core::Timestamp;

/// Most pairs of user and address that are remembered. When full, the ended windows go, and if none has ended, all
/// go: forgetting failures is better than refusing everybody.
const MOST: usize = 100_000;

/// How many failures are allowed in which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AttemptLimit {
    pub(super) count: u32,
    pub(super) window: Duration,
}

/// The failures of the recent past, by user name and client address.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<(String, IpAddr), Window>>);

#[derive(Clone, Copy, Debug)]
struct Window {
    began: Timestamp,
    failures: u32,
}

impl Attempts {
    /// How long the pair has to wait; `None` when it may try.
    pub(super) fn wait(
        &self,
        user: &str,
        client: IpAddr,
        limit: AttemptLimit,
        now: Timestamp,
    ) -> Option<Duration> {
        let windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.get(&(user.to_owned(), client))?;
        let passed = now.since(window.began);
        (window.failures >= limit.count && passed < limit.window).then(|| limit.window.saturating_sub(passed))
    }

    /// Remembers a failure.
    pub(super) fn failed(&self, user: &str, client: IpAddr, limit: AttemptLimit, now: Timestamp) {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MOST {
            windows.retain(|_, window| now.since(window.began) < limit.window);
            if windows.len() >= MOST {
                windows.clear();
            }
        }
        let window = windows.entry((user.to_owned(), client)).or_insert(Window {
            began: now,
            failures: 0,
        });
        if now.since(window.began) >= limit.window {
            *window = Window {
                began: now,
                failures: 0,
            };
        }
        window.failures = window.failures.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: AttemptLimit = AttemptLimit {
        count: 3,
        window: Duration::from_secs(60),
    };

    #[test]
    fn given_failures_when_the_limit_is_reached_then_that_pair_waits_until_the_window_ends() {
        let attempts = Attempts::default();
        let (here, there): (IpAddr, IpAddr) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into());
        let start = Timestamp::from_millis(1_000_000);
        for _ in 0..3 {
            assert_eq!(attempts.wait("alice", here, LIMIT, start), None);
            attempts.failed("alice", here, LIMIT, start);
        }
        let later = start.plus(Duration::from_secs(20));
        assert_eq!(
            attempts.wait("alice", here, LIMIT, later),
            Some(Duration::from_secs(40))
        );
        assert_eq!(attempts.wait("alice", there, LIMIT, later), None);
        assert_eq!(attempts.wait("bob", here, LIMIT, later), None);
        assert_eq!(
            attempts.wait("alice", here, LIMIT, start.plus(LIMIT.window)),
            None
        );
    }
}
