//! Connections that their clients leave in the middle of something: on every route and with every answer they end, and
//! what is left for others is enough.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use zas_tests::{
    Blob, Blobs, Client, Credentials, Image, Metadata, RawConnection, Repository, Server, ServerBuilder,
};

use crate::wait::until;

/// As in the field, where each of so many stayed.
const CONNECTIONS: usize = 40;

/// Threads of the server may begin after it is ready, each with a socket for signals.
const OWN_SOCKETS: usize = 4;

/// Far more than the descriptors.
const REFUSALS: usize = 400;
const DESCRIPTORS: usize = 300;

const CHUNK: usize = 64 * 1024;
const BLOB_LIMIT: usize = 300_000;

/// An upload that nobody has.
const UNKNOWN: &str = "11111111-1111-4111-8111-111111111111";

fn alice() -> Credentials {
    Credentials::new("alice", "right")
}

/// Alice may push to `t` and delete nothing; strangers may do nothing.
fn server() -> ServerBuilder {
    Server::builder()
        .blobs(Blobs::Filesystem)
        .user(alice())
        .access_control(json!({"repositories": {
            "t/**": {"policies": [{"users": ["alice"], "actions": ["read", "create", "update"]}]},
            "d/**": {"policies": [{"users": ["alice"], "actions": ["read", "create", "update", "delete"]}]},
        }}))
        .limits(json!({"blobSize": BLOB_LIMIT}))
}

/// Sends a request with a chunked body of so many chunks, and another request behind it.
fn send(client: &Client, method: &str, path: &str, chunks: usize) -> RawConnection {
    let mut connection = client.connect();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\n{}Transfer-Encoding: chunked\r\n\r\n",
        client.authority(),
        client.authorization_line(),
    );
    connection.send(head.as_bytes());
    let mut chunk = format!("{CHUNK:x}\r\n").into_bytes();
    chunk.resize(chunk.len() + CHUNK, b'x');
    chunk.extend_from_slice(b"\r\n");
    for _ in 0..chunks {
        connection.send(&chunk);
    }
    let next = format!(
        "0\r\n\r\nGET /v2/ HTTP/1.1\r\nHost: {}\r\n\r\n",
        client.authority()
    );
    connection.send(next.as_bytes());
    connection
}

/// Sockets that the server has open.
fn sockets(server: &Server) -> usize {
    let entries = fs::read_dir(format!("/proc/{}/fd", server.process_id())).expect("the process is ours");
    entries
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .filter(|target| target.to_string_lossy().starts_with("socket:"))
        .count()
}

#[track_caller]
fn expect_all_freed(
    server: &Server,
    client: &Client,
    (method, path): (&str, &str),
    status: u16,
    chunks: usize,
) {
    let before = sockets(server);
    for _ in 0..CONNECTIONS {
        let mut connection = send(client, method, path, chunks);
        let answer = connection.required_response();
        assert_eq!(answer.status, status, "{method} {path}");
        let ends = answer.header("connection") == Some("close");
        if ends {
            assert!(connection.is_closed_by_server(), "{method} {path}: it stays open");
        } else {
            // It has read the body and answers what comes next.
            connection.required_response();
        }
    }
    until(&format!("{method} {path} ({status}): sockets are freed"), || {
        (sockets(server) <= before + OWN_SOCKETS).then_some(())
    });
}

