//! What RocksDB's recovery mode makes of a write-ahead log that is torn, or damaged in its middle.
//!
//! A torn end is what power loss leaves, and no server may refuse to start on it. Damage in the middle is none of its
//! doing; then the rows behind it must not come back without those that they rest on.

use std::fs;

use zas_power_loss::{Bytes, Effect, Names, Survival};
use zas_tests::{Blob, Client, Repository};

use crate::recording::{State, Volume, Watched, start_on};
use crate::server::Unreferenced;
use zas_power_loss::Disk;

/// Small blobs, pushed one after the other: each is one record of the log, and ten fill a block of it.
const PUSHES: u64 = 24;

const EVERYTHING: Survival = Survival {
    bytes: Bytes::Everything,
    names: Names::Everything,
    seed: 0,
};

struct Pushed {
    disk: Disk,
    /// The record of each push's write to the log.
    writes: Vec<usize>,
    records: usize,
}

fn blob(number: u64) -> Blob {
    Blob::random(number, 3_000)
}

fn repository(client: &Client) -> Repository {
    Repository::new(client, "power/log")
}

fn push() -> Pushed {
    let watched = Watched::new(Volume::Given, Unreferenced::Kept);
    let server = watched.start();
    let client = server.client();
    let mut writes = Vec::new();
    for number in 0..PUSHES {
        let before = watched.recorder.journal().records.len();
        let _ = repository(&client).post_blob(&blob(number)).expect_status(201);
        let journal = watched.recorder.journal();
        let mut new = journal.records.iter().enumerate().skip(before);
        let is_large =
            |effect: &Effect| matches!(effect, Effect::Written { bytes, .. } if bytes.len() > 3_000);
        let write = new.find(|(_, record)| is_large(&record.effect));
        writes.push(write.expect("the bytes are in the log").0);
    }
    server.kill();
    let journal = watched.recorder.journal();
    Pushed {
        disk: Disk::of(&journal),
        writes,
        records: journal.records.len(),
    }
}

/// What a server makes of a log.
struct Recovered {
    /// Which of the pushes are there.
    there: Vec<bool>,
    /// Whether it says that it left something out.
    tells: bool,
}

fn recover(disk: &Disk, cut: usize, survival: Survival) -> Recovered {
    let state = State {
        cut,
        survival,
        promised: 0,
    };
    let (directory, server) = start_on(disk, state, Volume::Given, Unreferenced::Kept);
    let server = server.unwrap_or_else(|error| panic!("the server does not start: {error}"));
    let client = server.client();
    let there = (0..PUSHES).map(|number| {
        let blob = blob(number);
        let answer = repository(&client)
            .get_blob(&blob.digest)
            .expect_status_in(&[200, 404]);
        answer.status == 200 && answer.body == blob.bytes
    });
    let there = there.collect();
    drop(server);
    let said = fs::read_to_string(directory.path().join("server.log")).expect("the server has a log");
    Recovered {
        there,
        tells: said
            .lines()
            .any(|line| line.contains("RocksDB warns") && line.contains("dropping")),
    }
}

#[test]
fn given_a_log_that_ends_in_a_torn_record_when_started_then_everything_before_it_is_there() {
    let pushed = push();
    let last = *pushed.writes.last().expect("something was pushed");
    let whole = recover(&pushed.disk, pushed.records, EVERYTHING);
    assert!(whole.there.iter().all(|is_there| *is_there), "{:?}", whole.there);
    assert!(!whole.tells, "a whole log is nothing to warn of");
    let mut lost = 0;
    for seed in 0..8 {
        // The write happened, its sync has not begun.
        let survival = Survival {
            bytes: Bytes::Some,
            names: Names::Everything,
            seed,
        };
        let torn = recover(&pushed.disk, last + 1, survival).there;
        let (end, rest) = torn.split_last().expect("something was pushed");
        assert!(rest.iter().all(|is_there| *is_there), "seed {seed}: {torn:?}");
        lost += usize::from(!end);
    }
    assert!(lost > 0, "the last record was never torn");
}

#[test]
fn given_a_log_with_a_hole_when_started_then_nothing_behind_the_hole_is_there() {
    let pushed = push();
    // In the log's last block a hole cannot be told from a torn end.
    for (number, must_tell) in [
        (1, true),
        (PUSHES as usize / 2, true),
        (PUSHES as usize - 2, false),
    ] {
        let write = *pushed.writes.get(number).expect("it was pushed");
        let Recovered {
            there: damaged,
            tells,
        } = recover(&pushed.disk.with_hole(write), pushed.records, EVERYTHING);
        assert!(
            tells || !must_tell,
            "hole at {number}: the server's log does not say that something is lost"
        );
        let (before, behind) = damaged.split_at(number);
        assert!(
            before.iter().all(|is_there| *is_there),
            "hole at {number}: {damaged:?}"
        );
        assert!(
            !behind.iter().any(|is_there| *is_there),
            "hole at {number}: {damaged:?}"
        );
    }
}
