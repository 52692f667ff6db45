//! Clients that push, move, mount and delete until the server dies under them.
//!
//! Each worker owns a repository, in which its operations follow one another; all of them race for the tags of one
//! shared repository.

mod blobs;
mod manifests;
mod uploads;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fastrand::Rng;
use zas_tests::{Blob, Client, Fact, FactValue, Request, Response, Transcript};

use crate::findings::Findings;
use crate::oracle::Oracle;
use crate::uploads::{Recipe, Uploads};

/// The repository that everybody pushes to.
pub(crate) const SHARED: &str = "crash/shared";
const TAGS: usize = 10;
const SHARED_TAGS: usize = 3;
/// Beyond these numbers a worker deletes instead of adding, so that checking stays quick.
const MANIFESTS: usize = 14;
const UNREFERENCED_BLOBS: usize = 12;
const OPEN_UPLOADS: usize = 5;
/// Common layers that every repository gets sooner or later.
const COMMON_LAYERS: u64 = 6;

/// What the workers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) oracle: Mutex<Oracle>,
    pub(crate) uploads: Mutex<Uploads>,
    pub(crate) findings: Findings,
    pub(crate) workers: usize,
}

impl Shared {
    pub(crate) fn oracle(&self) -> MutexGuard<'_, Oracle> {
        self.oracle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn uploads(&self) -> MutexGuard<'_, Uploads> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of a worker's own repository.
pub(crate) fn repository(worker: usize) -> String {
    format!("crash/worker-{worker}")
}

/// Why a step ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The server is gone: what was sent last was not answered.
    Gone,
    /// The server said that it failed.
    Failed,
}

type Step<T = ()> = Result<T, Cut>;

/// One client.
#[derive(Debug)]
pub(crate) struct Worker<'a> {
    number: usize,
    client: Client,
    shared: &'a Shared,
    random: Rng,
    grace: Option<Duration>,
    failures_are_expected: bool,
}

impl<'a> Worker<'a> {
    /// A client with the repository of that number. `grace` is how long a positive answer about a blob holds, `None`
    /// longer than the test.
    pub(crate) fn new(
        number: usize,
        client: &Client,
        shared: &'a Shared,
        random: Rng,
        grace: Option<Duration>,
    ) -> Self {
        Self {
            number,
            client: client.with_transcript(Transcript::default()),
            shared,
            random,
            grace,
            failures_are_expected: false,
        }
    }

    /// From now on the server may answer that it failed.
    pub(crate) fn expect_failures(&mut self) {
        self.failures_are_expected = true;
    }

    /// Works until the time is over, or the server gone.
    pub(crate) fn work(&mut self, end: Instant) -> Step {
        self.work_while(|| Instant::now() < end)
    }

    /// Works as long as somebody wants it, or until the server is gone.
    pub(crate) fn work_while(&mut self, is_wanted: impl Fn() -> bool) -> Step {
        while is_wanted() {
            match self.step() {
                Err(Cut::Gone) => return Err(Cut::Gone),
                Err(Cut::Failed) | Ok(()) => {}
            }
        }
        Ok(())
    }

    /// An operation on a server that nobody kills.
    pub(crate) fn expect_alive(&self, outcome: &Step) {
        if outcome.is_err() {
            self.find("the server gave no answer though it was not killed");
        }
    }

    fn step(&mut self) -> Step {
        let repository = repository(self.number);
        match self.random.u32(..100) {
            0..30 => self.push_or_delete_image(&repository),
            30..38 => self.push_referrer(&repository),
            38..46 => self.move_tag(&repository),
            46..52 => self.delete_tag(&repository),
            52..58 => self.delete_some_manifest(&repository),
            58..66 => self.push_or_delete_blob(&repository),
            66..76 => self.open_or_close_upload(&repository),
            76..82 => self.continue_upload(&repository),
            82..86 => self.cancel_upload(&repository),
            86..91 => self.push_image(SHARED, SHARED_TAGS, None),
            91..96 => self.pull_some_image(&repository),
            _ => self.mount(&repository),
        }
    }

    fn some_tags(&mut self, count: usize) -> Vec<String> {
        let names = self.random.usize(0..=2).min(count);
        let first = self.random.usize(..count);
        (first..first + names)
            .map(|number| format!("t{}", number % count))
            .collect()
    }

