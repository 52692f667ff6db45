//! Pushing and pulling manifests.

use zas_tests::{Algorithm, Document, Image, Index, Package, Repository, Response, media_type};

use super::cases;
use crate::fixture::Fixture;

cases!(manifests:
    given_an_image_when_pushed_by_tag_then_it_is_served,
    given_an_image_when_pushed_by_digest_then_it_is_served,
    given_docker_types_when_pushed_then_they_are_served,
    given_both_algorithms_when_pushed_by_digest_then_each_is_served_under_its_own,
    given_odd_spacing_when_pushed_then_the_exact_bytes_are_served,
    given_a_content_type_with_parameters_when_pushed_then_they_are_dropped,
    given_no_media_type_field_when_pushed_then_the_header_decides,
    given_no_content_type_when_pushed_then_the_field_decides,
    given_a_chunked_request_when_pushed_then_it_is_served,
    given_a_manifest_when_pushed_twice_then_both_succeed,
    given_a_tag_when_pushed_again_then_it_moves_and_the_old_manifest_stays,
    given_an_unknown_manifest_when_asked_then_404,
    given_a_digest_of_other_content_when_pushed_then_400,
    given_a_manifest_when_asked_conditionally_then_304,
    given_any_accepted_types_when_asked_then_the_stored_type_is_served,
    given_a_manifest_when_asked_in_another_repository_then_404,
    given_a_source_host_when_asked_then_it_changes_nothing,
    given_an_image_in_another_repository_when_its_blobs_are_mounted_then_it_can_be_pushed,
);

/// Demands that HEAD and GET by this reference tell all about a manifest.
#[track_caller]
pub(crate) fn expect_served(repository: &Repository, document: &Document, reference: &str) {
    let length = document.bytes.len().to_string();
    let path = repository.manifest_path(reference);
    for (method, body) in [("HEAD", &[][..]), ("GET", &document.bytes)] {
        let request = repository
            .client
            .request(method, &path)
            .header("accept", &document.media_type);
        let answer = request.send().expect_status(200);
        answer
            .expect_header("docker-content-digest", &document.digest)
            .expect_header("content-length", &length)
            .expect_header("content-type", &document.media_type)
            .expect_body(body);
    }
}

/// Demands the answer to a successful push.
#[track_caller]
pub(crate) fn expect_pushed(repository: &Repository, document: &Document, answer: Response) {
    let answer = answer
        .expect_status(201)
        .expect_header("docker-content-digest", &document.digest);
    let location = answer.required_header("location");
    let request = repository
        .client
        .get(location)
        .header("accept", &document.media_type);
    request.send().expect_status(200).expect_body(&document.bytes);
    expect_served(repository, document, &document.digest);
}

/// Pushes the blobs of an image and returns its manifest.
pub(crate) fn push_blobs(repository: &Repository, package: Package) -> Document {
    for blob in &package.blobs {
        repository.push_blob(blob);
    }
    package.manifest
}

/// The same JSON in other bytes.
pub(crate) fn respelled(document: &Document, bytes: Vec<u8>) -> Document {
    Document {
        digest: Algorithm::Sha256.digest(&bytes),
        bytes,
        media_type: document.media_type.clone(),
    }
}

fn given_an_image_when_pushed_by_tag_then_it_is_served(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let manifest = push_blobs(&repository, Image::new(fixture.seed()).build());
    expect_pushed(
        &repository,
        &manifest,
        repository.put_manifest(&manifest, "v1.0_RC-1"),
    );
    expect_served(&repository, &manifest, "v1.0_RC-1");
}

fn given_an_image_when_pushed_by_digest_then_it_is_served(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let manifest = push_blobs(&repository, Image::new(fixture.seed()).build());
    expect_pushed(
        &repository,
        &manifest,
        repository.put_manifest(&manifest, &manifest.digest),
    );
    repository
        .client
        .get(&repository.tags_path())
        .send()
        .expect_status(200);
}

fn given_docker_types_when_pushed_then_they_are_served(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let manifest = push_blobs(&repository, Image::new(fixture.seed()).docker().build());
    expect_pushed(
        &repository,
        &manifest,
        repository.put_manifest(&manifest, "image"),
    );
    let list = Index::new().docker().platform(&manifest, "amd64").build();
    expect_pushed(&repository, &list, repository.put_manifest(&list, "list"));
    expect_served(&repository, &manifest, "image");
    expect_served(&repository, &list, "list");
}

