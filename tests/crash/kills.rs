//! kill -9 while clients work, restart, and compare with what was acknowledged; at last delete everything and wait
//! until no byte is left. `ZAS_CRASH_ROUNDS` (50) is the number of kills.

use std::thread;
use std::time::{Duration, Instant};

use crate::run::{Run, seed, setting};
use crate::workload::Worker;

/// Kills of one store. What is compared after each grows with them, so that more of them are spread over several.
const ROUNDS: u64 = 50;
/// Grace in the rounds during which collection runs at full speed.
const SHORT_GRACE: Duration = Duration::from_secs(2);

#[test]
fn given_acknowledged_operations_when_the_server_is_killed_again_and_again_then_none_is_lost() {
    let kills = setting("ZAS_CRASH_ROUNDS").unwrap_or(ROUNDS);
    let first = seed();
    for store in 0..kills.div_ceil(ROUNDS) {
        let seed = first + store;
        let rounds = ROUNDS.min(kills - store * ROUNDS);
        eprintln!("a new store, {rounds} kills: repeated by ZAS_CRASH_SEED={seed} ZAS_CRASH_ROUNDS={rounds}");
        kill_one_store(seed, rounds);
    }
}

fn kill_one_store(seed: u64, rounds: u64) {
    let mut run = Run::start(Run::server(), seed);
    for round in 0..rounds {
        if round == rounds / 2 {
            run.collect_eagerly(SHORT_GRACE);
        }
        run.kill_round(round);
        run.assert_nothing_found();
    }
    run.delete_everything();
    run.assert_nothing_found();
}

impl Run {
    fn kill_round(&mut self, round: u64) {
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
        // The server's end is the worker's.
        let work = |worker: &mut Worker<'_>| {
            let _ = worker.work_while(|| true);
        };
        self.with_workers(work, |server| {
            thread::sleep(life);
            server.kill();
        });
    }
}
