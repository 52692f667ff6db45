//! Bytes that rot: found, taken out of use, said, and healed by the next push.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use zas_tests::{Blob, Blobs, Image, Metadata, Repository, Server, ServerBuilder};

use crate::wait::until;

fn server() -> ServerBuilder {
    Server::builder()
        .metadata(Metadata::RocksDb)
        .blobs(Blobs::Filesystem)
        .open_to_everybody()
        .collection(json!({"scrub": "1s", "scrubRate": "1GiB"}))
}

/// The only file below `directory` that contains `bytes`.
fn file_with(directory: &Path, bytes: &[u8]) -> Option<PathBuf> {
    let entries = fs::read_dir(directory).expect("the directory is there").flatten();
    entries.map(|entry| entry.path()).find_map(|path| {
        if path.is_dir() {
            return file_with(&path, bytes);
        }
        find(&fs::read(&path).unwrap_or_default(), bytes).map(|_| path)
    })
}

fn find(content: &[u8], bytes: &[u8]) -> Option<usize> {
    content.windows(bytes.len()).position(|window| window == bytes)
}

/// Flips one bit in the middle of these bytes, wherever they are stored.
fn flip(directory: &Path, bytes: &[u8]) -> PathBuf {
    let file = file_with(directory, bytes).expect("the bytes are stored as they are");
    let mut content = fs::read(&file).expect("it was just read");
    let position = find(&content, bytes).expect("it was just found") + bytes.len() / 2;
    if let Some(byte) = content.get_mut(position) {
        *byte ^= 0x10;
    }
    fs::write(&file, content).expect("the file is ours");
    file
}

fn damaged(server: &Server) -> String {
    let page = server.operations().get("/metrics").send().text();
    let line = page.lines().find(|line| line.starts_with("zas_damaged_blobs "));
    line.unwrap_or_default().to_owned()
}

#[test]
fn given_a_flipped_bit_in_a_stored_blob_when_scrubbed_then_it_is_damaged_and_the_next_push_heals_it() {
    // Given
    let server = server().start();
    let repository = Repository::new(&server.client(), "damage/flipped");
    let image = Image::new(1).build();
    repository.push(&image, "kept");
    let blob = Blob::random(7, 100_000);
    repository.push_blob(&blob);

    // When
    flip(&server.directory().join("data/blobs"), &blob.bytes);

    // Then
    until("the damage is found", || {
        (damaged(&server) == "zas_damaged_blobs 1").then_some(())
    });
    let answer = repository.get_blob(&blob.digest);
    assert_eq!(answer.status, 500);
    assert!(
        answer.text().contains("push it to repository"),
        "{}",
        answer.text()
    );
    // Who may push is told to push.
    repository.head_blob(&blob.digest).expect_status(404);
    repository.get_manifest("kept").expect_status(200);

    // And when pushed again
    repository.push_blob(&blob);
    assert!(repository.get_blob(&blob.digest).body == blob.bytes);
    until("nothing is damaged any more", || {
        (damaged(&server) == "zas_damaged_blobs 0").then_some(())
    });
    until("the log says so", || {
        server
            .log()
            .contains("a push healed a damaged blob")
            .then_some(())
    });
}

#[test]
fn given_a_flipped_bit_that_nobody_knows_of_when_pushed_again_then_the_pushed_bytes_are_served() {
    // Given
    let server = server().collection(json!({"scrub": "0s"})).start();
    let repository = Repository::new(&server.client(), "damage/unknown");
    let blob = Blob::random(11, 100_000);
    let stored = server.directory().join("data/blobs");
    repository.push_blob(&blob);
    flip(&stored, &blob.bytes);

    // When, then
    repository.push_blob(&blob);
    assert!(repository.get_blob(&blob.digest).body == blob.bytes);

    // And when that happens once more within the hour, the bytes are checked at once, and the push after that heals them
    flip(&stored, &blob.bytes);
    repository.push_blob(&blob);
    until("the damage is found", || {
        (repository.head_blob(&blob.digest).status == 404).then_some(())
    });
    repository.push_blob(&blob);
    assert!(repository.get_blob(&blob.digest).body == blob.bytes);
}

#[test]
fn given_a_lost_file_of_a_blob_when_pulled_then_said_at_once_and_healed_by_the_next_push() {
    let server = server().collection(json!({"scrub": "0s"})).start();
    let repository = Repository::new(&server.client(), "damage/lost");
    let blob = Blob::random(8, 100_000);
    repository.push_blob(&blob);
    let file = file_with(&server.directory().join("data/blobs"), &blob.bytes).expect("it is stored");
    fs::remove_file(file).expect("the file is ours");

    // A file that the server has open is still read: it looks again at the latest when it opened others.
    let answer = until("the loss is seen", || {
        let answer = repository.get_blob(&blob.digest);
        (answer.status != 200).then_some(answer)
    });
    assert_eq!(answer.status, 500, "{}", answer.text());
    until("the loss is noted", || {
        (repository.head_blob(&blob.digest).status == 404).then_some(())
    });
    repository.push_blob(&blob);
    assert!(repository.get_blob(&blob.digest).body == blob.bytes);
}

#[test]
fn given_a_flipped_bit_in_the_database_when_read_then_a_clear_error_and_healed_by_the_next_push() {
    // Given
    let mut server = server().collection(json!({"scrub": "0s"})).start();
    let repository = Repository::new(&server.client(), "damage/row");
    // Kept in a row, and random: no compression hides its bytes.
    let blob = Blob::random(9, 9_000);
    let sound = Blob::random(10, 9_000);
    repository.push_blob(&blob);
    repository.push_blob(&sound);
    // The first start after that writes the log out as tables, the second one reads them.
    for _ in 0..2 {
        server.kill();
        server.restart();
    }
    server.kill();
    flip(&server.directory().join("data/metadata"), &blob.bytes);

    // When
    server.restart();

    // Then
    let repository = repository.seen_by(&server.client());
    let answer = repository.get_blob(&blob.digest);
    assert_eq!(answer.status, 500, "{}", answer.text());
    assert!(answer.text().contains("damaged"), "{}", answer.text());
    repository.head_blob(&blob.digest).expect_status(404);
    assert!(repository.get_blob(&sound.digest).body == sound.bytes);

    // And when pushed again
    repository.push_blob(&blob);
    assert!(repository.get_blob(&blob.digest).body == blob.bytes);
    server.kill();
    server.restart();
    let repository = repository.seen_by(&server.client());
    assert!(repository.get_blob(&blob.digest).body == blob.bytes);
    assert!(repository.get_blob(&sound.digest).body == sound.bytes);
}
