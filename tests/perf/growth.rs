//! Whether anything becomes slower as the store grows: the same requests, in interleaved rounds, to a small store and
//! to a grown one, and how long the grown one takes to start.

mod filling;

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Serialize;

use self::filling::{push_blobs, push_repositories, push_tags, repository, tag};
use crate::fixture::{PAGE_OF_REPOSITORIES, PAGE_OF_TAGS};
use crate::load::{Load, Sample, drive};
use crate::payload::scatter;
use crate::process::{Ours, Started};
use crate::registry::get;
use crate::requirement::{Bound, Check};
use crate::statistics::{median, ratio, ratio_text, rounded};

/// Repository whose manifests are read by tag.
const READ: &str = "growth/read";
/// Repository whose tags are listed.
const LISTED: &str = "growth/listed";
const RESTARTS: usize = 5;
/// Pushed before the server is killed, so that its log has something to replay.
const BLOBS_BEFORE_KILL: u64 = 5000;
/// "Flat": what repeated measurements of the same differ by on a quiet machine.
const FLAT: f64 = 1.2;

/// How much a store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Size {
    /// Tags in the repository that is read.
    read_tags: u64,
    /// Tags in the repository that is listed.
    listed_tags: u64,
    /// Repositories in the catalog.
    repositories: u64,
    /// Blobs of 1 KiB.
    blobs: u64,
}

impl Size {
    const SMALL: Self = Self {
        read_tags: 3000,
        listed_tags: 10_000,
        repositories: 1000,
        blobs: 0,
    };
    const LARGE: Self = Self {
        read_tags: 1_000_000,
        listed_tags: 1_000_000,
        repositories: 100_000,
        blobs: 1_000_000,
    };

    /// The large size at this percentage, and never smaller than the small one.
    fn large(percent: u64) -> Self {
        let part = |full: u64, least: u64| (full * percent / 100).max(least);
        Self {
            read_tags: part(Self::LARGE.read_tags, Self::SMALL.read_tags),
            listed_tags: part(Self::LARGE.listed_tags, Self::SMALL.listed_tags),
            repositories: part(Self::LARGE.repositories, Self::SMALL.repositories),
            blobs: part(Self::LARGE.blobs, 1),
        }
    }
}

/// What is asked of both stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Question {
    ManifestByTag,
    TagPage,
    CatalogPage,
}

impl Question {
    const ALL: [Self; 3] = [Self::ManifestByTag, Self::TagPage, Self::CatalogPage];

    fn name(self, small: Size, large: Size) -> String {
        match self {
            Self::ManifestByTag => format!(
                "get manifests by tag, 16 clients: one of {} and of {}",
                small.read_tags, large.read_tags
            ),
            Self::TagPage => format!(
                "list 1000 tags, 4 clients: out of {} and of {}",
                small.listed_tags, large.listed_tags
            ),
            Self::CatalogPage => format!(
                "list 100 repositories, 4 clients: out of {} and of {}",
                small.repositories, large.repositories
            ),
        }
    }

    /// How much longer the grown store may take.
    fn slowdown(self) -> f64 {
        match self {
            Self::TagPage => 2.0,
            Self::ManifestByTag | Self::CatalogPage => FLAT,
        }
    }

    fn clients(self) -> usize {
        match self {
            Self::ManifestByTag => 16,
            Self::TagPage | Self::CatalogPage => 4,
        }
    }

    fn path(self, size: Size, choice: u64) -> String {
        match self {
            Self::ManifestByTag => format!("/v2/{READ}/manifests/{}", tag(choice % size.read_tags)),
            Self::TagPage => {
                let last = tag(choice % (size.listed_tags - PAGE_OF_TAGS));
                format!("/v2/{LISTED}/tags/list?n={PAGE_OF_TAGS}&last={last}")
            }
            Self::CatalogPage => {
                let last = repository(choice % (size.repositories - PAGE_OF_REPOSITORIES));
                format!("/v2/_catalog?n={PAGE_OF_REPOSITORIES}&last={last}")
            }
        }
    }
}

