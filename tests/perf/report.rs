//! The result: medians over the rounds, as tables and as JSON.

use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::limits::Limits;
use crate::load::Sample;
use crate::scenario::Scenario;
use crate::target::Target;

const MIB: f64 = 1024.0 * 1024.0;

/// One run of one scenario on one target.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Measurement {
    /// In the unit of the scenario.
    pub(crate) rate: f64,
    /// Finished operations.
    pub(crate) operations: u64,
    /// Median latency in milliseconds.
    pub(crate) p50_milliseconds: f64,
    /// 99th percentile of the latency in milliseconds.
    pub(crate) p99_milliseconds: f64,
    /// Largest resident memory of the server in bytes.
    pub(crate) peak_memory: Option<u64>,
    /// Processor time of the server.
    pub(crate) processor_seconds: Option<f64>,
    /// Why there is no result.
    pub(crate) error: Option<String>,
}

impl Measurement {
    /// The result of a run.
    pub(crate) fn new(scenario: Scenario, sample: &Sample) -> Self {
        Self {
            rate: scenario.unit().rate(sample),
            operations: sample.operations,
            p50_milliseconds: sample.percentile(0.5).as_secs_f64() * 1e3,
            p99_milliseconds: sample.percentile(0.99).as_secs_f64() * 1e3,
            ..Self::default()
        }
    }

    /// One line to watch the progress by.
    pub(crate) fn summary(&self, scenario: Scenario) -> String {
        match &self.error {
            Some(error) => format!("failed: {error}"),
            None => format!("{} {}", rounded(self.rate), scenario.unit().text()),
        }
    }
}

/// Where it was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    memory_gib: u64,
    kernel: String,
    filesystem: String,
}

impl Machine {
    /// This machine, with the filesystem that holds `directory`.
    pub(crate) fn detect(directory: &Path) -> Result<Self> {
        let processors = std::fs::read_to_string("/proc/cpuinfo").context("reading /proc/cpuinfo")?;
        let memory = std::fs::read_to_string("/proc/meminfo").context("reading /proc/meminfo")?;
        let kibibytes: u64 = value(&memory, "MemTotal")
            .trim_end_matches(" kB")
            .parse()
            .unwrap_or_default();
        Ok(Self {
            processor: value(&processors, "model name").to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            memory_gib: kibibytes >> 20,
            kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease")?
                .trim()
                .to_owned(),
            filesystem: filesystem(&std::fs::read_to_string("/proc/mounts")?, directory),
        })
    }
}

fn value<'a>(lines: &'a str, key: &str) -> &'a str {
    let values = lines.lines().filter_map(|line| line.split_once(':'));
    values
        .filter(|(name, _)| name.trim() == key)
        .map(|(_, value)| value.trim())
        .next()
        .unwrap_or_default()
}

/// Type of the filesystem mounted closest above `directory`.
fn filesystem(mounts: &str, directory: &Path) -> String {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let above = mounts.filter(|(point, _)| directory.starts_with(point));
    above
        .max_by_key(|(point, _)| point.len())
        .map(|(_, kind)| kind.to_owned())
        .unwrap_or_default()
}

#[derive(Debug, Serialize)]
struct Contender {
    name: String,
    version: String,
}

#[derive(Debug, Serialize)]
struct Row {
    scenario: &'static str,
    unit: &'static str,
    limit: Option<f64>,
    results: Vec<Outcome>,
    #[serde(skip)]
    key: Scenario,
}

/// All runs of one scenario on one target.
#[derive(Debug, Default, Serialize)]
struct Outcome {
    target: String,
    median_rate: f64,
    ratio_to_limit: Option<f64>,
    /// The first target's median divided by this one's.
    first_target_ratio: Option<f64>,
    runs: Vec<Measurement>,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    date: String,
    machine: Machine,
    rounds: usize,
    targets: Vec<Contender>,
    limits: Vec<Limits>,
    rows: Vec<Row>,
}

