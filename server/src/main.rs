//! The server's program.

use std::process::ExitCode;

use clap::Parser;
use zot_artifact_store::cli::{self, Arguments};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    zas_failpoints::arm();
    cli::run(Arguments::parse())
}
