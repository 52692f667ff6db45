//! Running kubectl.

use std::io::Write;
use std::process::{self, Command, Stdio};
use std::thread;

/// What a command answered.
#[derive(Clone, Debug)]
pub struct Output {
    command: String,
    success: bool,
    standard_output: String,
    standard_error: String,
}

impl Output {
    /// Whether the command ended with success.
    pub fn is_success(&self) -> bool {
        self.success
    }

    /// What it printed, after it has succeeded; panics with what it said when it has not.
    #[track_caller]
    pub fn expect_success(&self) -> &str {
        assert!(
            self.success,
            "failed: {}\n{}{}",
            self.command, self.standard_output, self.standard_error
        );
        &self.standard_output
    }

    /// What it complained about, after it has failed; panics when it has succeeded.
    #[track_caller]
    pub fn expect_failure(&self) -> &str {
        assert!(
            !self.success,
            "succeeded: {}\n{}",
            self.command, self.standard_output
        );
        &self.standard_error
    }

    /// Standard output.
    pub fn stdout(&self) -> &str {
        &self.standard_output
    }

    /// Standard error.
    pub fn stderr(&self) -> &str {
        &self.standard_error
    }
}

/// Runs a command to its end with `input` as its standard input.
#[track_caller]
pub(crate) fn run(command: &mut Command, input: &str) -> Output {
    let described = format!("{command:?}");
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap_or_else(|error| panic!("cannot be started: {described}: {error}"));
    let stdin = child.stdin.take();
    let output: process::Output = thread::scope(|scope| {
        scope.spawn(move || {
            // A program that does not read its input closes it: that is no error.
            stdin.map(|mut stdin| stdin.write_all(input.as_bytes()))
        });
        child.wait_with_output().expect("the process is ours")
    });
    Output {
        command: described,
        success: output.status.success(),
        standard_output: String::from_utf8_lossy(&output.stdout).into_owned(),
        standard_error: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