impl Report {
    /// An empty report.
    pub(crate) fn new(machine: Machine, now: Duration, rounds: usize, targets: &[Target]) -> Self {
        let date = humantime::format_rfc3339_seconds(UNIX_EPOCH + now).to_string();
        let contender = |target: &Target| Contender {
            name: target.name.clone(),
            version: target.version.clone(),
        };
        let targets = targets.iter().map(contender).collect();
        Self {
            date,
            machine,
            rounds,
            targets,
            limits: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Adds the limits of a round.
    pub(crate) fn add_limits(&mut self, limits: Limits) {
        self.limits.push(limits);
        for row in &mut self.rows {
            row.limit = limit(&self.limits, row.key);
        }
        self.rows.iter_mut().for_each(Row::compare);
    }

    /// Adds a run.
    pub(crate) fn add(&mut self, scenario: Scenario, target: &str, measurement: &Measurement) {
        let index = self
            .rows
            .iter()
            .position(|row| row.key == scenario)
            .unwrap_or(self.rows.len());
        if index == self.rows.len() {
            let outcome = |contender: &Contender| Outcome {
                target: contender.name.clone(),
                ..Outcome::default()
            };
            self.rows.push(Row {
                scenario: scenario.name(),
                unit: scenario.unit().text(),
                limit: limit(&self.limits, scenario),
                results: self.targets.iter().map(outcome).collect(),
                key: scenario,
            });
        }
        let Some(row) = self.rows.get_mut(index) else {
            return;
        };
        for outcome in row.results.iter_mut().filter(|outcome| outcome.target == target) {
            outcome.runs.push(measurement.clone());
            outcome.median_rate = outcome.median(|run| Some(run.rate)).unwrap_or_default();
        }
        row.compare();
    }

    /// The whole report for machines.
    pub(crate) fn json(&self) -> Result<String> {
        serde_json::to_string_pretty(self).context("writing JSON")
    }

    /// The tables for people.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write_header(&mut text);
        let _ = self.write_rates(&mut text);
        let _ = self.write_latencies(&mut text);
        let _ = self.write_errors(&mut text);
        text
    }

    fn write_header(&self, text: &mut String) -> std::fmt::Result {
        let Machine {
            processor,
            cores,
            memory_gib,
            kernel,
            filesystem,
        } = &self.machine;
        writeln!(text, "{}, {} rounds, medians.", self.date, self.rounds)?;
        writeln!(
            text,
            "{cores} cores of {processor}, {memory_gib} GiB, Linux {kernel}, {filesystem}."
        )?;
        for Contender { name, version } in &self.targets {
            writeln!(
                text,
                "- {name}: {}",
                if version.is_empty() {
                    "version unknown"
                } else {
                    version
                }
            )?;
        }
        let middle = |value: fn(&Limits) -> f64| {
            rounded(median(self.limits.iter().map(value).collect()).unwrap_or(0.0))
        };
        writeln!(
            text,
            "- limits: loopback TCP {} MB/s, four streams {} MB/s; SHA-256 on one core {} MB/s; \
             write and fdatasync {} MB/s; 4 KiB append and fdatasync {}/s; bare actix-web {}/s\n",
            middle(|limits| limits.loopback),
            middle(|limits| limits.loopback_four_streams),
            middle(|limits| limits.sha256),
            middle(|limits| limits.durable_write),
            middle(|limits| limits.durable_append),
            middle(|limits| limits.bare_http),
        )
    }

    fn write_rates(&self, text: &mut String) -> std::fmt::Result {
        let first = self
            .targets
            .first()
            .map(|first| first.name.as_str())
            .unwrap_or_default();
        write!(text, "| scenario | unit | limit | {first} | of limit |")?;
        for peer in self.targets.iter().skip(1) {
            write!(text, " {} | {first} / {} |", peer.name, peer.name)?;
        }
        writeln!(text)?;
        writeln!(
            text,
            "|---|---|---:|---:|---:|{}",
            "---:|---:|".repeat(self.targets.len().saturating_sub(1))
        )?;
        for row in &self.rows {
            let limit = row.limit.map_or_else(|| "-".to_owned(), rounded);
            write!(text, "| {} | {} | {limit} |", row.scenario, row.unit)?;
            for (index, outcome) in row.results.iter().enumerate() {
                let ratio = if index == 0 {
                    outcome.ratio_to_limit
                } else {
                    outcome.first_target_ratio
                };
                write!(
                    text,
                    " {} | {} |",
                    rounded(outcome.median_rate),
                    ratio_text(ratio)
                )?;
            }
            writeln!(text)?;
        }
        writeln!(text)
    }

    fn write_latencies(&self, text: &mut String) -> std::fmt::Result {
        write!(text, "| scenario |")?;
        for Contender { name, .. } in &self.targets {
            write!(text, " {name} p50 ms | p99 ms | CPU s | peak MiB |")?;
        }
        writeln!(text)?;
        writeln!(text, "|---|{}", "---:|---:|---:|---:|".repeat(self.targets.len()))?;
        for row in &self.rows {
            write!(text, "| {} |", row.scenario)?;
            for outcome in &row.results {
                let cell = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), rounded);
                write!(
                    text,
                    " {} | {} | {} | {} |",
                    cell(outcome.median(|run| Some(run.p50_milliseconds))),
                    cell(outcome.median(|run| Some(run.p99_milliseconds))),
                    cell(outcome.median(|run| run.processor_seconds)),
                    cell(outcome.median(|run| run.peak_memory.map(|bytes| bytes as f64 / MIB))),
                )?;
            }
            writeln!(text)?;
        }
        Ok(())
    }

    fn write_errors(&self, text: &mut String) -> std::fmt::Result {
        for row in &self.rows {
            for outcome in &row.results {
                if let Some(error) = outcome.runs.iter().find_map(|run| run.error.as_ref()) {
                    writeln!(text, "\n{} failed on {}: {error}", row.scenario, outcome.target)?;
                }
            }
        }
        Ok(())
    }
}

