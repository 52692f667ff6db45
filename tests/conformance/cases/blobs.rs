//! Pushing, pulling and deleting blobs, for both digest algorithms.

use zas_tests::{Algorithm, Blob, Repository, Response, random_bytes};

use super::cases;
use crate::fixture::Fixture;

cases!(blobs:
    given_a_blob_when_posted_at_once_then_it_is_served,
    given_a_blob_when_posted_then_put_then_it_is_served,
    given_a_blob_when_sent_as_one_chunk_then_it_is_served,
    given_a_blob_when_sent_in_chunks_then_it_is_served,
    given_a_blob_when_the_last_chunk_closes_then_it_is_served,
    given_a_blob_when_streamed_then_it_is_served,
    given_the_empty_blob_when_pushed_then_it_is_served,
    given_the_empty_json_object_when_pushed_then_it_is_served,
    given_sizes_around_storage_limits_when_pushed_then_each_is_served,
    given_a_blob_when_pushed_twice_then_both_succeed,
    given_both_digests_of_one_content_when_pushed_then_both_are_served,
    given_an_unknown_blob_when_asked_then_404,
    given_a_blob_when_asked_in_another_repository_then_404,
    given_a_blob_when_deleted_then_404_at_once,
    given_a_wrong_digest_when_posted_at_once_then_400,
    given_a_wrong_digest_when_put_then_400,
    given_a_wrong_digest_when_sent_in_chunks_then_400,
    given_a_wrong_digest_when_the_last_chunk_closes_then_400,
    given_a_wrong_digest_when_streamed_then_400,
);

pub(crate) const ALGORITHMS: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Sha512];

/// Chunks larger than what any backend keeps in its rows.
const CHUNK: usize = 20_000;

/// Demands that HEAD and GET tell all about a blob.
#[track_caller]
pub(crate) fn expect_served(repository: &Repository, blob: &Blob) {
    let length = blob.bytes.len().to_string();
    let path = repository.blob_path(&blob.digest);
    for (method, body) in [("HEAD", &[][..]), ("GET", &blob.bytes)] {
        let answer = repository.client.request(method, &path).send().expect_status(200);
        answer
            .expect_header("docker-content-digest", &blob.digest)
            .expect_header("content-length", &length)
            .expect_header("content-type", "application/octet-stream")
            .expect_body(body);
    }
}

/// Demands the answer that ends a successful push.
#[track_caller]
pub(crate) fn expect_pushed(repository: &Repository, blob: &Blob, answer: Response) {
    let answer = answer
        .expect_status(201)
        .expect_header("docker-content-digest", &blob.digest);
    let location = answer.required_header("location");
    repository
        .client
        .get(location)
        .send()
        .expect_status(200)
        .expect_body(&blob.bytes);
    expect_served(repository, blob);
}

fn each_algorithm(fixture: &Fixture<'_>, size: usize, check: impl Fn(&Repository, &Blob)) {
    for algorithm in ALGORITHMS {
        let blob = Blob::digested(random_bytes(fixture.seed(), size), algorithm);
        check(&fixture.repository(), &blob);
    }
}

fn given_a_blob_when_posted_at_once_then_it_is_served(fixture: &Fixture<'_>) {
    each_algorithm(fixture, 512, |repository, blob| {
        expect_pushed(repository, blob, repository.post_blob(blob));
    });
}

fn given_a_blob_when_posted_then_put_then_it_is_served(fixture: &Fixture<'_>) {
    each_algorithm(fixture, 512, |repository, blob| {
        let answer = repository.start_upload().finish(&blob.digest, &blob.bytes);
        expect_pushed(repository, blob, answer);
    });
}

fn given_a_blob_when_sent_as_one_chunk_then_it_is_served(fixture: &Fixture<'_>) {
    each_algorithm(fixture, 512, |repository, blob| {
        let mut upload = repository.start_upload();
        upload
            .send_chunk(0, &blob.bytes)
            .expect_status(202)
            .expect_header("range", "0-511");
        expect_pushed(repository, blob, upload.finish(&blob.digest, &[]));
    });
}

