//! A workload on a recorded server, and the states of its disk.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use tempfile::TempDir;
use zas_power_loss::{Disk, Effect, Journal, Recorder, Survival};

use crate::check::{Report, check};
use crate::oracle::Oracle;
use crate::server::{DATA, Launch, Server, Unreferenced, configure};
use crate::uploads::Upload;
use crate::workload::{Shared, Worker, prepare, push_ballast, work};

/// By then every lease is over, and what it held is deleted.
const COLLECTED: Duration = Duration::from_millis(4_500);

/// Findings that are shown: one lost directory breaks every promise.
const SHOWN: usize = 12;

/// States that are looked at side by side.
const SIDE_BY_SIDE: usize = 3;

/// Where the recorded directory lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Volume {
    /// The data directory is there before the server, as a mounted volume is.
    Given,
    /// The server makes its data directory: losing that is part of the proof.
    Made,
}

/// What a recorded server did, and what it promised.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) journal: Journal,
    pub(crate) disk: Disk,
    pub(crate) oracle: Arc<Oracle>,
    pub(crate) uploads: Arc<Vec<Upload>>,
    volume: Volume,
    unreferenced: Unreferenced,
    /// What servers are compared with at every record, when the promises were made before the first.
    promised: Option<u64>,
}

/// How large a workload is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) workers: usize,
    /// Processes of the server: each but the last is killed for the next.
    pub(crate) processes: usize,
    /// Operations of each worker on each process.
    pub(crate) operations: usize,
    /// Blobs pushed before, so that the first process has tables to write.
    pub(crate) ballast: usize,
    pub(crate) unreferenced: Unreferenced,
}

/// A server's working directory with its record, which goes with it.
#[derive(Debug)]
pub(crate) struct Watched {
    directory: TempDir,
    pub(crate) recorder: Recorder,
}

impl Watched {
    pub(crate) fn new(volume: Volume, unreferenced: Unreferenced) -> Self {
        let directory = scratch();
        let work = directory.path().join("work");
        let data = work.join(DATA);
        fs::create_dir(&work).expect("the directory is writable");
        configure(&work, unreferenced);
        let recorded = match volume {
            Volume::Given => {
                fs::create_dir(&data).expect("the directory is writable");
                data
            }
            Volume::Made => work,
        };
        let recorder = Recorder::new(&recorded, &directory.path().join("record"));
        Self { directory, recorder }
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.directory.path().join("work")
    }

    pub(crate) fn start(&self) -> Server {
        let launch = Launch {
            environment: self.recorder.environment(),
            ..Launch::default()
        };
        let started = Server::start(&self.work(), &launch);
        started.unwrap_or_else(|error| panic!("the recorded server: {error}"))
    }
}

/// Lets clients work on a recorded server that is killed and started again meanwhile.
pub(crate) fn record(seed: u64, volume: Volume, size: Size) -> Recording {
    let watched = Watched::new(volume, size.unreferenced);
    let shared = Shared::new(watched.recorder.clone());
    let mut random = Rng::with_seed(seed);
    let mut workers: Vec<_> = (0..size.workers)
        .map(|number| Worker::new(number, random.fork(), size.unreferenced))
        .collect();
    let mut server = watched.start();
    prepare(&shared, &server.client(), random.u64(..));
    push_ballast(&server.client(), size.ballast, random.u64(..));
    for process in 1..=size.processes {
        work(&shared, &server.client(), &mut workers, size.operations);
        size.wait_for_collection();
        server.kill();
        if process == size.processes {
            break;
        }
        server = watched.start();
    }
    let journal = shared.recorder().journal();
    Recording {
        disk: arrange(&journal),
        oracle: Arc::new(std::mem::take(&mut shared.oracle())),
        uploads: Arc::new(std::mem::take(&mut shared.uploads())),
        journal,
        volume,
        unreferenced: size.unreferenced,
        promised: None,
    }
}

impl Size {
    /// Two processes without tables to write, and leases that last.
    pub(crate) const fn of(workers: usize, operations: usize) -> Self {
        Self {
            workers,
            processes: 2,
            operations,
            ballast: 0,
            unreferenced: Unreferenced::Kept,
        }
    }

    fn wait_for_collection(self) {
        if self.unreferenced == Unreferenced::Collected {
            thread::sleep(COLLECTED);
        }
    }
}

/// The disk of a record. RocksDB needs its own directory to keep the order of names, as every file system with a journal
/// does: it makes a manifest, renames the file that names it, and syncs their directory only then. Whoever loses the
/// first and keeps the second has a database that does not open. Of other directories no order is expected.
fn arrange(journal: &Journal) -> Disk {
    Disk::of(journal).with_names_in_order(|path| path.ends_with("metadata"))
}

