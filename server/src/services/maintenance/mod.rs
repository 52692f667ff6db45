//! Work that nobody waits for: collecting what is no longer needed, while the store serves.
//!
//! Each piece is one function from "now" to an outcome; [`Collector::run`] calls them at the configured pace.

mod collection;
mod orphans;
mod schedule;
mod uploads;

pub use collection::{Collected, Collector};
pub use schedule::CollectionSettings;
