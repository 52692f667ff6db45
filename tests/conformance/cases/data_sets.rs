//! Content of every shape that the image specification knows, each taken through its whole life.

use serde_json::{Value, json};
use zas_tests::{Algorithm, Artifact, Blob, Document, Image, Index, media_type};

use super::cases;
use super::manifest_sizes::manifest_of_size;
use crate::data_set::DataSet;
use crate::fixture::Fixture;

cases!(data_sets:
    given_an_image_when_exercised_then_it_holds,
    given_an_uncompressed_image_when_exercised_then_it_holds,
    given_a_large_manifest_when_exercised_then_it_holds,
    given_an_index_when_exercised_then_it_holds,
    given_a_nested_index_when_exercised_then_it_holds,
    given_an_empty_index_when_exercised_then_it_holds,
    given_an_artifact_when_exercised_then_it_holds,
    given_an_index_of_artifacts_when_exercised_then_it_holds,
    given_an_artifact_without_a_payload_when_exercised_then_it_holds,
    given_artifacts_with_a_subject_when_exercised_then_it_holds,
    given_an_index_with_a_subject_when_exercised_then_it_holds,
    given_a_missing_subject_when_exercised_then_it_holds,
    given_content_in_descriptors_when_exercised_then_it_holds,
    given_non_distributable_layers_when_exercised_then_it_holds,
    given_unknown_fields_when_exercised_then_it_holds,
    given_no_layers_when_exercised_then_it_holds,
    given_a_sparse_image_and_index_when_exercised_then_it_holds,
    given_sha512_when_exercised_then_it_holds,
    given_tag_parameters_when_exercised_then_it_holds,
    given_tag_parameters_and_sha512_when_exercised_then_it_holds,
    given_an_image_with_a_wrong_digest_when_pushed_then_only_its_blobs_are_there,
    given_docker_content_when_exercised_then_it_holds,
    given_an_artifact_of_its_config_type_when_exercised_then_it_holds,
);

const FIRST: &str = "application/vnd.example.conformance.v1";
const SECOND: &str = "application/vnd.example.conformance.v2";

/// Two images and the index over them.
fn with_index(set: DataSet, fixture: &Fixture<'_>, algorithm: Algorithm, index: Index) -> DataSet {
    let build = || Image::new(fixture.seed()).algorithm(algorithm).build();
    let (amd64, arm64) = (build(), build());
    let index = index.algorithm(algorithm);
    let index = index
        .platform(&amd64.manifest, "amd64")
        .platform(&arm64.manifest, "arm64")
        .build();
    set.package(amd64).package(arm64).document(index)
}

fn annotations(fixture: &Fixture<'_>) -> Value {
    json!({"org.opencontainers.conformance": "hello", format!("org.example.n{}", fixture.seed()): "unique"})
}

fn given_an_image_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    let set = DataSet::default()
        .package(Image::new(fixture.seed()).build())
        .tag("image");
    set.exercise(&fixture.repository());
}

fn given_an_uncompressed_image_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    let image = Image::new(fixture.seed());
    let mut layers = image.clone().build().manifest.json()["layers"].clone();
    for layer in layers.as_array_mut().unwrap() {
        layer["mediaType"] = json!(media_type::LAYER);
    }
    let set = DataSet::default()
        .package(image.field("layers", layers).build())
        .tag("image-uncompressed");
    set.exercise(&fixture.repository());
}

fn given_a_large_manifest_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let manifest = manifest_of_size(fixture, &repository, 3_932_160);
    DataSet::default()
        .document(manifest)
        .tag("large-manifest")
        .exercise(&repository);
}

fn given_an_index_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    let set = with_index(DataSet::default(), fixture, Algorithm::Sha256, Index::new()).tag("index");
    set.exercise(&fixture.repository());
}

fn given_a_nested_index_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    let images = [
        Image::new(fixture.seed()).build(),
        Image::new(fixture.seed()).build(),
    ];
    let inner = images
        .each_ref()
        .map(|image| Index::new().platform(&image.manifest, "amd64").build());
    let outer = Index::new().manifest(&inner[0]).manifest(&inner[1]).build();
    let mut set = DataSet::default();
    for (image, index) in images.into_iter().zip(inner) {
        set = set.package(image).document(index);
    }
    set.document(outer)
        .tag("index-of-index")
        .exercise(&fixture.repository());
}

