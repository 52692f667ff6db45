//! Bad input: requests that lie about their length, stop in the middle or are no HTTP.

use zas_tests::{Blob, Image, RawConnection, with_query};

use super::bad_paths::expect_alive;
use super::blobs::{expect_pushed, expect_served};
use super::cases;
use crate::fixture::Fixture;

cases!(bad_requests:
    given_a_truncated_closing_put_when_the_client_goes_then_nothing_is_stored,
    given_a_truncated_chunk_when_the_client_returns_then_the_upload_goes_on,
    given_a_truncated_post_when_the_client_goes_then_nothing_is_stored,
    given_a_truncated_manifest_when_the_client_goes_then_nothing_is_stored,
    given_a_broken_chunked_body_when_sent_then_refused,
    given_a_body_that_stalls_when_the_limit_is_over_then_given_up,
    given_a_manifest_announced_too_large_when_sent_then_413_at_once,
    given_two_lengths_when_sent_then_400,
    given_a_length_and_chunks_when_sent_then_refused_or_the_connection_is_closed,
    given_wrong_lengths_when_sent_then_400,
    given_many_headers_when_sent_then_refused_or_served,
    given_a_huge_header_when_sent_then_refused,
    given_headers_that_never_end_when_the_limit_is_over_then_closed,
    given_bytes_that_are_no_http_when_sent_then_refused,
    given_an_unknown_method_when_sent_then_refused,
    given_a_request_without_host_when_sent_then_refused,
    given_no_digest_when_closed_then_400,
    given_two_digests_when_closed_then_refused,
    given_a_digest_of_other_content_when_the_close_is_repeated_then_only_right_content_is_stored,
);

/// The first lines of a request with these further headers, each ended by CRLF.
fn head(fixture: &Fixture<'_>, method: &str, path: &str, headers: &str) -> Vec<u8> {
    let host = fixture.client.authority();
    let authorization = fixture.client.authorization_line();
    format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}{headers}\r\n").into_bytes()
}

fn open(fixture: &Fixture<'_>, method: &str, path: &str, headers: &str) -> RawConnection {
    let mut connection = fixture.client.connect();
    connection.send(&head(fixture, method, path, headers));
    connection
}

/// Hangs up in the middle of a body. An answer is allowed, success is not.
#[track_caller]
fn hang_up(mut connection: RawConnection) {
    connection.finish_writing();
    if let Some(answer) = connection.response() {
        assert!(
            answer.status >= 400,
            "{}: {} for a body cut short",
            answer.request,
            answer.status
        );
    }
}

fn given_a_truncated_closing_put_when_the_client_goes_then_nothing_is_stored(fixture: &Fixture<'_>) {
    for size in [1_000, 200_000] {
        let (repository, blob) = (fixture.repository(), Blob::random(fixture.seed(), size));
        let upload = repository.start_upload();
        let path = with_query(upload.path(), &[("digest", &blob.digest)]);
        let mut connection = open(fixture, "PUT", &path, &format!("Content-Length: {size}\r\n"));
        connection.send(&blob.bytes[..size - 1]);
        hang_up(connection);
        repository.head_blob(&blob.digest).expect_status(404);
        expect_pushed(&repository, &blob, repository.push_blob(&blob));
    }
}

fn given_a_truncated_chunk_when_the_client_returns_then_the_upload_goes_on(fixture: &Fixture<'_>) {
    let (repository, blob) = (fixture.repository(), Blob::random(fixture.seed(), 200_000));
    let mut upload = repository.start_upload();
    upload.send_chunk(0, &blob.bytes[..50_000]).expect_status(202);
    let headers = "Content-Range: 50000-199999\r\nContent-Length: 150000\r\n";
    let mut connection = open(fixture, "PATCH", upload.path(), headers);
    connection.send(&blob.bytes[50_000..120_000]);
    hang_up(connection);
    // Whatever part of the broken chunk was kept, the status tells where to go on.
    let status = upload.status().expect_status(204);
    let last: usize = status
        .required_header("range")
        .trim_start_matches("0-")
        .parse()
        .unwrap();
    assert!((49_999..120_000).contains(&last), "the upload ends at {last}");
    upload
        .send_chunk(last + 1, &blob.bytes[last + 1..])
        .expect_status(202);
    expect_pushed(&repository, &blob, upload.finish(&blob.digest, &[]));
}

fn given_a_truncated_post_when_the_client_goes_then_nothing_is_stored(fixture: &Fixture<'_>) {
    for size in [1_000, 200_000] {
        let (repository, blob) = (fixture.repository(), Blob::random(fixture.seed(), size));
        let path = with_query(&repository.uploads_path(), &[("digest", &blob.digest)]);
        let mut connection = open(fixture, "POST", &path, &format!("Content-Length: {size}\r\n"));
        connection.send(&blob.bytes[..size / 2]);
        hang_up(connection);
        repository.head_blob(&blob.digest).expect_status(404);
        expect_pushed(&repository, &blob, repository.push_blob(&blob));
    }
}

