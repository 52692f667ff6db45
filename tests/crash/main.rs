//! What is acknowledged is never lost: whatever ends the server, wherever it fails, whoever collects meanwhile.
//!
//! Clients work on a real server and an oracle keeps what they were told. `kills` ends the server again and again,
//! `failpoints` makes each of its steps fail, wait or die, `collection` runs it at its shortest grace.
//!
//! `ZAS_CRASH_SEED` repeats the choices of a run; it is printed.
#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a broken expectation fails the test"
)]

mod collection;
mod failpoints;
mod findings;
mod kills;
mod observe;
mod oracle;
mod run;
mod uploads;
mod verify;
mod workload;
