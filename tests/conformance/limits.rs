//! Limits that take a server of their own.

use std::time::Duration;

use serde_json::json;
use zas_tests::{Blob, Client, Credentials, Image, RawConnection, Repository, Response, Server, with_query};

fn open_repository(limits: serde_json::Value) -> (Server, Repository) {
    let server = Server::builder().open_to_everybody().limits(limits).start();
    let repository = Repository::new(&server.client(), "limits/repository");
    (server, repository)
}

/// Demands a refusal that says when to come back.
#[track_caller]
fn expect_too_many(answer: Response) {
    let answer = answer.expect_error(429, "TOOMANYREQUESTS");
    let wait: u64 = answer
        .required_header("retry-after")
        .parse()
        .expect("Retry-After is in seconds");
    assert!((1..=3_600).contains(&wait), "wait {wait} s");
}

#[test]
fn given_a_blob_over_the_limit_when_pushed_then_413() {
    let (_server, repository) = open_repository(json!({"blobSize": 100_000}));
    let (fits, too_large) = (Blob::random(1, 100_000), Blob::random(2, 100_001));

    repository.push_blob(&fits);
    repository
        .start_upload()
        .finish(&Blob::random(3, 100_000).digest, &Blob::random(3, 100_000).bytes)
        .expect_status(201);

    let at_once = with_query(&repository.uploads_path(), &[("digest", &too_large.digest)]);
    repository
        .client
        .post(&at_once)
        .body(&too_large.bytes)
        .send()
        .expect_error(413, "SIZE_INVALID");
    repository
        .start_upload()
        .finish(&too_large.digest, &too_large.bytes)
        .expect_error(413, "SIZE_INVALID");
    repository
        .start_upload()
        .stream(&too_large.bytes)
        .expect_error(413, "SIZE_INVALID");
    let mut upload = repository.start_upload();
    upload
        .send_chunk(0, &too_large.bytes[..60_000])
        .expect_status(202);
    upload
        .send_chunk(60_000, &too_large.bytes[60_000..])
        .expect_error(413, "SIZE_INVALID");
    repository.head_blob(&too_large.digest).expect_status(404);
    repository.push(&Image::new(4).build(), "alive");
}

#[test]
fn given_a_length_over_the_limit_when_announced_then_413_without_an_invitation_to_send() {
    let (_server, repository) = open_repository(json!({"blobSize": 100_000}));
    let upload = repository.start_upload();
    let digest = Blob::random(1, 10).digest;
    let at_once = with_query(&repository.uploads_path(), &[("digest", &digest)]);
    for (method, path) in [
        ("POST", at_once.as_str()),
        ("PATCH", upload.path()),
        ("PUT", &upload.closing_path(&digest)),
    ] {
        for length in [100_001, 1_000_000_000_000_000_u64] {
            for expectation in ["Expect: 100-continue\r\n", ""] {
                let mut connection = repository.client.connect();
                let head = format!(
                    "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {length}\r\n{expectation}\r\n",
                    repository.client.authority()
                );
                connection.send(head.as_bytes());
                connection.required_response().expect_error(413, "SIZE_INVALID");
                assert!(
                    connection.is_closed_by_server(),
                    "{method}: what comes is not wanted"
                );
            }
        }
    }
}

/// A PATCH whose body never ends.
fn stalled_chunk(client: &Client, path: &str) -> RawConnection {
    let mut connection = client.connect();
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: 1000000\r\n\r\n",
        client.authority()
    );
    connection.send(head.as_bytes());
    connection.send(&[7; 100]);
    connection
}

#[test]
fn given_more_uploads_than_allowed_when_sent_then_429_with_retry_after() {
    let (_server, repository) = open_repository(json!({"concurrentUploads": 1}));
    let first = repository.start_upload();
    let second = repository.client.post(&repository.uploads_path()).send();
    if second.status == 429 {
        return expect_too_many(second);
    }
    let location = second.required_header("location");
    let chunk = || repository.client.patch(location).body(b"more").send();

    let (stalled, refused) = until(|| {
        // Whichever of the two comes first takes the only place.
        let stalled = stalled_chunk(&repository.client, first.path());
        let answer = chunk();
        (answer.status == 429).then_some((stalled, answer))
    });

    expect_too_many(refused);
    // The place is free again once the stalled request is gone.
    drop(stalled);
    until(|| (chunk().status == 202).then_some(()));
}

