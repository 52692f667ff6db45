//! `zas-operator-perf`: what the operator costs on a real API server, and how fast it is.
//!
//! No node takes part: Pods stay pending, and a store counts as settled when everything it needs has been applied.
//! Times are those of the API server's audit log, so waiting for this program does not count.
#![expect(
    clippy::print_stdout,
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
    let mut table = Table::default();
    table.add(vec![("idle, no store".to_owned(), bench.idle())]);
    table.add(bench.singles(arguments.singles).await);
    table.add(bench.secrets(arguments.secrets).await);
    for target in [arguments.stores / 4, arguments.stores / 2, arguments.stores] {
        table.add(bench.grow(target).await);
    }
    table.add(bench.rest().await);
    table.add(bench.restart().await);
    if let Some(file) = arguments.markdown {
        std::fs::write(file, table.0)?;
    }
    Ok(())
}

/// The report. Each row is printed as soon as it is known: the whole takes minutes.
struct Table(String);

impl Default for Table {
    fn default() -> Self {
        let head = "| measure | result |\n|---|---|\n".to_owned();
        print!("{head}");
        Self(head)
    }
}

impl Table {
    fn add(&mut self, rows: Vec<(String, String)>) {
        for (name, result) in rows {
            let row = format!("| {name} | {result} |\n");
            print!("{row}");
            self.0.push_str(&row);
        }
    }
}
