//! Chunks in the wrong place or of the wrong length: refused, and the upload survives.

use zas_tests::{Blob, Repository, Upload, with_query};

use super::blobs::expect_pushed;
use super::cases;
use crate::fixture::Fixture;

cases!(upload_chunks:
    given_a_chunk_that_skips_ahead_when_sent_then_416_and_the_upload_survives,
    given_a_first_chunk_not_at_zero_when_sent_then_416,
    given_a_chunk_sent_twice_when_repeated_then_416_and_the_upload_survives,
    given_an_overlapping_chunk_when_sent_then_416_and_the_upload_survives,
    given_a_closing_chunk_out_of_order_when_sent_then_416_and_the_upload_survives,
    given_a_content_range_longer_than_the_body_when_sent_then_400_and_the_upload_survives,
    given_a_content_range_shorter_than_the_body_when_sent_then_400_and_the_upload_survives,
    given_a_closing_content_range_that_differs_from_the_body_when_sent_then_400,
    given_a_content_range_that_is_none_when_sent_then_refused_and_the_upload_survives,
    given_a_content_range_of_http_when_sent_then_taken,
    given_chunks_without_content_range_when_sent_then_appended,
    given_many_small_chunks_when_sent_then_appended,
    given_an_empty_chunk_when_sent_then_nothing_changes,
);

const SIZE: usize = 60_000;
const HALF: usize = SIZE / 2;

fn begin(fixture: &Fixture<'_>) -> (Repository, Blob, Upload) {
    let repository = fixture.repository();
    let upload = repository.start_upload();
    (repository, Blob::random(fixture.seed(), SIZE), upload)
}

/// An upload that has the first half.
fn begin_with_half(fixture: &Fixture<'_>) -> (Repository, Blob, Upload) {
    let (repository, blob, mut upload) = begin(fixture);
    upload
        .send_chunk(0, &blob.bytes[..HALF])
        .expect_status(202)
        .expect_header("range", "0-29999");
    (repository, blob, upload)
}

/// Demands that the upload still has exactly the first half and can be finished.
#[track_caller]
fn expect_survival(repository: &Repository, blob: &Blob, mut upload: Upload) {
    upload
        .status()
        .expect_status(204)
        .expect_header("range", "0-29999");
    upload
        .send_chunk(HALF, &blob.bytes[HALF..])
        .expect_status(202)
        .expect_header("range", "0-59999");
    expect_pushed(repository, blob, upload.finish(&blob.digest, &[]));
}

fn given_a_chunk_that_skips_ahead_when_sent_then_416_and_the_upload_survives(fixture: &Fixture<'_>) {
    let (repository, blob, mut upload) = begin_with_half(fixture);
    upload
        .send_chunk(HALF + 1, &blob.bytes[HALF + 1..])
        .expect_error(416, "BLOB_UPLOAD_INVALID");
    expect_survival(&repository, &blob, upload);
}

fn given_a_first_chunk_not_at_zero_when_sent_then_416(fixture: &Fixture<'_>) {
    let (repository, blob, mut upload) = begin(fixture);
    upload
        .send_chunk(HALF, &blob.bytes[HALF..])
        .expect_error(416, "BLOB_UPLOAD_INVALID");
    upload.status().expect_status(204).expect_header("range", "0-0");
    upload.send_chunk(0, &blob.bytes[..HALF]).expect_status(202);
    expect_survival(&repository, &blob, upload);
}

fn given_a_chunk_sent_twice_when_repeated_then_416_and_the_upload_survives(fixture: &Fixture<'_>) {
    let (repository, blob, mut upload) = begin_with_half(fixture);
    let location = upload.location.clone();
    upload
        .send_chunk(0, &blob.bytes[..HALF])
        .expect_error(416, "BLOB_UPLOAD_INVALID")
        .expect_header("location", &location)
        .expect_header("range", &format!("0-{}", HALF - 1));
    expect_survival(&repository, &blob, upload);
}

fn given_an_overlapping_chunk_when_sent_then_416_and_the_upload_survives(fixture: &Fixture<'_>) {
    let (repository, blob, mut upload) = begin_with_half(fixture);
    upload
        .send_chunk(HALF - 1, &blob.bytes[HALF - 1..])
        .expect_error(416, "BLOB_UPLOAD_INVALID");
    expect_survival(&repository, &blob, upload);
}

fn given_a_closing_chunk_out_of_order_when_sent_then_416_and_the_upload_survives(fixture: &Fixture<'_>) {
    for first in [0, HALF - 1, HALF + 1] {
        let (repository, blob, upload) = begin_with_half(fixture);
        let answer = upload.finish_chunk(&blob.digest, first, &blob.bytes[first..]);
        answer.expect_error(416, "BLOB_UPLOAD_INVALID");
        repository.head_blob(&blob.digest).expect_status(404);
        expect_survival(&repository, &blob, upload);
    }
}

