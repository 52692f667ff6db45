//! Signature Version 4 (API reference, "Authenticating Requests (AWS Signature Version 4)").
//!
//! Verification has two steps, because the secret comes from a store that may have to be waited for:
//! [`authenticate`] reads the head and gives a [`SignedRequest`] that names an access key; its
//! [`verify`](SignedRequest::verify) takes the secret. Only a [`Verified`] request has a body to read.

mod authenticate;
mod canonical;
mod header;
mod key;
mod mac;
mod presigned;
mod scope;
mod secret;
mod signed;

pub use authenticate::{Authentication, authenticate};
pub(crate) use key::SigningKey;
pub(crate) use mac::{hmac_sha256, sha256};
pub use scope::Expected;
pub use secret::SecretKey;
pub use signed::{Anonymous, SignedRequest, Verified};

#[cfg(test)]
mod tests;
