//! Counting failed sign-ins, so that passwords cannot be guessed at the speed of the network.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zas_core::Timestamp;

use super::keys::Key;

/// Most sources that are remembered. When full, the ended windows go, and if none has ended, the older half.
const MAX_SOURCES: usize = 65_536;

/// Attempts that are refused after too many failed, for each failed one that is allowed, before not even a remembered
/// password passes. Clients with an old password behind the same address stay far below it; beyond it, what is remembered
/// would answer guesses at the speed of the network.
const REFUSED_PER_FAILED: u32 = 100;

/// How many failures are allowed in which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AttemptLimit {
    pub(super) count: u32,
    pub(super) window: Duration,
}

/// The failures of the recent past, by source: a user name and the network it is used from.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    windows: Mutex<HashMap<Key, Window>>,
    /// When the last flood ends, in milliseconds: before any flood nobody has to take the lock to learn of none.
    flooded_until: AtomicU64,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    began: Timestamp,
    /// Failures, and attempts whose outcome is not known yet.
    count: u32,
    /// Attempts that were refused because too many failed.
    refused: u32,
    last_wrong: Option<Key>,
}

/// Why an attempt is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Too many failed; the time until the next may be made.
    TooMany(Duration),
    /// The same password was wrong a moment ago.
    KnownWrong,
}

/// An attempt that counts as failed while it lasts, so that attempts at the same time cannot exceed the limit
/// together. Dropping it takes the count back.
#[derive(Debug)]
pub(super) struct Reservation {
    attempts: Arc<Attempts>,
    source: Key,
    began: Timestamp,
}

impl Attempts {
    /// Whether so many attempts of the source were refused that not even a remembered password passes. Takes no lock
    /// while there is no flood at all.
    pub(super) fn is_flooded(
        &self,
        source: impl FnOnce() -> Key,
        limit: AttemptLimit,
        now: Timestamp,
    ) -> bool {
        if now.millis() >= self.flooded_until.load(Ordering::Relaxed) {
            return false;
        }
        let windows = self.lock();
        let window = windows.get(&source());
        window.is_some_and(|window| window.is_open(limit, now) && window.is_flooded(limit))
    }

