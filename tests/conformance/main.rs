//! Our own conformance suite: what the OCI distribution specification and our own promises demand, tested from
//! outside on a real server, on every storage backend, with and without login and TLS.
//!
//! `cargo test -p zas-tests --test conformance` runs everything. `ZAS_TEST_CASE=<text>` keeps only the cases
//! whose name contains the text.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod administrator;
mod cases;
mod configuration_files;
mod data_set;
mod environment;
mod fixture;
mod limits;
mod operation;
mod persistence;
mod proxies;
mod runner;

use environment::Environment;
use zas_tests::{Blobs, Metadata};

const MEMORY: (Metadata, Blobs) = (Metadata::Memory, Blobs::Memory);
const DISK: (Metadata, Blobs) = (Metadata::RocksDb, Blobs::Filesystem);

#[test]
fn memory_anonymous_plain() {
    runner::run(&Environment::start(MEMORY, false, false));
}

#[test]
fn memory_anonymous_tls() {
    runner::run(&Environment::start(MEMORY, false, true));
}

#[test]
fn memory_login_plain() {
    runner::run(&Environment::start(MEMORY, true, false));
}

#[test]
fn memory_login_tls() {
    runner::run(&Environment::start(MEMORY, true, true));
}

#[test]
fn disk_anonymous_plain() {
    runner::run(&Environment::start(DISK, false, false));
}

#[test]
fn disk_anonymous_tls() {
    runner::run(&Environment::start(DISK, false, true));
}

#[test]
fn disk_login_plain() {
    runner::run(&Environment::start(DISK, true, false));
}

#[test]
fn disk_login_tls() {
    runner::run(&Environment::start(DISK, true, true));
}

#[test]
#[ignore = "needs a running registry: set ZAS_TEST_TARGET to its address, for example http://127.0.0.1:5000"]
fn running_registry() {
    runner::run(&Environment::running());
}
