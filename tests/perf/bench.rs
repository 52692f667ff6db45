//! The order of a measurement: start, fill, then rounds in which the targets take turns, then stop.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::arguments::Arguments;
use crate::fixture::{Fixture, Size};
use crate::limits::Limits;
use crate::load::Sample;
use crate::process::{start_distribution, start_ours};
use crate::report::{Machine, Measurement, Report};
use crate::scenario::{Run, Scenario};
use crate::target::Target;

const MIB: u64 = 1024 * 1024;
/// Every run makes its content from so many numbers of its own.
const NONCES_PER_RUN: u64 = 1 << 20;

/// Measures everything the arguments ask for.
pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    let scenarios = chosen(&arguments.only);
    ensure!(!scenarios.is_empty(), "no scenario has such a name");
    ensure!(arguments.rounds > 0, "at least one round is needed");
    let parent = arguments.directory.clone().unwrap_or_else(std::env::temp_dir);
    let directory = tempfile::Builder::new().prefix("zas-perf-").tempdir_in(&parent)?;
    let targets = start_targets(arguments, directory.path())?;
    ensure!(
        !targets.is_empty(),
        "nothing to measure: give --server, --distribution or --target"
    );

    let now = now()?;
    let mut nonces = Nonces(now.as_secs() << 32);
    let size = Size {
        stream: arguments.stream_size * MIB,
        percent: arguments.fixture_scale,
    };
    let mut fixtures = Vec::new();
    for target in &targets {
        eprintln!("filling {}", target.name);
        let fixture = Fixture::make(&target.address, &scenarios, size, nonces.next());
        fixtures.push(fixture.with_context(|| format!("filling {}", target.name))?);
    }

    let mut report = Report::new(
        Machine::detect(directory.path())?,
        now,
        arguments.rounds,
        &targets,
    );
    let time = Duration::try_from_secs_f64(arguments.seconds).context("--seconds")?;
    for round in 0..arguments.rounds {
        eprintln!("round {} of {}", round + 1, arguments.rounds);
        report.add_limits(Limits::measure(directory.path())?);
        for scenario in &scenarios {
            let mut turns: Vec<_> = targets.iter().zip(&fixtures).collect();
            if round % 2 == 1 {
                turns.reverse();
            }
            for (target, fixture) in turns {
                let run = Run {
                    address: &target.address,
                    fixture,
                    nonce: nonces.next(),
                    time,
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
    Ok(report)
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
