//! Manifests that name what the repository does not have.

use serde_json::{Value, json};
use zas_tests::{Artifact, Blob, Document, Image, Index, Package, Repository, Response, media_type};

use super::cases;
use super::manifests::{expect_pushed, push_blobs};
use crate::fixture::Fixture;

cases!(manifest_references:
    given_an_absent_layer_when_pushed_then_manifest_blob_unknown,
    given_an_absent_config_when_pushed_then_manifest_blob_unknown,
    given_several_absent_blobs_when_pushed_then_each_is_named,
    given_an_absent_child_when_pushed_by_default_then_201,
    given_an_absent_child_when_pushed_to_a_strict_repository_then_manifest_blob_unknown,
    given_absent_layers_and_children_when_pushed_to_a_sparse_repository_then_201,
    given_an_absent_non_distributable_layer_when_pushed_then_201,
    given_a_blob_of_another_repository_when_referred_to_then_manifest_blob_unknown,
    given_a_deleted_blob_when_referred_to_then_manifest_blob_unknown,
    given_a_refused_manifest_when_its_blobs_arrive_then_201,
    given_an_index_that_lists_layers_when_pushed_then_201,
    given_an_absent_subject_when_pushed_to_a_strict_repository_then_201,
);

#[track_caller]
fn expect_missing(repository: &Repository, document: &Document, answer: Response) -> Vec<Value> {
    let answer = answer.expect_error(400, "MANIFEST_BLOB_UNKNOWN");
    repository.head_manifest(&document.digest).expect_status(404);
    answer.json()["errors"].as_array().unwrap().clone()
}

/// An image of which the blobs selected by `is_kept` are pushed.
fn push_some(fixture: &Fixture<'_>, repository: &Repository, is_kept: impl Fn(usize) -> bool) -> Package {
    let package = Image::new(fixture.seed()).build();
    for (_, blob) in package
        .blobs
        .iter()
        .enumerate()
        .filter(|(number, _)| is_kept(*number))
    {
        repository.push_blob(blob);
    }
    package
}

fn given_an_absent_layer_when_pushed_then_manifest_blob_unknown(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let package = push_some(fixture, &repository, |number| number != 0);
    for reference in ["v1", &package.manifest.digest] {
        let answer = repository.put_manifest(&package.manifest, reference);
        let errors = expect_missing(&repository, &package.manifest, answer);
        assert!(
            errors[0].to_string().contains(&package.blobs[0].digest),
            "{}",
            errors[0]
        );
    }
    repository.head_manifest("v1").expect_status(404);
}

fn given_an_absent_config_when_pushed_then_manifest_blob_unknown(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let package = push_some(fixture, &repository, |number| number < 2);
    expect_missing(
        &repository,
        &package.manifest,
        repository.put_manifest(&package.manifest, "v1"),
    );
}

fn given_several_absent_blobs_when_pushed_then_each_is_named(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let package = push_some(fixture, &repository, |_| false);
    let errors = expect_missing(
        &repository,
        &package.manifest,
        repository.put_manifest(&package.manifest, "v1"),
    );
    let text = Value::Array(errors).to_string();
    for blob in &package.blobs {
        assert!(
            text.contains(&blob.digest),
            "{} is not named in {text}",
            blob.digest
        );
    }
}

fn given_an_absent_child_when_pushed_by_default_then_201(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let absent = Image::new(fixture.seed()).build().manifest;
    let index = Index::new().platform(&absent, "arm64").build();
    expect_pushed(&repository, &index, repository.put_manifest(&index, "sparse"));
}

fn given_an_absent_child_when_pushed_to_a_strict_repository_then_manifest_blob_unknown(
    fixture: &Fixture<'_>,
) {
    let repository = fixture.repository_under("strict");
    let absent = Image::new(fixture.seed()).build();
    let index = Index::new().platform(&absent.manifest, "arm64").build();
    expect_missing(&repository, &index, repository.put_manifest(&index, "v1"));
    // A blob of the same bytes is no manifest.
    repository.push_blob(&Blob::new(absent.manifest.bytes.clone()));
    expect_missing(&repository, &index, repository.put_manifest(&index, "v1"));
    repository.push_by_digest(&absent);
    expect_pushed(&repository, &index, repository.put_manifest(&index, "v1"));
}