/// One state of the disk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    /// How many records happened.
    pub(crate) cut: usize,
    pub(crate) survival: Survival,
    /// The length of the record with which the server is compared.
    pub(crate) promised: u64,
}

/// What looking at many states came to.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) states: usize,
    pub(crate) findings: Vec<String>,
    pub(crate) found: usize,
    pub(crate) resumed: usize,
    /// Operations that had to be there, over all states.
    pub(crate) acknowledged: usize,
}

impl Recording {
    /// Any states: at the moment of an answer, around syncs and deletions of files, while a process
    /// starts, or anywhere.
    pub(crate) fn choose(&self, count: usize, seed: u64) -> Vec<State> {
        let mut random = Rng::with_seed(seed);
        let answers = self.oracle.answers();
        let around =
            self.positions(|effect| matches!(effect, Effect::SyncBegun { .. } | Effect::SyncEnded { .. }));
        let starts = self.starts();
        let removals = self.positions(|effect| matches!(effect, Effect::Unlinked { .. }));
        let last = self.journal.records.len();
        (0..count)
            .map(|number| {
                let cut = match random.u8(..10) {
                    0..4 => random
                        .choice(&answers)
                        .map(|length| self.journal.count_at(*length)),
                    4..6 => random
                        .choice(&around)
                        .map(|position| position + random.usize(..2)),
                    6 => random
                        .choice(&starts)
                        .map(|position| position + random.usize(..120)),
                    7 => random
                        .choice(&removals)
                        .map(|position| position + random.usize(..2)),
                    _ => None,
                };
                let cut = cut.unwrap_or_else(|| random.usize(..=last)).min(last);
                let survival = Survival::choose(number, random.u64(..));
                self.state(cut, survival)
            })
            .collect()
    }

    /// States around what happens to the names of RocksDB's tables and of what lists them.
    pub(crate) fn choose_around_tables(&self, count: usize, seed: u64) -> Vec<State> {
        let mut random = Rng::with_seed(seed);
        let is_of_tables = |path: &str| path.contains("metadata/") && !path.ends_with(".log");
        let around = self.positions(|effect| match effect {
            Effect::Created { path, .. } | Effect::Unlinked { path } | Effect::Renamed { to: path, .. } => {
                is_of_tables(path)
            }
            _ => false,
        });
        let last = self.journal.records.len();
        (0..count)
            .filter_map(|number| {
                let cut = random.choice(&around)? + random.usize(..30);
                let survival = Survival::choose(number, random.u64(..));
                Some(self.state(cut.min(last), survival))
            })
            .collect()
    }

    /// How many files were made whose path ends so.
    pub(crate) fn count_made(&self, end: &str) -> usize {
        self.positions(|effect| matches!(effect, Effect::Created { path, .. } if path.ends_with(end)))
            .len()
    }

    /// How many files with such a path were deleted.
    pub(crate) fn count_removed(&self, is_wanted: impl Fn(&str) -> bool) -> usize {
        self.positions(|effect| matches!(effect, Effect::Unlinked { path } if is_wanted(path)))
            .len()
    }

    /// Where processes began.
    pub(crate) fn starts(&self) -> Vec<usize> {
        self.positions(|effect| matches!(effect, Effect::Started { .. }))
    }

    /// The state after so many records.
    pub(crate) fn state(&self, cut: usize, survival: Survival) -> State {
        State {
            cut,
            survival,
            promised: self.promised.unwrap_or_else(|| self.journal.length_of(cut)),
        }
    }

    fn positions(&self, is_wanted: impl Fn(&Effect) -> bool) -> Vec<usize> {
        let records = self.journal.records.iter().enumerate();
        records
            .filter(|(_, record)| is_wanted(&record.effect))
            .map(|(position, _)| position)
            .collect()
    }

    /// Starts a recorded server on a state. The new record begins with what it finds there, which was written long ago;
    /// the number of its records is given too.
    pub(crate) fn recover(&self, state: State) -> (Self, usize) {
        let watched = Watched::new(self.volume, self.unreferenced);
        let root = watched.recorder.directory();
        self.disk
            .build(state.cut, state.survival, root)
            .expect("the directory is writable");
        let found = Journal::of_directory(root).expect("the directory is readable");
        let count = found.records.len();
        watched.start().kill();
        let journal = found.followed_by(&watched.recorder.journal());
        let recovery = Self {
            disk: arrange(&journal),
            oracle: Arc::clone(&self.oracle),
            uploads: Arc::clone(&self.uploads),
            journal,
            volume: self.volume,
            unreferenced: self.unreferenced,
            promised: Some(state.promised),
        };
        (recovery, count)
    }

