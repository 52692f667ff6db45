//! Work that nobody waits for: collecting what is no longer needed and checking what is stored, while the store
//! serves.
//!
//! Each piece is one function from "now" to an outcome; [`Collector::run`] calls them at the configured pace.

mod collection;
mod demand;
mod garbage;
mod orphans;
mod schedule;
mod scrub;
#[cfg(test)]
mod scrub_tests;
mod uploads;

pub use collection::{Collected, Collector};
pub use demand::Demand;
pub use schedule::CollectionSettings;
pub use scrub::{ScrubSettings, Scrubbed, Scrubber};