#[test]
fn given_chunked_bodies_on_any_route_when_answered_before_their_end_then_every_socket_is_freed() {
    // Given
    let server = server().start();
    let anonymous = server.client();
    let wrong = anonymous.with_credentials(Some(Credentials::new("alice", "wrong")));
    let right = anonymous.with_credentials(Some(alice()));
    let repository = Repository::new(&right, "t/x");
    let blob = Blob::random(1, 50_000);
    repository.push_blob(&blob);
    let uploads = "/v2/t/x/blobs/uploads/";
    let upload = format!("{uploads}{UNKNOWN}");
    let mount = |digest: &str| format!("/v2/t/y/blobs/uploads/?mount={digest}&from=t/x");
    let (there, missing) = (mount(&blob.digest), mount(&Blob::random(2, 10).digest));
    let large = format!("{uploads}?digest={}", Blob::random(3, 10).digest);
    let (known, unknown) = (
        format!("/v2/t/x/blobs/{}", blob.digest),
        format!("/v2/d/x/blobs/{}", blob.digest),
    );

    // When, Then
    for (client, method, path, status, chunks) in [
        (&wrong, "PATCH", upload.as_str(), 401, 16),
        (&anonymous, "PATCH", &upload, 401, 16),
        (&right, "PATCH", &upload, 404, 16),
        (&right, "PUT", &upload, 404, 16),
        (&right, "POST", &there, 201, 8),
        (&right, "POST", &missing, 202, 8),
        (&right, "POST", uploads, 202, 8),
        (&right, "POST", &large, 413, 16),
        (&anonymous, "GET", "/v2/t/x/tags/list", 401, 8),
        (&right, "GET", "/v2/t/x/tags/list", 404, 8),
        (&right, "DELETE", &known, 403, 8),
        (&right, "DELETE", &unknown, 404, 8),
        (&right, "POST", &known, 405, 8),
        (&right, "PUT", "/v2/t/x/manifests/UPPER/../x", 404, 80),
        (&right, "POST", "/nowhere", 404, 8),
        (&wrong, "GET", "/v2/", 401, 1),
    ] {
        expect_all_freed(&server, client, (method, path), status, chunks);
    }
}

#[test]
fn given_a_full_disk_when_chunked_bodies_are_refused_then_every_socket_is_freed() {
    // More than any disk has.
    let server = server()
        .section("storage", json!({"blobs": {"reserve": "900TiB"}}))
        .start();
    let client = server.client().with_credentials(Some(alice()));
    let path = format!("/v2/t/x/blobs/uploads/?digest={}", Blob::random(3, 10).digest);
    expect_all_freed(&server, &client, ("POST", &path), 507, 4);
}

/// A program that is the server with few descriptors.
fn with_few_descriptors(directory: &tempfile::TempDir) -> PathBuf {
    let server = std::env::var_os("ZAS_SERVER_BINARY").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../bin/zot-artifact-store"),
        PathBuf::from,
    );
    let server = server.canonicalize().expect("the server is built");
    let program = directory.path().join("server");
    let mut options = fs::File::options();
    let mut file = options
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o755)
        .open(&program)
        .expect("the temporary directory is writable");
    let script = format!(
        "#!/bin/sh\nulimit -n {DESCRIPTORS}\nexec '{}' \"$@\"\n",
        server.display()
    );
    file.write_all(script.as_bytes())
        .expect("the temporary directory is writable");
    program
}

#[test]
fn given_more_refused_bodies_than_descriptors_when_others_come_then_they_and_the_probes_are_answered() {
    // Given
    let directory = tempfile::tempdir().expect("there is room");
    let server = server().program(with_few_descriptors(&directory)).start();
    let anonymous = server.client();
    let wrong = anonymous.with_credentials(Some(Credentials::new("alice", "wrong")));
    let upload = format!("/v2/t/x/blobs/uploads/{UNKNOWN}");

    // When: all at once, and nobody reads an answer or hangs up.
    let mut hanging = Vec::new();
    for number in 0..REFUSALS {
        hanging.push(send(&wrong, "PATCH", &upload, if number < 40 { 16 } else { 1 }));
        if number % 40 == 0 {
            server.operations().get("/livez").send().expect_status(200);
        }
    }

    // Then
    server.operations().get("/livez").send().expect_status(200);
    server.operations().get("/readyz").send().expect_status(200);
    let good = anonymous.with_credentials(Some(alice()));
    Repository::new(&good, "t/good").push(&Image::new(1).build(), "meanwhile");
    assert!(!server.log().contains("Too many open files"), "{}", server.log());
    drop(hanging);
}

#[test]
fn given_more_bytes_than_the_disk_has_when_announced_then_refused_at_once() {
    let server = Server::builder()
        .blobs(Blobs::Filesystem)
        .open_to_everybody()
        .start();
    let client = server.client();
    let mut connection = client.connect();
    let head = format!(
        "POST /v2/t/x/blobs/uploads/?digest={} HTTP/1.1\r\nHost: {}\r\nContent-Length: 1000000000000000\r\n\r\nx",
        Blob::random(1, 10).digest,
        client.authority()
    );
    connection.send(head.as_bytes());
    connection
        .required_response()
        .expect_error(507, "BLOB_UPLOAD_INVALID");
    assert!(connection.is_closed_by_server(), "what comes is not wanted");
}