fn given_an_empty_index_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    DataSet::default()
        .document(Index::new().build())
        .tag("index")
        .exercise(&fixture.repository());
}

fn given_an_artifact_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    let set = DataSet::default()
        .package(Artifact::new(FIRST, fixture.seed()).build())
        .tag("artifact");
    set.exercise(&fixture.repository());
}

fn given_an_index_of_artifacts_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    let (one, two) = (
        Artifact::new(FIRST, fixture.seed()).build(),
        Artifact::new(FIRST, fixture.seed()).build(),
    );
    let index = Index::new()
        .field("artifactType", json!(FIRST))
        .manifest(&one.manifest)
        .manifest(&two.manifest)
        .build();
    let set = DataSet::default()
        .package(one)
        .package(two)
        .document(index)
        .tag("artifact-index");
    set.exercise(&fixture.repository());
}

fn given_an_artifact_without_a_payload_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    let artifact = Artifact::new(FIRST, fixture.seed()).payload(b"{}", media_type::EMPTY);
    let set = DataSet::default()
        .package(artifact.build())
        .tag("artifact-without-layers");
    set.exercise(&fixture.repository());
}

fn given_artifacts_with_a_subject_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    let image = Image::new(fixture.seed()).build();
    let subject = image.manifest.descriptor();
    let artifact = |own_type| {
        let artifact = Artifact::new(own_type, fixture.seed()).subject(&subject);
        artifact.annotations(annotations(fixture)).build()
    };
    let set = DataSet::default()
        .package(image)
        .tag("image")
        .package(Image::new(fixture.seed()).subject(&subject).build());
    let set = set
        .package(artifact(FIRST))
        .tag("tagged-artifact1")
        .package(artifact(SECOND))
        .tag("tagged-artifact2");
    set.exercise(&fixture.repository());
}

fn given_an_index_with_a_subject_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    let image = Image::new(fixture.seed()).build();
    let subject = Index::new().platform(&image.manifest, "amd64").build();
    let referrer = || {
        Index::new()
            .field("subject", subject.descriptor())
            .field("annotations", annotations(fixture))
    };
    let typed = referrer().field("artifactType", json!(FIRST)).build();
    let untyped = referrer().build();
    let set = DataSet::default()
        .package(image)
        .document(subject.clone())
        .tag("index");
    set.document(typed)
        .tag("tagged-artifact")
        .document(untyped)
        .exercise(&fixture.repository());
}

fn given_a_missing_subject_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let digest = algorithm.digest(b"missing content");
        let subject = json!({"mediaType": media_type::MANIFEST, "digest": digest, "size": 123});
        let artifact = Artifact::new(FIRST, fixture.seed())
            .subject(&subject)
            .annotations(annotations(fixture));
        DataSet::default()
            .package(artifact.build())
            .tag("tagged-artifact")
            .exercise(&fixture.repository());
    }
}

fn given_content_in_descriptors_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    let set = DataSet::default()
        .package(Image::new(fixture.seed()).with_data().build())
        .tag("data-field");
    set.exercise(&fixture.repository());
}

fn given_non_distributable_layers_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    let image = Image::new(fixture.seed()).layers(1);
    let mut layers = image.clone().build().manifest.json()["layers"]
        .as_array()
        .unwrap()
        .clone();
    for own_type in [
        media_type::NON_DISTRIBUTABLE,
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
    ] {
        let mut absent = Blob::random(fixture.seed(), 256).descriptor(own_type);
        absent["urls"] = json!(["https://store.example.com/blobs"]);
        layers.insert(0, absent);
    }
    let set = DataSet::default()
        .package(image.field("layers", json!(layers)).build())
        .tag("non-distributable-image");
    set.exercise(&fixture.repository());
}

