//! How a control plane is started.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::certificates::{self, Certificates};
use crate::control_plane::{ADMIN_TOKEN, ControlPlane};
use crate::credentials::{Credentials, kubeconfig};
use crate::network::Network;
use crate::port::free_port;
use crate::process::Process;
use crate::programs::program;
use crate::test_directory::TestDirectory;
use crate::{audit, wait_until};

/// Three seconds on an idle machine; a busy one gets more.
const START_LIMIT: Duration = Duration::from_secs(120);

const POLL: Duration = Duration::from_millis(100);

/// The address of the API as pods see it is the first of these.
const SERVICE_RANGE: &str = "10.96.0.0/16";
const FIRST_SERVICE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 96, 0, 1));

pub(crate) const NODE_NAME: &str = "zas-node";
pub(crate) const NODE_TOKEN: &str = "zas-node-token";
const CONTROLLER_TOKEN: &str = "zas-controller-token";
const SCHEDULER_TOKEN: &str = "zas-scheduler-token";

/// A control plane that is about to start.
#[derive(Debug)]
pub struct ControlPlaneBuilder {
    audit_log: bool,
    scheduler: bool,
    admission_plugins: Vec<String>,
    network: Network,
    address: IpAddr,
}

impl Default for ControlPlaneBuilder {
    fn default() -> Self {
        Self {
            audit_log: true,
            scheduler: false,
            // OpenShift has it, and it refuses what plain Kubernetes lets an operator do.
            admission_plugins: vec!["OwnerReferencesPermissionEnforcement".to_owned()],
            network: Network::Host,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        }
    }
}

impl ControlPlaneBuilder {
    /// Whether all requests are recorded; they are unless this says otherwise.
    #[must_use]
    pub fn audit_log(mut self, wanted: bool) -> Self {
        self.audit_log = wanted;
        self
    }

    /// Whether pods are assigned to nodes; without a node there is no use for it.
    #[must_use]
    pub fn scheduler(mut self, wanted: bool) -> Self {
        self.scheduler = wanted;
        self
    }

    /// The admission plug-ins besides the API server's own choice.
    #[must_use]
    pub fn admission_plugins(mut self, names: &[&str]) -> Self {
        self.admission_plugins = names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// Where the processes live, and by which address nodes and pods reach the API server there. It is
    /// reached at the same port of the loopback address inside and outside.
    #[must_use]
    pub fn network(mut self, network: Network, address: IpAddr) -> Self {
        self.network = network;
        self.address = address;
        self
    }

    /// Starts everything and waits until it is of use.
    #[track_caller]
    pub fn start(self) -> ControlPlane {
        self.start_in(&Arc::new(TestDirectory::new()))
    }

    #[track_caller]
    pub(crate) fn start_in(self, directory: &Arc<TestDirectory>) -> ControlPlane {
        let addresses = [IpAddr::V4(Ipv4Addr::LOCALHOST), self.address, FIRST_SERVICE];
        let certificates = certificates::generate(directory, &addresses);
        let port = free_port();
        let start = Start {
            builder: &self,
            directory,
            certificates: &certificates,
            port,
        };
        let etcd_port = free_port();
        let etcd = start.etcd(etcd_port);
        let api_server = start.api_server(etcd_port);

        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let _forward =
            matches!(self.network, Network::OfProcess(_)).then(|| self.network.forward_from(port, local));
        let mut control_plane = ControlPlane {
            processes: vec![api_server, etcd],
            _forward,
            admin: start.credentials("admin", ADMIN_TOKEN),
            server: start.server(),
            certificates: certificates.clone(),
            network: self.network.clone(),
            directory: Arc::clone(directory),
        };
        wait_until_ready(&mut control_plane, local);
        // Started before the API server they would try once a second, and later than it is ready.
        let controllers = start.controllers();
        control_plane.processes.insert(0, controllers);
        if self.scheduler {
            let scheduler = start.scheduler();
            control_plane.processes.insert(0, scheduler);
        }
        wait_until(
            "controllers run: the default ServiceAccount is there",
            START_LIMIT,
            || {
                control_plane.expect_running();
                let arguments = ["get", "serviceaccount", "default", "--namespace", "default"];
                control_plane.kubectl(&arguments).is_success()
            },
        );
        control_plane
    }
}

#[track_caller]
fn wait_until_ready(control_plane: &mut ControlPlane, address: SocketAddr) {
    let end = Instant::now() + START_LIMIT;
    loop {
        control_plane.expect_running();
        let listening = match &control_plane.network {
            Network::Host => TcpStream::connect(address).is_ok(),
            inside => inside.connect(address).is_ok(),
        };
        if listening && control_plane.kubectl(&["get", "--raw", "/readyz"]).is_success() {
            return;
        }
        assert!(
            Instant::now() < end,
            "the API server is not ready after {START_LIMIT:?}"
        );
        thread::sleep(POLL);
    }
}

/// What the command lines of one start have in common.
struct Start<'a> {
    builder: &'a ControlPlaneBuilder,
    directory: &'a TestDirectory,
    certificates: &'a Certificates,
    port: u16,
}

