//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::target::Address;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Speed beside other registries and the limits of the machine.
    Rates,
    /// Ours alone: whether a grown store is slower, and how long it takes to start.
    Growth,
    /// Ours alone: memory with many large uploads and with clients that stop reading.
    Memory,
    /// Ours alone: latency of pushes while unused content is collected.
    Collection,
}

/// Measures OCI registries against each other and against the limits of the machine.
#[derive(Debug, Parser)]
#[command(name = "zas-perf", version)]
pub(crate) struct Arguments {
    /// What to measure: several with commas between, or the option several times.
    #[arg(long = "part", value_enum, value_delimiter = ',', default_values_t = [Part::Rates])]
    pub(crate) parts: Vec<Part>,

    /// Our server's binary, started with RocksDB and the filesystem in a temporary directory.
    #[arg(long, env = "ZAS_SERVER_BINARY", value_name = "FILE")]
    pub(crate) server: Option<PathBuf>,

    /// The binary of CNCF distribution (`registry`), started beside ours with its filesystem driver.
    #[arg(long, env = "ZAS_PERF_DISTRIBUTION", value_name = "FILE")]
    pub(crate) distribution: Option<PathBuf>,

    /// A running registry that everybody may write to, over plain HTTP. What is pushed there stays there.
    #[arg(long = "target", value_name = "NAME=http://HOST:PORT", value_parser = parse_target)]
    pub(crate) targets: Vec<(String, Address)>,

    /// How often each scenario runs on each target; the report shows medians.
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,

    /// The longest time for one scenario on one target in one round, in seconds.
    #[arg(long, default_value_t = 3.0)]
    pub(crate) seconds: f64,

    /// Size of the large blob in MiB.
    #[arg(long, default_value_t = 1024, value_name = "MIB")]
    pub(crate) stream_size: u64,

    /// Repositories in the catalog and tags in the large repository, as a percentage of 1,000 and 3,000.
    #[arg(long, default_value_t = 100, value_name = "PERCENT")]
    pub(crate) fixture_scale: u64,

    /// Size of the grown store, as a percentage of 1,000,000 tags, 100,000 repositories and 1,000,000 blobs.
    #[arg(long, default_value_t = 100, value_name = "PERCENT")]
    pub(crate) growth_scale: u64,

    /// Size of each of 64 uploads for the part memory in MiB; all of them must have room on the disk.
    #[arg(long, default_value_t = 256, value_name = "MIB")]
    pub(crate) upload_size: u64,

    /// Rounds of the part collection, each with and without it.
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub(crate) collection_rounds: usize,

    /// Unused blobs that are there in each turn of the part collection.
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    pub(crate) garbage: u64,

    /// Pushes per second in the part collection.
    #[arg(long, default_value_t = 1000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) pace: u32,

    /// Runs only the scenarios whose name contains this text; may be repeated.
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Vec<String>,

    /// Where data directories are made and the disk is measured; removed at the end.
    #[arg(long, env = "ZAS_PERF_DIRECTORY", value_name = "DIRECTORY")]
    pub(crate) directory: Option<PathBuf>,

    /// Writes the full report as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Writes the tables, which are printed in any case.
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,

    /// Writes the tables with what they mean, what is required and whether it is reached.
    #[arg(long, value_name = "FILE")]
    pub(crate) document: Option<PathBuf>,
}

fn parse_target(text: &str) -> Result<(String, Address), String> {
    let (name, url) = text.split_once('=').ok_or("expected NAME=http://HOST:PORT")?;
    let address = url.parse::<Address>().map_err(|error| error.to_string())?;
    Ok((name.to_owned(), address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_named_url_when_parsed_then_both_parts_are_known() {
        let (name, address) = parse_target("zot=http://127.0.0.1:5000").unwrap();
        assert_eq!(name, "zot");
        assert_eq!(address.host(), "127.0.0.1:5000");
    }

    #[test]
    fn given_a_secure_url_when_parsed_then_it_is_refused() {
        assert!(parse_target("zot=https://127.0.0.1:5000").is_err());
        assert!(parse_target("http://127.0.0.1:5000").is_err());
    }
}
