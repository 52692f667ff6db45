//! The oracle sees it when a drive ignores the syncs of anything that durability rests on.

use zas_power_loss::{Kind, Survival};

use crate::recording::{Recording, Size, State, Volume, record};
use crate::states::seed;

const SIZE: Size = Size::of(2, 12);

/// A group of files or directories whose syncs are ignored together.
type Ignored = (&'static str, fn(Kind, &str) -> bool);

const IGNORED: [Ignored; 6] = [
    ("files of blobs", |kind, path| {
        kind == Kind::File && path.contains("blobs/")
    }),
    ("the write-ahead log", |kind, path| {
        kind == Kind::File && path.ends_with(".log")
    }),
    ("all directories", |kind, _| kind == Kind::Directory),
    ("directories that hold blobs", |kind, path| {
        kind == Kind::Directory && path.contains("blobs/")
    }),
    ("the directory of those", |kind, path| {
        kind == Kind::Directory && path.ends_with("blobs")
    }),
    ("the directory of the database", |kind, path| {
        kind == Kind::Directory && path.ends_with("metadata")
    }),
];

#[test]
fn given_a_drive_that_ignores_some_syncs_when_the_power_fails_then_a_broken_promise_is_found() {
    let seed = seed();
    eprintln!("ZAS_POWER_LOSS_SEED={seed}");
    let recording = record(seed, Volume::Given, SIZE);
    let states = after_the_work(&recording);
    let honest = recording.check(&recording.disk, &states);
    assert!(honest.findings.is_empty(), "{}", honest.findings.join("\n"));
    for (what, is_ignored) in IGNORED {
        let ignored = recording.disk.count_syncs(is_ignored);
        assert!(ignored > 0, "there is no sync of {what}");
        let summary = recording.check(&recording.disk.without_syncs(is_ignored), &states);
        let first = summary
            .findings
            .first()
            .map_or("nothing", |finding| finding.as_str());
        let found = summary.findings.len();
        eprintln!("{ignored} syncs of {what} ignored: {found} findings, the first: {first:.300}");
        assert!(found > 0, "nobody notices that syncs of {what} are ignored");
    }
}

/// When everything was done, with nothing that was not synced.
fn after_the_work(recording: &Recording) -> Vec<State> {
    vec![recording.state(recording.journal.records.len(), Survival::NOTHING)]
}
