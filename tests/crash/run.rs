//! One server, what is known about it, and what every proof does with both.

use std::env;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::{Value, json};
use zas_tests::{Blobs, Fact, Metadata, Server, ServerBuilder, stored_files};

use crate::findings::Findings;
use crate::observe::observe;
use crate::oracle::Oracle;
use crate::uploads::{self, Uploads};
use crate::verify::{Unreferenced, judge};
use crate::workload::{SHARED, Shared, Worker, repository};

pub(crate) const WORKERS: usize = 6;
/// Manifests that the shared repository keeps from round to round.
const SHARED_MANIFESTS: usize = 30;
/// Every lease, expiry and delay of the last phase is over by then many times.
const EMPTY: Duration = Duration::from_secs(30);

/// The choices of a run: `ZAS_CRASH_SEED`, else new ones; printed.
pub(crate) fn seed() -> u64 {
    let seed = setting("ZAS_CRASH_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000_000));
    eprintln!("ZAS_CRASH_SEED={seed}");
    seed
}

/// One server and everything that is known about it.
pub(crate) struct Run {
    pub(crate) server: Server,
    pub(crate) shared: Shared,
    pub(crate) random: Rng,
    /// How long a positive answer about a blob holds; `None`: longer than the test.
    pub(crate) grace: Option<Duration>,
    slowest_start: Duration,
}

impl Run {
    /// The server under test with durable stores.
    pub(crate) fn server() -> ServerBuilder {
        Server::builder()
            .metadata(Metadata::RocksDb)
            .blobs(Blobs::Filesystem)
            .open_to_everybody()
            // The bytes of deleted blobs go soon in every phase: their time is fixed when they are deleted.
            .collection(json!({"interval": "1s", "doomDelay": "1s"}))
    }

    pub(crate) fn start(server: ServerBuilder, seed: u64) -> Self {
        let server = server.start();
        let shared = Shared {
            oracle: Mutex::new(Oracle::default()),
            uploads: Mutex::new(Uploads::default()),
            findings: Findings::default(),
            workers: WORKERS,
        };
        Self {
            server,
            shared,
            random: Rng::with_seed(seed),
            grace: None,
            slowest_start: Duration::ZERO,
        }
    }

    /// From the next start on, what nobody refers to is collected within seconds.
    pub(crate) fn collect_eagerly(&mut self, grace: Duration) {
        self.server.kill();
        self.grace = Some(grace);
        let timing = json!({
            "interval": "1s", "grace": format!("{}s", grace.as_secs()), "doomDelay": "1s", "uploadExpiry": "24h",
            "orphanSweep": "1s",
        });
        configure_collection(self.server.directory(), timing);
        self.restart();
    }

    fn worker(&mut self, number: usize) -> Worker<'_> {
        Worker::new(
            number,
            &self.server.client(),
            &self.shared,
            self.random.fork(),
            self.grace,
        )
    }

    pub(crate) fn restart(&mut self) {
        let begun = Instant::now();
        self.server.restart();
        let took = begun.elapsed();
        self.slowest_start = self.slowest_start.max(took);
    }

    /// Compares the restarted server with the oracle, and takes over what was decided by the crash.
    pub(crate) fn check(&self) {
        let unreferenced = if self.grace.is_some() {
            Unreferenced::MayBeCollected
        } else {
            Unreferenced::Kept
        };
        let (mut oracle, mut uploads) = (self.shared.oracle(), self.shared.uploads());
        let seen = observe(&self.server.client(), &oracle, &uploads);
        judge(&oracle, &uploads, &seen, unreferenced)
            .into_iter()
            .for_each(|finding| self.shared.findings.add(finding));
        oracle.settle(|key| seen.value(key));
        uploads.settle(&seen.uploads);
    }

    /// Continues half of the open uploads from the offset that the server named.
    pub(crate) fn resume_uploads(&mut self) {
        let open: Vec<u64> = self.shared.uploads().iter().map(|(number, _)| number).collect();
        let chosen: Vec<u64> = open.into_iter().filter(|_| self.random.bool()).collect();
        let mut worker = self.worker(0);
        for number in chosen {
            let resumed = worker.append(number).and_then(|()| worker.close_upload(number));
            worker.expect_alive(&resumed);
        }
    }

    pub(crate) fn trim_shared_repository(&mut self) {
        let manifests =
            self.present(|key| matches!(key, Fact::Manifest { repository, .. } if repository == SHARED));
        let worker = self.worker(0);
        for (repository, digest) in manifests.into_iter().skip(SHARED_MANIFESTS) {
            worker.expect_alive(&worker.delete_manifest(&repository, &digest));
        }
    }

    fn present(&self, is_wanted: impl Fn(&Fact) -> bool) -> Vec<(String, String)> {
        let oracle = self.shared.oracle();
        let repositories = (0..WORKERS).map(repository).chain([SHARED.to_owned()]);
        let mut found = Vec::new();
        for repository in repositories {
            let wanted = oracle.present(&repository).filter(|(key, _)| is_wanted(key));
            found.extend(wanted.map(|(_, value)| (repository.clone(), value)));
        }
        found
    }

    /// Deletes what refers to blobs, and of the blobs those whose leases are long; the rest must go by itself.
    pub(crate) fn delete_everything(&mut self) {
        self.server.kill();
        let timing = json!({
            "interval": "1s", "grace": "1s", "doomDelay": "1s", "uploadExpiry": "3s", "orphanSweep": "1s",
        });
        configure_collection(self.server.directory(), timing);
        self.restart();
        let long_leased = self.present(|key| matches!(key, Fact::Blob { .. }));
        self.grace = Some(Duration::from_secs(1));
        // A last load whose blobs only live as long as their leases.
        self.work_until(Instant::now() + Duration::from_millis(500));
        let manifests = self.present(|key| matches!(key, Fact::Manifest { .. }));
        let worker = self.worker(0);
        for (repository, digest) in manifests {
            worker.expect_alive(&worker.delete_manifest(&repository, &digest));
        }
        for (repository, digest) in long_leased {
            worker.expect_alive(&worker.delete_blob(&repository, &digest));
        }
        self.wait_until_empty();
    }

    /// Lets the clients work until `end` on a server that nobody kills.
    pub(crate) fn work_until(&mut self, end: Instant) {
        let work = |worker: &mut Worker<'_>| {
            let outcome = worker.work(end);
            worker.expect_alive(&outcome);
        };
        self.with_workers(work, |_| ());
    }

    /// Lets the clients work, each in a thread of its own, while something happens to the server; returns when all have
    /// ended.
    pub(crate) fn with_workers<T>(
        &mut self,
        work: impl Fn(&mut Worker<'_>) + Sync,
        meanwhile: impl FnOnce(&mut Server) -> T,
    ) -> T {
        let client = self.server.client();
        let Self {
            server,
            shared,
            random,
            grace,
            ..
        } = self;
        thread::scope(|scope| {
            for number in 0..WORKERS {
                let mut worker = Worker::new(number, &client, shared, random.fork(), *grace);
                let work = &work;
                scope.spawn(move || work(&mut worker));
            }
            meanwhile(server)
        })
    }

    /// The sum of a counter of the server's over its labels.
    pub(crate) fn total(&self, counter: &str) -> f64 {
        let page = self.server.operations().get("/metrics").send().text();
        let own = page.lines().filter(|line| line.starts_with(counter));
        own.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
            .sum()
    }

    fn wait_until_empty(&self) {
        let blobs = self.server.directory().join("data/blobs");
        let begun = Instant::now();
        while begun.elapsed() < EMPTY && !stored_files(&blobs).is_empty() {
            thread::sleep(Duration::from_millis(200));
        }
        let left = stored_files(&blobs);
        eprintln!("{} files left after {:.1?}", left.len(), begun.elapsed());
        if !left.is_empty() {
            self.shared.findings.add(format!(
                "{} files are left of a deleted registry: {left:?}",
                left.len()
            ));
        }
        let (oracle, uploads) = (self.shared.oracle(), self.shared.uploads());
        let seen = observe(&self.server.client(), &oracle, &uploads);
        for key in seen.keys.keys().filter(|key| seen.has(key)) {
            self.shared
                .findings
                .add(format!("{key:?} is left of a deleted registry"));
        }
        for (number, progress) in &seen.uploads {
            if *progress != uploads::Progress::Unknown {
                self.shared.findings.add(format!(
                    "upload {number} is still at {progress:?} after its expiry"
                ));
            }
        }
    }

    pub(crate) fn assert_nothing_found(&self) {
        let findings = self.shared.findings.all();
        if !findings.is_empty() {
            panic!("{} broken promises:\n{}", findings.len(), findings.join("\n"));
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let acknowledged = self.shared.oracle().counts().0;
        eprintln!(
            "{acknowledged} operations acknowledged, slowest start {:.2?}",
            self.slowest_start
        );
    }
}

/// A number that the environment may state.
pub(crate) fn setting(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|error| panic!("{name}={text}: {error}")),
    )
}

fn configure_collection(directory: &Path, timing: Value) {
    let path = directory.join("config.json");
    let text = fs::read_to_string(&path).expect("the harness wrote it");
    let mut configuration: Value = serde_json::from_str(&text).expect("the harness wrote JSON");
    let sections = configuration
        .as_object_mut()
        .expect("the harness wrote an object");
    sections.insert("collection".to_owned(), timing);
    fs::write(&path, configuration.to_string()).expect("the directory is writable");
}
