//! The sections of the configuration, one file per subject.

pub(crate) mod access_control;
pub(crate) mod auth;
pub(crate) mod collection;
pub(crate) mod encryption;
pub(crate) mod http;
pub(crate) mod limits;
pub(crate) mod log;
pub(crate) mod rbac;
pub(crate) mod registry;
pub(crate) mod storage;
