//! Building container images without a daemon.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use crate::container_runtime::PAUSE_IMAGE;
use crate::kubectl;
use crate::programs::program;

/// What stands in for the base image of the product, which no package registry has.
const STANDIN: &str = "zas.local/standin-base:1";

/// An image that is about to be built from a Dockerfile.
#[derive(Debug)]
pub struct ImageBuild {
    name: String,
    dockerfile: PathBuf,
    context: PathBuf,
    arguments: Vec<(String, String)>,
}

impl ImageBuild {
    /// An image called `name`, for example `zas.local/server:1`.
    pub fn new(name: &str, dockerfile: impl Into<PathBuf>, context: impl Into<PathBuf>) -> Self {
        Self {
            name: name.to_owned(),
            dockerfile: dockerfile.into(),
            context: context.into(),
            arguments: Vec::new(),
        }
    }

    /// Sets an `ARG` of the Dockerfile.
    #[must_use]
    pub fn argument(mut self, name: &str, value: &str) -> Self {
        self.arguments.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Builds the image into a docker-archive.
    #[track_caller]
    pub fn write_to(&self, archive: &Path) {
        let storage = Storage::lock();
        storage.build(self);
        let mut push = storage.buildah("push");
        push.arg(&self.name)
            .arg(format!("docker-archive:{}:{}", archive.display(), self.name));
        kubectl::run(&mut push, "").expect_success();
        // The archive is what counts: the storage keeps only bases.
        kubectl::run(storage.buildah("rmi").arg(&self.name), "").expect_success();
    }
}

/// The pause image as a docker-archive, made once for one set of compiled programs.
#[track_caller]
pub(crate) fn pause_image() -> PathBuf {
    let pause = program("pause");
    let archive = pause.with_file_name("pause-image.tar");
    if !archive.is_file() {
        let context = tempfile::tempdir().expect("temporary directories can be made");
        let dockerfile = context.path().join("Dockerfile");
        fs::write(
            &dockerfile,
            "FROM scratch\nCOPY pause /pause\nENTRYPOINT [\"/pause\"]\n",
        )
        .expect("the temporary directory is writable");
        fs::copy(&pause, context.path().join("pause")).expect("the program can be read");
        // Renamed in one step, as another test program may be doing the same.
        let partial = archive.with_extension(format!("tar.{}", process::id()));
        ImageBuild::new(PAUSE_IMAGE, dockerfile, context.path()).write_to(&partial);
        fs::rename(&partial, &archive).expect("the directory of programs is writable");
    }
    archive
}

/// The name of a base image for [`ImageBuild::argument`]: this machine's Debian or Ubuntu, without anything
/// that is not essential. It is made once, in half a minute, from the package mirror that apt uses here.
#[track_caller]
pub fn standin_base() -> &'static str {
    let storage = Storage::lock();
    let mut inspect = storage.buildah("inspect");
    if kubectl::run(inspect.args(["--type", "image", STANDIN]), "").is_success() {
        return STANDIN;
    }
    let context = tempfile::tempdir().expect("temporary directories can be made");
    let mut debootstrap = Command::new("debootstrap");
    debootstrap.arg("--variant=minbase").arg(release_name());
    debootstrap.arg(context.path().join("root")).arg(package_mirror());
    kubectl::run(&mut debootstrap, "").expect_success();
    // What only installing packages needs.
    for unneeded in [
        "root/var/cache/apt",
        "root/var/lib/apt/lists",
        "root/usr/share/doc",
    ] {
        fs::remove_dir_all(context.path().join(unneeded)).expect("debootstrap has made it");
    }
    let dockerfile = context.path().join("Dockerfile");
    fs::write(&dockerfile, "FROM scratch\nCOPY root /\n").expect("the temporary directory is writable");
    storage.build(&ImageBuild::new(STANDIN, dockerfile, context.path()));
    STANDIN
}

/// For example `bookworm`: the release whose C library the programs built here are linked to.
fn release_name() -> String {
    let text = fs::read_to_string("/etc/os-release").expect("this is a Linux distribution");
    let mut names = text
        .lines()
        .filter_map(|line| line.strip_prefix("VERSION_CODENAME="));
    names.next().expect("this is Debian or Ubuntu").to_owned()
}

/// The first mirror in apt's configuration.
#[track_caller]
fn package_mirror() -> String {
    let mut command = Command::new("apt-get");
    command.args([
        "indextargets",
        "--format",
        "$(SITE)",
        "Created-By: Packages",
        "Component: main",
    ]);
    let codename = format!("Codename: {}", release_name());
    let output = kubectl::run(command.arg(codename), "");
    let mirror = output.expect_success().lines().next().map(str::to_owned);
    mirror.expect("apt knows a mirror of this release: run apt-get update")
}

/// Where images are built: not the place of podman's own images, and used by one test at a time.
struct Storage {
    directory: PathBuf,
    _lock: File,
}

impl Storage {
    #[track_caller]
    fn lock() -> Self {
        let cache = env::var_os("ZAS_CACHE").expect("ZAS_CACHE is set: source hack/environment.sh");
        let directory = Path::new(&cache).join("images");
        fs::create_dir_all(&directory).expect("the cache is writable");
        let lock = File::create(directory.join("lock")).expect("the cache is writable");
        lock.lock().expect("the file can be locked");
        Self {
            directory,
            _lock: lock,
        }
    }

    fn buildah(&self, command: &str) -> Command {
        let mut buildah = Command::new("buildah");
        buildah.arg("--root").arg(self.directory.join("storage"));
        buildah.arg("--runroot").arg(self.directory.join("run"));
        buildah.args(["--storage-driver", "vfs", command]);
        buildah
    }

    #[track_caller]
    fn build(&self, image: &ImageBuild) {
        let mut command = self.buildah("bud");
        // Works without the rights that a container for each step needs.
        command.args(["--isolation", "chroot", "--tag", &image.name]);
        for (name, value) in &image.arguments {
            command.arg(format!("--build-arg={name}={value}"));
        }
        command.arg("--file").arg(&image.dockerfile).arg(&image.context);
        kubectl::run(&mut command, "").expect_success();
    }
}
