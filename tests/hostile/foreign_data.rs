//! Rows and bytes that do not belong together: a server never takes them for one store, and deletes nothing.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use zas_tests::{Blob, Blobs, FailedStart, Metadata, Repository, Server, ServerBuilder, stored_files};

const ROWS: &str = "data/metadata";
const BYTES: &str = "data/blobs";
/// In a file, not in a row.
const LARGE: usize = 100_000;

/// Garbage goes as fast as it can here.
fn eager() -> ServerBuilder {
    Server::builder()
        .metadata(Metadata::RocksDb)
        .blobs(Blobs::Filesystem)
        .open_to_everybody()
        .collection(json!({"interval": "1s", "grace": "1s", "doomDelay": "0s"}))
}

/// A stopped server that has a blob.
fn filled(seed: u64) -> (Server, Blob) {
    let mut server = eager().start();
    let blob = Blob::random(seed, LARGE);
    Repository::new(&server.client(), "foreign/data").push_blob(&blob);
    server.stop();
    (server, blob)
}

/// Moves a folder of a server into the directory of another.
fn bring(folder: &str, from: &Path, to: &Path) {
    fs::create_dir_all(to.join("data")).expect("the temporary directory is writable");
    fs::rename(from.join(folder), to.join(folder)).expect("both are in one temporary directory");
}

#[track_caller]
fn expect_refused(failed: &FailedStart, side: &str) -> Vec<PathBuf> {
    assert_eq!(failed.code, Some(1), "{}", failed.output);
    for part in ["do not belong together", side, "--adopt"] {
        assert!(failed.output.contains(part), "no {part} in {}", failed.output);
    }
    stored_files(&failed.directory().join(BYTES))
}

#[track_caller]
fn expect_served(mut server: Server, blob: &Blob) {
    server.restart();
    let repository = Repository::new(&server.client(), "foreign/data");
    let answer = repository.get_blob(&blob.digest).expect_status(200);
    assert!(answer.body == blob.bytes, "other bytes");
}

#[test]
fn given_a_folder_of_rows_that_is_gone_when_started_beside_its_bytes_then_refused_and_served_when_it_is_back()
{
    let (server, blob) = filled(1);

    let failed = eager().start_in_vain(|elsewhere| bring(BYTES, server.directory(), elsewhere));

    let left = expect_refused(&failed, "no rows");
    assert_eq!(left.len(), 1, "{left:?}");
    bring(BYTES, failed.directory(), server.directory());
    expect_served(server, &blob);
}

#[test]
fn given_rows_when_started_beside_an_empty_folder_of_bytes_then_refused_and_served_when_the_right_one_is_back()
 {
    let (server, blob) = filled(2);

    let failed = eager().start_in_vain(|elsewhere| bring(ROWS, server.directory(), elsewhere));

    assert!(expect_refused(&failed, "no stored bytes").is_empty());
    bring(ROWS, failed.directory(), server.directory());
    expect_served(server, &blob);
}

#[test]
fn given_rows_and_bytes_of_two_stores_when_started_then_refused_and_nothing_is_lost() {
    let (first, first_blob) = filled(3);
    let (second, second_blob) = filled(4);

    let failed = eager().start_in_vain(|elsewhere| {
        bring(ROWS, first.directory(), elsewhere);
        bring(BYTES, second.directory(), elsewhere);
    });

    let left = expect_refused(&failed, "different store ids");
    assert_eq!(left.len(), 1, "{left:?}");
    bring(ROWS, failed.directory(), first.directory());
    bring(BYTES, failed.directory(), second.directory());
    expect_served(first, &first_blob);
    expect_served(second, &second_blob);
}

#[test]
fn given_a_running_server_when_another_is_pointed_at_its_bytes_then_refused_while_pulls_go_on() {
    // Given
    let running = eager().start();
    let repository = Repository::new(&running.client(), "foreign/data");
    let blob = Blob::random(5, LARGE);
    repository.push_blob(&blob);
    let bytes = running.directory().join(BYTES);

    for engine in [Metadata::Memory, Metadata::RocksDb] {
        // When
        let failed = eager()
            .metadata(engine)
            .section("storage", json!({"blobs": {"path": bytes}}))
            .start_in_vain(|_| ());

        // Then
        expect_refused(&failed, "no rows");
        let answer = repository.get_blob(&blob.digest).expect_status(200);
        assert!(answer.body == blob.bytes, "other bytes beside {engine:?}");
        assert_eq!(stored_files(&bytes).len(), 1);
    }
    repository.push_blob(&Blob::random(6, LARGE));
}