/// What one store did in one round.
#[derive(Clone, Copy, Debug, Serialize)]
struct Turn {
    /// Requests per second.
    rate: f64,
    /// Microseconds of the server's processor time, all threads, that a request took.
    processor_micros: f64,
}

impl Turn {
    fn text(&self) -> String {
        let (rate, micros) = (rounded(self.rate), rounded(self.processor_micros));
        format!("{rate} /s for {micros} us of processor time each")
    }
}

fn median_of(turns: &[Turn], part: impl Fn(&Turn) -> f64) -> Option<f64> {
    median(turns.iter().map(part).collect())
}

#[derive(Clone, Debug, Serialize)]
struct Comparison {
    question: Question,
    /// The small store in each round.
    small: Vec<Turn>,
    /// The grown one.
    large: Vec<Turn>,
}

impl Comparison {
    /// How much longer a request takes in the grown store.
    fn slowdown(&self) -> Option<f64> {
        let rate = |turn: &Turn| turn.rate;
        ratio(median_of(&self.small, rate)?, median_of(&self.large, rate)?)
    }
}

#[derive(Clone, Debug, Default, Serialize)]
struct Starts {
    /// Until `/readyz` answered 200.
    milliseconds: Vec<f64>,
    /// Resident memory then, in MB.
    resident_megabytes: Vec<f64>,
}

impl Starts {
    fn add(&mut self, started: &Started) -> Result<()> {
        self.milliseconds.push(started.ready_after.as_secs_f64() * 1e3);
        self.resident_megabytes
            .push(started.process.memory()?.resident as f64 / 1e6);
        Ok(())
    }
}

/// What growing costs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Growth {
    version: String,
    small: Size,
    large: Size,
    comparisons: Vec<Comparison>,
    /// After an orderly stop.
    restarts: Starts,
    /// After a kill with pushes just acknowledged.
    restarts_after_kill: Starts,
}

/// How it is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Size of the grown store, as a percentage of the full one.
    pub(crate) percent: u64,
    /// Rounds.
    pub(crate) rounds: usize,
    /// Time of one question in one round.
    pub(crate) time: Duration,
    /// First of the numbers that content may be made from.
    pub(crate) nonce: u64,
}

/// Measures with two servers of ours below `directory`.
pub(crate) fn measure(binary: &Path, directory: &Path, plan: Plan) -> Result<Growth> {
    let small = Store::fill(binary, &directory.join("small"), Size::SMALL, plan.nonce)?;
    let large = Store::fill(
        binary,
        &directory.join("large"),
        Size::large(plan.percent),
        plan.nonce,
    )?;
    let mut growth = Growth {
        version: large.ours.version().to_owned(),
        small: small.size,
        large: large.size,
        comparisons: Question::ALL.into_iter().map(Comparison::new).collect(),
        restarts: Starts::default(),
        restarts_after_kill: Starts::default(),
    };
    for round in 0..plan.rounds {
        eprintln!("growth: round {} of {}", round + 1, plan.rounds);
        for comparison in &mut growth.comparisons {
            comparison.add_round(&small, &large, round, plan.time)?;
        }
    }
    drop(small);
    growth.restart(large, plan.nonce)?;
    Ok(growth)
}

/// A running store with its content.
#[derive(Debug)]
struct Store {
    ours: Ours,
    started: Started,
    size: Size,
}

