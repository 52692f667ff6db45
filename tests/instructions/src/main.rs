//! `zas-instructions`: counts the instructions that the server's hot paths take and compares them with what they took
//! before. Unlike time, they are nearly the same on a busy machine and on an idle one.
//!
//! The whole server answers in this process, from its middleware to the metadata store in memory: only sockets, disk
//! and the database engine are missing. Callgrind counts two runs of each path that differ in the number of requests
//! alone; the difference, divided by that number, is what one request takes on all threads.
#![expect(clippy::print_stdout, reason = "a report")]

mod baseline;
mod callgrind;
mod hot_path;
mod server;
mod workload;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::baseline::{Baseline, Verdict};
use crate::hot_path::HotPath;

// As the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Counts the instructions of the server's hot paths with callgrind and compares them with a baseline: more than the
/// tolerance above fails, more than the tolerance below asks for a new baseline.
#[derive(Debug, Parser)]
struct Arguments {
    /// The counts to compare with.
    #[arg(
        long,
        value_name = "FILE",
        default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.toml")
    )]
    baseline: PathBuf,
    /// Largest allowed difference, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0)]
    tolerance: f64,
    /// Writes the counts as the new baseline instead of comparing.
    #[arg(long)]
    write: bool,
    /// Counts each path so often, takes the median and tells how far the counts are apart.
    #[arg(long, value_name = "N", default_value_t = 1)]
    repeat: usize,
    /// Only paths whose name contains this text; may be repeated.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What callgrind runs: prepares a server and sends it requests.
    #[command(hide = true)]
    Work { path: HotPath, requests: u64 },
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if let Some(Command::Work { path, requests }) = arguments.command {
        workload::run(path, requests)?;
        return Ok(ExitCode::SUCCESS);
    }
    callgrind::check_installed()?;
    let counted = count(&arguments)?;
    let compiler = callgrind::compiler();
    if arguments.write {
        let mut baseline = Baseline::read(&arguments.baseline).unwrap_or_default();
        baseline.compiler = compiler;
        baseline.counts.extend(counted);
        baseline.write(&arguments.baseline)?;
        println!("wrote {}", arguments.baseline.display());
        return Ok(ExitCode::SUCCESS);
    }
    compare(&arguments, &compiler, &counted)
}

fn count(arguments: &Arguments) -> Result<Vec<(HotPath, u64)>> {
    let is_chosen = |path: &HotPath| {
        arguments.only.is_empty()
            || arguments
                .only
                .iter()
                .any(|text| path.name().contains(text.as_str()))
    };
    let mut counted = Vec::new();
    for path in HotPath::ALL.into_iter().filter(is_chosen) {
        let mut counts = Vec::new();
        for _ in 0..arguments.repeat.max(1) {
            counts.push(callgrind::instructions_per_request(path)?);
        }
        counts.sort_unstable();
        let count = counts.get(counts.len() / 2).copied().unwrap_or_default();
        println!("{:<28} {count:>10} instructions{}", path.name(), spread(&counts));
        counted.push((path, count));
    }
    anyhow::ensure!(!counted.is_empty(), "no path has such a name");
    Ok(counted)
}

fn spread(sorted: &[u64]) -> String {
    match sorted {
        [least, .., most] => {
            let percent = 100.0 * (most - least) as f64 / (*least).max(1) as f64;
            format!(
                ", from {least} to {most} in {} counts: {percent:.2} %",
                sorted.len()
            )
        }
        _ => String::new(),
    }
}

fn compare(arguments: &Arguments, compiler: &str, counted: &[(HotPath, u64)]) -> Result<ExitCode> {
    let baseline = Baseline::read(&arguments.baseline)?;
    if baseline.compiler != compiler {
        println!(
            "the baseline was made by {}, this is {compiler}: a difference may be the compiler's",
            baseline.compiler
        );
    }
    let (mut worse, mut better) = (0, 0);
    for (path, count) in counted {
        let (verdict, text) = baseline.judge(*path, *count, arguments.tolerance);
        match verdict {
            Verdict::Same => {}
            Verdict::Worse => worse += 1,
            Verdict::Better => better += 1,
        }
        println!("{text}");
    }
    if better > 0 {
        println!("{better} paths take fewer instructions: keep that by --write");
    }
    if worse == 0 {
        println!("{} paths take no more instructions than before", counted.len());
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "{worse} of {} paths take more instructions: find out why, or accept it by --write",
        counted.len()
    );
    Ok(ExitCode::FAILURE)
}
