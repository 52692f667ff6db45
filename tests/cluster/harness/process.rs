//! One process with a log.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::test_directory::TestDirectory;

/// So much of a log is shown when a test fails.
const TAIL_LINES: usize = 25;

const POLL: Duration = Duration::from_millis(20);

/// A running process. Dropping it kills the process; when the test is failing, the end of its log is shown.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`, with its output in `logs/<name>.log`.
    #[track_caller]
    pub(crate) fn start(name: &str, directory: &TestDirectory, mut command: Command) -> Self {
        let log = directory.file("logs").join(format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log);
        let output = output.expect("the temporary directory is writable");
        let errors = output.try_clone().expect("a file can be shared");
        directory.adopt(&mut command);
        let child = command
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("{name} cannot be started: {error}: {command:?}"));
        Self {
            name: name.to_owned(),
            child,
            log,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the process is ours")
    }

    /// Panics with the end of the log when the process has ended.
    #[track_caller]
    pub(crate) fn expect_running(&mut self) {
        if let Some(status) = self.ended() {
            panic!("{} ended with {status}:\n{}", self.name, self.log_end());
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        // A process that has ended needs no signal.
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// Waits for its end; `None` when it goes on for longer than `limit`.
    pub(crate) fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let limit = Instant::now() + limit;
        while Instant::now() < limit {
            if let Some(status) = self.ended() {
                return Some(status);
            }
            thread::sleep(POLL);
        }
        None
    }

    pub(crate) fn kill(&mut self) {
        // It may have ended by itself: then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub(crate) fn log(&self) -> String {
        read_lossy(&self.log)
    }

    pub(crate) fn log_end(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        let start = lines.len().saturating_sub(TAIL_LINES);
        lines.into_iter().skip(start).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("--- end of the log of {}\n{}\n---", self.name, self.log_end());
        }
    }
}

fn read_lossy(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}