fn given_both_algorithms_when_pushed_by_digest_then_each_is_served_under_its_own(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let manifest = push_blobs(&repository, Image::new(fixture.seed()).build());
    let other = Document {
        digest: Algorithm::Sha512.digest(&manifest.bytes),
        ..manifest.clone()
    };
    for document in [&manifest, &other] {
        expect_pushed(
            &repository,
            document,
            repository.put_manifest(document, &document.digest),
        );
    }
}

fn given_odd_spacing_when_pushed_then_the_exact_bytes_are_served(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let manifest = push_blobs(&repository, Image::new(fixture.seed()).build());
    let pretty = serde_json::to_string_pretty(&manifest.json()).unwrap();
    let odd = respelled(&manifest, format!("\n\t {pretty}\r\n  ").into_bytes());
    expect_pushed(&repository, &odd, repository.put_manifest(&odd, "odd"));
    expect_served(&repository, &odd, "odd");
}

fn given_a_content_type_with_parameters_when_pushed_then_they_are_dropped(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let manifest = push_blobs(&repository, Image::new(fixture.seed()).build());
    let header = format!("{}; charset=utf-8", manifest.media_type);
    let request = repository
        .client
        .put(&repository.manifest_path("v1"))
        .header("content-type", &header);
    expect_pushed(&repository, &manifest, request.body(&manifest.bytes).send());
    expect_served(&repository, &manifest, "v1");
}

fn given_no_media_type_field_when_pushed_then_the_header_decides(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    for package in [
        Image::new(fixture.seed()).build(),
        Image::new(fixture.seed()).docker().build(),
    ] {
        let manifest = push_blobs(&repository, package);
        let mut content = manifest.json();
        content.as_object_mut().unwrap().remove("mediaType");
        let plain = Document::new(&content, &manifest.media_type, Algorithm::Sha256);
        expect_pushed(
            &repository,
            &plain,
            repository.put_manifest(&plain, &plain.digest),
        );
    }
}

fn given_no_content_type_when_pushed_then_the_field_decides(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let manifest = push_blobs(&repository, Image::new(fixture.seed()).build());
    let answer = repository
        .client
        .put(&repository.manifest_path("v1"))
        .body(&manifest.bytes)
        .send();
    expect_pushed(&repository, &manifest, answer);
}

fn given_a_chunked_request_when_pushed_then_it_is_served(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let manifest = push_blobs(&repository, Image::new(fixture.seed()).build());
    let request = repository
        .client
        .put(&repository.manifest_path("v1"))
        .header("content-type", &manifest.media_type);
    expect_pushed(
        &repository,
        &manifest,
        request.chunked_body(&manifest.bytes).send(),
    );
}

fn given_a_manifest_when_pushed_twice_then_both_succeed(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let manifest = push_blobs(&repository, Image::new(fixture.seed()).build());
    for reference in ["v1", "v1", &manifest.digest, "v2"] {
        expect_pushed(
            &repository,
            &manifest,
            repository.put_manifest(&manifest, reference),
        );
    }
}

fn given_a_tag_when_pushed_again_then_it_moves_and_the_old_manifest_stays(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let first = push_blobs(&repository, Image::new(fixture.seed()).build());
    let second = push_blobs(&repository, Image::new(fixture.seed()).build());
    repository.push_manifest(&first, "latest");
    repository.push_manifest(&second, "latest");
    expect_served(&repository, &second, "latest");
    expect_served(&repository, &first, &first.digest);
}

fn given_an_unknown_manifest_when_asked_then_404(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let unknown = Image::new(fixture.seed()).build().manifest.digest;
    for reference in ["missing", &unknown] {
        repository
            .get_manifest(reference)
            .expect_error(404, "MANIFEST_UNKNOWN");
        repository
            .head_manifest(reference)
            .expect_status(404)
            .expect_body(b"");
    }
    repository.push(&Image::new(fixture.seed()).build(), "there");
    for reference in ["missing", &unknown] {
        repository
            .get_manifest(reference)
            .expect_error(404, "MANIFEST_UNKNOWN");
        repository.head_manifest(reference).expect_status(404);
    }
}

