//! Resource definitions, ours and those of the operator's neighbours.

use std::path::Path;
use std::time::Duration;

use crate::programs::neighbour_definitions;
use crate::{ControlPlane, wait_until};

/// A second on an idle machine.
const ESTABLISHED_LIMIT: Duration = Duration::from_secs(60);

impl ControlPlane {
    /// Installs the resource definitions in a file or a directory, and waits until they are served.
    #[track_caller]
    pub fn apply_crds(&self, path: impl AsRef<Path>) {
        let path = path.as_ref().to_string_lossy();
        let arguments = ["apply", "--server-side", "--force-conflicts", "--filename", &path];
        self.kubectl(&arguments).expect_success();
        let arguments = [
            "wait",
            "--for=condition=Established",
            "--timeout=30s",
            "--filename",
            &path,
        ];
        // It fails at once while a definition has no conditions at all.
        wait_until("the definitions are served", ESTABLISHED_LIMIT, || {
            self.kubectl(&arguments).is_success()
        });
    }

    /// Installs OpenShift's `Route`.
    #[track_caller]
    pub fn install_route_crd(&self) {
        self.apply_crds(neighbour_definitions("route"));
    }

    /// Installs the Prometheus operator's `ServiceMonitor` and `PrometheusRule`.
    #[track_caller]
    pub fn install_monitoring_crds(&self) {
        self.apply_crds(neighbour_definitions("monitoring"));
    }

    /// Installs cert-manager's kinds, among them `Certificate`.
    #[track_caller]
    pub fn install_cert_manager_crds(&self) {
        self.apply_crds(neighbour_definitions("cert-manager"));
    }

    /// Installs the Gateway API's `GatewayClass`, `Gateway`, `ListenerSet` and `HTTPRoute`.
    #[track_caller]
    pub fn install_gateway_crds(&self) {
        self.apply_crds(neighbour_definitions("gateway"));
    }
}
