//! Compiles the recorder and tells a process to load it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::OnceLock;

use crate::Journal;

/// Watches one directory from outside it.
#[derive(Clone, Debug)]
pub struct Recorder {
    directory: PathBuf,
    log: PathBuf,
}

impl Recorder {
    /// Records what happens below `directory` to the file `log`, which lies elsewhere.
    pub fn new(directory: &Path, log: &Path) -> Self {
        let directory = directory.canonicalize().expect("the directory is there");
        assert!(
            !log.starts_with(&directory),
            "the log lies outside what it tells of"
        );
        Self {
            directory,
            log: log.to_owned(),
        }
    }

    /// What is watched.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What the environment of the process needs.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        vec![
            ("LD_PRELOAD", library().into()),
            ("ZAS_RECORD_DIRECTORY", self.directory.clone().into()),
            ("ZAS_RECORD_LOG", self.log.clone().into()),
        ]
    }

    /// How long the log is now: everything that was answered before has its records below.
    pub fn length(&self) -> u64 {
        fs::metadata(&self.log).expect("the process has started").len()
    }

    /// The log so far.
    pub fn journal(&self) -> Journal {
        Journal::parse(&fs::read(&self.log).expect("the process has started"))
    }
}

/// The compiled recorder.
fn library() -> PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(compile).clone()
}

fn compile() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("recorder.c");
    // Tests of other processes may load it meanwhile: each has its own.
    let library = env::temp_dir().join(format!("zas-recorder-{}.so", process::id()));
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let status = Command::new(&compiler)
        .args([
            "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-o",
        ])
        .args([&library, &source])
        .arg("-ldl")
        .status();
    let status = status.unwrap_or_else(|error| panic!("no C compiler {}: {error}", compiler.display()));
    assert!(status.success(), "{} cannot be compiled", source.display());
    library
}
