//! The two clocks: one that tells the date and may jump, one that only runs on.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use zas_core::{Clock, SystemClock, Timestamp};

/// Measures time that runs evenly, whatever happens to the wall clock.
pub trait Monotonic: Debug + Send + Sync {
    /// The time since a moment that is fixed for the life of the process.
    fn elapsed(&self) -> Duration;
}

/// The machine's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemMonotonic(Instant);

impl Default for SystemMonotonic {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Monotonic for SystemMonotonic {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A wall clock and a monotonic clock that are compared with each other.
///
/// Leases end by the wall clock. When it jumps against the monotonic clock, collection pauses.
#[derive(Clone, Debug)]
pub struct Clocks {
    /// Tells the date.
    pub wall: Arc<dyn Clock>,
    /// Runs evenly.
    pub monotonic: Arc<dyn Monotonic>,
}

impl Clocks {
    /// The machine's clocks.
    pub fn system() -> Self {
        Self {
            wall: Arc::new(SystemClock),
            monotonic: Arc::new(SystemMonotonic::default()),
        }
    }
}

/// A wall clock that is trusted as it is: jumps are not noticed. For tests that move the clock.
impl From<Arc<dyn Clock>> for Clocks {
    fn from(wall: Arc<dyn Clock>) -> Self {
        let monotonic = Arc::new(Trusted(Arc::clone(&wall)));
        Self { wall, monotonic }
    }
}

#[derive(Debug)]
struct Trusted(Arc<dyn Clock>);

impl Monotonic for Trusted {
    fn elapsed(&self) -> Duration {
        self.0.now().since(Timestamp::EPOCH)
    }
}

/// Drift that no correction of a healthy clock reaches.
const GREATEST_DRIFT: Duration = Duration::from_mins(5);

/// Compares the clocks and pauses collection for one grace when they have drifted apart: a lease that seems to be
/// over may then have been promised a moment ago.
#[derive(Debug)]
pub(crate) struct DriftWatch {
    clocks: Clocks,
    state: Mutex<DriftState>,
}

#[derive(Debug)]
struct DriftState {
    wall: Timestamp,
    monotonic: Duration,
    paused_until: Duration,
}

impl DriftWatch {
    /// Compares from now on.
    pub(crate) fn new(clocks: Clocks) -> Self {
        let state = DriftState {
            wall: clocks.wall.now(),
            monotonic: clocks.monotonic.elapsed(),
            paused_until: Duration::ZERO,
        };
        Self {
            clocks,
            state: Mutex::new(state),
        }
    }

    /// Whether collection has to wait.
    pub(crate) fn is_paused(&self, grace: Duration) -> bool {
        let (wall, monotonic) = (self.clocks.wall.now(), self.clocks.monotonic.elapsed());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let expected = state.wall.plus(monotonic.saturating_sub(state.monotonic));
        let drift = wall.since(expected).max(expected.since(wall));
        if drift > GREATEST_DRIFT {
            tracing::warn!(
                drift_seconds = drift.as_secs(),
                pause_seconds = grace.as_secs(),
                "the wall clock jumped: collection pauses"
            );
            *state = DriftState {
                wall,
                monotonic,
                paused_until: monotonic.saturating_add(grace),
            };
        }
        monotonic < state.paused_until
    }
}
