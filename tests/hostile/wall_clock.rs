//! A wall clock that a test sets while the server runs.

use std::env;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use zas_tests::ServerBuilder;

/// What the library and the number are in.
#[derive(Debug)]
pub(crate) struct WallClock {
    directory: TempDir,
}

impl WallClock {
    /// A clock that is right so far.
    #[track_caller]
    pub(crate) fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("zas-clock-").tempdir();
        let clock = Self {
            directory: directory.expect("the temporary directory is writable"),
        };
        clock.shift(0);
        clock.compile();
        clock
    }

    /// A server that reads this clock.
    pub(crate) fn read_by(&self, server: ServerBuilder) -> ServerBuilder {
        server
            .environment("LD_PRELOAD", self.library())
            .environment("ZAS_CLOCK_SHIFT", self.number())
    }

    /// Lets the clock be wrong by that many seconds from now on.
    #[track_caller]
    pub(crate) fn shift(&self, seconds: i64) {
        // In place and never shorter: the server has mapped it.
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.number());
        let written = file.and_then(|file| file.write_all_at(&seconds.to_ne_bytes(), 0));
        written.expect("the temporary directory is writable");
    }

    #[track_caller]
    fn compile(&self) {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile/wall_clock.c");
        let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
        let status = Command::new(&compiler)
            .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o"])
            .args([&self.library(), &source])
            .status();
        let status = status.unwrap_or_else(|error| panic!("no C compiler {}: {error}", compiler.display()));
        assert!(status.success(), "{} cannot be compiled", source.display());
    }

    fn library(&self) -> PathBuf {
        self.directory.path().join("wall_clock.so")
    }

    fn number(&self) -> PathBuf {
        self.directory.path().join("shift")
    }
}
