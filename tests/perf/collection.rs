//! What collection costs those who push meanwhile: the same pushes at the same pace, with the same garbage there, in
//! interleaved rounds with and without collection at work on it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::connection::{Body, Connection};
use crate::load::{Load, Sample, drive, drive_paced};
use crate::payload::{Block, Payload};
use crate::process::{Ours, Started};
use crate::registry::{push_blob, push_blob_at_once};
use crate::requirement::{Bound, Check};
use crate::statistics::{median, ratio, ratio_text, rounded};

/// Repository with what nobody needs.
const GARBAGE: &str = "collection/garbage";
/// Repository that is pushed to.
const PUSHED: &str = "collection/pushed";
const GARBAGE_BLOB: u64 = 1024;
/// Above the size that is kept in a row: these are files, which are deleted.
const GARBAGE_FILE: u64 = 20 * 1024;
/// One in so many is a file.
const FILE_SHARE: u64 = 20;
const PUSHED_BLOB: u64 = 4096;
const CLIENTS: usize = 16;
const FILLING_CLIENTS: usize = 64;
/// Above twice the grace of a second, for which a positive answer protects.
const UNTIL_DUE: Duration = Duration::from_secs(3);
/// Collection has begun by then, or something is wrong.
const UNTIL_COLLECTED: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(100);
const MAX_RATIO: f64 = 1.2;
/// Uploads that were started and left.
const ABANDONED: u64 = 50_000;
/// Blobs nobody needs beside them.
const BESIDE: u64 = 10_000;
/// Who waits for the other garbage waits no longer than all kinds of work take together.
const MOST_BESIDE: f64 = 4.0;
const UNTIL_ALL_COLLECTED: Duration = Duration::from_secs(900);