/// What `attempt` finally gives.
fn until<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    for _ in 0..200 {
        if let Some(found) = attempt() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it did not happen within ten seconds")
}

#[test]
fn given_many_wrong_passwords_when_signing_in_then_429_with_retry_after() {
    let server = Server::builder()
        .user(Credentials::new("alice", "right"))
        .user(Credentials::new("bob", "right"))
        .section("auth", json!({"failedAttempts": {"count": 3, "window": "1m"}}))
        .start();
    let client = server.client();
    let ask = |name: &str, password: &str| {
        client
            .with_credentials(Some(Credentials::new(name, password)))
            .get("/v2/")
            .send()
    };
    // A client that sends the same wrong password twice has made one attempt.
    for guess in ["first", "first", "second", "third"] {
        ask("alice", guess).expect_error(401, "UNAUTHORIZED");
    }

    expect_too_many(ask("alice", "fourth"));

    // Somebody else at the same address is not locked out.
    ask("bob", "right").expect_status(200);
}

#[test]
fn given_no_access_rules_when_asked_then_users_may_do_everything_and_others_nothing() {
    let server = Server::builder().user(Credentials::new("alice", "right")).start();
    let repository = Repository::new(&server.client(), "plain/repository");
    let challenge = repository
        .client
        .get("/v2/")
        .send()
        .expect_error(401, "UNAUTHORIZED");
    challenge.expect_header(
        "www-authenticate",
        r#"Basic realm="zot-artifact-store", charset="UTF-8""#,
    );
    repository
        .client
        .post(&repository.uploads_path())
        .send()
        .expect_error(401, "UNAUTHORIZED");

    let alice = repository
        .client
        .with_credentials(Some(Credentials::new("alice", "right")));
    let image = Image::new(1).build();
    repository.seen_by(&alice).push(&image, "v1");
    repository
        .seen_by(&alice)
        .delete_manifest(&image.manifest.digest)
        .expect_status(202);
}

#[test]
fn given_a_larger_manifest_limit_when_pushed_then_it_is_served() {
    let (_server, repository) = open_repository(json!({"manifestSize": "6MiB"}));
    let annotations = |size: usize| json!({"filling": "A".repeat(size)});
    let image = Image::new(1).annotations(annotations(5 * 1024 * 1024)).build();
    repository.push(&image, "large");
    repository
        .get_manifest("large")
        .expect_status(200)
        .expect_body(&image.manifest.bytes);
    let image = Image::new(1).annotations(annotations(7 * 1024 * 1024)).build();
    repository
        .put_manifest(&image.manifest, "larger")
        .expect_error(413, "MANIFEST_INVALID");
}

#[test]
fn given_allowed_origins_when_a_browser_asks_then_only_they_are_named() {
    let server = Server::builder()
        .open_to_everybody()
        .section(
            "http",
            json!({"cors": {"allowedOrigins": ["https://ui.example.com"]}}),
        )
        .start();
    let client = server.client();
    let ask = |origin: &str| client.get("/v2/").header("origin", origin).send();
    ask("https://ui.example.com")
        .expect_status(200)
        .expect_header("access-control-allow-origin", "https://ui.example.com");
    for origin in [
        "https://evil.example.com",
        "https://ui.example.com.evil.com",
        "null",
    ] {
        ask(origin).expect_no_header("access-control-allow-origin");
    }
    let preflight = client
        .request("OPTIONS", "/v2/")
        .header("origin", "https://ui.example.com");
    let answer = preflight
        .header("access-control-request-method", "GET")
        .send()
        .expect_status_in(&[200, 204]);
    answer.expect_header("access-control-allow-origin", "https://ui.example.com");
}
