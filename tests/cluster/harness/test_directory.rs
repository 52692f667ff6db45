//! A temporary directory and everything that runs for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Names the directory in the environment of every process that belongs to it.
const MARK: &str = "ZAS_TEST_DIRECTORY";

/// A temporary directory with a guardian. When this is dropped, or the test process ends in any way, the
/// guardian ends all processes that were started by [`TestDirectory::command`] and removes the directory.
#[derive(Debug)]
pub(crate) struct TestDirectory {
    path: PathBuf,
    guardian: Child,
}

impl TestDirectory {
    #[track_caller]
    pub(crate) fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("zas-cluster-").tempdir();
        let path = directory.expect("temporary directories can be made").keep();
        let guardian = Command::new("bash")
            .args(["-c", include_str!("tear_down.sh"), "tear_down"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        let guardian = guardian.expect("bash is installed");
        fs::create_dir(path.join("logs")).expect("the temporary directory is writable");
        Self { path, guardian }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file, with the directories above it, and says where it is.
    #[track_caller]
    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let file = self.path.join(name);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent).expect("the temporary directory is writable");
        }
        fs::write(&file, content).expect("the temporary directory is writable");
        file
    }

    /// Makes a directory in it and says where it is.
    #[track_caller]
    pub(crate) fn directory(&self, name: &str) -> PathBuf {
        let directory = self.path.join(name);
        fs::create_dir_all(&directory).expect("the temporary directory is writable");
        directory
    }

    /// Marks a command, so that its process ends with this directory.
    pub(crate) fn adopt(&self, command: &mut Command) {
        command.env(MARK, &self.path);
    }
}

impl Drop for TestDirectory {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        // It ends by itself; a guardian that somebody killed has nothing to be waited for.
        let _ = self.guardian.wait();
    }
}
