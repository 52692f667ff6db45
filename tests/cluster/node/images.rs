//! The images of this checkout on a base that can be had here.

use std::path::{Path, PathBuf};

use zas_cluster_tests::{ImageBuild, standin_base};

/// The version of this checkout, which the manifests name.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The root of the checkout.
pub(crate) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// An image under the name that the manifests state, from the Dockerfile of the product and the program in `bin/`.
pub(crate) struct ProductImage {
    pub(crate) archive: PathBuf,
}

impl ProductImage {
    /// Builds the image of `program` as a docker-archive in `directory`.
    pub(crate) fn build(program: &str, dockerfile: &str, directory: &Path) -> Self {
        let name = format!("quay.io/candlekeep/{program}:{VERSION}");
        let archive = directory.join(format!("{program}.tar"));
        ImageBuild::new(&name, checkout().join(dockerfile), checkout())
            .argument("BINARY", "prebuilt")
            .argument("BASE_IMAGE", standin_base())
            .argument("VERSION", VERSION)
            .write_to(&archive);
        Self { archive }
    }
}
