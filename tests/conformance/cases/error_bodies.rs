//! The exact form of errors, endpoint by endpoint.

use serde_json::json;
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
    let (client, name, unknown) = (
        &fixture.client,
        &repository.name,
        Algorithm::Sha256.digest(b"unknown"),
    );
    let upload = format!("{}{UPLOAD}", repository.uploads_path());
    let absent = fixture.repository();
    let no_blob = format!("blob {unknown} is not in repository {name}");
    let no_manifest = format!("manifest {unknown} is not in repository {name}");
    let no_tag = format!("manifest unknown is not in repository {name}");
    let get = |path: &str| client.get(path).send();
    let cut = client.put(&repository.manifest_path("v2")).body(b"{").send();
    let wrong_tag = repository.get_manifest(".x");
    let wrong_limit = get(&format!("{}?n=x", repository.tags_path()));
    let reserved = client.post("/v2/s3/bucket/blobs/uploads/").send();
    for (answer, status, code, message) in [
        (
            repository.get_blob(&unknown),
            404,
            "BLOB_UNKNOWN",
            no_blob.as_str(),
        ),
        (repository.delete_blob(&unknown), 404, "BLOB_UNKNOWN", &no_blob),
        (
            repository.get_blob("sha256:bad"),
            400,
            "DIGEST_INVALID",
            BAD_DIGEST,
        ),
        (
            repository.get_blob("md5:bad"),
            400,
            "DIGEST_INVALID",
            BAD_ALGORITHM,
        ),
        (
            repository.get_manifest(&unknown),
            404,
            "MANIFEST_UNKNOWN",
            &no_manifest,
        ),
        (
            repository.get_manifest("unknown"),
            404,
            "MANIFEST_UNKNOWN",
            &no_tag,
        ),
        (
            repository.delete_manifest(&unknown),
            404,
            "MANIFEST_UNKNOWN",
            &no_manifest,
        ),
        (
            repository.delete_manifest("unknown"),
            404,
            "MANIFEST_UNKNOWN",
            &no_tag,
        ),
        (
            repository.get_manifest("sha256:bad"),
            400,
            "DIGEST_INVALID",
            BAD_DIGEST,
        ),
        (
            get(&repository.referrers_path("sha256:bad")),
            400,
            "DIGEST_INVALID",
            BAD_DIGEST,
        ),
        (
            get(&absent.tags_path()),
            404,
            "NAME_UNKNOWN",
            &format!("repository {} is not known", absent.name),
        ),
        (get("/v2/BAD/tags/list"), 400, "NAME_INVALID", BAD_NAME),
        (get(&upload), 404, "BLOB_UPLOAD_UNKNOWN", NO_UPLOAD),
        (
            client.patch(&upload).body(b"x").send(),
            404,
            "BLOB_UPLOAD_UNKNOWN",
            NO_UPLOAD,
        ),
        (
            client.delete(&upload).send(),
            404,
            "BLOB_UPLOAD_UNKNOWN",
            NO_UPLOAD,
        ),
        (
            cut,
            400,
            "MANIFEST_INVALID",
            "the manifest is not valid: EOF while parsing an object at line 1 column 1",
        ),
        (wrong_tag, 400, "MANIFEST_INVALID", BAD_TAG),
        (
            wrong_limit,
            400,
            "UNSUPPORTED",
            "n must be a whole number, not \"x\"",
        ),
        (
            client.post(&repository.tags_path()).send(),
            405,
            "UNSUPPORTED",
            "this path supports GET, HEAD",
        ),
        (reserved, 403, "DENIED", RESERVED),
    ] {
        expect_exactly(&answer.expect_error(status, code), code, message);
    }
}

const UPLOAD: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const BAD_DIGEST: &str =
    "digest \"sha256:bad\" must have 64 lower-case hexadecimal characters after \"sha256:\"";
const BAD_ALGORITHM: &str = "digest algorithm \"md5\" is not supported: use sha256 or sha512";
const BAD_NAME: &str = "repository name component \"BAD\" is not allowed: use lower-case letters and digits, \
    separated inside by one dot, one or two underscores, or hyphens";
const BAD_TAG: &str = "tag \".x\" is not allowed: use at most 128 letters, digits, underscores, dots and hyphens, \
    not starting with a dot or a hyphen";
const NO_UPLOAD: &str = "upload 01890a5d-ac96-774b-bcce-b302099a8057 is not known in this repository: \
    it was finished, cancelled, expired or never started";
const RESERVED: &str =
    "repository names whose first component is s3 are reserved: choose another name than s3/bucket";

/// The whole body, byte for byte but for the order of members. Clients show `message`, so it is part of the wire.
#[track_caller]
fn expect_exactly(answer: &Response, code: &str, message: &str) {
    let expected = json!({"errors": [{"code": code, "message": message, "detail": null}]});
    assert_eq!(answer.json(), expected, "{}", answer.request);
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