fn send_with_range(
    upload: &Upload,
    repository: &Repository,
    range: &str,
    body: &[u8],
) -> zas_tests::Response {
    repository
        .client
        .patch(&upload.location)
        .header("content-range", range)
        .body(body)
        .send()
}

fn given_a_content_range_longer_than_the_body_when_sent_then_400_and_the_upload_survives(
    fixture: &Fixture<'_>,
) {
    let (repository, blob, upload) = begin_with_half(fixture);
    let answer = send_with_range(&upload, &repository, "30000-59999", &blob.bytes[HALF..SIZE - 1]);
    answer.expect_error(400, "SIZE_INVALID");
    expect_survival(&repository, &blob, upload);
}

fn given_a_content_range_shorter_than_the_body_when_sent_then_400_and_the_upload_survives(
    fixture: &Fixture<'_>,
) {
    let (repository, blob, upload) = begin_with_half(fixture);
    let answer = send_with_range(&upload, &repository, "30000-40000", &blob.bytes[HALF..]);
    answer.expect_error(400, "SIZE_INVALID");
    expect_survival(&repository, &blob, upload);
}

fn given_a_closing_content_range_that_differs_from_the_body_when_sent_then_400(fixture: &Fixture<'_>) {
    let (repository, blob, upload) = begin_with_half(fixture);
    let closing = upload.closing_path(&blob.digest);
    let request = repository
        .client
        .put(&closing)
        .header("content-range", "30000-50000")
        .body(&blob.bytes[HALF..]);
    request.send().expect_error(400, "SIZE_INVALID");
    repository.head_blob(&blob.digest).expect_status(404);
    expect_survival(&repository, &blob, upload);
}

fn given_a_content_range_that_is_none_when_sent_then_refused_and_the_upload_survives(fixture: &Fixture<'_>) {
    let (repository, blob, upload) = begin_with_half(fixture);
    for range in [
        "",
        "30000",
        "-59999",
        "30000-",
        "a-b",
        "59999-30000",
        "+30000-59999",
        "30000-99999999999999999999999",
    ] {
        let answer = send_with_range(&upload, &repository, range, &blob.bytes[HALF..]);
        answer.expect_error(400, "BLOB_UPLOAD_INVALID");
    }
    expect_survival(&repository, &blob, upload);
}

fn given_a_content_range_of_http_when_sent_then_taken(fixture: &Fixture<'_>) {
    // RFC 9110's form, which some clients send although the specification has no unit.
    let (repository, blob, upload) = begin_with_half(fixture);
    let answer = send_with_range(
        &upload,
        &repository,
        "bytes 30000-59999/60000",
        &blob.bytes[HALF..],
    );
    answer.expect_status(202).expect_header("range", "0-59999");
    expect_pushed(&repository, &blob, upload.finish(&blob.digest, &[]));
}

fn given_chunks_without_content_range_when_sent_then_appended(fixture: &Fixture<'_>) {
    let (repository, blob, mut upload) = begin(fixture);
    upload
        .stream(&blob.bytes[..HALF])
        .expect_status(202)
        .expect_header("range", "0-29999");
    repository
        .client
        .patch(&upload.location)
        .body(&blob.bytes[HALF..HALF + 5])
        .send()
        .expect_status(202);
    expect_pushed(
        &repository,
        &blob,
        upload.finish(&blob.digest, &blob.bytes[HALF + 5..]),
    );
}

fn given_many_small_chunks_when_sent_then_appended(fixture: &Fixture<'_>) {
    let (repository, blob) = (fixture.repository(), Blob::random(fixture.seed(), 20_000));
    let mut upload = repository.start_upload();
    for (number, chunk) in blob.bytes.chunks(997).enumerate() {
        upload.send_chunk(number * 997, chunk).expect_status(202);
    }
    expect_pushed(&repository, &blob, upload.finish(&blob.digest, &[]));
}

fn given_an_empty_chunk_when_sent_then_nothing_changes(fixture: &Fixture<'_>) {
    let (repository, blob, mut upload) = begin_with_half(fixture);
    upload
        .stream(&[])
        .expect_status(202)
        .expect_header("range", "0-29999");
    let path = with_query(&upload.location, &[]);
    fixture
        .client
        .patch(&path)
        .body(&[])
        .send()
        .expect_status(202)
        .expect_header("range", "0-29999");
    expect_survival(&repository, &blob, upload);
}
