//! The proof: no legal state of the disk breaks a promise.

use std::env;
use std::fmt::Display;
use std::str::FromStr;

use fastrand::Rng;
use zas_power_loss::{Bytes, Names, Survival};

use crate::recording::{Recording, Size, State, Summary, Volume, record};
use crate::server::Unreferenced;

/// States of the main proof; more of them mean more of all others too.
const STATES: usize = 60;

const SIZE: Size = Size::of(4, 35);

/// How many states a server is started on and watched, to have the power fail again meanwhile.
const RECOVERIES: usize = 5;

const STATES_OF_COLLECTION: usize = 20;

const STATES_OF_TABLES: usize = 20;

/// More than one memory table of RocksDB's takes.
const BALLAST: usize = 1_800;

/// Unless there is more time, only every so many records of a start are looked at.
const STEP_OF_START: usize = 3;

/// More records than a process makes until it is ready.
const MAX_START_SYNCS: usize = 145;

/// So many states of a recovery are looked at.
const STATES_OF_RECOVERY: usize = 6;

#[test]
fn given_acknowledged_operations_when_the_power_fails_at_any_moment_then_none_is_lost() {
    // Given
    let (seed, states) = (seed(), states());
    eprintln!("ZAS_POWER_LOSS_SEED={seed} ZAS_POWER_LOSS_STATES={states}");
    let recording = record(seed, Volume::Given, SIZE);
    describe(&recording);
    // When
    let states = recording.choose(states, seed);
    let summary = recording.check(&recording.disk, &states);
    // Then
    summary.assert_nothing_found("any moment");
    assert_eq!(summary.states, states.len());
    assert!(summary.resumed > 0, "no upload was resumed");
    // When
    let mut again = Summary::default();
    for (number, state) in states.iter().rev().take(RECOVERIES * scale()).enumerate() {
        again.join(fail_again(&recording, *state, seed.wrapping_add(number as u64)));
    }
    // Then
    again.assert_nothing_found("a second time, during recovery");
}

#[test]
fn given_any_moment_of_a_start_when_the_power_fails_then_the_next_start_succeeds_and_nothing_is_lost() {
    // Given
    let seed = seed();
    eprintln!("ZAS_POWER_LOSS_SEED={seed}");
    let size = Size::of(2, 6);
    let recording = record(seed, Volume::Given, size);
    let mut random = Rng::with_seed(seed);
    let step = STEP_OF_START.div_ceil(scale());
    let first = random.usize(..step);
    // When
    let states: Vec<State> = recording
        .starts()
        .into_iter()
        .flat_map(|start| (start + first..start + MAX_START_SYNCS).step_by(step))
        .filter_map(|cut| {
            let survival = Survival {
                bytes: random.choice([Bytes::Nothing, Bytes::Some, Bytes::Sizes])?,
                names: Names::Some,
                seed: random.u64(..),
            };
            Some(recording.state(cut, survival))
        })
        .collect();
    let summary = recording.check(&recording.disk, &states);
    // Then
    summary.assert_nothing_found("a start");
}

#[test]
fn given_a_server_that_collects_when_the_power_fails_then_no_manifest_lacks_a_blob() {
    // Given
    let seed = seed();
    eprintln!("ZAS_POWER_LOSS_SEED={seed}");
    let size = Size {
        unreferenced: Unreferenced::Collected,
        ..Size::of(3, 16)
    };
    let recording = record(seed, Volume::Given, size);
    let removed = recording.count_removed(|path| path.contains("blobs/"));
    eprintln!("{removed} files of blobs were deleted");
    assert!(removed > 5, "hardly anything was collected");
    // When
    let states = recording.choose(STATES_OF_COLLECTION * scale(), seed);
    let summary = recording.check(&recording.disk, &states);
    // Then
    summary.assert_nothing_found("collection");
}

#[test]
fn given_tables_that_are_written_and_compacted_when_the_power_fails_then_nothing_is_lost() {
    // Given
    let seed = seed();
    eprintln!("ZAS_POWER_LOSS_SEED={seed}");
    let size = Size {
        processes: 7,
        ballast: BALLAST,
        ..Size::of(2, 8)
    };
    let recording = record(seed, Volume::Given, size);
    let (tables, removed) = (
        recording.count_made(".sst"),
        recording.count_removed(|path| path.ends_with(".sst")),
    );
    let bodies = recording.count_made(".blob");
    eprintln!("{tables} tables made and {removed} removed, {bodies} files of bodies made");
    assert!(removed > 0, "nothing was compacted");
    assert!(bodies >= size.processes, "no table was written but at starts");
    // When
    let states = recording.choose_around_tables(STATES_OF_TABLES * scale(), seed);
    let summary = recording.check(&recording.disk, &states);
    // Then
    summary.assert_nothing_found("tables");
    assert_eq!(summary.states, states.len());
}

/// Lets the power fail while a server starts on a state.
fn fail_again(recording: &Recording, state: State, seed: u64) -> Summary {
    let (recovery, found) = recording.recover(state);
    let mut random = Rng::with_seed(seed);
    let all = recovery.journal.records.len();
    assert!(all > found + 20, "a recovery that writes nothing");
    let states: Vec<State> = (0..STATES_OF_RECOVERY)
        .map(|number| {
            let survival = Survival::choose(number, random.u64(..));
            recovery.state(random.usize(found..=all), survival)
        })
        .collect();
    recovery.check(&recovery.disk, &states)
}

#[test]
fn given_a_data_directory_that_the_server_made_when_the_power_fails_then_nothing_is_lost_with_it() {
    let seed = seed();
    eprintln!("ZAS_POWER_LOSS_SEED={seed}");
    let size = Size::of(2, 8);
    let recording = record(seed, Volume::Made, size);
    let mut states = recording.choose(8, seed);
    states.push(recording.state(recording.journal.records.len(), Survival::NOTHING));
    let summary = recording.check(&recording.disk, &states);
    summary.assert_nothing_found("a new data directory");
}

fn describe(recording: &Recording) {
    eprintln!(
        "{} operations acknowledged, {} uploads left open at times, {} bytes recorded: {:?}",
        recording.oracle.count(),
        recording.uploads.len(),
        recording.journal.length_of(recording.journal.records.len()),
        recording.calls()
    );
}

fn states() -> usize {
    setting("ZAS_POWER_LOSS_STATES").unwrap_or(STATES)
}

/// How many times longer than usual the run may take.
fn scale() -> usize {
    states().div_ceil(STATES)
}

/// The seed of this run.
pub(crate) fn seed() -> u64 {
    setting("ZAS_POWER_LOSS_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000_000))
}

fn setting<T: FromStr<Err: Display>>(name: &str) -> Option<T> {
    let text = env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|error| panic!("{name}={text}: {error}")),
    )
}
