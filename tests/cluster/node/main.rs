//! The operator and the server on a real node: images of both, installed as the README says, used by real clients.
//!
//! Needs root, containerd and the programs in `bin/` (`make build`).
#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a broken expectation fails the test"
)]

mod images;
mod registry;
mod story;
mod world;

use std::time::Duration;

/// For everything that takes a Pod to start on a busy machine.
const LIMIT: Duration = Duration::from_secs(240);
