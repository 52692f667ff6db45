//! `zas-perf`: puts the same load on one or several OCI registries, in interleaved rounds, and measures beside them
//! what the machine allows.
//!
//! The numbers of one run can be compared with each other, those of two runs only as ratios.

mod arguments;
mod bench;
mod collection;
mod connection;
mod dawdlers;
mod document;
mod fixture;
mod growth;
mod limits;
mod load;
mod machine;
mod memory;
mod payload;
mod process;
mod registry;
mod report;
mod requirement;
mod scenario;
mod statistics;
mod tables;
mod target;

use std::io::Write;

use anyhow::{Context, Result, ensure};
use clap::Parser;

use crate::arguments::Arguments;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let report = bench::run(&arguments)?;
    let markdown = report.markdown();
    if let Some(path) = &arguments.json {
        std::fs::write(path, report.json()?).with_context(|| format!("writing {}", path.display()))?;
    }
    if let Some(path) = &arguments.markdown {
        std::fs::write(path, &markdown).with_context(|| format!("writing {}", path.display()))?;
    }
    if let Some(path) = &arguments.document {
        std::fs::write(path, document::write(&report))
            .with_context(|| format!("writing {}", path.display()))?;
    }
    std::io::stdout()
        .write_all(markdown.as_bytes())
        .context("writing the report")?;
    ensure!(
        report.failures.is_empty(),
        "{} parts could not be measured",
        report.failures.len()
    );
    Ok(())
}