fn given_unknown_fields_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    let custom = json!({"nested": [1, 2.5, null, {"deep": true}]});
    let image = Image::new(fixture.seed())
        .field("org.example.custom", custom.clone())
        .build();
    let index = Index::new()
        .field("org.example.custom", custom)
        .platform(&image.manifest, "amd64")
        .build();
    DataSet::default()
        .package(image)
        .document(index)
        .tag("custom-fields")
        .exercise(&fixture.repository());
}

fn given_no_layers_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    let set = DataSet::default()
        .package(Image::new(fixture.seed()).layers(0).build())
        .tag("no-layers");
    set.exercise(&fixture.repository());
}

fn given_a_sparse_image_and_index_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    let (sparse, whole) = (
        Image::new(fixture.seed()).build(),
        Image::new(fixture.seed()).build(),
    );
    let missing_layer = sparse.blobs[0].digest.clone();
    let absent = Image::new(fixture.seed()).build().manifest;
    let index = Index::new()
        .platform(&whole.manifest, "amd64")
        .platform(&absent, "arm64")
        .build();
    let set = DataSet::default()
        .package(sparse)
        .tag("sparse-image")
        .package(whole)
        .document(index)
        .tag("sparse-index");
    set.without_blob(&missing_layer)
        .exercise(&fixture.repository_under("sparse"));
}

fn given_sha512_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    with_index(DataSet::default(), fixture, Algorithm::Sha512, Index::new()).exercise(&fixture.repository());
}

fn with_tag_parameters(fixture: &Fixture<'_>, algorithm: Algorithm) -> DataSet {
    let image = Image::new(fixture.seed()).algorithm(algorithm).build();
    let index = Index::new()
        .algorithm(algorithm)
        .platform(&image.manifest, "amd64")
        .build();
    let set = DataSet::default()
        .package(image)
        .tag("tag-param-0")
        .document(index);
    set.tag("tag-param").tag("tag-param-1").with_tag_parameters()
}

fn given_tag_parameters_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    with_tag_parameters(fixture, Algorithm::Sha256).exercise(&fixture.repository());
}

fn given_tag_parameters_and_sha512_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    with_tag_parameters(fixture, Algorithm::Sha512).exercise(&fixture.repository());
}

fn given_an_image_with_a_wrong_digest_when_pushed_then_only_its_blobs_are_there(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let package = Image::new(fixture.seed()).build();
    for blob in &package.blobs {
        repository.push_blob(blob);
    }
    let mut wrong = package.manifest;
    wrong.bytes.extend_from_slice(b"  ");
    repository
        .put_manifest(&wrong, &wrong.digest)
        .expect_error(400, "DIGEST_INVALID");
    repository.head_manifest(&wrong.digest).expect_status(404);
    for blob in &package.blobs {
        repository.head_blob(&blob.digest).expect_status(200);
    }
}

fn given_docker_content_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    let image = Image::new(fixture.seed()).docker().build();
    let list = Index::new().docker().platform(&image.manifest, "amd64").build();
    DataSet::default()
        .package(image)
        .tag("image")
        .document(list)
        .tag("list")
        .exercise(&fixture.repository());
}

fn given_an_artifact_of_its_config_type_when_exercised_then_it_holds(fixture: &Fixture<'_>) {
    // Artifacts from before the field artifactType: the config's media type says what they are.
    let subject = Image::new(fixture.seed()).build();
    let config = Blob::new(format!("{{\"seed\":{}}}", fixture.seed()));
    let layer = Blob::random(fixture.seed(), 100);
    let content = json!({
        "schemaVersion": 2,
        "mediaType": media_type::MANIFEST,
        "config": config.descriptor("application/vnd.cncf.helm.config.v1+json"),
        "layers": [layer.descriptor("application/vnd.cncf.helm.chart.content.v1.tar+gzip")],
        "subject": subject.manifest.descriptor(),
        "annotations": annotations(fixture),
    });
    let manifest = Document::new(&content, media_type::MANIFEST, Algorithm::Sha256);
    let chart = zas_tests::Package {
        manifest,
        blobs: vec![config, layer],
    };
    DataSet::default()
        .package(subject)
        .tag("subject")
        .package(chart)
        .tag("1.0.0")
        .exercise(&fixture.repository());
}
