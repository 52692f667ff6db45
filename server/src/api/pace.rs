//! How slowly a client may send.

use std::time::Duration;

/// How long a client may still be waited for. Waiting uses the time up; each byte brings some of it back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    idle: Duration,
    minimum_rate: u64,
    left: Duration,
}

impl Pace {
    /// At most `idle` without a byte, and at least `minimum_rate` bytes a second on average; any rate for zero.
    pub(super) fn new(idle: Duration, minimum_rate: u64) -> Self {
        Self {
            idle,
            minimum_rate,
            left: idle,
        }
    }

    /// How long to wait for the next bytes.
    pub(super) fn patience(&self) -> Duration {
        self.left
    }

    /// So many bytes came after so long a time.
    pub(super) fn received(&mut self, bytes: usize, waited: Duration) {
        // No minimum stands for any rate: every byte earns all the time there is.
        let nanoseconds = (bytes as u64)
            .saturating_mul(1_000_000_000)
            .checked_div(self.minimum_rate);
        let earned = nanoseconds.map_or(self.idle, Duration::from_nanos);
        let left = self.left.saturating_sub(waited);
        self.left = left.saturating_add(earned).min(self.idle);
    }

    /// What a client is told that was too slow.
    pub(super) fn complaint(&self) -> String {
        if self.left == self.idle {
            return format!("nothing was sent for {} seconds", self.idle.as_secs());
        }
        format!(
            "less than {} bytes a second were sent for {} seconds",
            self.minimum_rate,
            self.idle.as_secs()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn given_a_client_that_drips_when_it_sends_a_byte_before_each_timeout_then_it_is_given_up_all_the_same() {
        let mut pace = Pace::new(60 * SECOND, 1024);
        let mut lasted = Duration::ZERO;
        while !pace.patience().is_zero() {
            let waited = pace.patience().min(20 * SECOND);
            pace.received(1, waited);
            lasted += waited;
            assert!(lasted < 65 * SECOND, "it still goes on after {lasted:?}");
            if pace.patience() < SECOND / 100 {
                break;
            }
        }
        assert!(lasted >= 60 * SECOND);
        assert_eq!(
            pace.complaint(),
            "less than 1024 bytes a second were sent for 60 seconds"
        );
    }

    #[test]
    fn given_a_client_that_is_fast_enough_when_it_pauses_then_it_has_all_the_time_again() {
        let mut pace = Pace::new(60 * SECOND, 1024);
        for _ in 0..10 {
            pace.received(64 * 1024, 59 * SECOND);
        }
        assert_eq!(pace.patience(), 60 * SECOND);
        assert_eq!(pace.complaint(), "nothing was sent for 60 seconds");

        let mut any_rate = Pace::new(60 * SECOND, 0);
        for _ in 0..10 {
            any_rate.received(1, 59 * SECOND);
        }
        assert_eq!(any_rate.patience(), 60 * SECOND);
    }
}