/// How it is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Rounds, each with and without collection.
    pub(crate) rounds: usize,
    /// Blobs to collect in each turn.
    pub(crate) garbage: u64,
    /// Pushes per second.
    pub(crate) pace: u32,
    /// Time of pushing in one turn.
    pub(crate) time: Duration,
    /// First of the numbers that content may be made from.
    pub(crate) nonce: u64,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Turn {
    p50_milliseconds: f64,
    p99_milliseconds: f64,
    pushes: u64,
    /// How much of the garbage was collected while pushing, at least.
    collected: u64,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CollectionEffect {
    garbage: u64,
    pace: u32,
    with: Vec<Turn>,
    without: Vec<Turn>,
    abandoned: Abandoned,
}

/// How long the same garbage is there, alone and beside uploads that were started and left.
#[derive(Clone, Copy, Debug, Serialize)]
struct Abandoned {
    alone_seconds: f64,
    beside_seconds: f64,
}

/// Measures with servers of ours below `directory`, a new one in each turn.
pub(crate) fn measure(binary: &Path, directory: &Path, plan: Plan) -> Result<CollectionEffect> {
    let until_gone = |uploads| {
        let gone = until_gone(binary, &directory.join("turn"), plan, uploads)?;
        eprintln!(
            "collection: {BESIDE} blobs beside {uploads} abandoned uploads are gone after {} s",
            rounded(gone)
        );
        Ok::<_, anyhow::Error>(gone)
    };
    let mut effect = CollectionEffect {
        garbage: plan.garbage,
        pace: plan.pace,
        with: Vec::new(),
        without: Vec::new(),
        abandoned: Abandoned {
            alone_seconds: until_gone(0)?,
            beside_seconds: until_gone(ABANDONED)?,
        },
    };
    for round in 0..plan.rounds {
        for is_collecting in if round % 2 == 0 {
            [false, true]
        } else {
            [true, false]
        } {
            let turn = turn(binary, &directory.join("turn"), plan, is_collecting)?;
            eprintln!(
                "collection: round {} of {}, {}: p50 {} ms, p99 {} ms, {} of {} blobs collected meanwhile",
                round + 1,
                plan.rounds,
                if is_collecting { "at work" } else { "off" },
                rounded(turn.p50_milliseconds),
                rounded(turn.p99_milliseconds),
                turn.collected,
                plan.garbage
            );
            if is_collecting {
                &mut effect.with
            } else {
                &mut effect.without
            }
            .push(turn);
        }
    }
    Ok(effect)
}

fn settings(is_enabled: bool) -> String {
    format!("collection: {{ enabled: {is_enabled}, interval: 1s, grace: 1s, doomDelay: 0s }}\n")
}

/// Both kinds of turn do the same, but for the one word in the configuration.
fn turn(binary: &Path, directory: &Path, plan: Plan, is_collecting: bool) -> Result<Turn> {
    std::fs::create_dir(directory)?;
    let mut ours = Ours::new(binary, directory)?.with(&settings(false));
    let bench = Bench {
        started: ours.start()?,
        plan,
    };
    let garbage = bench.prepare()?;
    std::thread::sleep(UNTIL_DUE);
    rustix::fs::sync();
    ours.reconfigure(&bench.started, &settings(is_collecting))?;
    if is_collecting {
        bench.wait_for_first(&garbage)?;
    }
    let before = bench.collected_of(&garbage)?;
    let sample = bench.push()?;
    let after = bench.collected_of(&garbage)?;
    if is_collecting {
        ensure!(after > before, "nothing was collected while clients pushed");
        ensure!(
            after < garbage.len(),
            "all the garbage was collected before the pushes ended: prepare more by --garbage"
        );
    } else {
        ensure!(after == 0, "{after} blobs were collected without collection");
    }
    drop(bench);
    std::fs::remove_dir_all(directory)?;
    Ok(Turn {
        p50_milliseconds: sample.percentile(0.5).as_secs_f64() * 1e3,
        p99_milliseconds: sample.percentile(0.99).as_secs_f64() * 1e3,
        pushes: sample.operations,
        collected: (after - before) as u64,
    })
}

/// Seconds until everything is gone that nobody needs, with so many abandoned uploads there.
fn until_gone(binary: &Path, directory: &Path, plan: Plan, uploads: u64) -> Result<f64> {
    let settings = |is_enabled: bool| {
        format!(
            "collection: {{ enabled: {is_enabled}, interval: 1s, grace: 1s, doomDelay: 0s, uploadExpiry: 1s }}\n\
             limits: {{ openUploads: 1000000 }}\n"
        )
    };
    std::fs::create_dir(directory)?;
    let mut ours = Ours::new(binary, directory)?.with(&settings(false));
    let bench = Bench {
        started: ours.start()?,
        plan: Plan {
            garbage: BESIDE,
            ..plan
        },
    };
    bench.abandon(uploads)?;
    let garbage = bench.prepare()?;
    std::thread::sleep(UNTIL_DUE);
    rustix::fs::sync();
    let begun = Instant::now();
    ours.reconfigure(&bench.started, &settings(true))?;
    while bench.collected_of(&garbage)? < garbage.len() {
        ensure!(
            begun.elapsed() < UNTIL_ALL_COLLECTED,
            "the garbage stays beside {uploads} abandoned uploads"
        );
        std::thread::sleep(POLL);
    }
    let gone = begun.elapsed().as_secs_f64();
    drop(bench);
    std::fs::remove_dir_all(directory)?;
    Ok(gone)
}

struct Bench {
    started: Started,
    plan: Plan,
}

impl Bench {
    /// Blobs that nothing refers to, in the order in which they become due.
    fn prepare(&self) -> Result<Vec<String>> {
        let first = self.plan.nonce;
        let payload = |index: u64| Payload {
            nonce: first + index,
            length: if index.is_multiple_of(FILE_SHARE) {
                GARBAGE_FILE
            } else {
                GARBAGE_BLOB
            },
        };
        let mut block = Block::new();
        let digests: Vec<String> = (0..self.plan.garbage)
            .map(|index| payload(index).digest(&mut block))
            .collect();
        let load = Load {
            clients: FILLING_CLIENTS,
            threads: 1,
            count: self.plan.garbage,
            time: Duration::MAX,
        };
        drive(load, &self.started.address, async |connection, index| {
            let digest = digests
                .get(index as usize)
                .context("more pushes than were prepared")?;
            push_blob_at_once(connection, GARBAGE, payload(index), digest).await
        })?;
        Ok(digests)
    }

    /// Starts uploads and leaves them.
    fn abandon(&self, uploads: u64) -> Result<()> {
        let load = Load {
            clients: FILLING_CLIENTS,
            threads: 1,
            count: uploads,
            time: Duration::MAX,
        };
        let path = format!("/v2/{GARBAGE}/blobs/uploads/");
        drive(load, &self.started.address, async |connection, _| {
            let status = connection.request("POST", &path, Body::None).await?.status;
            ensure!(status == 202, "an upload was answered {status}");
            Ok(0)
        })?;
        Ok(())
    }

    fn push(&self) -> Result<Sample> {
        let first = self.plan.nonce + self.plan.garbage;
        let payload = |index: u64| Payload {
            nonce: first + index,
            length: PUSHED_BLOB,
        };
        let count = (f64::from(self.plan.pace) * self.plan.time.as_secs_f64()) as u64;
        let mut block = Block::new();
        let digests: Vec<String> = (0..count)
            .map(|index| payload(index).digest(&mut block))
            .collect();
        let load = Load {
            clients: CLIENTS,
            threads: 1,
            count,
            time: Duration::MAX,
        };
        let pause = Duration::from_secs(1) / self.plan.pace;
        drive_paced(load, pause, &self.started.address, async |connection, index| {
            let digest = digests
                .get(index as usize)
                .context("more pushes than were prepared")?;
            push_blob(connection, PUSHED, payload(index), digest).await
        })
    }

    fn wait_for_first(&self, garbage: &[String]) -> Result<()> {
        let start = Instant::now();
        while self.collected_of(garbage)? == 0 {
            ensure!(start.elapsed() < UNTIL_COLLECTED, "collection does not begin");
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// How many of the blobs are gone, at least: they go in the order in which they came, but for some that came at
    /// the same time. A GET, unlike a HEAD, protects nothing.
    fn collected_of(&self, garbage: &[String]) -> Result<usize> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        runtime.block_on(async {
            let mut connection = Connection::open(&self.started.address).await?;
            let (mut gone, mut there) = (0, garbage.len());
            while gone < there {
                let middle = gone.midpoint(there);
                let digest = garbage.get(middle).map(String::as_str).unwrap_or_default();
                let path = format!("/v2/{GARBAGE}/blobs/{digest}");
                match connection.request("GET", &path, Body::None).await?.status {
                    404 => gone = middle + 1,
                    200 => there = middle,
                    status => anyhow::bail!("{path} was answered {status}"),
                }
            }
            Ok(gone)
        })
    }
}

impl CollectionEffect {
    fn p99(turns: &[Turn]) -> Option<f64> {
        median(turns.iter().map(|turn| turn.p99_milliseconds).collect())
    }

    fn slowdown(&self) -> Option<f64> {
        ratio(Self::p99(&self.with)?, Self::p99(&self.without)?)
    }

    /// What is required.
    pub(crate) fn checks(&self) -> Vec<Check> {
        let what = format!(
            "p99 of pushing 4 KiB blobs while collection runs / without, medians of {} rounds",
            self.with.len()
        );
        let beside = format!(
            "time until {BESIDE} blobs nobody needs are gone beside {ABANDONED} abandoned uploads / alone"
        );
        vec![
            Check::new(what, Bound::AtMost(MAX_RATIO), self.slowdown()),
            Check::new(beside, Bound::AtMost(MOST_BESIDE), self.abandoned.ratio()),
        ]
    }

    /// The table for people.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!(
            "{} blobs nobody needs, one in {FILE_SHARE} of them a file, are there in every turn; {CLIENTS} clients push {} blobs of 4 KiB per second.\n\n\
             | collection | p50 ms | p99 ms | p99 of each round | collected meanwhile |\n|---|---:|---:|---|---:|\n",
            self.garbage, self.pace
        );
        for (name, turns) in [("off", &self.without), ("at work", &self.with)] {
            let middle = |value: fn(&Turn) -> f64| {
                rounded(median(turns.iter().map(value).collect()).unwrap_or_default())
            };
            let each: Vec<String> = turns.iter().map(|turn| rounded(turn.p99_milliseconds)).collect();
            text.push_str(&format!(
                "| {name} | {} | {} | {} | {} |\n",
                middle(|turn| turn.p50_milliseconds),
                middle(|turn| turn.p99_milliseconds),
                each.join(", "),
                middle(|turn| turn.collected as f64),
            ));
        }
        text.push_str(&format!(
            "\nThe ratio of the p99 is {}.\n\n{BESIDE} blobs nobody needs are gone {} s after collection began; beside \
             {ABANDONED} abandoned uploads, which go in turns with them, after {} s.\n",
            ratio_text(self.slowdown()),
            rounded(self.abandoned.alone_seconds),
            rounded(self.abandoned.beside_seconds),
        ));
        text
    }
}

impl Abandoned {
    fn ratio(&self) -> Option<f64> {
        ratio(self.beside_seconds, self.alone_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_turns_when_judged_then_the_medians_are_compared() {
        let turn = |p99_milliseconds| Turn {
            p50_milliseconds: 1.0,
            p99_milliseconds,
            pushes: 1,
            collected: 1,
        };
        let effect = CollectionEffect {
            garbage: 10,
            pace: 100,
            with: [2.0, 9.0, 2.4].map(turn).to_vec(),
            without: [2.0, 2.0, 8.0].map(turn).to_vec(),
            abandoned: Abandoned {
                alone_seconds: 2.0,
                beside_seconds: 9.0,
            },
        };
        let verdicts: Vec<_> = effect.checks().iter().map(Check::verdict).collect();
        assert_eq!(verdicts, ["reached", "**not reached**"]);
        assert!(
            effect.markdown().contains("ratio of the p99 is 1.20"),
            "{}",
            effect.markdown()
        );
    }
}
