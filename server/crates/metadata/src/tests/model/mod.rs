//! Random histories, on the engine and on a naive model of the rules side by side.

mod history;
mod invariants;
mod reference;
mod steps;

use std::sync::Arc;

use proptest::test_runner::{Config, TestRunner};
use zas_core::ManualClock;

use super::{TIMING, clocks};
use crate::embedded::EmbeddedMetadata;
use crate::memory_map::MemoryMap;
use crate::ordered_map::OrderedMap;
use history::Engine;
use steps::Step;

/// Opens a store over the same rows every time it is called.
type Open<'a, M> = &'a dyn Fn(&Arc<ManualClock>) -> Arc<EmbeddedMetadata<M>>;

/// Runs histories of up to `longest` steps, each on the rows that `new_rows` makes.
pub(super) fn check<M: OrderedMap, R>(
    cases: u32,
    longest: usize,
    new_rows: impl Fn() -> R,
    open: impl Fn(&R, &Arc<ManualClock>) -> Arc<EmbeddedMetadata<M>>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let histories = proptest::collection::vec(steps::step(), 1..longest);
    let result = TestRunner::new(config).run(&histories, |steps: Vec<Step>| {
        let rows = new_rows();
        let open = |clock: &Arc<ManualClock>| open(&rows, clock);
        runtime.block_on(Engine::new(&open).run(steps))?;
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

#[test]
fn given_random_histories_when_run_in_memory_then_every_answer_and_row_is_as_the_rules_say() {
    check(400, 120, MemoryMap::default, |rows: &MemoryMap, clock| {
        let (map, same) = (rows.clone(), rows.clone());
        Arc::new(EmbeddedMetadata::over(
            map,
            crate::reopening::Opener::of(move || Ok(same.clone())),
            clocks(clock),
            TIMING,
        ))
    });
}
