//! The operator against a real control plane: etcd, an API server and all controllers, but no node. Pods run because
//! a test says so.
//!
//! Most tests share a cluster. Each has a namespace with an operator of its own, which has a ServiceAccount with the
//! rights of an installation and looks after that namespace alone.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod cluster;
#[path = "../../../crd/tests/support/grammar.rs"]
mod grammar;
mod kind;
mod mounted;
mod pods;
mod pushed;
mod rights;
mod stage;
mod status;
mod worker;

mod conflicts;
mod definitions;
mod drift;
mod features;
mod full;
mod leader;
mod minimal;
mod packaging;
mod previous;
mod references;
mod restraint;
mod retention;
mod rollouts;
mod rules;
mod scope;
mod settled;
mod speed;
mod versions;
mod volumes;
