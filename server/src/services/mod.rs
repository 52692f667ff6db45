//! What the server does, without a word of HTTP: the only place where metadata meets blobs.

pub mod auth;
#[cfg(feature = "failpoints")]
pub mod failpoints;
pub mod maintenance;
mod metadata_operations;
pub mod metrics;
pub mod registry;
