//! What the server does, without a word of HTTP: the only place where metadata meets blobs.

pub mod auth;
pub mod maintenance;
pub mod metrics;
pub mod registry;
