//! The images of this checkout on a base that can be had here.

use std::path::{Path, PathBuf};

use zas_cluster_tests::{ImageBuild, standin_base};

/// The version of this checkout, which the manifests name.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The root of the checkout.
pub(crate) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// An image that no node knows, and what it prints when it runs.
///
/// Not one of the product's: a kubelet that has pulled an image under one name asks the registry of every other name it
/// has for leave to use it.
pub(crate) struct DemoImage {
    pub(crate) archive: PathBuf,
}

impl DemoImage {
    pub(crate) const GREETING: &str = "pulled from the store";

    /// Builds the image as a docker-archive in `directory`.
    pub(crate) fn build(directory: &Path) -> Self {
        let dockerfile = directory.join("Dockerfile.demo");
        let greeting = Self::GREETING;
        let text = format!(
            "ARG BASE\nFROM ${{BASE}}\nRUN echo '{greeting}' >/greeting\nCMD [\"cat\", \"/greeting\"]\n"
        );
        std::fs::write(&dockerfile, text).expect("the scratch directory is writable");
        let archive = directory.join("demo.tar");
        ImageBuild::new("zas.local/demo:1", dockerfile, directory)
            .argument("BASE", standin_base())
            .write_to(&archive);
        Self { archive }
    }
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