impl Store {
    fn fill(binary: &Path, directory: &Path, size: Size, nonce: u64) -> Result<Self> {
        std::fs::create_dir(directory)?;
        let ours = Ours::new(binary, directory)?;
        let mut started = ours.start()?;
        let address = &started.address;
        eprintln!(
            "growth: filling a store with {} + {} tags, {} repositories, {} blobs",
            size.read_tags, size.listed_tags, size.repositories, size.blobs
        );
        push_tags(address, READ, size.read_tags, nonce)?;
        push_tags(address, LISTED, size.listed_tags, nonce)?;
        push_repositories(address, size.repositories)?;
        push_blobs(address, 0, size.blobs)?;
        // Otherwise the small store would be asked for rows that are still in memory, the grown one for rows in tables.
        started.process.stop()?;
        started = ours.start()?;
        // A grown store is asked, not a growing one: what is written last is still merged into the older tables.
        let (took, processor_seconds) = started.process.come_to_rest()?;
        eprintln!(
            "growth: at rest after {} s and {} s of processor time",
            rounded(took.as_secs_f64()),
            rounded(processor_seconds)
        );
        Ok(Self { ours, started, size })
    }

    fn ask(&self, question: Question, round: usize, time: Duration) -> Result<Turn> {
        let load = Load {
            clients: question.clients(),
            threads: 1,
            count: u64::MAX,
            time,
        };
        // Other places in each round, and in a kind of their own: nothing is in a cache by the round before.
        let first = (round as u64) << 32;
        let before = self.started.process.processor_seconds()?;
        let sample: Sample = drive(load, &self.started.address, async |connection, index| {
            get(connection, &question.path(self.size, scatter(first + index))).await
        })?;
        ensure!(sample.operations > 0, "no request was answered in time");
        let operations = sample.operations as f64;
        let processor_seconds = self.started.process.processor_seconds()? - before;
        Ok(Turn {
            rate: operations / sample.elapsed.as_secs_f64(),
            processor_micros: 1e6 * processor_seconds / operations,
        })
    }
}

impl Comparison {
    fn new(question: Question) -> Self {
        Self {
            question,
            small: Vec::new(),
            large: Vec::new(),
        }
    }

    fn add_round(&mut self, small: &Store, large: &Store, round: usize, time: Duration) -> Result<()> {
        let mut turns = [(small, &mut self.small), (large, &mut self.large)];
        if round % 2 == 1 {
            turns.reverse();
        }
        for (store, turns) in turns {
            rustix::fs::sync();
            turns.push(store.ask(self.question, round, time)?);
        }
        let last = |turns: &[Turn]| turns.last().map(Turn::text).unwrap_or_default();
        let name = self.question.name(small.size, large.size);
        eprintln!("  {name}: {} and {}", last(&self.small), last(&self.large));
        Ok(())
    }
}

impl Growth {
    fn restart(&mut self, store: Store, nonce: u64) -> Result<()> {
        let Store {
            ours,
            mut started,
            size,
        } = store;
        for _ in 0..RESTARTS {
            started.process.stop()?;
            started = ours.start()?;
            self.restarts.add(&started)?;
        }
        for round in 0..RESTARTS as u64 {
            let first = size.blobs + nonce % 1000 + round * BLOBS_BEFORE_KILL;
            push_blobs(&started.address, first, BLOBS_BEFORE_KILL)?;
            // Dropping kills.
            drop(started);
            started = ours.start()?;
            self.restarts_after_kill.add(&started)?;
        }
        let middle = |starts: &Starts| rounded(median(starts.milliseconds.clone()).unwrap_or_default());
        eprintln!(
            "growth: ready after {} ms, after a kill {} ms",
            middle(&self.restarts),
            middle(&self.restarts_after_kill)
        );
        Ok(())
    }

    /// What is required.
    pub(crate) fn checks(&self) -> Vec<Check> {
        let mut checks: Vec<Check> = self
            .comparisons
            .iter()
            .map(|comparison| {
                let name = comparison.question.name(self.small, self.large);
                let what = format!("time of the grown store / the small one: {name}");
                let bound = Bound::AtMost(comparison.question.slowdown());
                Check::new(what, bound, comparison.slowdown())
            })
            .collect();
        let blobs = self.large.blobs;
        for (how, starts) in [
            ("an orderly stop", &self.restarts),
            ("a kill", &self.restarts_after_kill),
        ] {
            let what = format!("seconds until ready after {how}, with {blobs} blobs");
            let seconds = median(starts.milliseconds.clone()).map(|milliseconds| milliseconds / 1e3);
            checks.push(Check::new(what, Bound::Below(1.0), seconds));
        }
        checks
    }

