//! The order of a measurement: start, fill, then rounds in which the targets take turns, then stop.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::arguments::{Arguments, Part};
use crate::collection::{self, CollectionEffect};
use crate::fixture::{Fixture, Size};
use crate::growth::{self, Growth};
use crate::limits::Limits;
use crate::load::Sample;
use crate::machine::Machine;
use crate::memory::{self, MemoryUse};
use crate::process::{start_distribution, start_ours};
use crate::report::{Measurement, Report};
use crate::scenario::{Run, Scenario};
use crate::target::Target;

const MIB: u64 = 1024 * 1024;
/// Every run makes its content from so many numbers of its own.
const NONCES_PER_RUN: u64 = 1 << 20;

/// Measures everything the arguments ask for.
pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    ensure!(arguments.rounds > 0, "at least one round is needed");
    let parent = arguments.directory.clone().unwrap_or_else(std::env::temp_dir);
    let directory = tempfile::Builder::new().prefix("zas-perf-").tempdir_in(&parent)?;
    let now = now()?;
    let mut bench = Bench {
        arguments,
        directory: directory.path(),
        time: Duration::try_from_secs_f64(arguments.seconds).context("--seconds")?,
        nonces: Nonces(now.as_secs() << 32),
    };
    let mut report = Report::new(Machine::detect(directory.path())?, now, arguments.rounds);
    if bench.measures(Part::Rates) {
        bench.rates(&mut report)?;
    }
    if bench.measures(Part::Growth) {
        report.growth = report.kept(bench.growth());
    }
    if bench.measures(Part::Memory) {
        report.memory = report.kept(bench.memory());
    }
    if bench.measures(Part::Collection) {
        report.collection = report.kept(bench.collection());
    }
    Ok(report)
}

struct Bench<'a> {
    arguments: &'a Arguments,
    directory: &'a Path,
    time: Duration,
    nonces: Nonces,
}

impl Bench<'_> {
    fn measures(&self, part: Part) -> bool {
        self.arguments.parts.contains(&part)
    }

    fn growth(&mut self) -> Result<Growth> {
        let plan = growth::Plan {
            percent: self.arguments.growth_scale,
            rounds: self.arguments.rounds,
            time: self.time,
            nonce: self.nonces.next(),
        };
        self.alone("growth", |binary, directory| {
            growth::measure(binary, directory, plan)
        })
    }

    fn memory(&mut self) -> Result<MemoryUse> {
        let (upload, nonce) = (self.arguments.upload_size * MIB, self.nonces.next());
        self.alone("memory", |binary, directory| {
            memory::measure(binary, directory, upload, nonce)
        })
    }

    fn collection(&mut self) -> Result<CollectionEffect> {
        let plan = collection::Plan {
            rounds: self.arguments.collection_rounds,
            garbage: self.arguments.garbage,
            pace: self.arguments.pace,
            time: self.time,
            nonce: self.nonces.next(),
        };
        self.alone("collection", |binary, directory| {
            collection::measure(binary, directory, plan)
        })
    }

    /// Measures ours, with nothing else running, in a directory that is removed afterwards.
    fn alone<T>(&self, part: &str, measure: impl FnOnce(&Path, &Path) -> Result<T>) -> Result<T> {
        let binary = self.arguments.server.as_ref();
        let binary = absolute(binary.with_context(|| format!("the part {part} needs --server"))?)?;
        let directory = made(self.directory, part)?;
        let measured = measure(&binary, &directory).with_context(|| format!("measuring {part}"));
        // The next part needs the room, also when this one failed.
        std::fs::remove_dir_all(&directory)?;
        measured
    }

    fn rates(&mut self, report: &mut Report) -> Result<()> {
        let arguments = self.arguments;
        let scenarios = chosen(&arguments.only);
        ensure!(!scenarios.is_empty(), "no scenario has such a name");
        let directory = made(self.directory, "rates")?;
        let targets = start_targets(arguments, &directory)?;
        ensure!(
            !targets.is_empty(),
            "nothing to measure: give --server, --distribution or --target"
        );
        report.add_targets(&targets);
        let size = Size {
            stream: arguments.stream_size * MIB,
            percent: arguments.fixture_scale,
        };
        let mut fixtures = Vec::new();
        for target in &targets {
            eprintln!("filling {}", target.name);
            let fixture = Fixture::make(&target.address, &scenarios, size, self.nonces.next());
            fixtures.push(fixture.with_context(|| format!("filling {}", target.name))?);
        }
        for round in 0..arguments.rounds {
            eprintln!("round {} of {}", round + 1, arguments.rounds);
            report.add_limits(Limits::measure(&directory)?);
            for scenario in &scenarios {
                let mut turns: Vec<_> = targets.iter().zip(&fixtures).collect();
                if round % 2 == 1 {
                    turns.reverse();
                }
                for (target, fixture) in turns {
                    let run = Run {
                        address: &target.address,
                        fixture,
                        nonce: self.nonces.next(),
                        time: self.time,
                        stream: size.stream,
                    };
                    let measurement = measure(*scenario, target, &run);
                    eprintln!(
                        "  {:<36} {:<14} {}",
                        scenario.name(),
                        target.name,
                        measurement.summary(*scenario)
                    );
                    report.add(*scenario, &target.name, &measurement);
                }
            }
        }
        drop(targets);
        Ok(std::fs::remove_dir_all(&directory)?)
    }
}

