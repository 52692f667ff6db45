//! Uploads that survive the death of the server.

use zas_tests::{Blob, Blobs, Client, Metadata, Repository, Response, Server, Upload};

const SIZE: usize = 40 * 1024 * 1024;
const HALF: usize = SIZE / 2;

fn durable_server() -> Server {
    Server::builder()
        .metadata(Metadata::RocksDb)
        .blobs(Blobs::Filesystem)
        .open_to_everybody()
        .start()
}

/// How many bytes the server says it has: the end of the range is inclusive.
#[track_caller]
fn received(status: &Response) -> usize {
    let range = status.required_header("range");
    let end = range.strip_prefix("0-").and_then(|end| end.parse::<usize>().ok());
    end.unwrap_or_else(|| panic!("the range {range} does not name an end")) + 1
}

/// Sends the bytes from `first` on, as a client does that has lost its connection and found the server again.
#[track_caller]
fn send_rest(client: &Client, location: &str, blob: &Blob, first: usize) -> String {
    let range = format!("{first}-{}", SIZE - 1);
    let request = client.patch(location).header("content-range", &range);
    let answer = request
        .header("content-type", "application/octet-stream")
        .body(&blob.bytes[first..])
        .send();
    answer.expect_status(202).required_header("location").to_owned()
}

#[track_caller]
fn finish(client: &Client, location: &str, blob: &Blob) {
    client
        .put(&zas_tests::with_query(location, &[("digest", &blob.digest)]))
        .send()
        .expect_status(201);
    let answer = Repository::new(client, "team/app")
        .get_blob(&blob.digest)
        .expect_status(200);
    answer.expect_body(&blob.bytes);
}

/// The server has a new port: the path of the location is what lasts.
fn path_of(upload: &Upload) -> String {
    upload.path().to_owned()
}

#[test]
fn given_half_an_upload_when_the_server_is_killed_and_restarted_then_the_upload_goes_on_where_it_was() {
    // Given
    let mut server = durable_server();
    let blob = Blob::random(5, SIZE);
    let mut upload = Repository::new(&server.client(), "team/app").start_upload();
    upload.send_chunk(0, &blob.bytes[..HALF]).expect_status(202);
    let location = path_of(&upload);

    // When
    server.kill();
    server.restart();

    // Then
    let client = server.client();
    let status = client.get(&location).send().expect_status(204);
    assert_eq!(received(&status), HALF, "an acknowledged half is there");
    let location = send_rest(&client, status.required_header("location"), &blob, HALF);
    finish(&client, &location, &blob);
}

#[test]
fn given_a_server_killed_while_receiving_when_restarted_then_it_says_what_it_has_and_takes_the_rest() {
    // Given an acknowledged half and a second half cut off by the death of the server
    let mut server = durable_server();
    let blob = Blob::random(6, SIZE);
    let client = server.client();
    let mut upload = Repository::new(&client, "team/app").start_upload();
    upload.send_chunk(0, &blob.bytes[..HALF]).expect_status(202);
    let location = path_of(&upload);
    let mut connection = client.connect();
    let head = format!(
        "PATCH {location} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/octet-stream\r\n\
         Content-Range: {HALF}-{}\r\nContent-Length: {HALF}\r\n\r\n",
        client.authority(),
        SIZE - 1
    );
    connection.send(head.as_bytes());
    connection.send(&blob.bytes[HALF..HALF + HALF / 2]);

    // When
    server.kill();
    server.restart();

    // Then
    let client = server.client();
    let status = client.get(&location).send().expect_status(204);
    let first = received(&status);
    assert!(
        (HALF..=HALF + HALF / 2).contains(&first),
        "{first} bytes were neither acknowledged nor sent"
    );
    let location = send_rest(&client, status.required_header("location"), &blob, first);
    finish(&client, &location, &blob);
}