    /// The grown store's manifests by tag per second, divided by the small one's.
    pub(crate) fn manifests_by_tag_ratio(&self) -> Option<f64> {
        let is_by_tag = |comparison: &&Comparison| comparison.question == Question::ManifestByTag;
        let slowdown = self.comparisons.iter().find(is_by_tag)?.slowdown()?;
        ratio(1.0, slowdown)
    }

    /// The tables for people.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!(
            "{}; the grown store also holds {} blobs of 1 KiB.\n\n| request | small store /s | grown store /s | times as long | small: µs of processor | grown |\n|---|---:|---:|---:|---:|---:|\n",
            self.version, self.large.blobs
        );
        for comparison in &self.comparisons {
            let middle =
                |turns: &[Turn], part: fn(&Turn) -> f64| rounded(median_of(turns, part).unwrap_or_default());
            text.push_str(&format!(
                "| {} | {} | {} | {} | {} | {} |\n",
                comparison.question.name(self.small, self.large),
                middle(&comparison.small, |turn| turn.rate),
                middle(&comparison.large, |turn| turn.rate),
                ratio_text(comparison.slowdown()),
                middle(&comparison.small, |turn| turn.processor_micros),
                middle(&comparison.large, |turn| turn.processor_micros)
            ));
        }
        text.push_str("\n| start of the grown store | ready after ms | slowest ms | resident MB |\n|---|---:|---:|---:|\n");
        for (how, starts) in [
            ("after an orderly stop", &self.restarts),
            ("after a kill amid pushes", &self.restarts_after_kill),
        ] {
            let middle = |values: &[f64]| rounded(median(values.to_vec()).unwrap_or_default());
            let slowest = starts.milliseconds.iter().copied().fold(0.0, f64::max);
            text.push_str(&format!(
                "| {how} | {} | {} | {} |\n",
                middle(&starts.milliseconds),
                rounded(slowest),
                middle(&starts.resident_megabytes)
            ));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_percentage_when_scaled_then_the_grown_store_is_never_smaller_than_the_small_one() {
        assert_eq!(Size::large(100), Size::LARGE);
        assert_eq!(Size::large(10).listed_tags, 100_000);
        assert_eq!(Size::large(0).repositories, Size::SMALL.repositories);
    }

    #[test]
    fn given_any_choice_when_a_page_is_asked_for_then_a_whole_page_follows() {
        let last = |choice| Question::TagPage.path(Size::SMALL, choice);
        assert!(last(u64::MAX).contains("n=1000&last=v000"));
        let starts = Size::SMALL.listed_tags - PAGE_OF_TAGS;
        assert!(last(starts - 1).ends_with("last=v0008999"));
        assert!(last(starts).ends_with("last=v0000000"));
    }

    #[test]
    fn given_rates_of_both_stores_when_compared_then_the_slowdown_is_judged() {
        let turns = |rates: [f64; 3]| {
            let turn = |rate| Turn {
                rate,
                processor_micros: 1e6 / rate,
            };
            rates.map(turn).to_vec()
        };
        let comparison = Comparison {
            question: Question::TagPage,
            small: turns([300.0, 200.0, 100.0]),
            large: turns([80.0, 90.0, 100.0]),
        };
        let growth = Growth {
            version: String::new(),
            small: Size::SMALL,
            large: Size::LARGE,
            comparisons: vec![comparison],
            restarts: Starts {
                milliseconds: vec![900.0],
                resident_megabytes: vec![50.0],
            },
            restarts_after_kill: Starts::default(),
        };
        let verdicts: Vec<_> = growth.checks().iter().map(Check::verdict).collect();
        assert_eq!(verdicts, ["**not reached**", "reached", "not measured"]);
        assert!(
            growth.markdown().contains("| 200 | 90.0 | 2.22 | 5000 | 11111 |"),
            "{}",
            growth.markdown()
        );
    }
}
