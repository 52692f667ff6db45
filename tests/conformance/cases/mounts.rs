//! Taking a blob over from another repository without sending it.

use zas_tests::{Algorithm, Blob, Repository, Response, random_bytes, with_query};

use super::blobs::{ALGORITHMS, expect_pushed, expect_served};
use super::cases;
use crate::fixture::Fixture;

cases!(mounts:
    given_a_blob_in_another_repository_when_mounted_then_it_is_served,
    given_a_blob_anywhere_when_mounted_without_a_source_then_it_is_served,
    given_a_source_without_the_blob_when_mounted_then_an_upload_starts,
    given_a_blob_nowhere_when_mounted_without_a_source_then_an_upload_starts,
    given_a_blob_elsewhere_when_mounted_from_a_source_without_it_then_an_upload_starts,
    given_a_mounted_blob_when_the_source_loses_it_then_it_stays,
    given_a_mounted_blob_when_mounted_again_then_201,
    given_a_wrong_digest_when_mounted_then_400,
    given_a_source_that_no_repository_can_be_when_mounted_then_an_upload_starts,
    given_a_repository_itself_when_mounted_from_then_201,
    given_a_private_source_when_mounted_by_others_then_an_upload_starts,
    given_a_private_holder_when_mounted_without_a_source_then_only_readers_get_it,
);

fn mount(repository: &Repository, digest: &str, from: Option<&str>) -> Response {
    let mut parameters = vec![("mount", digest)];
    parameters.extend(from.map(|name| ("from", name)));
    repository
        .client
        .post(&with_query(&repository.uploads_path(), &parameters))
        .send()
}

/// Demands an upload that takes the blob instead.
#[track_caller]
fn expect_upload(repository: &Repository, blob: &Blob, answer: Response) {
    let answer = answer.expect_status(202);
    let closing = with_query(answer.required_header("location"), &[("digest", &blob.digest)]);
    repository.head_blob(&blob.digest).expect_status(404);
    expect_pushed(
        repository,
        blob,
        repository.client.put(&closing).body(&blob.bytes).send(),
    );
}

fn given_a_blob_in_another_repository_when_mounted_then_it_is_served(fixture: &Fixture<'_>) {
    for (algorithm, size) in ALGORITHMS
        .into_iter()
        .flat_map(|algorithm| [(algorithm, 512), (algorithm, 50_000)])
    {
        let (source, target) = (fixture.repository(), fixture.repository());
        let blob = Blob::digested(random_bytes(fixture.seed(), size), algorithm);
        source.push_blob(&blob);
        expect_pushed(&target, &blob, mount(&target, &blob.digest, Some(&source.name)));
    }
}

fn given_a_blob_anywhere_when_mounted_without_a_source_then_it_is_served(fixture: &Fixture<'_>) {
    for algorithm in ALGORITHMS {
        let (source, target) = (fixture.repository(), fixture.repository());
        let blob = Blob::digested(random_bytes(fixture.seed(), 512), algorithm);
        source.push_blob(&blob);
        expect_pushed(&target, &blob, mount(&target, &blob.digest, None));
    }
}

fn given_a_source_without_the_blob_when_mounted_then_an_upload_starts(fixture: &Fixture<'_>) {
    let (source, target) = (fixture.repository(), fixture.repository());
    source.push_blob(&Blob::random(fixture.seed(), 10));
    let blob = Blob::random(fixture.seed(), 512);
    expect_upload(&target, &blob, mount(&target, &blob.digest, Some(&source.name)));
    let (unknown, blob) = (fixture.repository(), Blob::random(fixture.seed(), 512));
    expect_upload(&target, &blob, mount(&target, &blob.digest, Some(&unknown.name)));
}

fn given_a_blob_nowhere_when_mounted_without_a_source_then_an_upload_starts(fixture: &Fixture<'_>) {
    let (target, blob) = (
        fixture.repository(),
        Blob::digested(random_bytes(fixture.seed(), 512), Algorithm::Sha512),
    );
    expect_upload(&target, &blob, mount(&target, &blob.digest, None));
}

