//! Makes the cluster match the `ZotArtifactStore` resources.
//!
//! A look at a store ([`pipeline`]) reads what the resource refers to, validates both into a [`store::ValidatedStore`],
//! builds the objects ([`resources`], pure), applies those that differ from what [`children`] knows of, sweeps what is
//! no longer wanted, and writes the status. [`controller`] decides when to look.

pub mod answers;
pub mod arguments;
pub mod children;
pub mod client;
pub mod controller;
pub mod credentials;
pub mod definition;
pub mod error;
pub mod fence;
pub mod hash;
pub mod health;
pub mod labels;
pub mod layout;
pub mod leader;
pub mod manifests;
pub mod metrics;
pub mod pipeline;
pub mod platform;
pub mod problem;
pub mod rbac;
pub mod resources;
pub mod settings;
pub mod store;
pub mod telemetry;
