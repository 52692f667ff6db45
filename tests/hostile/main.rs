//! What a server meets in the wild: clients that dawdle, thousands of uploads that nobody ends, a disk that fills up or
//! takes no writes any more, rows and bytes that do not belong together, a log that nobody reads, a wall clock that is set, and bytes that rot.
//!
//! The tests of disks mount small file systems of their own and need root for that.
#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a broken expectation fails the test"
)]

mod clocks;
mod crowds;
mod damage;
mod disks;
mod drips;
mod foreign_data;
mod logs;
mod memory;
mod sockets;
mod volume;
mod wait;
mod wall_clock;
