//! A running control plane.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::audit::AuditLog;
use crate::certificates::Certificates;
use crate::control_plane_builder::ControlPlaneBuilder;
use crate::credentials::{Credentials, kubeconfig};
use crate::kubectl::{self, Output};
use crate::network::{Forward, Network};
use crate::process::Process;
use crate::programs::program;
use crate::test_directory::TestDirectory;

pub(crate) const ADMIN_TOKEN: &str = "zas-admin-token";

/// How long the tokens of ServiceAccounts are valid.
const TOKEN_LIFETIME: &str = "12h";

static NEXT_CREDENTIALS: AtomicU32 = AtomicU32::new(0);

/// etcd, an API server and a controller manager with all controllers. Dropping it ends them and removes their
/// files; when the test is failing, the ends of their logs are shown first.
#[derive(Debug)]
pub struct ControlPlane {
    // Declared in the order in which they end.
    pub(crate) processes: Vec<Process>,
    pub(crate) _forward: Option<Forward>,
    pub(crate) admin: Credentials,
    pub(crate) server: String,
    pub(crate) certificates: Certificates,
    pub(crate) network: Network,
    pub(crate) directory: Arc<TestDirectory>,
}

impl ControlPlane {
    /// A control plane with an audit log and `OwnerReferencesPermissionEnforcement`, without a scheduler.
    pub fn builder() -> ControlPlaneBuilder {
        ControlPlaneBuilder::default()
    }

    /// The address of the API server, valid inside and outside of a private network.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The administrator, who may do everything and whose name in the audit log is `admin`.
    pub fn admin(&self) -> &Credentials {
        &self.admin
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> &Path {
        self.admin.kubeconfig()
    }

    /// A client with the rights of the administrator. A client belongs to the runtime of the test that asks
    /// for it, so tests that share a control plane share no client.
    pub async fn client(&self) -> Client {
        self.client_of(&self.admin).await
    }

    /// A client with the rights of somebody else.
    pub async fn client_of(&self, who: &Credentials) -> Client {
        let kubeconfig =
            Kubeconfig::read_from(who.kubeconfig()).expect("the harness writes valid kubeconfigs");
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
        let config = config.expect("the harness writes valid kubeconfigs");
        Client::try_from(config).expect("the harness writes valid kubeconfigs")
    }

    /// Mints a token for a ServiceAccount that is there, and a kubeconfig for it. Its name in the audit log is
    /// `system:serviceaccount:<namespace>:<name>`.
    #[track_caller]
    pub fn service_account(&self, namespace: &str, name: &str) -> Credentials {
        let lifetime = format!("--duration={TOKEN_LIFETIME}");
        let output = self.kubectl(&["create", "token", name, "--namespace", namespace, &lifetime]);
        let token = output.expect_success().trim();
        let text = kubeconfig(&self.server, &self.certificates.authority, token, namespace);
        let number = NEXT_CREDENTIALS.fetch_add(1, Ordering::Relaxed);
        let file = format!("credentials/{namespace}-{name}-{number}.kubeconfig");
        Credentials::new(token, self.directory.write(&file, &text))
    }

    /// Runs kubectl as the administrator.
    #[track_caller]
    pub fn kubectl(&self, arguments: &[&str]) -> Output {
        self.kubectl_of(&self.admin, arguments, "")
    }

    /// Runs kubectl as somebody else, with `input` as its standard input.
    #[track_caller]
    pub fn kubectl_of(&self, who: &Credentials, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new(program("kubectl"));
        command.env("KUBECONFIG", who.kubeconfig());
        // Its cache is by address, and another cluster may have had this one's.
        command.env("KUBECACHEDIR", self.directory.file("kubectl-cache"));
        command.args(arguments);
        self.directory.adopt(&mut command);
        kubectl::run(&mut command, input)
    }

    /// Applies YAML on the server's side, strictly, as the administrator.
    #[track_caller]
    pub fn apply(&self, yaml: &str) {
        self.try_apply(yaml).expect_success();
    }

    /// The same for YAML that may be refused.
    #[track_caller]
    pub fn try_apply(&self, yaml: &str) -> Output {
        let arguments = [
            "apply",
            "--server-side",
            "--force-conflicts",
            "--validate=strict",
            "--filename=-",
        ];
        self.kubectl_of(&self.admin, &arguments, yaml)
    }

    /// The record of all requests; panics when it is read and the control plane was started without.
    pub fn audit_log(&self) -> AuditLog {
        AuditLog::new(self.directory.file("audit.log"))
    }

    /// A directory for files of the test, removed with the control plane.
    #[track_caller]
    pub fn scratch(&self, name: &str) -> std::path::PathBuf {
        self.directory.directory(&format!("scratch/{name}"))
    }

    /// The network that the control plane lives in.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Panics with the end of the log of a process that has ended.
    #[track_caller]
    pub(crate) fn expect_running(&mut self) {
        for process in &mut self.processes {
            process.expect_running();
        }
    }
}
