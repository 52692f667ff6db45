//! The directory of one test server: configuration, credentials, data and log.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// How much of a log is shown when a test fails.
const SHOWN_LINES: usize = 60;

/// A temporary directory, removed with everything in it when dropped.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    directory: TempDir,
}

impl DataDirectory {
    pub(crate) fn create() -> Self {
        let directory = tempfile::Builder::new().prefix("zas-test-").tempdir();
        Self {
            directory: directory.expect("the temporary directory is writable"),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        fs::write(self.file(name), content).expect("the temporary directory is writable");
    }

    pub(crate) fn remove(&self, name: &str) {
        // Absent before the first start.
        let _ = fs::remove_file(self.file(name));
    }

    /// The end of the server's log, for messages.
    pub(crate) fn log_end(&self) -> String {
        let log = fs::read_to_string(self.file("server.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let end: Vec<&str> = lines
            .iter()
            .skip(lines.len().saturating_sub(SHOWN_LINES))
            .copied()
            .collect();
        end.join("\n")
    }
}
