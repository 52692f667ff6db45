//! One server process on a directory of the test's making.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use zas_tests::{Client, Transcript};

/// Ready in a second is the promise; a busy machine gets more.
const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(40);
const POLL: Duration = Duration::from_millis(5);

/// What holds the data, below the working directory: `metadata` is RocksDB's, `blobs` has the files.
pub(crate) const DATA: &str = "data";

/// How a server is started beyond its configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Launch {
    pub(crate) environment: Vec<(&'static str, OsString)>,
    /// A program that starts the server, with its arguments.
    pub(crate) through: Vec<OsString>,
}

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    origin: String,
}

/// What happens to blobs that no manifest names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreferenced {
    /// Their leases last longer than the test.
    Kept,
    /// Their leases last for two seconds.
    Collected,
}

/// Writes the configuration of a server whose data are below [`DATA`].
pub(crate) fn configure(directory: &Path, unreferenced: Unreferenced) {
    // The bytes of deleted blobs go soon in any case, so that their removal is in the record.
    let collection = match unreferenced {
        Unreferenced::Kept => json!({"interval": "1s", "doomDelay": "1s"}),
        Unreferenced::Collected => {
            json!({"interval": "1s", "grace": "1s", "doomDelay": "0s", "orphanSweep": "1s"})
        }
    };
    let everything = ["read", "create", "update", "delete"];
    let configuration = json!({
        "configVersion": 1,
        "http": {"listen": "127.0.0.1:0"},
        "operations": {"listen": "127.0.0.1:0"},
        "storage": {
            "metadata": {"engine": "rocksdb", "path": format!("{DATA}/metadata")},
            "blobs": {"store": "filesystem", "path": format!("{DATA}/blobs"), "reserve": 0},
        },
        "accessControl": {"repositories": {"**": {"anonymousPolicy": everything, "defaultPolicy": everything}}},
        "collection": collection,
        "log": {"level": "info", "format": "text"},
    });
    let written = fs::write(directory.join("config.json"), configuration.to_string());
    written.expect("the directory is writable");
}

impl Server {
    /// Starts a server and waits until it is ready.
    ///
    /// # Errors
    /// It ended or did not become ready; with the end of its log.
    pub(crate) fn start(directory: &Path, launch: &Launch) -> Result<Self, String> {
        // Absent before the first start.
        let _ = fs::remove_file(directory.join("addresses"));
        let mut server = Self {
            process: spawn(directory, launch),
            origin: String::new(),
        };
        let limit = Instant::now() + START_LIMIT;
        while Instant::now() < limit {
            if let Some(status) = server.process.try_wait().expect("the process is ours") {
                return Err(format!(
                    "it ended at its start with {status}: {}",
                    log_end(directory)
                ));
            }
            if server.is_ready(directory) {
                return Ok(server);
            }
            thread::sleep(POLL);
        }
        Err(format!(
            "it is not ready after {START_LIMIT:?}: {}",
            log_end(directory)
        ))
    }

    fn is_ready(&mut self, directory: &Path) -> bool {
        let text = fs::read_to_string(directory.join("addresses")).unwrap_or_default();
        let Ok(addresses) = serde_json::from_str::<Value>(text.trim()) else {
            return false;
        };
        let origin = |name: &str| {
            let address = addresses.get(name).and_then(Value::as_str).unwrap_or_default();
            format!("http://{address}")
        };
        self.origin = origin("public");
        let answer = Client::new(&origin("operations"), None).get("/readyz").try_send();
        answer.is_ok_and(|answer| answer.status == 200)
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.origin, None).with_transcript(Transcript::default())
    }

    /// Ends the server at once.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    /// Asks the server to end and waits until it has.
    pub(crate) fn stop(mut self) {
        kill_process(Pid::from_child(&self.process), Signal::TERM).expect("the process is ours");
        let limit = Instant::now() + STOP_LIMIT;
        while Instant::now() < limit {
            if let Some(status) = self.process.try_wait().expect("the process is ours") {
                assert!(status.success(), "the server stopped with {status}");
                return;
            }
            thread::sleep(POLL);
        }
        panic!("the server ignored SIGTERM for {STOP_LIMIT:?}");
    }

    fn end(&mut self) {
        // It may have ended by itself: then there is nothing to kill.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn spawn(directory: &Path, launch: &Launch) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(directory.join("server.log"));
    let log = log.expect("the directory is writable");
    let errors = log.try_clone().expect("a file can be shared");
    let mut words: Vec<OsString> = launch.through.clone();
    words.push(binary().into());
    words.extend(["--config", "config.json", "--print-addresses", "addresses"].map(OsString::from));
    let (program, arguments) = words.split_first().expect("the server is one of them");
    let child = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .envs(launch.environment.iter().cloned())
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn();
    child.unwrap_or_else(|error| panic!("{} cannot be started: {error}", program.display()))
}

/// The server under test: `ZAS_SERVER_BINARY`, else `bin/zot-artifact-store` in the workspace.
fn binary() -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bin/zot-artifact-store");
    let binary = env::var_os("ZAS_SERVER_BINARY").map_or(built, PathBuf::from);
    let found = binary.canonicalize();
    found.unwrap_or_else(|error| panic!("{}: {error}: build it with `make build`", binary.display()))
}

fn log_end(directory: &Path) -> String {
    let log = fs::read_to_string(directory.join("server.log")).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines
        .get(lines.len().saturating_sub(6)..)
        .unwrap_or_default()
        .join("\n")
}
