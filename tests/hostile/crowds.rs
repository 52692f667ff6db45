//! Clients that dawdle and uploads that nobody ends: everybody else is served, memory stays bounded, and at the end
//! nothing is left.

use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::json;
use zas_tests::{Blob, Blobs, Image, Metadata, RawConnection, Repository, Server, stored_files};

use crate::memory::own_mebibytes;
use crate::wait::until;

const DAWDLERS: usize = 300;
const UPLOADS: u64 = 10_000;
const PUSHERS: u64 = 8;
const MAX_MEBIBYTES: u64 = 192;

fn dawdle(repository: &Repository, request: &str) -> Vec<RawConnection> {
    let open = |_| {
        let mut connection = repository.client.connect();
        connection.send(request.as_bytes());
        connection
    };
    (0..DAWDLERS).map(open).collect()
}

#[test]
fn given_hundreds_of_clients_that_dawdle_when_others_come_then_they_are_served_and_the_dawdlers_cut_off() {
    // Given
    let server = Server::builder()
        .metadata(Metadata::RocksDb)
        .blobs(Blobs::Filesystem)
        .open_to_everybody()
        .limits(json!({"requestHeaderTimeout": "2s"}))
        .start();
    let repository = Repository::new(&server.client(), "crowds/slow");
    let large = Blob::random(1, 8 << 20);
    repository
        .start_upload()
        .finish(&large.digest, &large.bytes)
        .expect_status(201);
    let upload = repository.start_upload();
    let host = repository.client.authority();
    let before = own_mebibytes(server.process_id());

    // When
    let mut in_headers = dawdle(&repository, "GET /v2/ HTTP/1.1\r\nHost");
    let mut in_body = dawdle(
        &repository,
        &format!(
            "POST /v2/crowds/slow/blobs/uploads/?digest={} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 8388608\r\n\r\nslow",
            large.digest
        ),
    );
    let readers = dawdle(
        &repository,
        &format!(
            "GET /v2/crowds/slow/blobs/{} HTTP/1.1\r\nHost: {host}\r\n\r\n",
            large.digest
        ),
    );

    // Then
    repository.push(&Image::new(2).build(), "meanwhile");
    drop(upload);
    let after = own_mebibytes(server.process_id());
    eprintln!("{before} MiB before, {after} MiB with {} dawdlers", 3 * DAWDLERS);
    assert!(after < before + MAX_MEBIBYTES, "{before} MiB became {after} MiB");
    for connection in &mut in_headers {
        let answer = connection.response();
        assert!(
            answer.is_none_or(|answer| answer.status == 408),
            "headers that never end"
        );
        assert!(
            connection.is_closed_by_server(),
            "a request without end of headers stays"
        );
    }
    repository.push(&Image::new(3).build(), "later");
    drop(readers);
    in_body.iter_mut().for_each(RawConnection::finish_writing);
    drop(in_body);
    until("the uploads that broke off are gone", || {
        let page = server.operations().get("/metrics").send().text();
        page.lines()
            .any(|line| line == "zas_uploads_in_flight 0")
            .then_some(())
    });
    assert!(repository.get_blob(&large.digest).body == large.bytes);
}

#[test]
fn given_ten_thousand_open_uploads_when_the_server_goes_on_then_it_starts_serves_and_forgets_them() {
    // Given
    let mut server = Server::builder()
        .metadata(Metadata::RocksDb)
        .blobs(Blobs::Filesystem)
        .open_to_everybody()
        .limits(json!({"openUploads": 40_000}))
        .start();
    let repository = Repository::new(&server.client(), "crowds/open");
    let before = own_mebibytes(server.process_id());
    thread::scope(|scope| {
        for pusher in 0..PUSHERS {
            let repository = repository.seen_by(&server.client());
            scope.spawn(move || {
                for number in 0..UPLOADS / PUSHERS {
                    let mut upload = repository.start_upload();
                    // Every tenth has bytes in a file of its own.
                    let length = if number % 10 == 0 { 20_000 } else { 100 };
                    let bytes = zas_tests::random_bytes(pusher * UPLOADS + number, length);
                    upload.stream(&bytes).expect_status(202);
                }
            });
        }
    });

    // When
    let after = own_mebibytes(server.process_id());
    eprintln!("{before} MiB before, {after} MiB with {UPLOADS} open uploads");
    repository.push(&Image::new(1).build(), "meanwhile");
    server.kill();
    server.restart();

    // Then
    assert!(after < before + MAX_MEBIBYTES, "{before} MiB became {after} MiB");
    let repository = repository.seen_by(&server.client());
    repository.get_manifest("meanwhile").expect_status(200);
    let files = || stored_files(&server.directory().join("data/blobs")).len();
    assert!(files() >= UPLOADS as usize / 10, "only {} files", files());
    let configuration = fs::read_to_string(server.directory().join("config.json")).expect("it is there");
    let mut configuration: serde_json::Value = serde_json::from_str(&configuration).expect("it is JSON");
    if let Some(sections) = configuration.as_object_mut() {
        let timing = json!({"interval": "1s", "grace": "1h", "doomDelay": "0s", "uploadExpiry": "1s"});
        sections.insert("collection".to_owned(), timing);
    }
    thread::sleep(Duration::from_secs(1));
    server.replace_file("config.json", &configuration.to_string());
    let kept = Image::new(1)
        .build()
        .blobs
        .iter()
        .filter(|blob| blob.bytes.len() > 16_384)
        .count();
    until("nothing is left of the uploads", || {
        (files() == kept).then_some(())
    });
    repository.get_manifest("meanwhile").expect_status(200);
    repository.push(&Image::new(2).build(), "after");
}
