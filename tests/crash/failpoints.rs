//! Each step of the server waits, fails and dies once while clients work; afterwards everything that was acknowledged
//! is there, and at the end nothing is left.
//!
//! Needs a server built with the feature `failpoints`: `ZAS_FAILPOINT_BINARY`.

use std::env;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::run::{Run, seed};
use crate::workload::Worker;

/// Every place that requests pass: of an operation of a store, the places before and after it.
const OF_REQUESTS: [&str; 32] = [
    "write.after_open",
    "write.after_write",
    "seal.before_data_sync",
    "seal.after_data_sync",
    "seal.after_entry_sync",
    "commit.before_batch",
    "commit.after_batch",
    "blobs.write.before",
    "blobs.write.after",
    "blobs.open.before",
    "metadata.create_upload.before",
    "metadata.create_upload.after",
    "metadata.claim_upload.before",
    "metadata.claim_upload.after",
    "metadata.save_progress.before",
    "metadata.save_progress.after",
    "metadata.finish_upload.before",
    "metadata.finish_upload.after",
    "metadata.abort_upload.before",
    "metadata.abort_upload.after",
    "metadata.stat_blob.before",
    "metadata.stat_blob.after",
    "metadata.mount_blob.before",
    "metadata.mount_blob.after",
    "metadata.unlink_blob.before",
    "metadata.unlink_blob.after",
    "metadata.commit_manifest.before",
    "metadata.commit_manifest.after",
    "metadata.delete_tag.before",
    "metadata.delete_tag.after",
    "metadata.delete_manifest.before",
    "metadata.delete_manifest.after",
];

/// Every place that the collector passes, some of them once in a round.
const OF_THE_COLLECTOR: [&str; 11] = [
    "blobs.delete.before",
    "blobs.delete.after",
    "blobs.scan.before",
    "metadata.take_due.after",
    "metadata.take_doomed.after",
    "metadata.reap.before",
    "metadata.reap.after",
    "metadata.forget_location.before",
    "metadata.forget_location.after",
    "metadata.claim_orphan.before",
    "metadata.claim_orphan.after",
];

const ACTIONS: [&str; 3] = ["delay", "error", "abort"];

const VARIABLE: &str = "FAILPOINTS";
const GRACE: Duration = Duration::from_secs(1);
/// The rarest place is passed once in a round of collection, which is once a second.
const LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);
const SIGABRT: i32 = 6;

/// Enough for each action to have its visit, and few enough for one sweep.
const ORPHANS: u8 = 7;

#[test]
fn given_any_step_that_waits_fails_or_dies_when_restarted_then_what_was_acknowledged_is_there_and_nothing_leaks()
 {
    let mut run = Run::start(Run::server().program(program()), seed());
    run.collect_eagerly(GRACE);
    for place in OF_REQUESTS {
        let visits = [(); 3].map(|()| run.random.u32(1..6));
        run.disturb(place, visits);
    }
    for place in OF_THE_COLLECTOR {
        run.disturb(place, [1; 3]);
    }
    run.delete_everything();
    run.assert_nothing_found();
}

#[test]
fn given_the_released_server_when_searched_then_it_has_no_failpoints() {
    let released = env::var_os("ZAS_SERVER_BINARY").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../bin/zot-artifact-store"),
        PathBuf::from,
    );
    for place in OF_REQUESTS.into_iter().chain(OF_THE_COLLECTOR) {
        assert!(mentions(&program(), place), "{place} is in no program");
        assert!(
            !mentions(&released, place),
            "{place} is in {}",
            released.display()
        );
    }
}

impl Run {
    /// One life of the server in which a place waits, later fails, and at last ends the process, each after so many
    /// visits.
    fn disturb(&mut self, place: &str, visits: [u32; 3]) {
        let begun = Instant::now();
        self.server.kill();
        if place.starts_with("metadata.claim_orphan") {
            self.leave_orphans();
        }
        let steps = ACTIONS.iter().zip(visits);
        let steps: Vec<_> = steps
            .map(|(action, visits)| format!("{visits}*off->1*return({action})"))
            .collect();
        let plan = format!("{place}={}->off", steps.join("->"));
        self.server.set_environment(VARIABLE, &plan);
        self.restart();
        let status = self.work_until_aborted();
        let log = self.server.log();
        for action in ACTIONS {
            let line = format!("failpoint {place}: {action}");
            assert!(
                log.contains(&line),
                "{plan} never came to {action}; the server ended with {status:?}"
            );
        }
        assert_eq!(status.and_then(|status| status.signal()), Some(SIGABRT), "{plan}");
        self.server.set_environment(VARIABLE, "");
        self.restart();
        self.check();
        self.resume_uploads();
        self.trim_shared_repository();
        self.assert_nothing_found();
        eprintln!("{plan}: {:.1?}", begun.elapsed());
    }

    /// Leaves files that no row names, as a power loss may: only then does the sweep have something to claim.
    fn leave_orphans(&mut self) {
        let blobs = self.server.directory().join("data/blobs");
        for number in 0..ORPHANS {
            let shard = self.random.u8(..);
            let folder = blobs.join(format!("{shard:02x}"));
            fs::create_dir_all(&folder).expect("the folder is ours");
            let unique = self.random.u32(..);
            let name = format!("018bcfe5-6800-7000-8000-{unique:08x}{number:02x}{shard:02x}.1.1.0");
            fs::write(folder.join(name), b"left behind").expect("the folder is ours");
        }
    }

    fn work_until_aborted(&mut self) -> Option<ExitStatus> {
        let limit = Instant::now() + LIMIT;
        let is_over = AtomicBool::new(false);
        let work = |worker: &mut Worker<'_>| {
            worker.expect_failures();
            // The server's end is the worker's.
            let _ = worker.work_while(|| !is_over.load(Ordering::Relaxed));
        };
        self.with_workers(work, |server| {
            let mut status = None;
            while status.is_none() && Instant::now() < limit {
                thread::sleep(POLL);
                status = server.ended();
            }
            is_over.store(true, Ordering::Relaxed);
            status
        })
    }
}

fn program() -> PathBuf {
    let Some(program) = env::var_os("ZAS_FAILPOINT_BINARY") else {
        panic!(
            "set ZAS_FAILPOINT_BINARY to a server built with --features failpoints, as hack/test.sh crash does"
        );
    };
    PathBuf::from(program)
}

fn mentions(program: &Path, place: &str) -> bool {
    let content = fs::read(program).expect("the program can be read");
    let name = place.as_bytes();
    content.windows(name.len()).any(|window| window == name)
}
