//! Large manifests.

use serde_json::json;
use zas_tests::{Document, Image, Repository, media_type};

use super::cases;
use super::manifests::{expect_pushed, expect_served, push_blobs};
use crate::fixture::Fixture;

cases!(manifest_sizes:
    given_a_large_manifest_when_pushed_then_it_is_served,
    given_a_manifest_over_the_limit_when_pushed_then_413,
);

/// The smallest limit that a registry may have, and our default.
const LIMIT: usize = 4 * 1024 * 1024;

/// A manifest of exactly `size` bytes, most of them annotations.
pub(crate) fn manifest_of_size(fixture: &Fixture<'_>, repository: &Repository, size: usize) -> Document {
    let build = |filling: usize, seed: u64| {
        let annotations = json!({"org.example.filling": "A".repeat(filling)});
        Image::new(seed).layers(1).annotations(annotations).build()
    };
    let seed = fixture.seed();
    let rest = size - build(0, seed).manifest.bytes.len();
    let manifest = push_blobs(repository, build(rest, seed));
    assert_eq!(manifest.bytes.len(), size);
    manifest
}

fn given_a_large_manifest_when_pushed_then_it_is_served(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    for size in [3_900_000, 4_000_000, LIMIT] {
        let manifest = manifest_of_size(fixture, &repository, size);
        expect_pushed(
            &repository,
            &manifest,
            repository.put_manifest(&manifest, "large"),
        );
        expect_served(&repository, &manifest, "large");
    }
    let manifest = manifest_of_size(fixture, &repository, LIMIT);
    let request = repository
        .client
        .put(&repository.manifest_path("large"))
        .header("content-type", media_type::MANIFEST);
    expect_pushed(
        &repository,
        &manifest,
        request.chunked_body(&manifest.bytes).send(),
    );
}

fn given_a_manifest_over_the_limit_when_pushed_then_413(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let manifest = manifest_of_size(fixture, &repository, LIMIT + 1);
    for reference in ["too-large", &manifest.digest] {
        repository
            .put_manifest(&manifest, reference)
            .expect_error(413, "MANIFEST_INVALID");
        let request = repository
            .client
            .put(&repository.manifest_path(reference))
            .header("content-type", media_type::MANIFEST);
        request
            .chunked_body(&manifest.bytes)
            .send()
            .expect_error(413, "MANIFEST_INVALID");
        repository.head_manifest(reference).expect_status(404);
    }
}
