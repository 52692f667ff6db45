//! The proof: no legal state of the disk breaks a promise.

use std::env;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Instant;

use zas_power_loss::Names;

use crate::recording::{Recording, Size, Volume, record};

const STATES: usize = 90;

const SIZE: Size = Size {
    workers: 4,
    operations: 35,
};

#[test]
fn given_acknowledged_operations_when_the_power_fails_at_any_moment_then_none_is_lost() {
    // Given
    let (seed, states) = (seed(), setting("ZAS_POWER_LOSS_STATES").unwrap_or(STATES));
    eprintln!("ZAS_POWER_LOSS_SEED={seed} ZAS_POWER_LOSS_STATES={states}");
    let recording = record(seed, Volume::Given, SIZE);
    describe(&recording);
    // When
    let begun = Instant::now();
    let states = recording.choose(states, seed, Names::UpToSome);
    let summary = recording.check(&recording.disk, &states);
    // Then
    eprintln!(
        "{} states in {:.1?}: {} operations had to be there, {} answers verified, {} uploads resumed",
        summary.states,
        begun.elapsed(),
        summary.acknowledged,
        summary.found,
        summary.resumed
    );
    assert!(
        summary.findings.is_empty(),
        "{} broken promises:\n{}",
        summary.findings.len(),
        summary.findings.join("\n")
    );
    assert_eq!(summary.states, states.len());
    assert!(
        summary.acknowledged > summary.states,
        "the states came before the work"
    );
    assert!(
        summary.found > summary.acknowledged / 4,
        "hardly anything was looked at"
    );
    assert!(summary.resumed > 0, "no upload was resumed");
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
