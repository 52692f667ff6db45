//! What a caller may do: rules per repository.

use serde_json::Value;
use zas_tests::{Artifact, Blob, Image, Package, Repository, with_query};

use super::authentication::expect_challenge;
use super::cases;
use super::manifests::{expect_served, push_blobs};
use crate::fixture::Fixture;

cases!(access:
    given_a_reader_when_pulling_then_allowed,
    given_a_reader_when_writing_then_denied,
    given_a_stranger_when_asking_then_denied_and_nothing_is_told,
    given_a_published_repository_when_anybody_pulls_then_allowed,
    given_a_published_repository_when_anybody_writes_then_refused,
    given_create_without_update_when_tagging_then_tags_are_immutable,
    given_create_without_update_when_tag_parameters_overwrite_then_denied,
    given_create_without_update_when_pushed_under_another_media_type_then_the_first_stays,
    given_create_without_delete_when_deleting_then_denied,
    given_a_group_when_its_member_pushes_then_allowed,
    given_a_longer_pattern_when_matched_then_it_alone_decides,
    given_the_reserved_prefix_when_pushed_then_denied,
    given_an_upload_of_somebody_when_a_reader_uses_it_then_denied,
);

/// A repository that only alice may fill, with an image and an artifact of it.
fn filled(fixture: &Fixture<'_>, prefix: &str) -> (Repository, Package, Package) {
    let repository = fixture
        .repository_under(prefix)
        .seen_by(&fixture.signed_in("alice"));
    let image = Image::new(fixture.seed()).build();
    repository.push(&image, "v1");
    let artifact = Artifact::new("application/x-note", fixture.seed())
        .subject(&image.manifest.descriptor())
        .build();
    repository.push_by_digest(&artifact);
    (repository, image, artifact)
}