#[test]
fn given_an_upload_under_way_when_told_to_stop_then_its_bytes_are_kept_and_the_log_tells_of_it() {
    // Given
    let mut server = Server::builder()
        .metadata(Metadata::RocksDb)
        .blobs(Blobs::Filesystem)
        .open_to_everybody()
        .section("http", json!({"shutdownGrace": "1s"}))
        .start();
    let repository = Repository::new(&server.client(), "t/x");
    let upload = repository.start_upload();
    let mut connection = repository.client.connect();
    let length = 3 * CHUNK;
    let head = format!(
        "PATCH {} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n",
        upload.path(),
        repository.client.authority(),
        10 * CHUNK
    );
    connection.send(head.as_bytes());
    connection.send(&vec![7; length]);
    until("the upload is under way", || {
        let page = server.operations().get("/metrics").send().text();
        page.lines()
            .any(|line| line == "zas_uploads_in_flight 1")
            .then_some(())
    });

    // When
    server.stop();

    // Then
    let answer = connection.required_response().expect_status(503);
    assert!(
        answer.text().contains("the server is stopping"),
        "{}",
        answer.text()
    );
    assert!(server.log().contains("are cut off"), "{}", server.log());
    server.restart();
    let path = upload.path().to_owned();
    let seen = server.client().get(&path).send();
    seen.expect_status(204)
        .expect_header("range", &format!("0-{}", length - 1));
}

/// Bytes in files of the server's blob store.
fn stored_bytes(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => stored_bytes(&entry.path()),
            Ok(found) => found.len(),
            // It was deleted meanwhile.
            Err(_) => 0,
        })
        .sum()
}

#[test]
fn given_pushes_that_are_reset_in_the_middle_when_collected_then_nothing_is_left_and_the_log_names_them() {
    // Given
    let server = Server::builder()
        .metadata(Metadata::RocksDb)
        .blobs(Blobs::Filesystem)
        .open_to_everybody()
        .collection(json!({"interval": "1s", "doomDelay": "0s", "uploadExpiry": "24h"}))
        .start();
    let client = server.client();
    let blobs = server.directory().join("data/blobs");
    let before = stored_bytes(&blobs);

    // When
    for framing in ["Content-Length: 50000000", "Transfer-Encoding: chunked"] {
        let mut connection = client.connect();
        let head = format!(
            "POST /v2/t/x/blobs/uploads/?digest={} HTTP/1.1\r\nHost: {}\r\n{framing}\r\n\r\n",
            Blob::random(1, 10).digest,
            client.authority(),
        );
        connection.send(head.as_bytes());
        let mut chunk = format!("{CHUNK:x}\r\n").into_bytes();
        chunk.resize(chunk.len() + CHUNK, b'x');
        chunk.extend_from_slice(b"\r\n");
        for _ in 0..32 {
            connection.send(&chunk);
        }
        until("bytes are stored", || {
            (stored_bytes(&blobs) > before + CHUNK as u64).then_some(())
        });
        connection.reset();

        // Then
        until("the bytes are gone", || {
            (stored_bytes(&blobs) <= before).then_some(())
        });
    }
    let pushes = server
        .log()
        .lines()
        .filter(|line| {
            line.contains("access") && line.contains("method=\"POST\"") && line.contains("status=400")
        })
        .count();
    assert_eq!(pushes, 2, "{}", server.log());
}

#[test]
fn given_a_push_whose_client_leaves_when_it_is_committed_then_the_log_has_a_line_of_it() {
    // Given
    let server = server().start();
    let client = server.client().with_credentials(Some(alice()));
    let repository = Repository::new(&client, "t/x");
    let blob = Blob::random(1, 10_000);
    let mut connection = client.connect();
    let head = format!(
        "POST /v2/t/x/blobs/uploads/?digest={} HTTP/1.1\r\nHost: {}\r\n{}Content-Length: {}\r\n\r\n",
        blob.digest,
        client.authority(),
        client.authorization_line(),
        blob.bytes.len(),
    );

    // When
    connection.send(head.as_bytes());
    connection.send(&blob.bytes);
    connection.finish_writing();
    drop(connection);

    // Then
    until("the push is committed", || {
        (repository.head_blob(&blob.digest).status == 200).then_some(())
    });
    until("the log tells of it", || {
        let is_told = |line: &str| line.contains("method=\"POST\"") && line.contains("status=201");
        server.log().lines().any(is_told).then_some(())
    });
}
