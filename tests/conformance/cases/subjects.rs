//! Manifests that refer to a subject: the header `OCI-Subject`.

use zas_tests::{Algorithm, Artifact, Document, Image, Index};

use super::cases;
use super::manifests::{expect_pushed, push_blobs};
use crate::fixture::Fixture;

cases!(subjects:
    given_a_subject_when_pushed_then_it_is_named,
    given_a_subject_when_pushed_by_tag_then_it_is_named,
    given_an_index_with_a_subject_when_pushed_then_it_is_named,
    given_an_absent_subject_when_pushed_then_it_is_named,
    given_no_subject_when_pushed_then_none_is_named,
    given_a_sha512_subject_when_pushed_then_it_is_named,
    given_a_subject_of_its_own_repository_when_pushed_again_then_it_is_named_again,
);

const SBOM: &str = "application/vnd.example.sbom.v1";

fn artifact_of(fixture: &Fixture<'_>, subject: &Document) -> zas_tests::Package {
    Artifact::new(SBOM, fixture.seed())
        .subject(&subject.descriptor())
        .build()
}

fn given_a_subject_when_pushed_then_it_is_named(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let image = Image::new(fixture.seed()).build();
    repository.push(&image, "v1");
    let manifest = push_blobs(&repository, artifact_of(fixture, &image.manifest));
    let answer = repository.put_manifest(&manifest, &manifest.digest);
    expect_pushed(
        &repository,
        &manifest,
        answer.expect_header("oci-subject", &image.manifest.digest),
    );
}

fn given_a_subject_when_pushed_by_tag_then_it_is_named(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let image = Image::new(fixture.seed()).build();
    repository.push(&image, "v1");
    let manifest = push_blobs(&repository, artifact_of(fixture, &image.manifest));
    repository
        .push_manifest(&manifest, "v1.sbom")
        .expect_header("oci-subject", &image.manifest.digest);
}

fn given_an_index_with_a_subject_when_pushed_then_it_is_named(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let image = Image::new(fixture.seed()).build();
    repository.push(&image, "v1");
    let index = Index::new().field("subject", image.manifest.descriptor()).build();
    repository
        .push_manifest(&index, &index.digest)
        .expect_header("oci-subject", &image.manifest.digest);
}

fn given_an_absent_subject_when_pushed_then_it_is_named(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let absent = Image::new(fixture.seed()).build().manifest;
    let manifest = push_blobs(&repository, artifact_of(fixture, &absent));
    repository
        .push_manifest(&manifest, &manifest.digest)
        .expect_header("oci-subject", &absent.digest);
}

fn given_no_subject_when_pushed_then_none_is_named(fixture: &Fixture<'_>) {
    let answer = fixture
        .repository()
        .push(&Image::new(fixture.seed()).build(), "v1");
    answer.expect_no_header("oci-subject").expect_no_header("oci-tag");
}

fn given_a_sha512_subject_when_pushed_then_it_is_named(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let image = Image::new(fixture.seed()).algorithm(Algorithm::Sha512).build();
    repository.push_by_digest(&image);
    let manifest = push_blobs(&repository, artifact_of(fixture, &image.manifest));
    repository
        .push_manifest(&manifest, &manifest.digest)
        .expect_header("oci-subject", &image.manifest.digest);
}

fn given_a_subject_of_its_own_repository_when_pushed_again_then_it_is_named_again(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let absent = Image::new(fixture.seed()).build().manifest;
    let manifest = push_blobs(&repository, artifact_of(fixture, &absent));
    for _ in 0..2 {
        repository
            .push_manifest(&manifest, &manifest.digest)
            .expect_header("oci-subject", &absent.digest);
    }
    let listed = repository
        .client
        .get(&repository.referrers_path(&absent.digest))
        .send()
        .expect_status(200)
        .json();
    assert_eq!(listed["manifests"].as_array().map(Vec::len), Some(1), "{listed}");
}
