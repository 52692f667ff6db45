//! Makes the cluster match the `ZotArtifactStore` resources.
//!
//! A look at a store ([`pipeline`]) reads what the resource refers to, validates both into a [`store::ValidatedStore`],
//! builds the objects ([`resources`], pure), applies those that differ from what [`children`] knows of, sweeps what is
//! no longer wanted, and writes the status. [`controller`] decides when to look.

pub mod arguments;
pub mod children;
pub mod client;
pub mod hash;
pub mod health;
pub mod labels;
pub mod layout;
pub mod metrics;
pub mod platform;
pub mod resources;
pub mod store;
pub mod telemetry;
