//! containerd and the network of its pods.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::kubectl;
use crate::namespace::Namespace;
use crate::process::Process;
use crate::test_directory::TestDirectory;
use crate::wait::wait_until;

const START_LIMIT: Duration = Duration::from_secs(60);

pub(crate) const POD_RANGE: &str = "10.244.0.0/24";
pub(crate) const PAUSE_IMAGE: &str = "zas.local/pause:1";

/// A running containerd with its own directories and socket.
#[derive(Debug)]
pub(crate) struct ContainerRuntime {
    process: Process,
    socket: PathBuf,
    registries: PathBuf,
    snapshotter: String,
}

impl ContainerRuntime {
    #[track_caller]
    pub(crate) fn start(directory: &TestDirectory, namespace: &Namespace) -> Self {
        let socket = directory.file("containerd.sock");
        let registries = directory.directory("registries");
        directory.write("cni/pods.conflist", &pod_network());
        let snapshotter = namespace.snapshotter();
        let text = configuration(directory, &socket, snapshotter);
        let configuration = directory.write("containerd.toml", &text);
        let mut command = namespace.command("containerd");
        command.arg("--config").arg(configuration);
        let process = Process::start("containerd", directory, command);
        let mut runtime = Self {
            process,
            socket,
            registries,
            snapshotter: snapshotter.to_owned(),
        };
        runtime.wait_until_ready();
        runtime
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Loads a docker-archive.
    #[track_caller]
    pub(crate) fn import(&self, archive: &Path) {
        let mut command = self.ctr();
        command.args(["images", "import", "--snapshotter", &self.snapshotter]);
        kubectl::run(command.arg(archive), "").expect_success();
    }

    /// Lets images be pulled from a registry without TLS.
    #[track_caller]
    pub(crate) fn allow_plain_http(&self, registry: &str) {
        let directory = self.registries.join(registry);
        std::fs::create_dir_all(&directory).expect("the temporary directory is writable");
        let url = format!("http://{registry}");
        let text = format!("server = {url:?}\n[host.{url:?}]\n  capabilities = [\"pull\", \"resolve\"]\n");
        std::fs::write(directory.join("hosts.toml"), text).expect("the temporary directory is writable");
    }

    fn ctr(&self) -> Command {
        let mut command = Command::new("ctr");
        command.arg("--address").arg(&self.socket);
        command.args(["--namespace", "k8s.io"]);
        command
    }

    #[track_caller]
    fn wait_until_ready(&mut self) {
        wait_until("containerd answers", START_LIMIT, || {
            self.process.expect_running();
            kubectl::run(self.ctr().arg("version"), "").is_success()
        });
    }
}

fn configuration(directory: &TestDirectory, socket: &Path, snapshotter: &str) -> String {
    let path = |name: &str| format!("{:?}", directory.file(name).to_string_lossy());
    format!(
        r#"version = 2
root = {root}
state = {state}

[grpc]
  address = {socket:?}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  # Lowering a score needs a capability that a container of continuous integration lacks.
  restrict_oom_score_adj = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "{snapshotter}"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = {cni}

[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = {registries}
"#,
        root = path("containerd"),
        state = path("containerd-state"),
        cni = path("cni"),
        registries = path("registries"),
    )
}

fn pod_network() -> String {
    let bridge = json!({
        "type": "bridge",
        "bridge": "zas-pods",
        "isGateway": true,
        "ipMasq": true,
        "hairpinMode": true,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": POD_RANGE}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    });
    let network = json!({
        "cniVersion": "0.4.0",
        "name": "zas-pods",
        "plugins": [bridge, {"type": "loopback"}],
    });
    network.to_string()
}
