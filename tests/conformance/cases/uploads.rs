//! The life of an upload: start, status, cancel, close and retry.

use zas_tests::{Algorithm, Blob, Repository, random_bytes, with_query};

use super::blobs::{expect_pushed, expect_served};
use super::cases;
use crate::fixture::Fixture;

cases!(uploads:
    given_an_upload_when_started_then_it_has_its_own_location,
    given_an_upload_without_bytes_when_asked_then_0_0,
    given_an_upload_with_bytes_when_asked_then_the_last_position,
    given_an_upload_when_cancelled_then_it_is_gone,
    given_a_cancelled_upload_when_another_runs_then_that_goes_on,
    given_a_finished_upload_when_closed_again_then_201,
    given_a_finished_upload_when_asked_then_404,
    given_an_upload_when_used_in_another_repository_then_404,
    given_two_uploads_of_one_blob_when_closed_then_both_succeed,
    given_an_announced_sha512_when_closed_then_it_is_served,
    given_an_announced_sha512_when_sent_in_chunks_then_it_is_served,
    given_sha512_only_at_the_close_when_chunks_were_sent_then_it_is_served,
    given_sha256_at_the_close_when_sha512_was_announced_then_it_is_served,
    given_an_unknown_algorithm_when_announced_then_400,
    given_an_unknown_upload_when_used_then_404,
    given_an_upload_when_continued_with_100_then_it_is_served,
    given_a_location_when_read_then_it_stays_under_the_repository,
);

fn given_an_upload_when_started_then_it_has_its_own_location(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let answer = repository
        .client
        .post(&repository.uploads_path())
        .send()
        .expect_status(202);
    let answer = answer.expect_header("content-length", "0");
    assert_ne!(
        answer.required_header("location"),
        repository.start_upload().location
    );
}

fn given_a_location_when_read_then_it_stays_under_the_repository(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let upload = repository.start_upload();
    let path = upload.path();
    // Clients that cache credentials by path depend on it.
    assert!(path.starts_with(&repository.uploads_path()), "{path}");
    let id = path
        .trim_start_matches(&repository.uploads_path())
        .split('?')
        .next()
        .unwrap_or_default();
    let groups: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12], "{id} is no UUID");
}

fn given_an_upload_without_bytes_when_asked_then_0_0(fixture: &Fixture<'_>) {
    let answer = fixture
        .repository()
        .start_upload()
        .status()
        .expect_status(204)
        .expect_header("range", "0-0");
    answer.required_header("location");
}

fn given_an_upload_with_bytes_when_asked_then_the_last_position(fixture: &Fixture<'_>) {
    for size in [1, 100, 50_000] {
        let (repository, blob) = (fixture.repository(), Blob::random(fixture.seed(), size));
        let mut upload = repository.start_upload();
        upload.send_chunk(0, &blob.bytes).expect_status(202);
        let range = format!("0-{}", size - 1);
        upload
            .status()
            .expect_status(204)
            .expect_header("range", &range)
            .required_header("location");
        expect_pushed(&repository, &blob, upload.finish(&blob.digest, &[]));
    }
}

#[track_caller]
fn expect_gone(repository: &Repository, location: &str, digest: &str) {
    let client = &repository.client;
    client
        .get(location)
        .send()
        .expect_error(404, "BLOB_UPLOAD_UNKNOWN");
    client
        .patch(location)
        .body(b"more")
        .send()
        .expect_error(404, "BLOB_UPLOAD_UNKNOWN");
    let closing = with_query(location, &[("digest", digest)]);
    client
        .put(&closing)
        .body(b"end")
        .send()
        .expect_error(404, "BLOB_UPLOAD_UNKNOWN");
    client
        .delete(location)
        .send()
        .expect_error(404, "BLOB_UPLOAD_UNKNOWN");
}

fn given_an_upload_when_cancelled_then_it_is_gone(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    for size in [0, 100, 50_000] {
        let blob = Blob::random(fixture.seed(), size);
        let mut upload = repository.start_upload();
        if size > 0 {
            upload.send_chunk(0, &blob.bytes).expect_status(202);
        }
        upload.cancel().expect_status(204);
        expect_gone(
            &repository,
            &upload.location,
            &Blob::random(fixture.seed(), 10).digest,
        );
    }
}

fn given_a_cancelled_upload_when_another_runs_then_that_goes_on(fixture: &Fixture<'_>) {
    let (repository, blob) = (fixture.repository(), Blob::random(fixture.seed(), 300));
    let (cancelled, mut other) = (repository.start_upload(), repository.start_upload());
    other.send_chunk(0, &blob.bytes[..100]).expect_status(202);
    cancelled.cancel().expect_status(204);
    other.send_chunk(100, &blob.bytes[100..]).expect_status(202);
    expect_pushed(&repository, &blob, other.finish(&blob.digest, &[]));
}

fn given_a_finished_upload_when_closed_again_then_201(fixture: &Fixture<'_>) {
    for size in [200, 50_000] {
        let (repository, blob) = (fixture.repository(), Blob::random(fixture.seed(), size));
        let mut upload = repository.start_upload();
        upload.send_chunk(0, &blob.bytes).expect_status(202);
        let first = upload.finish(&blob.digest, &[]).expect_status(201);
        // The client's retry after a lost answer.
        let second = upload.finish(&blob.digest, &[]).expect_status(201);
        assert_eq!(first.header("location"), second.header("location"));
        expect_pushed(&repository, &blob, second);
    }
    let (repository, blob) = (fixture.repository(), Blob::random(fixture.seed(), 50_000));
    let upload = repository.start_upload();
    upload.finish(&blob.digest, &blob.bytes).expect_status(201);
    upload.finish(&blob.digest, &blob.bytes).expect_status(201);
}