    /// Begins an attempt. The same wrong password again is refused without being counted: many clients send it twice.
    pub(super) fn reserve(
        self: &Arc<Self>,
        source: Key,
        password: Key,
        limit: AttemptLimit,
        now: Timestamp,
    ) -> Result<Reservation, Refusal> {
        let mut windows = self.lock();
        if !windows.contains_key(&source) {
            make_room(&mut windows, limit, now);
        }
        let fresh = Window {
            began: now,
            count: 0,
            refused: 0,
            last_wrong: None,
        };
        let window = windows.entry(source).or_insert(fresh);
        if !window.is_open(limit, now) {
            *window = fresh;
        }
        if let Some(wait) = window.wait(limit, now) {
            // A client that repeats its old password guesses nothing.
            if window.last_wrong != Some(password) {
                window.refused = window.refused.saturating_add(1);
            }
            if window.is_flooded(limit) {
                let until = window.began.plus(limit.window).millis();
                self.flooded_until.fetch_max(until, Ordering::Relaxed);
            }
            return Err(Refusal::TooMany(wait));
        }
        if window.last_wrong == Some(password) {
            return Err(Refusal::KnownWrong);
        }
        window.count = window.count.saturating_add(1);
        Ok(Reservation {
            attempts: Arc::clone(self),
            source,
            began: window.began,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Window>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }
}

impl Window {
    fn is_open(&self, limit: AttemptLimit, now: Timestamp) -> bool {
        // After the clock was set back, a window that begins in the future would stay open for too long.
        self.began <= now && now.since(self.began) < limit.window
    }

    fn is_flooded(&self, limit: AttemptLimit) -> bool {
        self.refused >= limit.count.saturating_mul(REFUSED_PER_FAILED)
    }

    fn wait(&self, limit: AttemptLimit, now: Timestamp) -> Option<Duration> {
        let must_wait = self.count >= limit.count && self.is_open(limit, now);
        must_wait.then(|| limit.window.saturating_sub(now.since(self.began)))
    }
}

impl Reservation {
    /// The password was wrong: the attempt stays counted.
    pub(super) fn failed(self, password: Key) {
        if let Some(window) = self
            .attempts
            .lock()
            .get_mut(&self.source)
            .filter(|window| window.began == self.began)
        {
            // Makes up for what dropping takes back.
            window.count = window.count.saturating_add(1);
            window.last_wrong = Some(password);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut windows = self.attempts.lock();
        let Some(window) = windows
            .get_mut(&self.source)
            .filter(|window| window.began == self.began)
        else {
            return;
        };
        window.count = window.count.saturating_sub(1);
        if window.count == 0 {
            windows.remove(&self.source);
        }
    }
}

fn make_room(windows: &mut HashMap<Key, Window>, limit: AttemptLimit, now: Timestamp) {
    if windows.len() < MAX_SOURCES {
        return;
    }
    windows.retain(|_, window| window.is_open(limit, now));
    if windows.len() < MAX_SOURCES {
        return;
    }
    let mut ages: Vec<(Timestamp, Key)> = windows
        .iter()
        .map(|(source, window)| (window.began, *source))
        .collect();
    let (older, ..) = ages.select_nth_unstable_by_key(MAX_SOURCES / 2, |(began, _)| *began);
    for (_, source) in older {
        windows.remove(source);
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::Keys;
    use super::*;

    const LIMIT: AttemptLimit = AttemptLimit {
        count: 3,
        window: Duration::from_secs(60),
    };
    const START: Timestamp = Timestamp::from_millis(1_000_000);

    fn key(text: &str) -> Key {
        Keys::new([7; 32]).source(&text.parse().unwrap(), [127, 0, 0, 1].into())
    }

    impl Attempts {
        fn wait(&self, source: &Key, limit: AttemptLimit, now: Timestamp) -> Option<Duration> {
            self.lock().get(source)?.wait(limit, now)
        }
    }

    fn fail(attempts: &Arc<Attempts>, source: &str, password: &str, now: Timestamp) {
        attempts
            .reserve(key(source), key(password), LIMIT, now)
            .unwrap()
            .failed(key(password));
    }

    #[test]
    fn given_failures_when_the_limit_is_reached_then_that_source_waits_until_the_window_ends() {
        let attempts = Arc::<Attempts>::default();
        for guess in ["1", "2", "3"] {
            assert_eq!(attempts.wait(&key("alice"), LIMIT, START), None);
            fail(&attempts, "alice", guess, START);
        }
        let later = START.plus(Duration::from_secs(20));
        let wait = Duration::from_secs(40);
        assert_eq!(attempts.wait(&key("alice"), LIMIT, later), Some(wait));
        let refused = attempts.reserve(key("alice"), key("4"), LIMIT, later);
        assert_eq!(refused.unwrap_err(), Refusal::TooMany(wait));
        assert_eq!(attempts.wait(&key("bob"), LIMIT, later), None);
        assert_eq!(
            attempts.wait(&key("alice"), LIMIT, START.plus(LIMIT.window)),
            None
        );
        // A clock that was set back does not lengthen the wait.
        assert_eq!(
            attempts.wait(&key("alice"), LIMIT, START.minus(LIMIT.window)),
            None
        );
    }

    #[test]
    fn given_refused_attempts_when_very_many_then_their_source_alone_is_flooded_until_its_window_ends() {
        // Given
        let attempts = Arc::<Attempts>::default();
        for guess in ["1", "2", "3"] {
            fail(&attempts, "alice", guess, START);
        }
        let refuse = |guess: &str| {
            let refused = attempts.reserve(key("alice"), key(guess), LIMIT, START);
            assert!(matches!(refused, Err(Refusal::TooMany(_))));
        };
        let is_flooded = |user: &str, now| attempts.is_flooded(|| key(user), LIMIT, now);

        // When, then: the same old password again is no guess
        for _ in 0..LIMIT.count * REFUSED_PER_FAILED {
            refuse("3");
        }
        for number in 1..LIMIT.count * REFUSED_PER_FAILED {
            refuse(&format!("guess {number}"));
        }
        assert!(!is_flooded("alice", START));
        refuse("one more");
        assert!(is_flooded("alice", START));
        assert!(!is_flooded("bob", START));
        assert!(!is_flooded("alice", START.plus(LIMIT.window)));
    }

    #[test]
    fn given_attempts_under_way_when_more_begin_then_they_count_until_they_are_given_back() {
        let attempts = Arc::<Attempts>::default();
        let begin = |guess: &str| attempts.reserve(key("alice"), key(guess), LIMIT, START);
        let under_way: Vec<_> = ["1", "2", "3"]
            .into_iter()
            .map(|guess| begin(guess).unwrap())
            .collect();
        assert!(matches!(begin("4"), Err(Refusal::TooMany(_))));
        drop(under_way);
        assert_eq!(attempts.len(), 0);
        assert!(begin("4").is_ok());
    }

    #[test]
    fn given_a_wrong_password_when_it_comes_again_then_it_is_refused_and_counts_once() {
        let attempts = Arc::<Attempts>::default();
        fail(&attempts, "alice", "wrong", START);
        for _ in 0..10 {
            let again = attempts.reserve(key("alice"), key("wrong"), LIMIT, START);
            assert_eq!(again.unwrap_err(), Refusal::KnownWrong);
        }
        fail(&attempts, "alice", "other", START);
        assert_eq!(attempts.wait(&key("alice"), LIMIT, START), None);
    }

    #[test]
    fn given_a_full_table_when_another_fails_then_ended_windows_go_and_else_the_older_half() {
        let attempts = Arc::<Attempts>::default();
        for number in 0..MAX_SOURCES {
            fail(
                &attempts,
                &format!("user{number}"),
                "wrong",
                START.plus(Duration::from_millis(number as u64 / 4)),
            );
        }
        let (oldest, newest) = (key("user0"), key(&format!("user{}", MAX_SOURCES - 1)));
        let now = START.plus(Duration::from_secs(30));
        fail(&attempts, "late", "wrong", now);
        assert_eq!(attempts.len(), MAX_SOURCES / 2 + 1);
        assert!(!attempts.lock().contains_key(&oldest));
        assert!(attempts.lock().contains_key(&newest));
    }
}
