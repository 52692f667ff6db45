//! kill -9 while clients work, restart, and compare with what was acknowledged; at last delete everything and wait
//! until no byte is left.
//!
//! `ZAS_CRASH_ROUNDS` (20) is the number of kills, `ZAS_CRASH_SEED` repeats the choices of a run; it is printed.
#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a broken expectation fails the test"
)]

mod findings;
mod observe;
mod oracle;
mod uploads;
mod verify;
mod workload;

use std::env;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::{Value, json};
use zas_tests::{Blobs, Metadata, Server};

use crate::findings::Findings;
use crate::observe::observe;
use crate::oracle::{Key, Oracle};
use crate::uploads::Uploads;
use crate::verify::{Unreferenced, judge};
use crate::workload::{SHARED, Shared, Worker, repository};

const WORKERS: usize = 6;
const ROUNDS: u64 = 20;
/// Ready in a second is the promise; here other tests share the machine.
const READY: Duration = Duration::from_secs(5);
/// Manifests that the shared repository keeps from round to round.
const SHARED_MANIFESTS: usize = 30;
/// Grace in the rounds during which collection runs at full speed.
const SHORT_GRACE: Duration = Duration::from_secs(2);
/// Every lease, expiry and delay of the last phase is over by then many times.
const EMPTY: Duration = Duration::from_secs(30);

#[test]
fn given_acknowledged_operations_when_the_server_is_killed_again_and_again_then_none_is_lost() {
    let rounds = setting("ZAS_CRASH_ROUNDS").unwrap_or(ROUNDS);
    let seed = setting("ZAS_CRASH_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000_000));
    eprintln!("ZAS_CRASH_SEED={seed} ZAS_CRASH_ROUNDS={rounds}");
    let mut run = Run::start(seed);
    for round in 0..rounds {
        if round == rounds / 2 {
            run.collect_eagerly();
        }
        run.round(round);
        run.assert_nothing_found();
    }
    run.delete_everything();
    run.assert_nothing_found();
}

/// One server and everything that is known about it.
struct Run {
    server: Server,
    shared: Shared,
    random: Rng,
    /// How long a positive answer about a blob holds; `None`: longer than the test.
    grace: Option<Duration>,
    slowest_start: Duration,
}

impl Run {
    fn start(seed: u64) -> Self {
        let server = Server::builder()
            .metadata(Metadata::RocksDb)
            .blobs(Blobs::Filesystem)
            .open_to_everybody()
            // The bytes of deleted blobs go soon in every phase: their time is fixed when they are deleted.
            .collection(json!({"interval": "1s", "doomDelay": "1s"}))
            .start();
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
    fn collect_eagerly(&mut self) {
        self.server.kill();
        self.grace = Some(SHORT_GRACE);
        let timing = json!({
            "interval": "1s", "grace": "2s", "doomDelay": "1s", "uploadExpiry": "24h", "orphanSweep": "1s",
        });
        configure_collection(self.server.directory(), timing);
        self.restart();
    }

    fn round(&mut self, round: u64) {
        let begun = Instant::now();
        self.work_until_killed();
        if self.random.u32(..4) == 0 {
            // A crash right after a recovery, before anything was written.
            self.restart();
            self.server.kill();
        }
        let unanswered = self.shared.oracle().counts().1;
        self.restart();
        self.check();
        self.resume_uploads();
        self.trim_shared_repository();
        let acknowledged = self.shared.oracle().counts().0;
        let took = begun.elapsed();
        eprintln!("round {round}: {acknowledged} acknowledged so far, {unanswered} unanswered, {took:.1?}");
    }

    fn work_until_killed(&mut self) {
        let life = Duration::from_millis(self.random.u64(150..1_200));
        let end = Instant::now() + life;
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
                // Longer than the server lives: its end is the worker's.
                scope.spawn(move || worker.work(end + READY));
            }
            thread::sleep(life);
            server.kill();
        });
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

    fn restart(&mut self) {
        let begun = Instant::now();
        self.server.restart();
        let took = begun.elapsed();
        self.slowest_start = self.slowest_start.max(took);
        if took > READY {
            self.shared
                .findings
                .add(format!("the server was ready only after {took:?}"));
        }
    }

    /// Compares the restarted server with the oracle, and takes over what was decided by the crash.
    fn check(&self) {
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
    fn resume_uploads(&mut self) {
        let open: Vec<u64> = self.shared.uploads().iter().map(|(number, _)| number).collect();
        let chosen: Vec<u64> = open.into_iter().filter(|_| self.random.bool()).collect();
        let mut worker = self.worker(0);
        for number in chosen {
            let resumed = worker.append(number).and_then(|()| worker.close_upload(number));
            worker.expect_alive(&resumed);
        }
    }

    fn trim_shared_repository(&mut self) {
        let manifests =
            self.present(|key| matches!(key, Key::Manifest { repository, .. } if repository == SHARED));
        let worker = self.worker(0);
        for (repository, digest) in manifests.into_iter().skip(SHARED_MANIFESTS) {
            worker.expect_alive(&worker.delete_manifest(&repository, &digest));
        }
    }

    fn present(&self, is_wanted: impl Fn(&Key) -> bool) -> Vec<(String, String)> {
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
    fn delete_everything(&mut self) {
        self.server.kill();
        let timing = json!({
            "interval": "1s", "grace": "1s", "doomDelay": "1s", "uploadExpiry": "3s", "orphanSweep": "1s",
        });
        configure_collection(self.server.directory(), timing);
        self.restart();
        let long_leased = self.present(|key| matches!(key, Key::Blob { .. }));
        self.grace = Some(Duration::from_secs(1));
        self.work_in_peace();
        let manifests = self.present(|key| matches!(key, Key::Manifest { .. }));
        let worker = self.worker(0);
        for (repository, digest) in manifests {
            worker.expect_alive(&worker.delete_manifest(&repository, &digest));
        }
        for (repository, digest) in long_leased {
            worker.expect_alive(&worker.delete_blob(&repository, &digest));
        }
        self.wait_until_empty();
    }

    /// A last load whose blobs only live as long as their leases.
    fn work_in_peace(&mut self) {
        let end = Instant::now() + Duration::from_millis(500);
        let client = self.server.client();
        let Self {
            shared,
            random,
            grace,
            ..
        } = self;
        thread::scope(|scope| {
            for number in 0..WORKERS {
                let mut worker = Worker::new(number, &client, shared, random.fork(), *grace);
                scope.spawn(move || worker.work(end));
            }
        });
    }

    fn wait_until_empty(&self) {
        let blobs = self.server.directory().join("data/blobs");
        let begun = Instant::now();
        while begun.elapsed() < EMPTY && !files(&blobs).is_empty() {
            thread::sleep(Duration::from_millis(200));
        }
        let left = files(&blobs);
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

    fn assert_nothing_found(&self) {
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

fn setting(name: &str) -> Option<u64> {
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

/// All files below a directory. What vanishes meanwhile is not there.
fn files(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path.display().to_string());
        }
    }
    found
}
