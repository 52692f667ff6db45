//! One process of the operator under test.

use std::env;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;

use crate::network::Network;
use crate::port::free_port;
use crate::process::Process;
use crate::programs::workspace;
use crate::test_directory::TestDirectory;
use crate::wait::wait_until;
use crate::{ControlPlane, Credentials};

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(40);
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// An operator that is about to start.
#[derive(Debug)]
pub struct OperatorBuilder {
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    binary: Option<PathBuf>,
    kubeconfig: PathBuf,
    network: Network,
    directory: Arc<TestDirectory>,
    name: String,
    ready: Option<(SocketAddr, String)>,
}

/// A running operator. Dropping it kills the process; when the test is failing, the end of its log is shown.
#[derive(Debug)]
pub struct Operator {
    // Declared before the directory: the process ends before its files go.
    process: Process,
    network: Network,
    _directory: Arc<TestDirectory>,
}

impl OperatorBuilder {
    fn new(control_plane: &ControlPlane, who: &Credentials) -> Self {
        Self {
            arguments: Vec::new(),
            environment: Vec::new(),
            binary: None,
            kubeconfig: who.kubeconfig().to_owned(),
            network: control_plane.network.clone(),
            directory: Arc::clone(&control_plane.directory),
            name: "operator".to_owned(),
            ready: None,
        }
    }

    /// Adds command line arguments.
    #[must_use]
    pub fn arguments<T: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn environment(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Another program than the operator built here, for example that of an earlier release.
    #[must_use]
    pub fn binary(mut self, binary: impl Into<PathBuf>) -> Self {
        self.binary = Some(binary.into());
        self
    }

    /// The name of its log, when several run.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Waits at the start until `http://<address><path>` answers with 200.
    #[must_use]
    pub fn ready_at(mut self, address: SocketAddr, path: &str) -> Self {
        self.ready = Some((address, path.to_owned()));
        self
    }

    /// Starts the operator, and waits until it is ready when [`OperatorBuilder::ready_at`] says how.
    #[track_caller]
    pub fn start(self) -> Operator {
        let binary = self.binary.unwrap_or_else(built_binary);
        let mut command = self.network.command(&binary);
        command.env("KUBECONFIG", &self.kubeconfig);
        command.args(&self.arguments).envs(self.environment);
        let mut operator = Operator {
            process: Process::start(&self.name, &self.directory, command),
            network: self.network,
            _directory: self.directory,
        };
        if let Some((address, path)) = self.ready {
            let what = format!("the operator is ready at http://{address}{path}");
            wait_until(&what, START_LIMIT, || {
                operator.process.expect_running();
                operator.get(address, &path).is_some_and(|(code, _)| code == 200)
            });
        }
        operator
    }
}

impl Operator {
    /// An operator with the rights of `who`, in the network of the control plane.
    #[track_caller]
    pub fn builder(control_plane: &ControlPlane, who: &Credentials) -> OperatorBuilder {
        OperatorBuilder::new(control_plane, who)
    }

    /// A port that the operator can be told to listen on.
    #[track_caller]
    pub fn free_port() -> u16 {
        free_port()
    }

    /// Asks one of the operator's own listeners; the code and the body, or `None` when nothing answers.
    pub fn get(&self, address: SocketAddr, path: &str) -> Option<(u16, String)> {
        let mut stream = self.network.connect(address).ok()?;
        stream.set_read_timeout(Some(ANSWER_LIMIT)).ok()?;
        let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let code = head.split(' ').nth(1)?.parse().ok()?;
        Some((code, body.to_owned()))
    }

    /// The process id.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// How it ended, when it has ended by itself.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.ended()
    }

    /// Waits for its end, which the test has brought about.
    #[track_caller]
    pub fn wait(mut self, limit: Duration) -> ExitStatus {
        let status = self.process.wait(limit);
        status.unwrap_or_else(|| panic!("the operator goes on after {limit:?}"))
    }

    /// Asks it to stop by SIGTERM, and expects that it ends with success.
    #[track_caller]
    pub fn stop(mut self) {
        self.process.signal(Signal::TERM);
        let status = self.process.wait(STOP_LIMIT);
        let status = status.unwrap_or_else(|| panic!("the operator ignored SIGTERM for {STOP_LIMIT:?}"));
        assert!(
            status.success(),
            "the operator stopped with {status}:\n{}",
            self.process.log_end()
        );
    }

    /// Ends it like `kill -9`.
    pub fn kill(mut self) {
        self.process.kill();
    }

    /// Stops it from running without ending it, until [`Operator::thaw`].
    pub fn freeze(&self) {
        self.process.signal(Signal::STOP);
    }

    /// Lets a frozen operator go on.
    pub fn thaw(&self) {
        self.process.signal(Signal::CONT);
    }
}

/// The operator under test: `ZAS_OPERATOR_BINARY`, else `bin/zot-artifact-store-operator` in the workspace.
#[track_caller]
fn built_binary() -> PathBuf {
    let built = workspace().join("bin/zot-artifact-store-operator");
    let binary = env::var_os("ZAS_OPERATOR_BINARY").map_or(built, PathBuf::from);
    assert!(
        binary.is_file(),
        "there is no operator at {}: build it with `make build`, or set ZAS_OPERATOR_BINARY to one",
        binary.display()
    );
    binary.canonicalize().expect("the file is there")
}
