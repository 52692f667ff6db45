//! A small file system in a file, for tests that fill or break it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

const MIB: u64 = 1024 * 1024;

/// An ext4 file system, mounted as long as this lives.
#[derive(Debug)]
pub(crate) struct Volume {
    directory: TempDir,
}

impl Volume {
    /// A new file system of that size.
    #[track_caller]
    pub(crate) fn new(mebibytes: u64) -> Self {
        let directory = tempfile::Builder::new().prefix("zas-volume-").tempdir();
        let volume = Self {
            directory: directory.expect("the temporary directory is writable"),
        };
        let image = File::create(volume.image()).expect("the temporary directory is writable");
        image.set_len(mebibytes * MIB).expect("the file may be that long");
        fs::create_dir(volume.path()).expect("the temporary directory is writable");
        run("mkfs.ext4", &["-q", "-m", "0"], &[&volume.image()]);
        volume.mount();
        volume
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("mounted")
    }

    /// The section `storage` of a server that keeps everything here.
    pub(crate) fn storage(&self, reserve: &str) -> Value {
        let path = |name: &str| self.path().join(name);
        json!({
            "metadata": {"engine": "rocksdb", "path": path("metadata")},
            "blobs": {"store": "filesystem", "path": path("blobs"), "reserve": reserve},
        })
    }

    /// Leaves no free byte, by a file of somebody else's.
    pub(crate) fn fill(&self) {
        let mut file = File::create(self.foreign_file()).expect("there is space for a name");
        let block = vec![7; 64 * 1024];
        let mut length = block.len();
        while length > 0 {
            match file.write(block.get(..length).unwrap_or_default()) {
                Ok(written) if written == length => {}
                Err(error) if error.kind() != io::ErrorKind::StorageFull => panic!("{error}"),
                _ => length /= 2,
            }
        }
        file.sync_all().expect("what was written was taken");
    }

    /// Takes that file away.
    pub(crate) fn relieve(&self) {
        fs::remove_file(self.foreign_file()).expect("the file is ours");
    }

    /// Makes the kernel see an error of the file system, after which it takes no writes.
    pub(crate) fn break_down(&self) {
        run("mount", &["-o", "remount,abort"], &[&self.path()]);
        assert!(
            File::create(self.path().join("refused")).is_err(),
            "the file system takes writes still"
        );
    }

    /// What an administrator does then, while nobody uses it.
    pub(crate) fn repair(&self) {
        run("umount", &[], &[&self.path()]);
        // 1 says that it mended something.
        let checked = Command::new("e2fsck")
            .args(["-f", "-y"])
            .arg(self.image())
            .output();
        let code = checked.expect("e2fsck is there").status.code();
        assert!(matches!(code, Some(0 | 1)), "e2fsck ended with {code:?}");
        self.mount();
    }

    fn mount(&self) {
        run("mount", &["-o", "loop"], &[&self.image(), &self.path()]);
    }

    fn image(&self) -> PathBuf {
        self.directory.path().join("image")
    }

    fn foreign_file(&self) -> PathBuf {
        self.path().join("foreign")
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        // Lazily: a server that is still ending may hold it for a moment.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[track_caller]
fn run(program: &str, options: &[&str], paths: &[&Path]) {
    let done = Command::new(program).args(options).args(paths).output();
    let done = done.unwrap_or_else(|error| panic!("{program}: {error}"));
    let complaint = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success(),
        "{program} {options:?} {paths:?}: {complaint}"
    );
}
