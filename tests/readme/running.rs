//! `make run`, as somebody starts it, and what it says.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use std::os::unix::process::CommandExt;

/// Long enough for a build from nothing, RocksDB included.
const READY_LIMIT: Duration = Duration::from_secs(40 * 60);
const STOP_LIMIT: Duration = Duration::from_secs(45);
const POLL: Duration = Duration::from_millis(100);

/// The last line that `make run` prints before it waits.
const READY: &str = "Stop it with Ctrl-C.";

/// `make run` in the repository with its data in another directory and on free ports.
#[derive(Debug)]
pub(crate) struct Running {
    make: Child,
    said: String,
}

impl Running {
    /// Starts it and waits until it says that it is ready.
    #[track_caller]
    pub(crate) fn start(directory: &Path) -> Self {
        let output = directory.join("make-run.log");
        let log = File::create(&output).expect("the temporary directory is writable");
        let errors = log.try_clone().expect("a file can be shared");
        let data = |name: &str| directory.join("data").join(name);
        let make = Command::new("make")
            .arg("run")
            .current_dir(repository())
            .env("ZAS_HTTP__LISTEN", "127.0.0.1:0")
            .env("ZAS_OPERATIONS__LISTEN", "127.0.0.1:0")
            .env("ZAS_STORAGE__METADATA__PATH", data("metadata"))
            .env("ZAS_STORAGE__BLOBS__PATH", data("blobs"))
            .env("ZAS_AUTH__HTPASSWD__PATH", data("htpasswd"))
            .env("ZAS_ENCRYPTION__KEYS", data("keys"))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .expect("make is installed");
        let mut running = Self {
            make,
            said: String::new(),
        };
        running.wait_until_ready(&output);
        running
    }

    #[track_caller]
    fn wait_until_ready(&mut self, output: &Path) {
        let limit = Instant::now() + READY_LIMIT;
        while Instant::now() < limit {
            let status = self.make.try_wait().expect("the process is ours");
            self.said = fs::read_to_string(output).unwrap_or_default();
            if self.said.contains(READY) {
                return;
            }
            if let Some(status) = status {
                panic!("make run ended with {status}:\n{}", self.said);
            }
            thread::sleep(POLL);
        }
        panic!("make run is not ready after {READY_LIMIT:?}:\n{}", self.said);
    }

    /// All that it has printed until it was ready.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    /// The value printed beside a label.
    #[track_caller]
    pub(crate) fn printed(&self, label: &str) -> &str {
        let found = self
            .said
            .lines()
            .find_map(|line| line.strip_prefix("  ")?.strip_prefix(label));
        found
            .unwrap_or_else(|| panic!("make run did not print {label}:\n{}", self.said))
            .trim()
    }

    /// The lines it offers for pasting.
    #[track_caller]
    pub(crate) fn offered_commands(&self) -> Vec<String> {
        let offer = self
            .said
            .lines()
            .skip_while(|line| !line.starts_with("Push a file and pull it again"));
        offer
            .filter_map(|line| line.strip_prefix("  "))
            .map(str::to_owned)
            .collect()
    }

    /// Presses Ctrl-C and waits for the end.
    #[track_caller]
    pub(crate) fn interrupt(mut self) -> ExitStatus {
        self.signal(Signal::INT);
        let limit = Instant::now() + STOP_LIMIT;
        while Instant::now() < limit {
            if let Some(status) = self.make.try_wait().expect("the process is ours") {
                return status;
            }
            thread::sleep(POLL);
        }
        panic!("make run did not end within {STOP_LIMIT:?} of Ctrl-C");
    }

    /// To make and everything it started, as a terminal does.
    fn signal(&self, signal: Signal) {
        // Fails when all of them have ended.
        let _ = kill_process_group(Pid::from_child(&self.make), signal);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.make.wait();
    }
}

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
