//! The exact form of errors, endpoint by endpoint.

use serde_json::Value;
use zas_tests::{Algorithm, Image, Response};

use super::cases;
use crate::fixture::Fixture;

cases!(error_bodies:
    given_each_endpoint_when_it_fails_then_its_code,
    given_an_error_when_asked_with_head_then_no_body,
    given_an_error_when_answered_then_it_is_not_cached_as_content,
);

fn given_each_endpoint_when_it_fails_then_its_code(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    repository.push(&Image::new(fixture.seed()).build(), "v1");
    let (client, unknown) = (&fixture.client, Algorithm::Sha256.digest(b"unknown"));
    let upload = format!(
        "{}01890a5d-ac96-774b-bcce-b302099a8057",
        repository.uploads_path()
    );
    let absent = fixture.repository();
    let answers: Vec<(Response, u16, &str)> = vec![
        (repository.get_blob(&unknown), 404, "BLOB_UNKNOWN"),
        (repository.delete_blob(&unknown), 404, "BLOB_UNKNOWN"),
        (repository.get_blob("sha256:bad"), 400, "DIGEST_INVALID"),
        (repository.get_manifest(&unknown), 404, "MANIFEST_UNKNOWN"),
        (repository.get_manifest("unknown"), 404, "MANIFEST_UNKNOWN"),
        (repository.delete_manifest(&unknown), 404, "MANIFEST_UNKNOWN"),
        (repository.delete_manifest("unknown"), 404, "MANIFEST_UNKNOWN"),
        (repository.get_manifest("sha256:bad"), 400, "DIGEST_INVALID"),
        (
            client.get(&repository.referrers_path("sha256:bad")).send(),
            400,
            "DIGEST_INVALID",
        ),
        (client.get(&absent.tags_path()).send(), 404, "NAME_UNKNOWN"),
        (client.get("/v2/BAD/tags/list").send(), 400, "NAME_INVALID"),
        (client.get(&upload).send(), 404, "BLOB_UPLOAD_UNKNOWN"),
        (
            client.patch(&upload).body(b"x").send(),
            404,
            "BLOB_UPLOAD_UNKNOWN",
        ),
        (client.delete(&upload).send(), 404, "BLOB_UPLOAD_UNKNOWN"),
        (
            client.put(&repository.manifest_path("v2")).body(b"{").send(),
            400,
            "MANIFEST_INVALID",
        ),
        (client.post(&repository.tags_path()).send(), 405, "UNSUPPORTED"),
    ];
    for (answer, status, code) in answers {
        expect_exact_form(&answer.expect_error(status, code), code);
    }
}

/// Clients show `message`; it says what to do and leaks nothing of the server's insides.
#[track_caller]
fn expect_exact_form(answer: &Response, code: &str) {
    let document = answer.json();
    let errors = document["errors"].as_array().expect("errors is an array");
    for error in errors {
        let members: Vec<&str> = error
            .as_object()
            .expect("an error is an object")
            .keys()
            .map(String::as_str)
            .collect();
        assert!(
            members
                .iter()
                .all(|name| ["code", "message", "detail"].contains(name)),
            "{error}"
        );
        let message = error["message"].as_str().unwrap_or_default();
        assert!(
            !message.ends_with('.') && message.len() < 500,
            "{message:?} is a sentence or a report"
        );
        for inside in [
            "panicked", "/root/", "/tmp/", "src/", "rocksdb", "RocksDB", "Os {",
        ] {
            assert!(
                !message.contains(inside),
                "{message:?} shows the server's insides"
            );
        }
    }
    assert_eq!(errors[0]["code"], Value::from(code));
    assert_eq!(
        answer.header("content-length"),
        Some(answer.body.len().to_string().as_str())
    );
}

fn given_an_error_when_asked_with_head_then_no_body(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let unknown = Algorithm::Sha256.digest(b"unknown");
    for (path, status) in [
        (repository.blob_path(&unknown), 404),
        (repository.manifest_path("unknown"), 404),
        (repository.blob_path("sha256:bad"), 400),
        (repository.manifest_path("sha256:bad"), 400),
    ] {
        fixture
            .client
            .head(&path)
            .send()
            .expect_status(status)
            .expect_body(b"")
            .expect_no_header("docker-content-digest");
    }
}

fn given_an_error_when_answered_then_it_is_not_cached_as_content(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let answer = repository.get_manifest("unknown").expect_status(404);
    for name in ["etag", "docker-content-digest", "last-modified"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
}