fn given_a_digest_of_other_content_when_pushed_then_400(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let mut manifest = push_blobs(
            &repository,
            Image::new(fixture.seed()).algorithm(algorithm).build(),
        );
        manifest.bytes.extend_from_slice(b"  ");
        repository
            .put_manifest(&manifest, &manifest.digest)
            .expect_error(400, "DIGEST_INVALID");
        repository.head_manifest(&manifest.digest).expect_status(404);
    }
}

fn given_a_manifest_when_asked_conditionally_then_304(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let manifest = push_blobs(&repository, Image::new(fixture.seed()).build());
    repository.push_manifest(&manifest, "v1");
    let tag = repository
        .head_manifest("v1")
        .expect_status(200)
        .required_header("etag")
        .to_owned();
    for (method, reference) in [("GET", "v1"), ("HEAD", "v1"), ("GET", &manifest.digest)] {
        let path = repository.manifest_path(reference);
        let ask = |value: &str| {
            repository
                .client
                .request(method, &path)
                .header("if-none-match", value)
                .send()
        };
        ask(&tag)
            .expect_status(304)
            .expect_header("etag", &tag)
            .expect_body(b"");
        ask("\"other\"").expect_status(200);
    }
    // The tag moves: its old entity tag no longer matches.
    let other = push_blobs(&repository, Image::new(fixture.seed()).build());
    repository.push_manifest(&other, "v1");
    let request = repository
        .client
        .get(&repository.manifest_path("v1"))
        .header("if-none-match", &tag);
    request.send().expect_status(200).expect_body(&other.bytes);
}

fn given_any_accepted_types_when_asked_then_the_stored_type_is_served(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let manifest = push_blobs(&repository, Image::new(fixture.seed()).build());
    repository.push_manifest(&manifest, "v1");
    repository
        .client
        .get(&repository.manifest_path("v1"))
        .send()
        .expect_status(200)
        .expect_body(&manifest.bytes);
    let several = format!("{}, {}", media_type::INDEX, media_type::MANIFEST);
    for accept in [&several, "*/*", "application/*", media_type::MANIFEST] {
        let request = repository
            .client
            .get(&repository.manifest_path("v1"))
            .header("accept", accept);
        request
            .send()
            .expect_status(200)
            .expect_header("content-type", media_type::MANIFEST);
    }
    let repeated = repository
        .client
        .get(&repository.manifest_path("v1"))
        .header("accept", media_type::DOCKER_MANIFEST);
    repeated
        .header("accept", media_type::MANIFEST)
        .send()
        .expect_status(200);
}

fn given_a_manifest_when_asked_in_another_repository_then_404(fixture: &Fixture<'_>) {
    let (repository, other) = (fixture.repository(), fixture.repository());
    repository.push(&Image::new(fixture.seed()).build(), "v1");
    other.push(&Image::new(fixture.seed()).build(), "v2");
    other.get_manifest("v1").expect_error(404, "MANIFEST_UNKNOWN");
}

fn given_an_image_in_another_repository_when_its_blobs_are_mounted_then_it_can_be_pushed(
    fixture: &Fixture<'_>,
) {
    let (source, target) = (fixture.repository(), fixture.repository());
    let package = Image::new(fixture.seed()).build();
    source.push(&package, "v1");
    for blob in &package.blobs {
        let parameters = [("mount", blob.digest.as_str()), ("from", &source.name)];
        let path = zas_tests::with_query(&target.uploads_path(), &parameters);
        target.client.post(&path).send().expect_status(201);
    }
    expect_pushed(
        &target,
        &package.manifest,
        target.put_manifest(&package.manifest, "v1"),
    );
}

fn given_a_source_host_when_asked_then_it_changes_nothing(fixture: &Fixture<'_>) {
    // Clients that take us for a mirror name the host they mean (distribution-spec, "Registry Proxying").
    let repository = fixture.repository();
    let image = Image::new(fixture.seed()).build();
    repository.push(&image, "v1");
    for path in [
        repository.manifest_path("v1"),
        repository.blob_path(&image.blobs[0].digest),
    ] {
        let path = zas_tests::with_query(&path, &[("ns", "registry.example.com")]);
        let answer = repository.client.get(&path).send().expect_status(200);
        let named = answer.header("oci-namespace").unwrap_or("registry.example.com");
        assert_eq!(named, "registry.example.com", "{}", answer.request);
    }
}
