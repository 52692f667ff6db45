//! What the server does, without a word of HTTP: the only place where metadata meets blobs.

pub mod auth;
pub mod capacity;
mod configuration_problems;
pub mod content;
#[cfg(feature = "failpoints")]
pub mod failpoints;
pub mod maintenance;
mod metadata_operations;
pub mod metrics;
pub mod objects;
pub mod registry;
mod store_writes;

pub use configuration_problems::{ConfigurationPart, ConfigurationProblems};
pub use store_writes::StoreWrites;