fn given_absent_layers_and_children_when_pushed_to_a_sparse_repository_then_201(fixture: &Fixture<'_>) {
    let repository = fixture.repository_under("sparse");
    let package = push_some(fixture, &repository, |_| false);
    expect_pushed(
        &repository,
        &package.manifest,
        repository.put_manifest(&package.manifest, "image"),
    );
    let absent = Image::new(fixture.seed()).build().manifest;
    let index = Index::new().manifest(&package.manifest).manifest(&absent).build();
    expect_pushed(&repository, &index, repository.put_manifest(&index, "index"));
    repository
        .get_blob(&package.blobs[0].digest)
        .expect_error(404, "BLOB_UNKNOWN");
}

fn given_an_absent_non_distributable_layer_when_pushed_then_201(fixture: &Fixture<'_>) {
    for repository in [fixture.repository(), fixture.repository_under("strict")] {
        let (oci, docker) = (Image::new(fixture.seed()), Image::new(fixture.seed()).docker());
        let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
        for (image, media_type) in [(oci, media_type::NON_DISTRIBUTABLE), (docker, foreign)] {
            let mut absent = Blob::random(fixture.seed(), 50).descriptor(media_type);
            absent["urls"] = json!(["https://store.example.com/layer"]);
            let mut layers = image.clone().build().manifest.json()["layers"]
                .as_array()
                .unwrap()
                .clone();
            layers.insert(0, absent);
            let manifest = push_blobs(&repository, image.field("layers", json!(layers)).build());
            expect_pushed(
                &repository,
                &manifest,
                repository.put_manifest(&manifest, &manifest.digest),
            );
        }
    }
}

fn given_a_blob_of_another_repository_when_referred_to_then_manifest_blob_unknown(fixture: &Fixture<'_>) {
    let (holder, repository) = (fixture.repository(), fixture.repository());
    let package = Image::new(fixture.seed()).build();
    holder.push(&package, "v1");
    expect_missing(
        &repository,
        &package.manifest,
        repository.put_manifest(&package.manifest, "v1"),
    );
}

fn given_a_deleted_blob_when_referred_to_then_manifest_blob_unknown(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let package = Image::new(fixture.seed()).build();
    let manifest = push_blobs(&repository, package.clone());
    repository
        .delete_blob(&package.blobs[1].digest)
        .expect_status(202);
    expect_missing(&repository, &manifest, repository.put_manifest(&manifest, "v1"));
}

fn given_a_refused_manifest_when_its_blobs_arrive_then_201(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let package = push_some(fixture, &repository, |number| number == 1);
    expect_missing(
        &repository,
        &package.manifest,
        repository.put_manifest(&package.manifest, "v1"),
    );
    let manifest = push_blobs(&repository, package);
    expect_pushed(&repository, &manifest, repository.put_manifest(&manifest, "v1"));
}

fn given_an_index_that_lists_layers_when_pushed_then_201(fixture: &Fixture<'_>) {
    // Build caches put their layers and config into an index.
    let repository = fixture.repository();
    let (layer, config) = (
        Blob::random(fixture.seed(), 100),
        Blob::random(fixture.seed(), 50),
    );
    repository.push_blob(&layer);
    repository.push_blob(&config);
    let cache = "application/vnd.buildkit.cacheconfig.v0";
    let index = Index::new()
        .entry(layer.descriptor(media_type::LAYER_GZIP))
        .entry(config.descriptor(cache))
        .build();
    expect_pushed(&repository, &index, repository.put_manifest(&index, "cache"));
}

fn given_an_absent_subject_when_pushed_to_a_strict_repository_then_201(fixture: &Fixture<'_>) {
    let repository = fixture.repository_under("strict");
    let subject = Image::new(fixture.seed()).build().manifest;
    let package = Artifact::new("application/vnd.example.sbom", fixture.seed())
        .subject(&subject.descriptor())
        .build();
    let manifest = push_blobs(&repository, package);
    let answer = repository
        .put_manifest(&manifest, &manifest.digest)
        .expect_header("oci-subject", &subject.digest);
    expect_pushed(&repository, &manifest, answer);
}
