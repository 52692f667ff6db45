//! HTTP: parse, authorise, call, render.

pub mod access_keys;
pub mod admin;
mod body;
mod forwarded;
mod observe;
pub mod oci;
mod pace;
mod request_body;
mod request_id;
pub mod root;
pub mod s3;

pub use forwarded::TrustedProxies;
pub use observe::{ManifestTransfer, Observer, RepositoryUse, RequestEnvironment, RequestRecord, observe};
pub use request_body::CutOff;
pub use request_id::RequestId;
