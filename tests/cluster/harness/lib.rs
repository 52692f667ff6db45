//! Starts and stops a real Kubernetes for tests: a [`ControlPlane`] (etcd, API server and controller manager),
//! a [`Node`] (the same with a kubelet, containerd and working Services) and the [`Operator`] under test.
//!
//! Nothing outlives the test process. Whatever is started carries the name of a temporary directory in its
//! environment, and a guardian process clears all of it away when the value is dropped and also when the test
//! process is killed. So a control plane may live in a `static` and serve all tests of a program.
//!
//! Everything here belongs to tests: a broken expectation panics with what was asked and answered.
#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "the harness fails the test that uses it"
)]

mod audit;
mod certificates;
mod container_runtime;
mod control_plane;
mod control_plane_builder;
mod credentials;
mod image;
mod kubectl;
mod namespace;
mod neighbours;
mod network;
mod node;
mod node_agents;
mod operator;
mod port;
mod process;
mod programs;
mod server;
mod test_directory;
mod wait;

#[cfg(test)]
mod control_plane_tests;
#[cfg(test)]
mod node_tests;
#[cfg(test)]
mod remains;

pub use audit::{AuditEvent, AuditLog, AuditMark};
pub use certificates::self_signed;
pub use control_plane::ControlPlane;
pub use control_plane_builder::ControlPlaneBuilder;
pub use credentials::Credentials;
pub use image::{ImageBuild, standin_base};
pub use kubectl::Output;
pub use network::{Forward, Network};
pub use node::Node;
pub use operator::{Operator, OperatorBuilder};
pub use server::{PreviousRelease, Server, ask_server, built_server, start_in_vain};
pub use wait::{eventually, wait_until};
