//! kubelet and kube-proxy.

use std::path::Path;

use serde_json::json;

use crate::control_plane_builder::{NODE_NAME, NODE_TOKEN, flag};
use crate::credentials::kubeconfig;
use crate::namespace::Namespace;
use crate::node::ADDRESS;
use crate::process::Process;
use crate::programs::program;
use crate::test_directory::TestDirectory;
use crate::{ControlPlane, container_runtime};

#[track_caller]
pub(crate) fn start_kubelet(
    directory: &TestDirectory,
    namespace: &Namespace,
    control_plane: &ControlPlane,
    runtime: &Path,
) -> Process {
    let text = kubeconfig(
        control_plane.server(),
        &control_plane.certificates.authority,
        NODE_TOKEN,
        "default",
    );
    let kubeconfig = directory.write("credentials/node.kubeconfig", &text);
    let configuration = directory.write("kubelet.json", &kubelet_configuration(runtime));
    let mut command = namespace.command(program("kubelet"));
    flag(&mut command, "config", configuration);
    flag(&mut command, "kubeconfig", kubeconfig);
    flag(&mut command, "node-ip", ADDRESS.to_string());
    flag(&mut command, "hostname-override", NODE_NAME);
    Process::start("kubelet", directory, command)
}

/// Works without root's full rights over control groups, in version 1 and 2 of them.
fn kubelet_configuration(runtime: &Path) -> String {
    let configuration = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {"anonymous": {"enabled": true}, "webhook": {"enabled": false}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupsPerQOS": false,
        "containerRuntimeEndpoint": format!("unix://{}", runtime.display()),
        "enforceNodeAllocatable": [],
        // A test says what happens to its pods, not the disk of the machine.
        "evictionHard": {"memory.available": "0%", "nodefs.available": "0%", "imagefs.available": "0%",
            "nodefs.inodesFree": "0%", "imagefs.inodesFree": "0%"},
        "failCgroupV1": false,
        "failSwapOn": false,
        "imageGCHighThresholdPercent": 100,
        "localStorageCapacityIsolation": false,
        "resolvConf": "",
    });
    configuration.to_string()
}

#[track_caller]
pub(crate) fn start_proxy(
    directory: &TestDirectory,
    namespace: &Namespace,
    control_plane: &ControlPlane,
) -> Process {
    let mut command = namespace.command(program("kube-proxy"));
    flag(&mut command, "kubeconfig", control_plane.kubeconfig());
    flag(&mut command, "proxy-mode", "iptables");
    flag(&mut command, "cluster-cidr", container_runtime::POD_RANGE);
    flag(&mut command, "hostname-override", NODE_NAME);
    // The table of connections belongs to the whole machine: leave its limits alone.
    flag(&mut command, "conntrack-max-per-core", "0");
    flag(&mut command, "conntrack-tcp-timeout-established", "0");
    flag(&mut command, "conntrack-tcp-timeout-close-wait", "0");
    // Rules follow Services at once instead of once a second.
    flag(&mut command, "iptables-min-sync-period", "50ms");
    Process::start("kube-proxy", directory, command)
}