#[track_caller]
fn expect_pullable(repository: &Repository, image: &Package) {
    expect_served(repository, &image.manifest, "v1");
    repository.get_blob(&image.blobs[0].digest).expect_status(200);
    repository
        .client
        .get(&repository.tags_path())
        .send()
        .expect_status(200);
    let referrers = repository
        .client
        .get(&repository.referrers_path(&image.manifest.digest))
        .send();
    assert_eq!(
        referrers.expect_status(200).json()["manifests"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

fn given_a_reader_when_pulling_then_allowed(fixture: &Fixture<'_>) {
    let (repository, image, _) = filled(fixture, "private");
    expect_pullable(&repository.seen_by(&fixture.signed_in("bob")), &image);
}

fn given_a_reader_when_writing_then_denied(fixture: &Fixture<'_>) {
    let (repository, image, _) = filled(fixture, "private");
    let reader = repository.seen_by(&fixture.signed_in("bob"));
    let blob = Blob::random(fixture.seed(), 10);
    reader
        .client
        .post(&reader.uploads_path())
        .send()
        .expect_error(403, "DENIED");
    let at_once = with_query(&reader.uploads_path(), &[("digest", &blob.digest)]);
    reader
        .client
        .post(&at_once)
        .body(&blob.bytes)
        .send()
        .expect_error(403, "DENIED");
    let mount = with_query(
        &reader.uploads_path(),
        &[("mount", &image.blobs[0].digest), ("from", &repository.name)],
    );
    reader.client.post(&mount).send().expect_error(403, "DENIED");
    for reference in ["v1", "v2", &image.manifest.digest] {
        reader
            .put_manifest(&image.manifest, reference)
            .expect_error(403, "DENIED");
        reader.delete_manifest(reference).expect_error(403, "DENIED");
    }
    reader
        .delete_blob(&image.blobs[0].digest)
        .expect_error(403, "DENIED");
    expect_pullable(&repository, &image);
}

fn given_a_stranger_when_asking_then_denied_and_nothing_is_told(fixture: &Fixture<'_>) {
    let (repository, image, _) = filled(fixture, "private");
    let stranger = repository.seen_by(&fixture.signed_in("dave"));
    let absent = fixture
        .repository_under("private")
        .seen_by(&fixture.signed_in("dave"));
    // What exists and what does not must look the same.
    for repository in [&stranger, &absent] {
        repository.get_manifest("v1").expect_error(403, "DENIED");
        repository.head_manifest("v1").expect_status(403).expect_body(b"");
        repository
            .get_blob(&image.blobs[0].digest)
            .expect_error(403, "DENIED");
        repository.head_blob(&image.blobs[0].digest).expect_status(403);
        repository
            .client
            .get(&repository.tags_path())
            .send()
            .expect_error(403, "DENIED");
        let referrers = repository
            .client
            .get(&repository.referrers_path(&image.manifest.digest))
            .send();
        referrers.expect_error(403, "DENIED");
    }
}

fn given_a_published_repository_when_anybody_pulls_then_allowed(fixture: &Fixture<'_>) {
    let (repository, image, _) = filled(fixture, "published");
    for client in [fixture.anonymous(), fixture.signed_in("dave")] {
        expect_pullable(&repository.seen_by(&client), &image);
    }
}

fn given_a_published_repository_when_anybody_writes_then_refused(fixture: &Fixture<'_>) {
    let (repository, image, _) = filled(fixture, "published");
    let anonymous = repository.seen_by(&fixture.anonymous());
    expect_challenge(anonymous.client.post(&anonymous.uploads_path()).send());
    expect_challenge(anonymous.put_manifest(&image.manifest, "v2"));
    expect_challenge(anonymous.delete_manifest("v1"));
    let signed_in = repository.seen_by(&fixture.signed_in("dave"));
    signed_in
        .client
        .post(&signed_in.uploads_path())
        .send()
        .expect_error(403, "DENIED");
    signed_in
        .put_manifest(&image.manifest, "v2")
        .expect_error(403, "DENIED");
    signed_in.delete_manifest("v1").expect_error(403, "DENIED");
}

fn given_create_without_update_when_tagging_then_tags_are_immutable(fixture: &Fixture<'_>) {
    let repository = fixture
        .repository_under("immutable")
        .seen_by(&fixture.signed_in("carol"));
    let first = push_blobs(&repository, Image::new(fixture.seed()).build());
    let second = push_blobs(&repository, Image::new(fixture.seed()).build());
    repository.push_manifest(&first, "1.0");
    repository
        .put_manifest(&second, "1.0")
        .expect_error(403, "DENIED");
    expect_served(&repository, &first, "1.0");
    repository.push_manifest(&second, "1.1");
    let owner = repository.seen_by(&fixture.signed_in("alice"));
    owner.push_manifest(&second, "1.0");
    expect_served(&repository, &second, "1.0");
}

fn given_create_without_update_when_tag_parameters_overwrite_then_denied(fixture: &Fixture<'_>) {
    let repository = fixture
        .repository_under("immutable")
        .seen_by(&fixture.signed_in("carol"));
    let first = push_blobs(&repository, Image::new(fixture.seed()).build());
    let second = push_blobs(&repository, Image::new(fixture.seed()).build());
    repository.push_manifest(&first, "1.0");
    let path = with_query(
        &repository.manifest_path(&second.digest),
        &[("tag", "new"), ("tag", "1.0")],
    );
    let request = repository
        .client
        .put(&path)
        .header("content-type", &second.media_type)
        .body(&second.bytes);
    request.send().expect_error(403, "DENIED");
    // All tags of a request or nothing.
    repository.head_manifest("new").expect_status(404);
    repository.head_manifest(&second.digest).expect_status(404);
    expect_served(&repository, &first, "1.0");
}

fn given_create_without_update_when_pushed_under_another_media_type_then_the_first_stays(
    fixture: &Fixture<'_>,
) {
    let repository = fixture
        .repository_under("immutable")
        .seen_by(&fixture.signed_in("carol"));
    let subject = push_blobs(&repository, Image::new(fixture.seed()).build());
    let image = Image::new(fixture.seed())
        .subject(&subject.descriptor())
        .field("mediaType", Value::Null)
        .build();
    let image = push_blobs(&repository, image);
    repository.push_manifest(&image, "a");
    let tag = repository.get_manifest("a").required_header("etag").to_owned();
    let docker = "application/vnd.docker.distribution.manifest.v2+json";
    for reference in ["b", &image.digest] {
        let request = repository.client.put(&repository.manifest_path(reference));
        let request = request.header("content-type", docker).body(&image.bytes);
        request.send().expect_error(403, "DENIED");
    }
    repository.head_manifest("b").expect_status(404);
    for reference in ["a", &image.digest] {
        repository
            .get_manifest(reference)
            .expect_header("content-type", &image.media_type)
            .expect_header("etag", &tag);
    }
    let listed = repository
        .client
        .get(&repository.referrers_path(&subject.digest))
        .send();
    assert_eq!(listed.json()["manifests"][0]["mediaType"], image.media_type);
    // Whoever may move the tags may change what all of them show, and caches learn of it.
    let owner = repository.seen_by(&fixture.signed_in("alice"));
    let request = owner
        .client
        .put(&owner.manifest_path("b"))
        .header("content-type", docker);
    request.body(&image.bytes).send().expect_status(201);
    let request = owner
        .client
        .get(&owner.manifest_path("a"))
        .header("if-none-match", &tag);
    request
        .send()
        .expect_status(200)
        .expect_header("content-type", docker);
}

fn given_create_without_delete_when_deleting_then_denied(fixture: &Fixture<'_>) {
    let repository = fixture
        .repository_under("immutable")
        .seen_by(&fixture.signed_in("carol"));
    let image = Image::new(fixture.seed()).build();
    repository.push(&image, "1.0");
    repository.delete_manifest("1.0").expect_error(403, "DENIED");
    repository
        .delete_manifest(&image.manifest.digest)
        .expect_error(403, "DENIED");
    repository
        .delete_blob(&image.blobs[0].digest)
        .expect_error(403, "DENIED");
    expect_served(&repository, &image.manifest, "1.0");
}

fn given_a_group_when_its_member_pushes_then_allowed(fixture: &Fixture<'_>) {
    let repository = fixture
        .repository_under("team")
        .seen_by(&fixture.signed_in("bob"));
    let image = Image::new(fixture.seed()).build();
    repository.push(&image, "v1");
    expect_served(&repository, &image.manifest, "v1");
    repository.delete_manifest("v1").expect_error(403, "DENIED");
}

fn given_a_longer_pattern_when_matched_then_it_alone_decides(fixture: &Fixture<'_>) {
    let repository = fixture.repository_under("team/closed");
    for name in ["bob", "dave"] {
        let client = repository.seen_by(&fixture.signed_in(name));
        client
            .client
            .post(&client.uploads_path())
            .send()
            .expect_error(403, "DENIED");
        client.get_manifest("v1").expect_error(403, "DENIED");
    }
    repository.seen_by(&fixture.signed_in("alice")).start_upload();
}

fn given_the_reserved_prefix_when_pushed_then_denied(fixture: &Fixture<'_>) {
    // Buckets appear there: a direct push would bypass object locks.
    let image = Image::new(fixture.seed()).build();
    for name in ["s3/bucket", "s3/bucket/deeper", "s3"] {
        let repository = Repository::new(&fixture.client, name);
        repository
            .client
            .post(&repository.uploads_path())
            .send()
            .expect_error(403, "DENIED");
        let at_once = with_query(&repository.uploads_path(), &[("digest", &image.blobs[0].digest)]);
        repository
            .client
            .post(&at_once)
            .body(&image.blobs[0].bytes)
            .send()
            .expect_error(403, "DENIED");
        repository
            .put_manifest(&image.manifest, "v1")
            .expect_error(403, "DENIED");
    }
    // Only the whole component is reserved.
    let neighbour = Repository::new(&fixture.client, &format!("s3x/n{}", fixture.seed()));
    neighbour.push(&image, "v1");
}

fn given_an_upload_of_somebody_when_a_reader_uses_it_then_denied(fixture: &Fixture<'_>) {
    let owner = fixture
        .repository_under("private")
        .seen_by(&fixture.signed_in("alice"));
    let mut upload = owner.start_upload();
    let reader = fixture.signed_in("bob");
    reader
        .patch(&upload.location)
        .body(b"bad")
        .send()
        .expect_error(403, "DENIED");
    reader.delete(&upload.location).send().expect_error(403, "DENIED");
    reader.get(&upload.location).send().expect_error(403, "DENIED");
    let blob = Blob::random(fixture.seed(), 20);
    upload.send_chunk(0, &blob.bytes).expect_status(202);
    upload.finish(&blob.digest, &[]).expect_status(201);
}
