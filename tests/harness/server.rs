//! One real server process.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{PipeReader, pipe};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::data_directory::DataDirectory;
use crate::{Certificate, Client, Mount, ServerBuilder};

/// Ready in under a second is the promise; a busy machine gets more.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A little over the default grace for draining.
const STOP_LIMIT: Duration = Duration::from_secs(40);

const POLL: Duration = Duration::from_millis(20);

/// A running server in a temporary directory. Dropping it kills the process and removes the directory;
/// when the test is failing, the end of the log is shown first.
#[derive(Debug)]
pub struct Server {
    // Declared before the directory: the process ends before its files go.
    process: Option<Child>,
    addresses: Addresses,
    certificate: Option<Certificate>,
    launch: Launch,
    /// Held open and never read, when the log is to stall.
    unread_log: Option<PipeReader>,
    directory: DataDirectory,
}

/// How the program is started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Launch {
    /// Instead of the server under test.
    pub(crate) program: Option<PathBuf>,
    /// Configuration files after the harness' own.
    pub(crate) more_configuration: Vec<String>,
    /// What its environment has besides the test's.
    pub(crate) environment: BTreeMap<String, OsString>,
    /// Whether the log goes into a pipe that nobody reads, instead of a file.
    pub(crate) has_unread_log: bool,
}

/// A server that ended by itself at its start.
#[derive(Debug)]
pub struct FailedStart {
    /// Its exit code.
    pub code: Option<i32>,
    /// What it wrote.
    pub output: String,
    directory: DataDirectory,
}

impl FailedStart {
    /// The server's working directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

#[derive(Clone, Debug, Default)]
struct Addresses {
    public: String,
    operations: String,
}

impl Server {
    /// A server with defaults: everything in memory, plain HTTP, nobody may do anything.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    #[track_caller]
    pub(crate) fn start(directory: DataDirectory, certificate: Option<Certificate>, launch: Launch) -> Self {
        let mut server = Self {
            process: None,
            addresses: Addresses::default(),
            certificate,
            launch,
            unread_log: None,
            directory,
        };
        server.launch();
        server
    }

    #[track_caller]
    pub(crate) fn start_in_vain(directory: DataDirectory, launch: &Launch) -> FailedStart {
        let (mut child, _unread_log) = spawn(&directory, launch);
        let Some(status) = wait(&mut child, START_LIMIT) else {
            // It may end between the two: then there is nothing to kill.
            let _ = child.kill();
            let _ = child.wait();
            panic!("the server started:\n{}", directory.log_end());
        };
        FailedStart {
            code: status.code(),
            output: fs::read_to_string(directory.file("server.log")).unwrap_or_default(),
            directory,
        }
    }

    /// An anonymous client of the public listener.
    pub fn client(&self) -> Client {
        let scheme = if self.certificate.is_some() {
            "https"
        } else {
            "http"
        };
        Client::new(
            &format!("{scheme}://{}", self.addresses.public),
            self.certificate.as_ref(),
        )
    }

    /// A client of the listener for `/livez`, `/readyz`, `/startupz` and `/metrics`.
    pub fn operations(&self) -> Client {
        Client::new(&format!("http://{}", self.addresses.operations), None)
    }

    /// The certificate that the public listener shows, with TLS.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// Writes a file of the server's directory anew, at once and as a whole.
    #[track_caller]
    pub fn replace_file(&self, name: &str, content: &str) {
        let new = format!("{name}.new");
        self.directory.write(&new, content);
        fs::rename(self.directory.file(&new), self.directory.file(name)).expect("the directory is writable");
    }

    /// The files that are mounted at a directory of the server's.
    pub fn mounted(&self, directory: &str) -> Mount {
        Mount::at(self.directory.file(directory))
    }

    /// Lets clients trust another certificate from now on.
    pub fn trust(&mut self, certificate: Certificate) {
        self.certificate = Some(certificate);
    }

    /// Asks the server to stop and does not wait.
    #[track_caller]
    pub fn begin_to_stop(&self) {
        let child = self.process.as_ref().expect("the server runs");
        kill_process(Pid::from_child(child), Signal::TERM).expect("the process is ours");
    }

    /// The server's working directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The process id of the running server.
    #[track_caller]
    pub fn process_id(&self) -> u32 {
        self.process.as_ref().expect("the server runs").id()
    }

    /// Everything the server has logged since its directory was made.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.file("server.log")).unwrap_or_default()
    }

    /// Asks the server to stop and waits until it has drained.
    #[track_caller]
    pub fn stop(&mut self) {
        self.begin_to_stop();
        let child = self.process.as_mut().expect("the server runs");
        let status = wait(child, STOP_LIMIT);
        let status = status.unwrap_or_else(|| panic!("the server ignored SIGTERM for {STOP_LIMIT:?}"));
        self.process = None;
        assert!(
            status.success(),
            "the server stopped with {status}:\n{}",
            self.directory.log_end()
        );
    }