fn given_a_truncated_manifest_when_the_client_goes_then_nothing_is_stored(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let image = Image::new(fixture.seed()).build();
    for blob in &image.blobs {
        repository.push_blob(blob);
    }
    let bytes = &image.manifest.bytes;
    let headers = format!(
        "Content-Type: {}\r\nContent-Length: {}\r\n",
        image.manifest.media_type,
        bytes.len() + 10
    );
    let mut connection = open(fixture, "PUT", &repository.manifest_path("cut"), &headers);
    connection.send(bytes);
    hang_up(connection);
    repository.head_manifest("cut").expect_status(404);
    expect_alive(fixture);
}

fn given_a_broken_chunked_body_when_sent_then_refused(fixture: &Fixture<'_>) {
    let (repository, blob) = (fixture.repository(), Blob::new(*b"hello"));
    let bodies: [&[u8]; 5] = [
        b"zz\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello",
        b"5\r\nhelloXX0\r\n\r\n",
        b"-5\r\nhello\r\n",
        b"fffffffffffffffff\r\nhello\r\n",
    ];
    for body in bodies {
        let upload = repository.start_upload();
        let path = with_query(upload.path(), &[("digest", &blob.digest)]);
        let mut connection = open(fixture, "PUT", &path, "Transfer-Encoding: chunked\r\n");
        connection.send(body);
        hang_up(connection);
        repository.head_blob(&blob.digest).expect_status(404);
    }
    expect_alive(fixture);
}

fn given_a_body_that_stalls_when_the_limit_is_over_then_given_up(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let upload = repository.start_upload();
    let at_once = with_query(
        &repository.uploads_path(),
        &[("digest", &Blob::random(1, 10).digest)],
    );
    let manifest = repository.manifest_path("stalled");
    let typed = "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n";
    let connections = [
        ("PATCH", upload.path(), "Content-Length: 1000\r\n".to_owned()),
        (
            "PATCH",
            upload.path(),
            "Transfer-Encoding: chunked\r\n".to_owned(),
        ),
        ("POST", &at_once, "Content-Length: 1000000\r\n".to_owned()),
        ("PUT", &manifest, format!("{typed}Content-Length: 1000\r\n")),
    ]
    .map(|(method, path, headers)| {
        let mut connection = open(fixture, method, path, &headers);
        connection.send(b"a\r\n0123456789");
        connection
    });
    // Nothing more comes: the server says so and hangs up, long before the test's own limit.
    let mut taken_over = 0;
    for (number, mut connection) in connections.into_iter().enumerate() {
        // Of the two requests for the upload, the one that is served later takes it over from the other.
        let expected: &[u16] = if number < 2 { &[408, 409] } else { &[408] };
        let answer = connection.required_response().expect_status_in(expected);
        taken_over += usize::from(answer.status == 409);
        answer.expect_header("connection", "close");
        assert!(connection.is_closed_by_server(), "it waits on");
    }
    assert!(taken_over <= 1, "who takes an upload over is not taken over too");
    let mut upload = upload;
    upload.status().expect_status(204);
    expect_alive(fixture);
}

fn given_a_manifest_announced_too_large_when_sent_then_413_at_once(fixture: &Fixture<'_>) {
    let path = fixture.repository().manifest_path("large");
    let headers =
        "Content-Type: application/vnd.oci.image.manifest.v1+json\r\nContent-Length: 5000000000\r\n";
    // Nothing of the body is sent: the announcement decides.
    open(fixture, "PUT", &path, headers)
        .required_response()
        .expect_error(413, "MANIFEST_INVALID");
    expect_alive(fixture);
}

fn given_two_lengths_when_sent_then_400(fixture: &Fixture<'_>) {
    let path = fixture.repository().uploads_path();
    let mut connection = open(
        fixture,
        "POST",
        &path,
        "Content-Length: 0\r\nContent-Length: 5\r\n",
    );
    connection.send(b"hello");
    connection.required_response().expect_status(400);
    expect_alive(fixture);
}

fn given_a_length_and_chunks_when_sent_then_refused_or_the_connection_is_closed(fixture: &Fixture<'_>) {
    // Two readings of one message are how requests are smuggled past a proxy (RFC 9112 section 6.1).
    let repository = fixture.repository();
    let headers = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n";
    let mut connection = open(fixture, "POST", &repository.uploads_path(), headers);
    connection.send(b"0\r\n\r\nGET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n");
    let first = connection.required_response();
    if first.status != 400 {
        assert!(first.status < 300 || first.status >= 400, "{}", first.status);
    }
    expect_alive(fixture);
}

fn given_wrong_lengths_when_sent_then_400(fixture: &Fixture<'_>) {
    let path = fixture.repository().uploads_path();
    for length in ["-1", "abc", "1e3", "0x10", "99999999999999999999999999"] {
        let answer =
            open(fixture, "POST", &path, &format!("Content-Length: {length}\r\n")).required_response();
        answer.expect_status(400);
    }
    expect_alive(fixture);
}