impl Row {
    fn compare(&mut self) {
        let first = self
            .results
            .first()
            .map(|first| first.median_rate)
            .unwrap_or_default();
        for outcome in &mut self.results {
            outcome.ratio_to_limit = self.limit.and_then(|limit| ratio(outcome.median_rate, limit));
            outcome.first_target_ratio = ratio(first, outcome.median_rate);
        }
    }
}

impl Outcome {
    /// The median of a value over the runs that gave a result.
    fn median(&self, value: impl Fn(&Measurement) -> Option<f64>) -> Option<f64> {
        median(
            self.runs
                .iter()
                .filter(|run| run.error.is_none())
                .filter_map(value)
                .collect(),
        )
    }
}

fn limit(rounds: &[Limits], scenario: Scenario) -> Option<f64> {
    let limit = scenario.limit()?;
    median(rounds.iter().map(|limits| limits.value(limit)).collect())
}

fn ratio(value: f64, to: f64) -> Option<f64> {
    (value > 0.0 && to > 0.0).then(|| value / to)
}

fn ratio_text(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"))
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    values
        .get(values.len() / 2 - 1)
        .map(|lower| f64::midpoint(*lower, upper))
}

/// Three significant digits are more than the measurement has.
fn rounded(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(rate: f64) -> Measurement {
        Measurement {
            rate,
            ..Measurement::default()
        }
    }

    fn report(targets: &[&str]) -> Report {
        let contender = |name: &&str| Contender {
            name: (*name).to_owned(),
            version: String::new(),
        };
        Report {
            date: String::new(),
            machine: Machine::detect(Path::new("/")).unwrap(),
            rounds: 3,
            targets: targets.iter().map(contender).collect(),
            limits: vec![Limits {
                loopback: 1000.0,
                ..Limits::default()
            }],
            rows: Vec::new(),
        }
    }

    #[test]
    fn given_three_rounds_when_reported_then_the_medians_are_compared() {
        // Given
        let mut report = report(&["zas", "peer"]);
        // When
        for rate in [900.0, 100.0, 800.0] {
            report.add(Scenario::PullStream, "zas", &run(rate));
            report.add(Scenario::PullStream, "peer", &run(rate / 2.0));
        }
        // Then
        let text = report.markdown();
        assert!(
            text.contains("| pull one stream | MB/s | 1000 | 800 | 0.80 | 400 | 2.00 |"),
            "{text}"
        );
    }

    #[test]
    fn given_a_failed_run_when_reported_then_the_reason_is_told_and_the_rate_is_not_zeroed() {
        let mut report = report(&["zas"]);
        report.add(Scenario::PullStream, "zas", &run(500.0));
        let failed = Measurement {
            error: Some("answered 500".to_owned()),
            ..Measurement::default()
        };
        report.add(Scenario::PullStream, "zas", &failed);
        let text = report.markdown();
        assert!(
            text.contains("| 500 |") && text.contains("pull one stream failed on zas: answered 500"),
            "{text}"
        );
    }

    #[test]
    fn given_values_when_their_median_is_taken_then_it_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn given_nested_mounts_when_a_directory_is_looked_up_then_the_closest_one_counts() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /volatile tmpfs rw 0 0\n";
        assert_eq!(filesystem(mounts, Path::new("/volatile/x")), "tmpfs");
        assert_eq!(filesystem(mounts, Path::new("/var")), "ext4");
    }
}
