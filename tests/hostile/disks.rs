//! Disks that fill up or take no writes: pushes are refused, everything else works, and nothing is lost.

use serde_json::json;
use zas_tests::{Blob, Image, Package, Repository, Server};

use crate::volume::Volume;
use crate::wait::until;

const BLOB: usize = 4 << 20;
/// More blobs of 4 MiB than any volume here holds.
const TOO_MANY: u64 = 100;

/// A server whose blobs without a reference stay for `grace`.
fn server_on(volume: &Volume, reserve: &str, grace: &str) -> Server {
    Server::builder()
        .open_to_everybody()
        .section("storage", volume.storage(reserve))
        .collection(json!({"interval": "1s", "grace": grace, "doomDelay": "0s"}))
        .start()
}

/// Demands that these very bytes come.
#[track_caller]
fn expect_blob(repository: &Repository, blob: &Blob) {
    let answer = repository.get_blob(&blob.digest).expect_status(200);
    assert!(answer.body == blob.bytes, "other bytes for {}", blob.digest);
}

/// Demands that an image can be pulled by its tag, wholly.
#[track_caller]
fn expect_whole(repository: &Repository, image: &Package, tag: &str) {
    repository.get_manifest(tag).expect_status(200);
    for blob in &image.blobs {
        expect_blob(repository, blob);
    }
}

#[test]
fn given_a_disk_at_its_reserve_when_pushed_to_then_507_while_reads_and_deletions_make_room_again() {
    // Given
    let volume = Volume::new(256);
    let server = server_on(&volume, "96MiB", "1h");
    let repository = Repository::new(&server.client(), "disks/full");
    let image = Image::new(1).build();
    repository.push(&image, "kept");
    let mut pushed = Vec::new();

    // When
    let refusal = (0..TOO_MANY).find_map(|number| {
        let blob = Blob::random(1_000 + number, BLOB);
        let answer = repository.start_upload().finish(&blob.digest, &blob.bytes);
        if answer.status == 201 {
            pushed.push(blob.digest);
            return None;
        }
        Some(answer)
    });

    // Then
    refusal
        .expect("a volume is full at some time")
        .expect_error(507, "BLOB_UPLOAD_INVALID");
    assert!(pushed.len() > 10, "only {} blobs fitted", pushed.len());
    expect_whole(&repository, &image, "kept");
    repository.get_blob(&pushed[0]).expect_status(200);
    // What lives in rows needs none of the space that the reserve keeps from files.
    repository.push_blob(&Blob::random(2, 1_000));
    for digest in &pushed {
        repository.delete_blob(digest).expect_status(202);
    }
    let blob = Blob::random(3, BLOB);
    until("a push after space was freed", || {
        let answer = repository.start_upload().finish(&blob.digest, &blob.bytes);
        (answer.status == 201).then_some(())
    });
    expect_blob(&repository, &blob);
    expect_whole(&repository, &image, "kept");
}

#[test]
fn given_a_disk_that_others_filled_when_pushed_to_then_refused_while_everything_can_be_read_and_healed_without_restart()
 {
    // Given
    let volume = Volume::new(128);
    let server = server_on(&volume, "0", "1h");
    let repository = Repository::new(&server.client(), "disks/filled");
    let image = Image::new(1).build();
    repository.push(&image, "kept");
    volume.fill();

    // When
    let mut acknowledged = Vec::new();
    let refusal = (0..20_000).find_map(|number| {
        let blob = Blob::random(1_000 + number, 8_000);
        let answer = repository.post_blob(&blob);
        if answer.status == 201 {
            acknowledged.push(blob);
            return None;
        }
        Some(answer)
    });

    // Then
    let refusal = refusal.expect("a full disk takes no rows for ever");
    assert!(
        matches!(refusal.status, 500 | 503 | 507),
        "{}: {}",
        refusal.status,
        refusal.text()
    );
    until("reads on a full disk", || {
        (repository.head_manifest("kept").status == 200).then_some(())
    });
    expect_whole(&repository, &image, "kept");
    volume.relieve();
    until("a push after space was freed", || {
        let answer = repository.post_blob(&Blob::random(4, 8_000));
        (answer.status == 201).then_some(())
    });
    expect_whole(&repository, &image, "kept");
    eprintln!("{} blobs were acknowledged on the full disk", acknowledged.len());
    for blob in acknowledged {
        expect_blob(&repository, &blob);
    }
}

#[test]
fn given_a_file_system_that_turned_read_only_when_used_then_pulls_go_on_and_after_its_repair_all_is_there() {
    // Given
    let volume = Volume::new(128);
    let mut server = server_on(&volume, "0", "1h");
    let repository = Repository::new(&server.client(), "disks/broken");
    let image = Image::new(1).build();
    repository.push(&image, "kept");
    let large = repository.push_large();

    // When
    volume.break_down();

    // Then
    let refused = repository.post_blob(&Blob::random(2, 1_000));
    assert!(refused.status >= 500, "{}", refused.text());
    let refused = repository.start_upload_answer();
    assert!(refused >= 500, "an upload began with {refused}");
    until("reads of a read-only disk", || {
        (repository.head_manifest("kept").status == 200).then_some(())
    });
    expect_whole(&repository, &image, "kept");
    expect_blob(&repository, &large);
    // Ready to read is ready: taken out of service it would serve nobody.
    until("readiness that names the stores which take no writes", || {
        let answer = server.operations().get("/readyz").send().expect_status(200);
        let text = answer.text();
        let told = ["writes fail: metadata: ", "writes fail: blobs: "].map(|line| text.contains(line));
        (told == [true; 2]).then_some(())
    });
    let metrics = server.operations().get("/metrics").send().expect_status(200);
    for store in ["metadata", "blobs"] {
        let line = format!("zas_store_writes_failing{{store=\"{store}\"}} 1");
        assert!(metrics.text().contains(&line), "no {line}");
    }

    // And when it was repaired
    server.kill();
    volume.repair();
    server.restart();
    let repository = repository.seen_by(&server.client());
    expect_whole(&repository, &image, "kept");
    expect_blob(&repository, &large);
    repository.push(&Image::new(5).build(), "after");
}

/// What only these tests ask of a repository.
trait Ask {
    fn push_large(&self) -> Blob;
    fn start_upload_answer(&self) -> u16;
}

impl Ask for Repository {
    fn push_large(&self) -> Blob {
        let blob = Blob::random(9, BLOB);
        self.start_upload()
            .finish(&blob.digest, &blob.bytes)
            .expect_status(201);
        blob
    }

    fn start_upload_answer(&self) -> u16 {
        self.client.post(&self.uploads_path()).send().status
    }
}
