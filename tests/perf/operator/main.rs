//! `zas-operator-perf`: what the operator costs on a real API server, and how fast it is.
//!
//! No node takes part: Pods stay pending, and a store counts as settled when everything it needs has been applied.
//! Times are those of the API server's audit log, so waiting for this program does not count.
#![expect(
    clippy::print_stdout,
    clippy::panic,
    clippy::expect_used,
    reason = "a report, and a broken premise ends it"
)]

mod measure;
mod memory;

use std::path::PathBuf;

use clap::Parser;
use measure::Bench;

/// Measures the operator: memory when idle and with many stores, time from creation to the last object, requests per
/// look. Needs the Kubernetes programs that `hack/setup.sh test` installs.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many stores there are in the end.
    #[arg(long, default_value_t = 1000)]
    stores: usize,
    /// How many single stores are created to measure how fast one is.
    #[arg(long, default_value_t = 40)]
    singles: usize,
    /// Unrelated Secrets that the cluster has besides.
    #[arg(long, default_value_t = 10_000)]
    secrets: usize,
    /// Where to write the table as Markdown.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut bench = Bench::start().await;
    let mut rows = vec![("idle, no store".to_owned(), bench.idle())];
    rows.extend(bench.singles(arguments.singles).await);
    rows.extend(bench.secrets(arguments.secrets).await);
    rows.extend(bench.many(arguments.stores).await);
    rows.extend(bench.restart().await);
    let mut table = "| measure | result |\n|---|---|\n".to_owned();
    for (name, result) in rows {
        table.push_str(&format!("| {name} | {result} |\n"));
    }
    print!("{table}");
    if let Some(file) = arguments.markdown {
        std::fs::write(file, table)?;
    }
    Ok(())
}