    /// Ends the server like `kill -9`: nothing is drained, flushed or closed.
    #[track_caller]
    pub fn kill(&mut self) {
        let mut child = self.process.take().expect("the server runs");
        child.kill().expect("the process is ours");
        child.wait().expect("the process is ours");
    }

    /// How the process ended when it ended by itself; `None` while it runs.
    #[track_caller]
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let child = self.process.as_mut().expect("the server was started");
        let status = child.try_wait().expect("the process is ours");
        if status.is_some() {
            self.process = None;
        }
        status
    }

    /// Sets a variable of the environment that the next start gets.
    pub fn set_environment(&mut self, name: &str, value: impl Into<OsString>) {
        self.launch.environment.insert(name.to_owned(), value.into());
    }

    /// Starts a stopped or killed server again on the same data. Its addresses change.
    #[track_caller]
    pub fn restart(&mut self) {
        assert!(
            self.process.is_none(),
            "stop or kill the server before it is started again"
        );
        self.launch();
    }

    #[track_caller]
    fn launch(&mut self) {
        self.directory.remove("addresses");
        let (process, unread_log) = spawn(&self.directory, &self.launch);
        self.process = Some(process);
        self.unread_log = unread_log;
        self.wait_until_ready();
    }

    #[track_caller]
    fn wait_until_ready(&mut self) {
        let limit = Instant::now() + START_LIMIT;
        while Instant::now() < limit {
            let child = self.process.as_mut().expect("the server was started");
            if let Some(status) = child.try_wait().expect("the process is ours") {
                self.process = None;
                panic!(
                    "the server ended at its start with {status}:\n{}",
                    self.directory.log_end()
                );
            }
            if self.read_addresses() && self.is_ready() {
                return;
            }
            thread::sleep(POLL);
        }
        panic!(
            "the server is not ready after {START_LIMIT:?}:\n{}",
            self.directory.log_end()
        );
    }

    fn read_addresses(&mut self) -> bool {
        let text = fs::read_to_string(self.directory.file("addresses")).unwrap_or_default();
        let Some(Ok(line)) = text.lines().last().map(serde_json::from_str::<Value>) else {
            return false;
        };
        let address = |name: &str| line.get(name).and_then(Value::as_str).map(str::to_owned);
        let Some((public, operations)) = address("public").zip(address("operations")) else {
            return false;
        };
        self.addresses = Addresses { public, operations };
        true
    }

    fn is_ready(&self) -> bool {
        self.operations()
            .get("/readyz")
            .try_send()
            .is_ok_and(|answer| answer.status == 200)
    }
}

#[track_caller]
fn spawn(directory: &DataDirectory, launch: &Launch) -> (Child, Option<PipeReader>) {
    let log = File::options()
        .create(true)
        .append(true)
        .open(directory.file("server.log"));
    let log = log.expect("the temporary directory is writable");
    let (errors, unread_log) = if launch.has_unread_log {
        let (reader, writer) = pipe().expect("a pipe can be made");
        (Stdio::from(writer), Some(reader))
    } else {
        (Stdio::from(log.try_clone().expect("a file can be shared")), None)
    };
    let binary = launch.program.clone().unwrap_or_else(binary);
    let mut command = Command::new(&binary);
    command.args(["--config", "config.json", "--print-addresses", "addresses"]);
    for file in &launch.more_configuration {
        command.args(["--config", file]);
    }
    let child = command
        .current_dir(directory.path())
        .envs(&launch.environment)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn();
    let child = child.unwrap_or_else(|error| panic!("{} cannot be started: {error}", binary.display()));
    (child, unread_log)
}

/// Set where servers write down at their end what they have run: killed ones would not.
const STOP_GENTLY: &str = "ZAS_STOP_GENTLY";

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.process.take() {
            if env::var_os(STOP_GENTLY).is_some() {
                // Only a process that has ended by itself cannot be asked.
                let _ = kill_process(Pid::from_child(&child), Signal::TERM);
                wait(&mut child, STOP_LIMIT);
            }
            // It may have ended by itself: then there is nothing to kill.
            let _ = child.kill();
            let _ = child.wait();
        }
        if thread::panicking() {
            eprintln!("--- end of the server's log\n{}\n---", self.directory.log_end());
        }
    }
}

fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let limit = Instant::now() + limit;
    while Instant::now() < limit {
        if let Some(status) = child.try_wait().expect("the process is ours") {
            return Some(status);
        }
        thread::sleep(POLL);
    }
    None
}

/// The server under test: `ZAS_SERVER_BINARY`, else `bin/zot-artifact-store` in the workspace.
#[track_caller]
fn binary() -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bin/zot-artifact-store");
    let binary = env::var_os("ZAS_SERVER_BINARY").map_or(built, PathBuf::from);
    assert!(
        binary.is_file(),
        "there is no server at {}: build it with `make build`, or set ZAS_SERVER_BINARY to one",
        binary.display()
    );
    binary.canonicalize().expect("the file is there")
}
