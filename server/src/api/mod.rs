//! HTTP: parse, authorise, call, render.

pub mod admin;
mod body;
mod observe;
pub mod oci;
mod request_body;
mod request_id;
pub mod root;

pub use observe::{Observer, RequestRecord, observe};
pub use request_id::RequestId;
