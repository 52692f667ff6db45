//! What a disk may hold after power loss, told from a record of everything that a process did to it.
//!
//! [`Recorder`] watches a process, [`Journal`] reads what it wrote down, [`Disk`] sorts that by file and directory, and
//! [`Survival`] chooses what of the unsynced rest is there after the power is back.
#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a record that makes no sense fails the test that made it"
)]

mod build;
mod content;
mod disk;
mod journal;
mod recorder;
mod survival;

pub use disk::{Disk, Kind};
pub use journal::{Effect, Journal, Record};
pub use recorder::Recorder;
pub use survival::{Bytes, Names, Survival};