    fn small_recipe(&mut self) -> Recipe {
        Recipe {
            seed: self.random.u64(1_000..),
            size: self.random.usize(100..2_000),
        }
    }

    /// Mostly new bytes: within the size that is stored inline, above it, and sometimes large; now and then a layer
    /// that others have too.
    fn layer_recipe(&mut self) -> Recipe {
        let seed = self.random.u64(1_000..);
        match self.random.u32(..100) {
            0..25 => {
                let common = self.random.u64(..COMMON_LAYERS);
                Recipe {
                    seed: common,
                    size: 5_000 + 9_000 * common as usize,
                }
            }
            25..65 => Recipe {
                seed,
                size: self.random.usize(100..=16_384),
            },
            65..96 => Recipe {
                seed,
                size: self.random.usize(16_385..150_000),
            },
            _ => Recipe {
                seed,
                size: self.random.usize(500_000..2_500_000),
            },
        }
    }

    fn make(&self, recipe: Recipe) -> Blob {
        Blob::random(recipe.seed, recipe.size)
    }

    fn manifests(&self, repository: &str) -> Vec<String> {
        self.present(repository, |key, value| {
            matches!(key, Fact::Manifest { .. }).then(|| value.to_owned())
        })
    }

    fn unreferenced_blobs(&self, repository: &str) -> Vec<String> {
        let blobs = self.present(repository, |key, value| {
            matches!(key, Fact::Blob { .. }).then(|| value.to_owned())
        });
        let oracle = self.shared.oracle();
        blobs
            .into_iter()
            .filter(|digest| !oracle.is_referenced(repository, digest))
            .collect()
    }

    fn present<T>(&self, repository: &str, choose: impl Fn(&Fact, &str) -> Option<T>) -> Vec<T> {
        let oracle = self.shared.oracle();
        oracle
            .present(repository)
            .filter_map(|(key, value)| choose(key, &value))
            .collect()
    }

    /// Sends a request that changes keys, and tells the oracle before and after. An answer that is neither among
    /// those that succeed nor among those that refuse is a finding.
    fn change(
        &self,
        changes: &[(Fact, FactValue)],
        request: Request<'_>,
        done: &[u16],
        refused: &[u16],
    ) -> Step<Response> {
        let ticket = self.shared.oracle().begin(changes);
        let answer = self.send(request);
        if answer.as_ref().err() == Some(&Cut::Failed) {
            self.shared.oracle().fail(ticket);
        }
        let answer = answer?;
        if done.contains(&answer.status) {
            self.shared.oracle().acknowledge(ticket);
        } else if refused.contains(&answer.status) {
            self.shared.oracle().refuse(ticket);
        } else {
            self.find(&format!(
                "{} was answered {}: {}",
                answer.request,
                answer.status,
                answer.text()
            ));
        }
        Ok(answer)
    }

    fn location(&self, request: Request<'_>, status: u16) -> Step<String> {
        let answer = self.expect(request, status)?;
        let location = answer.header("location").unwrap_or_default();
        // The server's port changes with each start: only path and query stay.
        let own = format!("{}/", self.client.origin());
        Ok(location
            .strip_prefix(&own)
            .map_or_else(|| location.to_owned(), |rest| format!("/{rest}")))
    }

    fn expect(&self, request: Request<'_>, status: u16) -> Step<Response> {
        let answer = self.send(request)?;
        if answer.status != status {
            self.find(&format!(
                "{} was answered {}: {}",
                answer.request,
                answer.status,
                answer.text()
            ));
        }
        Ok(answer)
    }

    fn send(&self, request: Request<'_>) -> Step<Response> {
        let answer = request.try_send().map_err(|_| Cut::Gone)?;
        if self.failures_are_expected && answer.status >= 500 {
            return Err(Cut::Failed);
        }
        Ok(answer)
    }

    fn find(&self, finding: &str) {
        self.shared
            .findings
            .add(format!("worker {}: {finding}", self.number));
    }
}

fn uploads_path(repository: &str) -> String {
    format!("/v2/{repository}/blobs/uploads/")
}

fn blob_path(repository: &str, digest: &str) -> String {
    format!("/v2/{repository}/blobs/{digest}")
}