fn given_a_finished_upload_when_asked_then_404(fixture: &Fixture<'_>) {
    let (repository, blob) = (fixture.repository(), Blob::random(fixture.seed(), 200));
    let upload = repository.start_upload();
    upload.finish(&blob.digest, &blob.bytes).expect_status(201);
    expect_gone(
        &repository,
        &upload.location,
        &Blob::random(fixture.seed(), 10).digest,
    );
    expect_served(&repository, &blob);
}

fn given_an_upload_when_used_in_another_repository_then_404(fixture: &Fixture<'_>) {
    let (repository, other, blob) = (
        fixture.repository(),
        fixture.repository(),
        Blob::random(fixture.seed(), 200),
    );
    let mut upload = repository.start_upload();
    upload.send_chunk(0, &blob.bytes).expect_status(202);
    let foreign = upload.path().replace(&repository.name, &other.name);
    expect_gone(&other, &foreign, &blob.digest);
    expect_pushed(&repository, &blob, upload.finish(&blob.digest, &[]));
    // A finished upload answers its retry only where it was made.
    let foreign = with_query(&foreign, &[("digest", &blob.digest)]);
    fixture
        .client
        .put(&foreign)
        .send()
        .expect_error(404, "BLOB_UPLOAD_UNKNOWN");
}

fn given_two_uploads_of_one_blob_when_closed_then_both_succeed(fixture: &Fixture<'_>) {
    let (repository, blob) = (fixture.repository(), Blob::random(fixture.seed(), 50_000));
    let (mut one, mut two) = (repository.start_upload(), repository.start_upload());
    one.send_chunk(0, &blob.bytes).expect_status(202);
    two.send_chunk(0, &blob.bytes[..30_000]).expect_status(202);
    expect_pushed(&repository, &blob, one.finish(&blob.digest, &[]));
    expect_pushed(
        &repository,
        &blob,
        two.finish_chunk(&blob.digest, 30_000, &blob.bytes[30_000..]),
    );
}

fn announce(repository: &Repository, algorithm: &str) -> zas_tests::Response {
    let path = with_query(&repository.uploads_path(), &[("digest-algorithm", algorithm)]);
    repository.client.post(&path).send()
}

fn given_an_announced_sha512_when_closed_then_it_is_served(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let blob = Blob::digested(random_bytes(fixture.seed(), 30_000), Algorithm::Sha512);
    let answer = announce(&repository, "sha512").expect_status(202);
    let closing = with_query(answer.required_header("location"), &[("digest", &blob.digest)]);
    expect_pushed(
        &repository,
        &blob,
        fixture.client.put(&closing).body(&blob.bytes).send(),
    );
}

fn given_an_announced_sha512_when_sent_in_chunks_then_it_is_served(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let blob = Blob::digested(random_bytes(fixture.seed(), 30_000), Algorithm::Sha512);
    let mut location = announce(&repository, "sha512")
        .expect_status(202)
        .required_header("location")
        .to_owned();
    for chunk in blob.bytes.chunks(9_000) {
        let answer = fixture
            .client
            .patch(&location)
            .body(chunk)
            .send()
            .expect_status(202);
        answer.required_header("location").clone_into(&mut location);
    }
    let closing = with_query(&location, &[("digest", &blob.digest)]);
    expect_pushed(&repository, &blob, fixture.client.put(&closing).send());
}

fn given_sha512_only_at_the_close_when_chunks_were_sent_then_it_is_served(fixture: &Fixture<'_>) {
    for size in [300, 90_000] {
        let repository = fixture.repository();
        let blob = Blob::digested(random_bytes(fixture.seed(), size), Algorithm::Sha512);
        let mut upload = repository.start_upload();
        let middle = size / 2;
        upload.send_chunk(0, &blob.bytes[..middle]).expect_status(202);
        upload
            .send_chunk(middle, &blob.bytes[middle..])
            .expect_status(202);
        expect_pushed(&repository, &blob, upload.finish(&blob.digest, &[]));
    }
}

fn given_sha256_at_the_close_when_sha512_was_announced_then_it_is_served(fixture: &Fixture<'_>) {
    let (repository, blob) = (fixture.repository(), Blob::random(fixture.seed(), 300));
    let answer = announce(&repository, "sha512").expect_status(202);
    let closing = with_query(answer.required_header("location"), &[("digest", &blob.digest)]);
    expect_pushed(
        &repository,
        &blob,
        fixture.client.put(&closing).body(&blob.bytes).send(),
    );
}

fn given_an_unknown_algorithm_when_announced_then_400(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    for algorithm in ["md5", "SHA512", "", "sha512:abc"] {
        announce(&repository, algorithm).expect_error(400, "DIGEST_INVALID");
    }
}

fn given_an_unknown_upload_when_used_then_404(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let digest = Blob::random(fixture.seed(), 10).digest;
    let location = format!(
        "{}01890a5d-ac96-774b-bcce-b302099a8057",
        repository.uploads_path()
    );
    expect_gone(&repository, &location, &digest);
    repository.push_blob(&Blob::random(fixture.seed(), 10));
    expect_gone(&repository, &location, &digest);
}

fn given_an_upload_when_continued_with_100_then_it_is_served(fixture: &Fixture<'_>) {
    let (repository, blob) = (fixture.repository(), Blob::random(fixture.seed(), 40_000));
    let path = repository.start_upload();
    let path = with_query(path.path(), &[("digest", &blob.digest)]);
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: {}\r\n{}Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        fixture.client.authority(),
        fixture.client.authorization_line(),
        blob.bytes.len()
    );
    let mut connection = fixture.client.connect();
    connection.send(head.as_bytes());
    connection.required_response().expect_status(100);
    connection.send(&blob.bytes);
    connection.required_response().expect_status(201);
    expect_served(&repository, &blob);
}
