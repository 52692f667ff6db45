//! Zot Artifact Store: an OCI registry grown into an enterprise artifact store.
//!
//! Layers, each knowing only those to its right: `api -> services -> {metadata, blobs} -> core`. [`app`] wires them.

pub mod api;
pub mod app;
pub mod cli;
pub mod extensions;
pub mod services;
