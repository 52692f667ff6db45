//! The objects of a store, one kind per file. Pure: no client, no clock, and nothing that can fail.

mod prepared;

pub use prepared::{Prepared, metadata};

/// The container of the server in its Pod.
pub const SERVER_CONTAINER: &str = "server";
