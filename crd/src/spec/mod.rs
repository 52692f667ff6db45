//! What a user states: one file per group of `spec`.

pub mod access;
pub mod data_volume;
pub mod exposure;
pub mod extensions;
pub mod http;
pub mod image;
pub mod limits;
pub mod logging;
pub mod maintenance;
pub mod metadata_store;
pub mod monitoring;
pub mod network;
pub mod pod;
pub mod references;
pub mod service_account;
pub mod storage;
pub mod tls;
pub mod values;
pub mod volumes;
