//! Starts and stops real servers for tests, speaks HTTP to them and builds the content to push.
//!
//! Everything here belongs to tests: a broken expectation panics with what was asked and answered.
#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "the harness fails the test that uses it"
)]

mod artifact;
mod builder;
mod certificate;
mod client;
mod content;
mod data_directory;
mod fact;
mod image;
mod index;
mod mount;
mod query;
mod raw;
mod repository;
mod response;
mod server;
mod stored_files;
mod transcript;

pub use artifact::Artifact;
pub use builder::{Blobs, Metadata, ServerBuilder};
pub use certificate::Certificate;
pub use client::{Client, Credentials, NoAnswer, Request};
pub use content::{Algorithm, Blob, Document, Package, media_type, random_bytes};
pub use fact::{Fact, FactValue};
pub use image::Image;
pub use index::Index;
pub use mount::Mount;
pub use query::with_query;
pub use raw::RawConnection;
pub use repository::{Repository, Upload};
pub use response::{ERROR_CODES, FAULT_CODES, Response};
pub use server::{FailedStart, Server};
pub use stored_files::stored_files;
pub use transcript::Transcript;
