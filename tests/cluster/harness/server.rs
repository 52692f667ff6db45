//! One process of a server, of this release or of the previous one, with the files that its Pod would mount.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::ControlPlane;
use crate::kubectl::{self, Output};
use crate::process::Process;
use crate::programs::workspace;
use crate::wait::wait_until;

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// The previous release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousRelease {
    /// Its version.
    pub version: String,
    /// Its server.
    pub server: PathBuf,
}

impl PreviousRelease {
    /// What `hack/previous-release` names. The server is where `hack/previous.sh` keeps it, unless
    /// `ZAS_PREVIOUS_SERVER_BINARY` is another place.
    #[track_caller]
    pub fn built() -> Self {
        let named = fs::read_to_string(workspace().join("hack/previous-release"));
        let named = named.expect("hack/previous-release is there");
        let (version, commit) = named.trim().split_once(' ').expect("it has two words");
        let kept = env::var_os("ZAS_CACHE").map(|cache| Path::new(&cache).join("previous").join(commit));
        let server = env::var_os("ZAS_PREVIOUS_SERVER_BINARY").map(PathBuf::from);
        let server = server.or(kept.map(|kept| kept.join("zot-artifact-store")));
        let server = server.filter(|server| server.is_file()).unwrap_or_else(|| {
            panic!("there is no server of {version}: source hack/environment.sh and run hack/previous.sh")
        });
        Self {
            version: version.to_owned(),
            server,
        }
    }
}

/// The server under test: `ZAS_SERVER_BINARY`, else `bin/zot-artifact-store` in the workspace.
#[track_caller]
pub fn built_server() -> PathBuf {
    let built = workspace().join("bin/zot-artifact-store");
    let binary = env::var_os("ZAS_SERVER_BINARY").map_or(built, PathBuf::from);
    assert!(
        binary.is_file(),
        "there is no server at {}: build it with `make build`, or set ZAS_SERVER_BINARY to one",
        binary.display()
    );
    binary.canonicalize().expect("the file is there")
}

/// Runs a server that only answers a question, such as `--version`.
#[track_caller]
pub fn ask_server(binary: &Path, arguments: &[String]) -> Output {
    kubectl::run(Command::new(binary).args(arguments), "")
}

/// Starts a server that ends by itself, and waits for its end.
#[track_caller]
pub fn start_in_vain(binary: &Path, arguments: &[String]) -> Output {
    let mut command = Command::new(binary);
    command
        .args(arguments)
        .env("ZAS_HTTP__LISTEN", "127.0.0.1:0")
        .env("ZAS_OPERATIONS__LISTEN", "127.0.0.1:0");
    kubectl::run(&mut command, "")
}

/// A running server that is ready, on free ports of the loopback address. Dropping it kills the process; when the test is failing, the
/// end of its log is shown.
#[derive(Debug)]
pub struct Server {
    process: Process,
    public: String,
}

/// Where a server listens.
struct Addresses {
    public: String,
    operations: String,
}

impl Server {
    /// Starts a server, and waits until it is ready. `name` is that of its log.
    #[track_caller]
    pub fn start(control_plane: &ControlPlane, name: &str, binary: &Path, arguments: &[String]) -> Self {
        let addresses = control_plane.scratch("servers").join(format!("{name}.addresses"));
        // What an earlier one of that name wrote is out of date.
        let _ = fs::remove_file(&addresses);
        let mut command = Command::new(binary);
        command
            .args(arguments)
            .arg("--print-addresses")
            .arg(&addresses)
            .env("ZAS_HTTP__LISTEN", "127.0.0.1:0")
            .env("ZAS_OPERATIONS__LISTEN", "127.0.0.1:0");
        let mut process = Process::start(name, &control_plane.directory, command);
        let mut public = None;
        wait_until(&format!("{name} is ready"), START_LIMIT, || {
            process.expect_running();
            let ready = Addresses::read(&addresses).filter(Addresses::is_ready);
            public = ready.map(|addresses| addresses.public);
            public.is_some()
        });
        Self {
            process,
            public: public.expect("it was there"),
        }
    }

    /// Where clients reach it.
    pub fn address(&self) -> &str {
        &self.public
    }

    /// Asks it to stop by SIGTERM, and expects that it ends with success.
    #[track_caller]
    pub fn stop(mut self) {
        self.process.signal(Signal::TERM);
        let status = self.process.wait(STOP_LIMIT);
        let status = status.unwrap_or_else(|| panic!("the server ignored SIGTERM for {STOP_LIMIT:?}"));
        assert!(
            status.success(),
            "the server stopped with {status}:\n{}",
            self.process.log_end()
        );
    }
}

impl Addresses {
    fn read(file: &Path) -> Option<Self> {
        let text = fs::read_to_string(file).ok()?;
        let addresses: Value = serde_json::from_str(text.lines().last()?).ok()?;
        let address = |name: &str| addresses.get(name)?.as_str().map(str::to_owned);
        Some(Self {
            public: address("public")?,
            operations: address("operations")?,
        })
    }

    fn is_ready(&self) -> bool {
        let url = format!("http://{}/readyz", self.operations);
        kubectl::run(
            Command::new("curl").args(["--silent", "--fail", "--max-time", "5", &url]),
            "",
        )
        .is_success()
    }
}