fn given_many_headers_when_sent_then_refused_or_served(fixture: &Fixture<'_>) {
    for count in [50, 1_000] {
        let headers: String = (0..count)
            .map(|number| format!("X-Header-{number}: value\r\n"))
            .collect();
        let answer = open(fixture, "GET", "/v2/", &headers).required_response();
        answer.expect_status_in(&[200, 400, 431]);
    }
    expect_alive(fixture);
}

fn given_a_huge_header_when_sent_then_refused(fixture: &Fixture<'_>) {
    for size in [200_000, 5_000_000] {
        let headers = format!("X-Huge: {}\r\n", "a".repeat(size));
        if let Some(answer) = open(fixture, "GET", "/v2/", &headers).response() {
            answer.expect_status_in(&[400, 431]);
        }
    }
    expect_alive(fixture);
}

fn given_headers_that_never_end_when_the_limit_is_over_then_closed(fixture: &Fixture<'_>) {
    let mut connection = fixture.client.connect();
    connection.send(b"GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    if let Some(answer) = connection.response() {
        answer.expect_status_in(&[400, 408]);
    }
    assert!(
        connection.is_closed_by_server(),
        "a slow client keeps its connection"
    );
    expect_alive(fixture);
}

fn given_bytes_that_are_no_http_when_sent_then_refused(fixture: &Fixture<'_>) {
    let inputs: [&[u8]; 5] = [
        b"\0\0\0\0\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET /v2/\r\n\r\n",
        b"GET /v2/ HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    ];
    for bytes in inputs {
        let mut connection = fixture.client.connect();
        connection.send(bytes);
        connection.finish_writing();
        if let Some(answer) = connection.response() {
            answer.expect_status_in(&[400, 505]);
        }
    }
    expect_alive(fixture);
}

fn given_an_unknown_method_when_sent_then_refused(fixture: &Fixture<'_>) {
    let path = fixture.repository().tags_path();
    for method in ["BREW", "get", "PROPFIND", "TRACE", "CONNECT"] {
        open(fixture, method, &path, "")
            .required_response()
            .expect_status_in(&[400, 405, 501]);
    }
    expect_alive(fixture);
}

fn given_a_request_without_host_when_sent_then_refused(fixture: &Fixture<'_>) {
    let mut connection = fixture.client.connect();
    let authorization = fixture.client.authorization_line();
    connection.send(format!("GET /v2/ HTTP/1.1\r\n{authorization}\r\n").as_bytes());
    // RFC 9112 section 3.2 demands 400; a server that does not look at the host does no harm by answering.
    connection.required_response().expect_status_in(&[200, 400]);
}

fn given_no_digest_when_closed_then_400(fixture: &Fixture<'_>) {
    let (repository, blob) = (fixture.repository(), Blob::random(fixture.seed(), 100));
    let mut upload = repository.start_upload();
    upload.send_chunk(0, &blob.bytes).expect_status(202);
    for path in [
        upload.location.clone(),
        with_query(&upload.location, &[("digest", "")]),
    ] {
        fixture
            .client
            .put(&path)
            .send()
            .expect_error(400, "DIGEST_INVALID");
    }
    expect_pushed(&repository, &blob, upload.finish(&blob.digest, &[]));
}

fn given_two_digests_when_closed_then_refused(fixture: &Fixture<'_>) {
    let (repository, blob) = (fixture.repository(), Blob::random(fixture.seed(), 100));
    let other = Blob::random(fixture.seed(), 100);
    let upload = repository.start_upload();
    let path = with_query(
        &upload.location,
        &[("digest", &other.digest), ("digest", &blob.digest)],
    );
    let answer = fixture
        .client
        .put(&path)
        .body(&blob.bytes)
        .send()
        .expect_status_in(&[201, 400]);
    repository.head_blob(&other.digest).expect_status(404);
    if answer.status == 201 {
        expect_served(&repository, &blob);
    }
}

fn given_a_digest_of_other_content_when_the_close_is_repeated_then_only_right_content_is_stored(
    fixture: &Fixture<'_>,
) {
    let (repository, blob) = (fixture.repository(), Blob::random(fixture.seed(), 100));
    let other = Blob::random(fixture.seed(), 100);
    let mut upload = repository.start_upload();
    upload.send_chunk(0, &blob.bytes).expect_status(202);
    upload
        .finish(&other.digest, &[])
        .expect_error(400, "DIGEST_INVALID");
    // The session may live on or not, but it never makes a blob out of other bytes.
    let answer = upload.finish(&blob.digest, &[]).expect_status_in(&[201, 404]);
    repository.head_blob(&other.digest).expect_status(404);
    if answer.status == 201 {
        expect_served(&repository, &blob);
    }
}