impl Start<'_> {
    fn server(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    fn command(&self, name: &str) -> Command {
        self.builder.network.command(program(name))
    }

    fn credentials(&self, name: &str, token: &str) -> Credentials {
        let text = kubeconfig(&self.server(), &self.certificates.authority, token, "default");
        let file = self
            .directory
            .write(&format!("credentials/{name}.kubeconfig"), &text);
        Credentials::new(token, file)
    }

    fn etcd(&self, port: u16) -> Process {
        let clients = format!("http://127.0.0.1:{port}");
        let peers = format!("http://127.0.0.1:{}", free_port());
        let mut command = self.command("etcd");
        flag(&mut command, "data-dir", self.directory.file("etcd"));
        flag(&mut command, "listen-client-urls", &clients);
        flag(&mut command, "advertise-client-urls", &clients);
        flag(&mut command, "listen-peer-urls", &peers);
        flag(&mut command, "initial-advertise-peer-urls", &peers);
        flag(&mut command, "initial-cluster", format!("default={peers}"));
        // The data ends with the test, so nothing needs to survive a power loss.
        command.arg("--unsafe-no-fsync");
        Process::start("etcd", self.directory, command)
    }

    fn api_server(&self, etcd_port: u16) -> Process {
        let address = self.builder.address;
        let inside = matches!(self.builder.network, Network::OfProcess(_));
        let mut command = self.command("kube-apiserver");
        flag(
            &mut command,
            "etcd-servers",
            format!("http://127.0.0.1:{etcd_port}"),
        );
        flag(&mut command, "secure-port", self.port.to_string());
        flag(
            &mut command,
            "bind-address",
            if inside { "0.0.0.0" } else { "127.0.0.1" },
        );
        flag(&mut command, "advertise-address", address.to_string());
        if !inside {
            // Endpoints may not be loopback addresses, and nobody inside the cluster asks for this one.
            flag(&mut command, "endpoint-reconciler-type", "none");
        }
        flag(&mut command, "service-cluster-ip-range", SERVICE_RANGE);
        flag(&mut command, "authorization-mode", "Node,RBAC");
        flag(&mut command, "allow-privileged", "true");
        // Otherwise logs, exec and port-forward look up a host name.
        flag(&mut command, "kubelet-preferred-address-types", "InternalIP");
        flag(&mut command, "token-auth-file", self.tokens());
        self.add_certificates(&mut command);
        self.add_plugins(&mut command);
        Process::start("kube-apiserver", self.directory, command)
    }

    fn add_certificates(&self, command: &mut Command) {
        let certificates = self.certificates;
        flag(command, "cert-dir", self.directory.file("pki"));
        flag(command, "tls-cert-file", &certificates.server_certificate);
        flag(command, "tls-private-key-file", &certificates.server_key);
        flag(command, "service-account-issuer", self.server());
        flag(
            command,
            "service-account-key-file",
            &certificates.token_public_key,
        );
        flag(
            command,
            "service-account-signing-key-file",
            &certificates.token_key,
        );
    }

    fn add_plugins(&self, command: &mut Command) {
        if !self.builder.admission_plugins.is_empty() {
            let plugins = self.builder.admission_plugins.join(",");
            flag(command, "enable-admission-plugins", plugins);
        }
        if self.builder.audit_log {
            let policy = self.directory.write("audit-policy.json", audit::POLICY);
            flag(command, "audit-policy-file", policy);
            flag(command, "audit-log-path", self.directory.file("audit.log"));
        }
    }

    fn tokens(&self) -> std::path::PathBuf {
        // The controllers have names of their own, so that a test can tell their writes from its own.
        let table = format!(
            "{ADMIN_TOKEN},admin,admin,\"system:masters\"\n\
             {CONTROLLER_TOKEN},system:kube-controller-manager,controllers,\"system:masters\"\n\
             {SCHEDULER_TOKEN},system:kube-scheduler,scheduler,\"system:masters\"\n\
             {NODE_TOKEN},system:node:{NODE_NAME},node,\"system:nodes\"\n"
        );
        self.directory.write("tokens.csv", &table)
    }

    fn controllers(&self) -> Process {
        let credentials = self.credentials("controllers", CONTROLLER_TOKEN);
        let mut command = self.command("kube-controller-manager");
        flag(&mut command, "kubeconfig", credentials.kubeconfig());
        flag(&mut command, "leader-elect", "false");
        flag(&mut command, "secure-port", "0");
        flag(&mut command, "root-ca-file", &self.certificates.authority_file);
        flag(
            &mut command,
            "service-account-private-key-file",
            &self.certificates.token_key,
        );
        // The limits of a cluster of thousands would make tests wait.
        flag(&mut command, "kube-api-qps", "500");
        flag(&mut command, "kube-api-burst", "1000");
        Process::start("kube-controller-manager", self.directory, command)
    }

    fn scheduler(&self) -> Process {
        let credentials = self.credentials("scheduler", SCHEDULER_TOKEN);
        let mut command = self.command("kube-scheduler");
        flag(&mut command, "kubeconfig", credentials.kubeconfig());
        flag(&mut command, "leader-elect", "false");
        flag(&mut command, "secure-port", "0");
        Process::start("kube-scheduler", self.directory, command)
    }
}

/// Adds `--name=value`.
pub(crate) fn flag(command: &mut Command, name: &str, value: impl AsRef<Path>) {
    command.arg(format!("--{name}={}", value.as_ref().display()));
}
