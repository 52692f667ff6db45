//! The S3 wire protocol, without input or output.
//!
//! A request is read in steps, each of which gives a type that the next one needs:
//!
//! 1. [`RequestHead`] is the head as it came.
//! 2. [`Operation::of`](operation::Operation::of) says what is asked for, and with
//!    [`actions`](operation::Operation::actions) what has to be allowed. Its error is told only after the next step.
//! 3. [`sigv4::authenticate`] says who claims to have sent it; verification with the secret gives a
//!    [`sigv4::Verified`] request, and only that, or an anonymous one, has a [`payload`] to read.
//!
//! Every error is an [`S3Error`] out of one table. Nothing here knows the server, its
//! storage or its configuration; time and secrets are passed in.

pub mod access_key;
pub mod checksum;
pub mod error;
mod head;
mod hex;
pub mod names;
pub mod operation;
pub mod payload;
mod percent;
mod query;
pub mod sigv4;
mod time;

pub use error::{ErrorCode, S3Error};
pub use head::{Headers, Method, RequestHead};
pub use query::Query;
pub use time::{http_date, iso8601, parse_http_date};