fn given_a_blob_when_sent_in_chunks_then_it_is_served(fixture: &Fixture<'_>) {
    each_algorithm(fixture, 3 * CHUNK - 5, |repository, blob| {
        let mut upload = repository.start_upload();
        for (number, chunk) in blob.bytes.chunks(CHUNK).enumerate() {
            let first = number * CHUNK;
            let range = format!("0-{}", first + chunk.len() - 1);
            upload
                .send_chunk(first, chunk)
                .expect_status(202)
                .expect_header("range", &range);
        }
        expect_pushed(repository, blob, upload.finish(&blob.digest, &[]));
    });
}

fn given_a_blob_when_the_last_chunk_closes_then_it_is_served(fixture: &Fixture<'_>) {
    each_algorithm(fixture, 3 * CHUNK - 5, |repository, blob| {
        let mut upload = repository.start_upload();
        upload.send_chunk(0, &blob.bytes[..CHUNK]).expect_status(202);
        upload
            .send_chunk(CHUNK, &blob.bytes[CHUNK..2 * CHUNK])
            .expect_status(202);
        let answer = upload.finish_chunk(&blob.digest, 2 * CHUNK, &blob.bytes[2 * CHUNK..]);
        expect_pushed(repository, blob, answer);
    });
}

fn given_a_blob_when_streamed_then_it_is_served(fixture: &Fixture<'_>) {
    each_algorithm(fixture, 100_000, |repository, blob| {
        let mut upload = repository.start_upload();
        upload
            .stream(&blob.bytes)
            .expect_status(202)
            .expect_header("range", "0-99999");
        expect_pushed(repository, blob, upload.finish(&blob.digest, &[]));
    });
}

fn given_the_empty_blob_when_pushed_then_it_is_served(fixture: &Fixture<'_>) {
    each_algorithm(fixture, 0, |repository, blob| {
        expect_pushed(repository, blob, repository.push_blob(blob));
        let other = fixture.repository();
        expect_pushed(&other, blob, other.start_upload().finish(&blob.digest, &[]));
    });
}

fn given_the_empty_json_object_when_pushed_then_it_is_served(fixture: &Fixture<'_>) {
    for algorithm in ALGORITHMS {
        let (repository, blob) = (fixture.repository(), Blob::digested(*b"{}", algorithm));
        expect_pushed(&repository, &blob, repository.push_blob(&blob));
    }
}

fn given_sizes_around_storage_limits_when_pushed_then_each_is_served(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let kib = 1024;
    let sizes = [
        1,
        16 * kib - 1,
        16 * kib,
        16 * kib + 1,
        256 * kib - 1,
        256 * kib,
        256 * kib + 1,
        3 * kib * kib + 7,
    ];
    for size in sizes {
        let blob = Blob::random(fixture.seed(), size);
        expect_pushed(&repository, &blob, repository.push_blob(&blob));
        let streamed = Blob::random(fixture.seed(), size);
        let mut upload = repository.start_upload();
        upload.stream(&streamed.bytes).expect_status(202);
        expect_pushed(&repository, &streamed, upload.finish(&streamed.digest, &[]));
    }
}

fn given_a_blob_when_pushed_twice_then_both_succeed(fixture: &Fixture<'_>) {
    each_algorithm(fixture, 40_000, |repository, blob| {
        expect_pushed(repository, blob, repository.push_blob(blob));
        expect_pushed(repository, blob, repository.push_blob(blob));
        let other = fixture.repository();
        expect_pushed(&other, blob, other.push_blob(blob));
    });
}

fn given_both_digests_of_one_content_when_pushed_then_both_are_served(fixture: &Fixture<'_>) {
    let (repository, bytes) = (fixture.repository(), random_bytes(fixture.seed(), 700));
    for algorithm in ALGORITHMS {
        let blob = Blob::digested(bytes.clone(), algorithm);
        expect_pushed(&repository, &blob, repository.push_blob(&blob));
    }
}

