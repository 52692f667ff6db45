//! The clients people use, as they use them: sign in, push, pull, copy, list, delete and attach real content.
//!
//! A client that is missing fails its test with the command that installs it: nothing is passed over.
#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a broken expectation fails the test"
)]

mod crane;
mod helm;
mod image_layout;
mod large_layer;
mod oras;
mod podman;
mod regctl;
mod resumed_upload;
mod s3;
mod skopeo;
mod workstation;
