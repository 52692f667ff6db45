//! The private network and mounts of a node.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::network::Network;
use crate::process::Process;
use crate::test_directory::TestDirectory;
use crate::wait::wait_until;

const START_LIMIT: Duration = Duration::from_secs(20);

/// Namespaces that end with the process which holds them, and with them all mounts and interfaces.
#[derive(Debug)]
pub(crate) struct Namespace {
    holder: Process,
    snapshotter: String,
}

impl Namespace {
    #[track_caller]
    pub(crate) fn start(directory: &TestDirectory, address: Ipv4Addr) -> Self {
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "--propagation", "private", "--"]);
        command.args(["bash", "-c", include_str!("namespace.sh"), "namespace"]);
        command.arg(directory.path()).arg(address.to_string());
        let mut holder = Process::start("namespace", directory, command);
        let ready = directory.file("namespace-ready");
        wait_until("the namespace of the node is ready", START_LIMIT, || {
            holder.expect_running();
            ready.is_file()
        });
        let snapshotter = fs::read_to_string(directory.file("snapshotter"));
        let snapshotter = snapshotter.expect("the namespace names one").trim().to_owned();
        Self { holder, snapshotter }
    }

    /// How containerd can keep images here: `overlayfs`, or `native`, which copies.
    pub(crate) fn snapshotter(&self) -> &str {
        &self.snapshotter
    }

    pub(crate) fn network(&self) -> Network {
        Network::OfProcess(self.holder.id())
    }

    /// A command with this network and these mounts.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={}", self.holder.id()));
        command.args(["--net", "--mount", "--"]).arg(program.as_ref());
        command
    }
}
