//! The result: medians over the rounds.

use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::collection::CollectionEffect;
use crate::growth::Growth;
use crate::limits::Limits;
use crate::load::Sample;
use crate::machine::Machine;
use crate::memory::MemoryUse;
use crate::requirement::{Bound, Check, against_distribution, against_limit};
use crate::scenario::Scenario;
use crate::statistics::{median, ratio, rounded};
use crate::target::Target;

/// Name of the target that the required ratios are about.
const DISTRIBUTION: &str = "distribution";

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

/// One of the registries.
#[derive(Debug, Serialize)]
pub(crate) struct Contender {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// One scenario.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) scenario: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) limit: Option<f64>,
    pub(crate) results: Vec<Outcome>,
    #[serde(skip)]
    key: Scenario,
}

/// All runs of one scenario on one target.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Outcome {
    pub(crate) target: String,
    pub(crate) median_rate: f64,
    pub(crate) ratio_to_limit: Option<f64>,
    /// The first target's median divided by this one's.
    pub(crate) first_target_ratio: Option<f64>,
    pub(crate) runs: Vec<Measurement>,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) date: String,
    pub(crate) machine: Machine,
    pub(crate) rounds: usize,
    pub(crate) targets: Vec<Contender>,
    pub(crate) limits: Vec<Limits>,
    pub(crate) rows: Vec<Row>,
    pub(crate) growth: Option<Growth>,
    pub(crate) memory: Option<MemoryUse>,
    pub(crate) collection: Option<CollectionEffect>,
    /// Parts that could not be measured, and why.
    pub(crate) failures: Vec<String>,
}

impl Report {
    /// An empty report.
    pub(crate) fn new(machine: Machine, now: Duration, rounds: usize) -> Self {
        Self {
            date: humantime::format_rfc3339_seconds(UNIX_EPOCH + now).to_string(),
            machine,
            rounds,
            targets: Vec::new(),
            limits: Vec::new(),
            rows: Vec::new(),
            growth: None,
            memory: None,
            collection: None,
            failures: Vec::new(),
        }
    }

    /// A part that was measured, or notes why it was not: what others took minutes to find stays.
    pub(crate) fn kept<T>(&mut self, part: Result<T>) -> Option<T> {
        part.inspect_err(|error| {
            eprintln!("{error:#}");
            self.failures.push(format!("{error:#}"));
        })
        .ok()
    }

    /// Tells which registries are compared. The others are compared with the first one.
    pub(crate) fn add_targets(&mut self, targets: &[Target]) {
        let contender = |target: &Target| Contender {
            name: target.name.clone(),
            version: target.version.clone(),
        };
        self.targets = targets.iter().map(contender).collect();
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

    /// Everything that is required, with what was measured.
    pub(crate) fn checks(&self) -> Vec<Check> {
        let mut checks: Vec<Check> = self.rows.iter().flat_map(Row::checks).collect();
        if let Some(growth) = &self.growth {
            checks.push(self.grown_manifests_by_tag(growth));
            checks.extend(growth.checks());
        }
        checks.extend(self.memory.iter().flat_map(MemoryUse::checks));
        checks.extend(self.collection.iter().flat_map(CollectionEffect::checks));
        checks
    }

    /// Ours grown against distribution small, by way of ours small: the two were never measured in the same round.
    fn grown_manifests_by_tag(&self, growth: &Growth) -> Check {
        let row = self
            .rows
            .iter()
            .find(|row| row.key == Scenario::GetManifestsByTag);
        let small = row.and_then(|row| row.ratio_to(DISTRIBUTION));
        let measured = small.zip(growth.manifests_by_tag_ratio());
        Check::new(
            "times distribution: get manifests by tag, 16 clients, ours from the grown store",
            Bound::AtLeast(against_distribution(Scenario::GetManifestsByTag)),
            measured.map(|(small, grown)| small * grown),
        )
    }
}

impl Row {
    fn ratio_to(&self, target: &str) -> Option<f64> {
        let outcome = self.results.iter().find(|outcome| outcome.target == target)?;
        outcome.first_target_ratio
    }

    fn checks(&self) -> Vec<Check> {
        let bound = Bound::AtLeast(against_distribution(self.key));
        let what = format!("times distribution: {}", self.scenario);
        let mut checks = vec![Check::new(what, bound, self.ratio_to(DISTRIBUTION))];
        if let Some(part) = against_limit(self.key) {
            let what = format!("part of copying loopback: {}", self.scenario);
            let measured = self.results.first().and_then(|ours| ours.ratio_to_limit);
            checks.push(Check::new(what, Bound::AtLeast(part), measured));
        }
        checks
    }

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
    pub(crate) fn median(&self, value: impl Fn(&Measurement) -> Option<f64>) -> Option<f64> {
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

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use super::*;

    pub(crate) fn run(rate: f64) -> Measurement {
        Measurement {
            rate,
            ..Measurement::default()
        }
    }

    pub(crate) fn report(targets: &[&str]) -> Report {
        let contender = |name: &&str| Contender {
            name: (*name).to_owned(),
            version: String::new(),
        };
        let mut report = Report::new(Machine::detect(Path::new("/")).unwrap(), Duration::ZERO, 3);
        report.targets = targets.iter().map(contender).collect();
        report.limits = vec![Limits {
            copying_loopback: 1000.0,
            ..Limits::default()
        }];
        report
    }

    #[test]
    fn given_rates_of_both_when_checked_then_each_requirement_is_judged_by_its_ratio() {
        let mut report = report(&["zas", "distribution"]);
        report.add(Scenario::PullStream, "zas", &run(890.0));
        report.add(Scenario::PullStream, "distribution", &run(445.0));
        report.add(Scenario::PushSmallBlobs, "zas", &run(900.0));
        let judged: Vec<_> = report
            .checks()
            .iter()
            .map(|check| (check.measured, check.verdict()))
            .collect();
        let expected = [
            (Some(2.0), "reached"),
            (Some(0.89), "**not reached**"),
            (None, "not measured"),
        ];
        assert_eq!(judged, expected);
    }
}