fn chosen(only: &[String]) -> Vec<Scenario> {
    let is_chosen =
        |scenario: &Scenario| only.is_empty() || only.iter().any(|text| scenario.name().contains(text));
    Scenario::ALL.into_iter().filter(is_chosen).collect()
}

fn start_targets(arguments: &Arguments, directory: &Path) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    if let Some(binary) = &arguments.server {
        targets.push(start_ours(&absolute(binary)?, &made(directory, "zas")?)?);
    }
    if let Some(binary) = &arguments.distribution {
        targets.push(start_distribution(
            &absolute(binary)?,
            &made(directory, "distribution")?,
        )?);
    }
    for (name, address) in &arguments.targets {
        targets.push(Target {
            name: name.clone(),
            address: address.clone(),
            version: String::new(),
            process: None,
        });
    }
    Ok(targets)
}

fn absolute(binary: &Path) -> Result<std::path::PathBuf> {
    binary
        .canonicalize()
        .with_context(|| format!("no binary at {}", binary.display()))
}

fn made(parent: &Path, name: &str) -> Result<std::path::PathBuf> {
    let path = parent.join(name);
    std::fs::create_dir(&path)?;
    Ok(path)
}

/// Runs one scenario on one target, with what its process used meanwhile.
fn measure(scenario: Scenario, target: &Target, run: &Run<'_>) -> Measurement {
    // What earlier runs left in the page cache must not be written at the cost of this one.
    rustix::fs::sync();
    match measure_process(scenario, target, run) {
        Ok(measurement) => measurement,
        Err(error) => Measurement {
            error: Some(format!("{error:#}")),
            ..Measurement::default()
        },
    }
}

fn measure_process(scenario: Scenario, target: &Target, run: &Run<'_>) -> Result<Measurement> {
    let Some(process) = &target.process else {
        return Ok(Measurement::new(scenario, &run.measure(scenario)?));
    };
    process.reset_peak_memory()?;
    let before = process.processor_seconds()?;
    let sample: Sample = run.measure(scenario)?;
    Ok(Measurement {
        processor_seconds: Some(process.processor_seconds()? - before),
        peak_memory: Some(process.peak_memory()?),
        ..Measurement::new(scenario, &sample)
    })
}

struct Nonces(u64);

impl Nonces {
    fn next(&mut self) -> u64 {
        self.0 += NONCES_PER_RUN;
        self.0
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that dates the report and makes content unique"
)]
fn now() -> Result<Duration> {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .context("the clock is before 1970")
}
