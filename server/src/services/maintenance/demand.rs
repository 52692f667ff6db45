//! Whether somebody uses the server.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Who has not asked for anything for so long is no longer there.
const PRESENCE: Duration = Duration::from_millis(100);

/// Work that nobody waits for takes a quarter of the time from those who are there.
const REST: u32 = 3;

/// However long a disk took, the next try is soon.
const MAX_REST: Duration = Duration::from_secs(1);

/// No number of milliseconds that a process lives.
const NEVER: u64 = u64::MAX;

/// Knows when the server was last asked for something, so that work which nobody waits for gives way.
#[derive(Debug)]
pub struct Demand {
    origin: Instant,
    /// Milliseconds from the origin to the last request, or [`NEVER`].
    asked_at: AtomicU64,
}

impl Default for Demand {
    /// Nobody is there yet.
    fn default() -> Self {
        Self {
            origin: Instant::now(),
            asked_at: AtomicU64::new(NEVER),
        }
    }
}

impl Demand {
    /// Somebody asks for something.
    pub fn note(&self) {
        self.asked_at.store(self.now(), Ordering::Relaxed);
    }

    /// Does some work, and afterwards leaves the stores to others for three times as long, at most a second, if there
    /// are any.
    pub async fn give_way<T>(&self, work: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let done = work.await;
        if self.is_present() {
            sleep((begun.elapsed() * REST).min(MAX_REST)).await;
        }
        done
    }

    /// Whether somebody asked for something a moment ago.
    pub fn is_present(&self) -> bool {
        let asked_at = self.asked_at.load(Ordering::Relaxed);
        asked_at != NEVER && u128::from(self.now().saturating_sub(asked_at)) < PRESENCE.as_millis()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORK: Duration = Duration::from_millis(10);

    /// How long it takes to do some work and to give way.
    async fn took(demand: &Demand, work: Duration) -> Duration {
        let begun = Instant::now();
        demand.give_way(sleep(work)).await;
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn given_nobody_when_there_is_work_then_it_goes_on_at_once() {
        assert_eq!(took(&Demand::default(), WORK).await, WORK);
    }

    #[tokio::test(start_paused = true)]
    async fn given_somebody_when_there_is_work_then_it_takes_a_quarter_of_the_time_until_they_have_gone() {
        let demand = Demand::default();
        demand.note();
        assert_eq!(took(&demand, WORK).await, WORK * 4);

        sleep(PRESENCE).await;
        assert_eq!(took(&demand, WORK).await, WORK);
    }

    #[tokio::test(start_paused = true)]
    async fn given_work_that_took_long_when_somebody_is_there_then_it_does_not_rest_for_long() {
        let (demand, long) = (Demand::default(), Duration::from_secs(20));
        let asking = async {
            sleep(long - WORK).await;
            demand.note();
        };
        let (took, ()) = tokio::join!(took(&demand, long), asking);
        assert_eq!(took, long + MAX_REST);
    }
}
