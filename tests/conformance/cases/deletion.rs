//! Deleting manifests and tags.

use zas_tests::{Algorithm, Blob, Image, Index, Repository};

use super::cases;
use super::manifests::{expect_served, push_blobs};
use crate::fixture::Fixture;

cases!(deletion:
    given_a_manifest_when_deleted_then_it_and_its_tags_are_gone_at_once,
    given_a_tag_when_deleted_then_only_the_tag_is_gone,
    given_a_manifest_with_many_tags_when_deleted_then_all_are_gone,
    given_a_moved_tag_when_the_old_manifest_is_deleted_then_the_tag_stays,
    given_an_unknown_manifest_when_deleted_then_404,
    given_an_unknown_repository_when_deleted_from_then_404,
    given_an_unknown_blob_when_deleted_then_404,
    given_a_deleted_manifest_when_pushed_again_then_it_is_served,
    given_a_blob_in_use_when_deleted_then_202_and_the_manifest_stays,
    given_a_child_of_an_index_when_deleted_then_the_index_stays,
    given_a_sha512_manifest_when_deleted_then_it_and_its_tags_are_gone,
    given_a_deleted_manifest_when_its_blobs_are_asked_then_they_stay_for_now,
);

fn given_a_manifest_when_deleted_then_it_and_its_tags_are_gone_at_once(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let image = Image::new(fixture.seed()).build();
    let kept = Image::new(fixture.seed()).build();
    repository.push(&kept, "kept");
    for tag in ["one", "two"] {
        repository.push(&image, tag);
    }
    repository
        .delete_manifest(&image.manifest.digest)
        .expect_status(202);
    for reference in ["one", "two", &image.manifest.digest] {
        repository.head_manifest(reference).expect_status(404);
        repository
            .get_manifest(reference)
            .expect_error(404, "MANIFEST_UNKNOWN");
    }
    let tags = repository
        .client
        .get(&repository.tags_path())
        .send()
        .expect_status(200)
        .json();
    assert_eq!(tags["tags"], serde_json::json!(["kept"]));
}

fn given_a_tag_when_deleted_then_only_the_tag_is_gone(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let manifest = push_blobs(&repository, Image::new(fixture.seed()).build());
    repository.push_manifest(&manifest, "one");
    repository.push_manifest(&manifest, "two");
    repository.delete_manifest("one").expect_status(202);
    repository.head_manifest("one").expect_status(404);
    repository
        .delete_manifest("one")
        .expect_error(404, "MANIFEST_UNKNOWN");
    expect_served(&repository, &manifest, "two");
    expect_served(&repository, &manifest, &manifest.digest);
}

fn given_a_manifest_with_many_tags_when_deleted_then_all_are_gone(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let manifest = push_blobs(&repository, Image::new(fixture.seed()).build());
    repository.push(&Image::new(fixture.seed()).build(), "kept");
    for number in 0..60 {
        repository.push_manifest(&manifest, &format!("t{number}"));
    }
    repository.delete_manifest(&manifest.digest).expect_status(202);
    for number in 0..60 {
        repository.head_manifest(&format!("t{number}")).expect_status(404);
    }
}

fn given_a_moved_tag_when_the_old_manifest_is_deleted_then_the_tag_stays(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let old = push_blobs(&repository, Image::new(fixture.seed()).build());
    let new = push_blobs(&repository, Image::new(fixture.seed()).build());
    repository.push_manifest(&old, "latest");
    repository.push_manifest(&new, "latest");
    repository.delete_manifest(&old.digest).expect_status(202);
    expect_served(&repository, &new, "latest");
}

fn given_an_unknown_manifest_when_deleted_then_404(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    repository.push(&Image::new(fixture.seed()).build(), "v1");
    repository
        .delete_manifest(&Algorithm::Sha256.digest(b"nothing"))
        .expect_error(404, "MANIFEST_UNKNOWN");
    repository
        .delete_manifest("nothing")
        .expect_error(404, "MANIFEST_UNKNOWN");
}

fn given_an_unknown_repository_when_deleted_from_then_404(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    for reference in ["v1", &Algorithm::Sha256.digest(b"nothing")] {
        repository
            .delete_manifest(reference)
            .expect_error(404, "MANIFEST_UNKNOWN");
    }
}

fn given_an_unknown_blob_when_deleted_then_404(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        repository
            .delete_blob(&algorithm.digest(b"nothing at all"))
            .expect_error(404, "BLOB_UNKNOWN");
    }
}

fn given_a_deleted_manifest_when_pushed_again_then_it_is_served(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let manifest = push_blobs(&repository, Image::new(fixture.seed()).build());
    for _ in 0..2 {
        repository.push_manifest(&manifest, "v1");
        expect_served(&repository, &manifest, "v1");
        repository.delete_manifest(&manifest.digest).expect_status(202);
        repository.head_manifest("v1").expect_status(404);
    }
}

fn given_a_blob_in_use_when_deleted_then_202_and_the_manifest_stays(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let image = Image::new(fixture.seed()).build();
    repository.push(&image, "v1");
    repository.delete_blob(&image.blobs[0].digest).expect_status(202);
    repository.head_blob(&image.blobs[0].digest).expect_status(404);
    expect_served(&repository, &image.manifest, "v1");
    repository.push_blob(&image.blobs[0]);
    repository.head_blob(&image.blobs[0].digest).expect_status(200);
}

fn given_a_child_of_an_index_when_deleted_then_the_index_stays(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let image = Image::new(fixture.seed()).build();
    repository.push_by_digest(&image);
    let index = Index::new().platform(&image.manifest, "amd64").build();
    repository.push_manifest(&index, "multi");
    repository
        .delete_manifest(&image.manifest.digest)
        .expect_status(202);
    repository
        .head_manifest(&image.manifest.digest)
        .expect_status(404);
    expect_served(&repository, &index, "multi");
}

fn given_a_sha512_manifest_when_deleted_then_it_and_its_tags_are_gone(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let manifest = push_blobs(
        &repository,
        Image::new(fixture.seed()).algorithm(Algorithm::Sha512).build(),
    );
    let path = zas_tests::with_query(&repository.manifest_path(&manifest.digest), &[("tag", "v1")]);
    let request = repository
        .client
        .put(&path)
        .header("content-type", &manifest.media_type);
    request.body(&manifest.bytes).send().expect_status(201);
    repository.delete_manifest(&manifest.digest).expect_status(202);
    repository.head_manifest("v1").expect_status(404);
    repository.head_manifest(&manifest.digest).expect_status(404);
}

fn given_a_deleted_manifest_when_its_blobs_are_asked_then_they_stay_for_now(fixture: &Fixture<'_>) {
    // What was acknowledged stays for the promised grace, so a pusher that relies on it does not lose.
    let repository: Repository = fixture.repository();
    let image = Image::new(fixture.seed()).build();
    repository.push(&image, "v1");
    repository
        .delete_manifest(&image.manifest.digest)
        .expect_status(202);
    for Blob { digest, .. } in &image.blobs {
        repository.head_blob(digest).expect_status(200);
    }
    repository.push_manifest(&image.manifest, "again");
}