fn given_an_unknown_blob_when_asked_then_404(fixture: &Fixture<'_>) {
    each_algorithm(fixture, 512, |repository, blob| {
        repository
            .get_blob(&blob.digest)
            .expect_error(404, "BLOB_UNKNOWN");
        repository
            .head_blob(&blob.digest)
            .expect_status(404)
            .expect_body(b"");
        // The same once the repository has content.
        repository.push_blob(&Blob::random(fixture.seed(), 10));
        repository
            .get_blob(&blob.digest)
            .expect_error(404, "BLOB_UNKNOWN");
    });
}

fn given_a_blob_when_asked_in_another_repository_then_404(fixture: &Fixture<'_>) {
    each_algorithm(fixture, 512, |repository, blob| {
        repository.push_blob(blob);
        let other = fixture.repository();
        other.get_blob(&blob.digest).expect_error(404, "BLOB_UNKNOWN");
        other.head_blob(&blob.digest).expect_status(404);
    });
}

fn given_a_blob_when_deleted_then_404_at_once(fixture: &Fixture<'_>) {
    each_algorithm(fixture, 512, |repository, blob| {
        repository.push_blob(blob);
        repository.delete_blob(&blob.digest).expect_status(202);
        repository.head_blob(&blob.digest).expect_status(404);
        repository
            .get_blob(&blob.digest)
            .expect_error(404, "BLOB_UNKNOWN");
        repository
            .delete_blob(&blob.digest)
            .expect_error(404, "BLOB_UNKNOWN");
        // A later push brings it back.
        expect_pushed(repository, blob, repository.push_blob(blob));
    });
}

/// A blob whose bytes are not those of its digest.
fn corrupt(blob: &Blob) -> Blob {
    let mut bytes = blob.bytes.clone();
    bytes.extend_from_slice(b"not what was announced");
    Blob {
        bytes,
        digest: blob.digest.clone(),
    }
}

#[track_caller]
fn expect_refused(repository: &Repository, blob: &Blob, answer: Response) {
    answer.expect_error(400, "DIGEST_INVALID");
    repository.head_blob(&blob.digest).expect_status(404);
}

fn given_a_wrong_digest_when_posted_at_once_then_400(fixture: &Fixture<'_>) {
    each_algorithm(fixture, 3 * CHUNK, |repository, blob| {
        let wrong = corrupt(blob);
        expect_refused(repository, &wrong, repository.post_blob(&wrong));
    });
}

fn given_a_wrong_digest_when_put_then_400(fixture: &Fixture<'_>) {
    for size in [100, 3 * CHUNK] {
        each_algorithm(fixture, size, |repository, blob| {
            let wrong = corrupt(blob);
            expect_refused(
                repository,
                &wrong,
                repository.start_upload().finish(&wrong.digest, &wrong.bytes),
            );
        });
    }
}

fn given_a_wrong_digest_when_sent_in_chunks_then_400(fixture: &Fixture<'_>) {
    each_algorithm(fixture, 3 * CHUNK, |repository, blob| {
        let wrong = corrupt(blob);
        let mut upload = repository.start_upload();
        for (number, chunk) in wrong.bytes.chunks(CHUNK).enumerate() {
            upload.send_chunk(number * CHUNK, chunk).expect_status(202);
        }
        expect_refused(repository, &wrong, upload.finish(&wrong.digest, &[]));
    });
}

fn given_a_wrong_digest_when_the_last_chunk_closes_then_400(fixture: &Fixture<'_>) {
    each_algorithm(fixture, 2 * CHUNK, |repository, blob| {
        let wrong = corrupt(blob);
        let mut upload = repository.start_upload();
        upload.send_chunk(0, &wrong.bytes[..CHUNK]).expect_status(202);
        expect_refused(
            repository,
            &wrong,
            upload.finish_chunk(&wrong.digest, CHUNK, &wrong.bytes[CHUNK..]),
        );
    });
}

fn given_a_wrong_digest_when_streamed_then_400(fixture: &Fixture<'_>) {
    each_algorithm(fixture, 2 * CHUNK, |repository, blob| {
        let wrong = corrupt(blob);
        let mut upload = repository.start_upload();
        upload.stream(&wrong.bytes).expect_status(202);
        expect_refused(repository, &wrong, upload.finish(&wrong.digest, &[]));
    });
}
