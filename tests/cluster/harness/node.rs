//! A cluster with one node that runs pods.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::container_runtime::ContainerRuntime;
use crate::control_plane_builder::NODE_NAME;
use crate::image::pause_image;
use crate::kubectl::{self, Output};
use crate::namespace::Namespace;
use crate::network::{Forward, Network};
use crate::node_agents::{start_kubelet, start_proxy};
use crate::process::Process;
use crate::test_directory::TestDirectory;
use crate::wait::wait_until;
use crate::{ControlPlane, ControlPlaneBuilder};

const READY_LIMIT: Duration = Duration::from_secs(120);

/// The node's address in its private network; every node has a network to itself.
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 250, 0, 1);

/// A control plane, containerd, a kubelet and kube-proxy in a private network. Needs root. Dropping it ends
/// them with all containers and removes their files; when the test is failing, the ends of the logs are shown
/// first.
#[derive(Debug)]
pub struct Node {
    // Declared in the order in which they end.
    agents: Vec<Process>,
    runtime: ContainerRuntime,
    control_plane: ControlPlane,
    namespace: Namespace,
    pub(crate) directory: Arc<TestDirectory>,
}

impl Node {
    /// Starts a node and waits until it is ready.
    #[track_caller]
    pub fn start() -> Self {
        Self::start_with(ControlPlane::builder())
    }

    /// The same with a control plane that is not the usual one. A scheduler runs in any case.
    #[track_caller]
    pub fn start_with(control_plane: ControlPlaneBuilder) -> Self {
        let directory = Arc::new(TestDirectory::new());
        let namespace = Namespace::start(&directory, ADDRESS);
        let runtime = ContainerRuntime::start(&directory, &namespace);
        runtime.import(&pause_image());
        let control_plane = control_plane
            .scheduler(true)
            .network(namespace.network(), IpAddr::V4(ADDRESS))
            .start_in(&directory);
        let kubelet = start_kubelet(&directory, &namespace, &control_plane, runtime.socket());
        let proxy = start_proxy(&directory, &namespace, &control_plane);
        let mut node = Self {
            agents: vec![kubelet, proxy],
            runtime,
            control_plane,
            namespace,
            directory,
        };
        node.wait_until_ready();
        node
    }

    /// The control plane, whose clients and kubeconfigs work outside of the private network too.
    pub fn control_plane(&self) -> &ControlPlane {
        &self.control_plane
    }

    /// The private network, in which pods and Services are reached.
    pub fn network(&self) -> Network {
        self.namespace.network()
    }

    /// A command that runs in the private network, with the files of this machine.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        self.network().command(program)
    }

    /// Runs a command in the private network to its end.
    #[track_caller]
    pub fn run(&self, command: &[&str]) -> Output {
        let (program, arguments) = command.split_first().expect("a command has a program");
        kubectl::run(self.command(program).args(arguments), "")
    }

    /// A port of this machine's loopback address that leads to a pod or a Service.
    #[track_caller]
    pub fn forward(&self, target: SocketAddr) -> Forward {
        self.network().forward(target)
    }

    /// Loads an image from a docker-archive. Pods use it by its name with `imagePullPolicy: Never`.
    #[track_caller]
    pub fn import_image(&self, archive: impl AsRef<Path>) {
        self.runtime.import(archive.as_ref());
    }

    /// Lets the kubelet pull from a registry, for example `10.96.0.17:5000`, without TLS.
    #[track_caller]
    pub fn allow_plain_http(&self, registry: &str) {
        self.runtime.allow_plain_http(registry);
    }

    /// Makes a PersistentVolume out of a directory that everybody may write, and says where that is. A claim
    /// of the same storage class and access mode binds to it; `ReadWriteOncePod` must be alone.
    #[track_caller]
    pub fn persistent_volume(
        &self,
        name: &str,
        storage_class: &str,
        size: &str,
        access_modes: &[&str],
    ) -> PathBuf {
        let directory = self.directory.directory(&format!("volumes/{name}"));
        // The owner of a host's directory is not changed for a pod's group.
        let everybody = fs::Permissions::from_mode(0o777);
        fs::set_permissions(&directory, everybody).expect("the directory is ours");
        let volume = json!({
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": {
                "accessModes": access_modes,
                "capacity": {"storage": size},
                "hostPath": {"path": directory.to_string_lossy(), "type": "Directory"},
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": storage_class,
            },
        });
        self.control_plane.apply(&volume.to_string());
        directory
    }

    #[track_caller]
    fn wait_until_ready(&mut self) {
        let condition = r#"jsonpath={.status.conditions[?(@.type=="Ready")].status}"#;
        wait_until("the node is ready", READY_LIMIT, || {
            self.control_plane.expect_running();
            self.agents.iter_mut().for_each(Process::expect_running);
            let output = self
                .control_plane
                .kubectl(&["get", "node", NODE_NAME, "--output", condition]);
            output.stdout() == "True"
        });
    }
}