    /// Starts a server on each state and compares it with what was promised.
    pub(crate) fn check(&self, disk: &Disk, states: &[State]) -> Summary {
        let (next, summary) = (AtomicUsize::new(0), Mutex::new(Summary::default()));
        thread::scope(|scope| {
            for _ in 0..SIDE_BY_SIDE {
                scope.spawn(|| {
                    while let Some(state) = states.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let report = self.look(disk, *state);
                        let acknowledged = self.oracle.at(state.promised).acknowledged;
                        let mut summary = summary.lock().expect("no thread panics with it");
                        summary.add(report, acknowledged);
                    }
                });
            }
        });
        summary.into_inner().expect("no thread panicked with it")
    }

    fn look(&self, disk: &Disk, state: State) -> Report {
        let (_directory, server) = start_on(disk, state, self.volume, self.unreferenced);
        let mut report = match server {
            Ok(server) => check(
                &server.client(),
                &self.oracle,
                &self.uploads,
                state.promised,
                self.unreferenced,
            ),
            Err(error) => Report {
                findings: vec![format!("the server does not start: {error}")],
                ..Report::default()
            },
        };
        for finding in &mut report.findings {
            *finding = format!("{state:?}, {}: {finding}", self.describe(state.cut));
        }
        if !report.findings.is_empty() {
            self.keep(disk, state);
        }
        report
    }

    fn describe(&self, cut: usize) -> String {
        let records = &self.journal.records;
        let Some(record) = cut.checked_sub(1).and_then(|last| records.get(last)) else {
            return "before everything".to_owned();
        };
        let bytes = match &record.effect {
            Effect::Written { inode, offset, bytes } => {
                format!("{} bytes at {offset} of {inode}", bytes.len())
            }
            effect => format!("{effect:?}"),
        };
        format!("of {} records, the last {}: {bytes}", records.len(), record.call)
    }

    /// Leaves a state behind for whoever wants to see why it was found wanting.
    fn keep(&self, disk: &Disk, state: State) {
        let Some(kept) = env::var_os("ZAS_POWER_LOSS_KEEP") else {
            return;
        };
        let directory = Path::new(&kept).join(format!("state-{}-{}", state.cut, state.survival.seed));
        // An earlier finding of the same state may have left it.
        if fs::create_dir_all(&directory).is_ok() {
            let _ = disk.build(state.cut, state.survival, &directory);
        }
    }

    /// How many records there are of each call.
    pub(crate) fn calls(&self) -> BTreeMap<&str, usize> {
        let mut calls = BTreeMap::new();
        for record in &self.journal.records {
            *calls.entry(record.call.as_str()).or_default() += 1;
        }
        calls
    }
}

impl Summary {
    fn add(&mut self, report: Report, acknowledged: usize) {
        self.join(Self {
            states: 1,
            findings: report.findings,
            found: report.found,
            resumed: report.resumed,
            acknowledged,
        });
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.states += other.states;
        self.findings.extend(other.findings);
        self.found += other.found;
        self.resumed += other.resumed;
        self.acknowledged += other.acknowledged;
    }

    /// Fails when a promise was broken, or when hardly anything was looked at.
    pub(crate) fn assert_nothing_found(&self, when: &str) {
        let Self {
            states,
            findings,
            found,
            resumed,
            acknowledged,
        } = self;
        eprintln!(
            "{when}: {states} states, {acknowledged} operations had to be there, {found} answers verified, \
             {resumed} uploads resumed"
        );
        let count = findings.len();
        let shown = findings.get(..count.min(SHOWN)).unwrap_or_default();
        assert!(
            findings.is_empty(),
            "{when}: {count} broken promises:\n{}",
            shown.join("\n")
        );
        assert!(acknowledged > states, "{when}: the states came before the work");
        assert!(*found > acknowledged / 8, "{when}: hardly anything was looked at");
    }
}

/// Starts a server on a state. Its directory goes when it is dropped, after the server.
pub(crate) fn start_on(
    disk: &Disk,
    state: State,
    volume: Volume,
    unreferenced: Unreferenced,
) -> (TempDir, Result<Server, String>) {
    let directory = scratch();
    configure(directory.path(), unreferenced);
    let root = match volume {
        Volume::Given => directory.path().join(DATA),
        Volume::Made => directory.path().to_owned(),
    };
    fs::create_dir_all(&root).expect("the directory is writable");
    let built = disk.build(state.cut, state.survival, &root);
    built.expect("the directory is writable");
    let server = Server::start(directory.path(), &Launch::default());
    (directory, server)
}

/// A new directory that goes with the test.
fn scratch() -> TempDir {
    let directory = tempfile::Builder::new().prefix("zas-power-").tempdir();
    directory.expect("the temporary directory is writable")
}
