//! A wall clock that is set while the server runs, or while it does not: what was promised a moment ago holds, whatever
//! the date says now.

use std::thread;
use std::time::Duration;

use serde_json::json;
use zas_tests::{Blob, Blobs, Image, Metadata, Package, Repository, Server, ServerBuilder, stored_files};

use crate::wait::until;
use crate::wall_clock::WallClock;

const YEAR: i64 = 365 * 24 * 60 * 60;
/// How long a positive answer about a blob holds.
const GRACE: Duration = Duration::from_secs(6);
/// Several rounds of collection, and less than a grace.
const A_WHILE: Duration = Duration::from_secs(2);

fn server() -> ServerBuilder {
    Server::builder()
        .metadata(Metadata::RocksDb)
        .blobs(Blobs::Filesystem)
        .open_to_everybody()
        .collection(json!({
            "interval": "1s", "grace": format!("{}s", GRACE.as_secs()), "doomDelay": "0s", "uploadExpiry": "1h",
            "orphanSweep": "1s",
        }))
}

fn image(seed: u64) -> Package {
    Image::new(seed).layer_size(50_000).build()
}

fn jumps_noticed(server: &Server) -> usize {
    server.log().matches("the wall clock jumped").count()
}

#[test]
fn given_pushes_under_way_when_the_clock_is_set_forward_and_back_then_they_end_well_and_collection_goes_on() {
    // Given
    let clock = WallClock::new();
    let server = clock.read_by(server()).start();
    let repository = Repository::new(&server.client(), "clocks/running");
    let rounds = [YEAR, -YEAR, 0];
    for (round, shift) in rounds.into_iter().enumerate() {
        let package = image(round as u64);
        for blob in &package.blobs {
            repository.push_blob(blob);
        }
        let slow = Blob::random(100 + round as u64, 60_000);
        let (first, rest) = slow.bytes.split_at(30_000);
        let mut upload = repository.start_upload();
        upload.stream(first).expect_status(202);

        // When
        clock.shift(shift);
        until("the jump is noticed", || {
            (jumps_noticed(&server) > round).then_some(())
        });
        thread::sleep(A_WHILE);

        // Then
        upload.finish(&slow.digest, rest).expect_status(201);
        repository.push_manifest(&package.manifest, &format!("round-{round}"));
        repository.head_blob(&slow.digest).expect_status(200);
        for earlier in 0..=round {
            repository
                .get_manifest(&format!("round-{earlier}"))
                .expect_status(200);
        }
        for blob in &package.blobs {
            assert!(repository.get_blob(&blob.digest).body == blob.bytes);
        }
    }

    // When nothing is wanted any more, under a clock on which all leases are over
    for round in 0..rounds.len() {
        repository
            .delete_manifest(&image(round as u64).manifest.digest)
            .expect_status(202);
    }
    clock.shift(YEAR);
    // Then
    let blobs = server.directory().join("data/blobs");
    assert!(!stored_files(&blobs).is_empty());
    until("the garbage is gone", || {
        stored_files(&blobs).is_empty().then_some(())
    });
}

#[test]
fn given_a_store_when_it_starts_under_a_wrong_date_then_what_it_acknowledged_is_there() {
    // Given
    let clock = WallClock::new();
    let mut server = clock.read_by(server()).start();
    Repository::new(&server.client(), "clocks/restarted").push(&image(0), "round-0");

    for (round, shift) in [YEAR, -YEAR, 0].into_iter().enumerate() {
        // When
        server.kill();
        clock.shift(shift);
        server.restart();
        let repository = Repository::new(&server.client(), "clocks/restarted");
        let next = round as u64 + 1;
        repository.push(&image(next), &format!("round-{next}"));
        thread::sleep(A_WHILE);

        // Then
        for earlier in 0..=next {
            repository
                .get_manifest(&format!("round-{earlier}"))
                .expect_status(200);
            for blob in &image(earlier).blobs {
                assert!(repository.get_blob(&blob.digest).body == blob.bytes);
            }
        }
    }
}
