//! Power loss at any moment: clients work on a recorded server, then servers are started on what the disk may hold
//! afterwards, and compared with what was acknowledged by then.
//!
//! `ZAS_POWER_LOSS_STATES` is the number of states, `ZAS_POWER_LOSS_SEED` repeats the choices of a run; both are
//! printed. `ZAS_POWER_LOSS_KEEP` names a directory that gets the states with findings.
#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a broken expectation fails the test"
)]

mod check;
mod log_tail;
mod oracle;
mod recording;
mod server;
mod states;
mod sync_counts;
mod teeth;
mod traced;
mod uploads;
mod workload;
