//! Clusters with the definition of the resource.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use zas_cluster_tests::ControlPlane;

/// Plain Kubernetes.
static PLAIN: LazyLock<Arc<ControlPlane>> =
    LazyLock::new(|| with_definition(ControlPlane::builder().start()));

/// With Routes and the Prometheus operator's kinds.
static EXTENDED: LazyLock<Arc<ControlPlane>> = LazyLock::new(|| {
    let control_plane = ControlPlane::builder().start();
    control_plane.install_route_crd();
    control_plane.install_monitoring_crds();
    with_definition(control_plane)
});

fn with_definition(control_plane: ControlPlane) -> Arc<ControlPlane> {
    control_plane.apply_crds(configuration("crd/zotartifactstore_crd.yaml"));
    Arc::new(control_plane)
}

/// Plain Kubernetes, shared by tests that change nothing outside of their namespace.
pub(crate) fn plain() -> Arc<ControlPlane> {
    Arc::clone(&PLAIN)
}

/// A cluster with the optional kinds, shared likewise.
pub(crate) fn extended() -> Arc<ControlPlane> {
    Arc::clone(&EXTENDED)
}

/// Plain Kubernetes for one test alone.
pub(crate) fn own() -> Arc<ControlPlane> {
    with_definition(ControlPlane::builder().start())
}

/// A file below `config`.
pub(crate) fn configuration(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../config")
        .join(name)
}