fn given_a_blob_elsewhere_when_mounted_from_a_source_without_it_then_an_upload_starts(fixture: &Fixture<'_>) {
    let (holder, source, target) = (fixture.repository(), fixture.repository(), fixture.repository());
    let blob = Blob::random(fixture.seed(), 512);
    holder.push_blob(&blob);
    expect_upload(&target, &blob, mount(&target, &blob.digest, Some(&source.name)));
}

fn given_a_mounted_blob_when_the_source_loses_it_then_it_stays(fixture: &Fixture<'_>) {
    let (source, target, blob) = (
        fixture.repository(),
        fixture.repository(),
        Blob::random(fixture.seed(), 40_000),
    );
    source.push_blob(&blob);
    mount(&target, &blob.digest, Some(&source.name)).expect_status(201);
    source.delete_blob(&blob.digest).expect_status(202);
    source.head_blob(&blob.digest).expect_status(404);
    expect_served(&target, &blob);
}

fn given_a_mounted_blob_when_mounted_again_then_201(fixture: &Fixture<'_>) {
    let (source, target, blob) = (
        fixture.repository(),
        fixture.repository(),
        Blob::random(fixture.seed(), 512),
    );
    source.push_blob(&blob);
    for _ in 0..2 {
        expect_pushed(&target, &blob, mount(&target, &blob.digest, Some(&source.name)));
    }
}

fn given_a_wrong_digest_when_mounted_then_400(fixture: &Fixture<'_>) {
    let (source, target) = (fixture.repository(), fixture.repository());
    for digest in ["sha256:abc", "nothing"] {
        mount(&target, digest, Some(&source.name)).expect_error(400, "DIGEST_INVALID");
    }
    // An algorithm that nobody here verifies is no mistake: nobody holds the blob, so it is uploaded.
    for digest in ["md5:d41d8cd98f00b204e9800998ecf8427e", "blake3:x"] {
        mount(&target, digest, Some(&source.name)).expect_status(202);
    }
}

fn given_a_source_that_no_repository_can_be_when_mounted_then_an_upload_starts(fixture: &Fixture<'_>) {
    // containerd derives it from the name of another registry.
    let (holder, blob) = (fixture.repository(), Blob::random(fixture.seed(), 512));
    holder.push_blob(&blob);
    let long = "a".repeat(300);
    for from in ["UPPER", "-bad-", "..", "\0", &long] {
        let target = fixture.repository();
        expect_upload(&target, &blob, mount(&target, &blob.digest, Some(from)));
    }
}

fn given_a_repository_itself_when_mounted_from_then_201(fixture: &Fixture<'_>) {
    let (repository, blob) = (fixture.repository(), Blob::random(fixture.seed(), 512));
    repository.push_blob(&blob);
    expect_pushed(
        &repository,
        &blob,
        mount(&repository, &blob.digest, Some(&repository.name)),
    );
}

fn given_a_private_source_when_mounted_by_others_then_an_upload_starts(fixture: &Fixture<'_>) {
    let private = fixture
        .repository_under("private")
        .seen_by(&fixture.signed_in("alice"));
    let blob = Blob::random(fixture.seed(), 512);
    private.push_blob(&blob);
    let team = fixture.repository_under("team");
    let stranger = team.seen_by(&fixture.signed_in("dave"));
    expect_upload(
        &stranger,
        &blob,
        mount(&stranger, &blob.digest, Some(&private.name)),
    );
    let reader = fixture
        .repository_under("team")
        .seen_by(&fixture.signed_in("bob"));
    expect_pushed(&reader, &blob, mount(&reader, &blob.digest, Some(&private.name)));
}

fn given_a_private_holder_when_mounted_without_a_source_then_only_readers_get_it(fixture: &Fixture<'_>) {
    let private = fixture
        .repository_under("private")
        .seen_by(&fixture.signed_in("alice"));
    let blob = Blob::random(fixture.seed(), 512);
    private.push_blob(&blob);
    let reader = fixture.repository_under("private");
    let stranger = fixture
        .repository_under("team")
        .seen_by(&fixture.signed_in("dave"));
    // Saying 201 would tell a stranger what others hold.
    expect_upload(&stranger, &blob, mount(&stranger, &blob.digest, None));
    let owner = reader.seen_by(&fixture.signed_in("alice"));
    expect_pushed(&owner, &blob, mount(&owner, &blob.digest, None));
}
