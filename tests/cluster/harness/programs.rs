//! Where the programs of Kubernetes are.

use std::env;
use std::path::{Path, PathBuf};

/// A program of Kubernetes: from `KUBEBUILDER_ASSETS` when it is there, else from `ZAS_TESTENV`, where
/// `hack/testenv.sh` puts what it compiles.
#[track_caller]
pub(crate) fn program(name: &str) -> PathBuf {
    let directories = ["KUBEBUILDER_ASSETS", "ZAS_TESTENV"].map(env::var_os);
    let mut candidates = directories
        .into_iter()
        .flatten()
        .map(|directory| Path::new(&directory).join(name));
    candidates.find(|path| path.is_file()).unwrap_or_else(|| {
        panic!("{name} is neither in $KUBEBUILDER_ASSETS nor in $ZAS_TESTENV: run hack/setup.sh test and source hack/environment.sh")
    })
}

/// A directory of resource definitions that `hack/testenv.sh` has copied.
#[track_caller]
pub(crate) fn neighbour_definitions(name: &str) -> PathBuf {
    let kept = env::var_os("ZAS_TESTENV").map(|directory| Path::new(&directory).join("crds").join(name));
    kept.filter(|path| path.is_dir()).unwrap_or_else(|| {
        panic!("crds/{name} is not in $ZAS_TESTENV: run hack/setup.sh test and source hack/environment.sh")
    })
}

/// The root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the workspace is there")
}
