//! What refers to a subject.

use serde_json::{Value, json};
use zas_tests::{Algorithm, Artifact, Document, Image, Index, Repository, Response, media_type, with_query};

use super::cases;
use super::manifests::push_blobs;
use crate::fixture::Fixture;

cases!(referrers:
    given_an_unknown_repository_when_asked_then_an_empty_index,
    given_an_unknown_digest_when_asked_then_an_empty_index,
    given_a_wrong_digest_when_asked_then_400,
    given_an_artifact_when_asked_then_its_type_and_annotations,
    given_an_image_without_a_type_when_asked_then_the_config_type,
    given_an_index_without_a_type_when_asked_then_no_type,
    given_an_index_with_a_type_when_asked_then_its_type,
    given_a_filter_when_asked_then_only_that_type,
    given_a_filter_that_matches_nothing_when_asked_then_an_empty_index,
    given_several_filters_when_asked_then_each_type,
    given_a_subject_pushed_later_when_asked_then_its_referrers,
    given_a_deleted_referrer_when_asked_then_it_is_gone,
    given_a_deleted_subject_when_asked_then_its_referrers_stay,
    given_a_referrer_elsewhere_when_asked_then_it_is_not_listed,
    given_a_referrer_of_a_referrer_when_asked_then_each_has_its_own,
    given_a_sha512_subject_when_asked_then_its_referrers,
    given_a_tagged_referrer_when_its_tag_goes_then_it_stays,
    given_the_fallback_tag_when_pushed_then_it_is_a_tag_like_any_other,
);

pub(crate) const SBOM: &str = "application/vnd.example.sbom.v1";
pub(crate) const SIGNATURE: &str = "application/vnd.example.signature.v1+json";

pub(crate) fn ask(repository: &Repository, digest: &str, types: &[&str]) -> Response {
    let parameters: Vec<(&str, &str)> = types.iter().map(|own| ("artifactType", *own)).collect();
    let answer = repository
        .client
        .get(&with_query(&repository.referrers_path(digest), &parameters))
        .send();
    answer
        .expect_status(200)
        .expect_header("content-type", media_type::INDEX)
}

/// The descriptors of an answer, after checking that it is an index.
#[track_caller]
pub(crate) fn descriptors(answer: &Response) -> Vec<Value> {
    let index = answer.json();
    assert_eq!(index["schemaVersion"], 2, "{index}");
    assert_eq!(index["mediaType"], media_type::INDEX, "{index}");
    index["manifests"]
        .as_array()
        .expect("an index has manifests")
        .clone()
}

/// The digests of an answer, sorted.
#[track_caller]
fn digests(answer: &Response) -> Vec<String> {
    let mut digests: Vec<String> = descriptors(answer)
        .iter()
        .filter_map(|own| own["digest"].as_str().map(str::to_owned))
        .collect();
    digests.sort();
    digests
}

fn sorted<const COUNT: usize>(documents: [&Document; COUNT]) -> Vec<String> {
    let mut digests: Vec<String> = documents.iter().map(|own| own.digest.clone()).collect();
    digests.sort();
    digests
}

fn push_artifact(
    fixture: &Fixture<'_>,
    repository: &Repository,
    own_type: &str,
    subject: &Document,
) -> Document {
    let package = Artifact::new(own_type, fixture.seed())
        .subject(&subject.descriptor())
        .build();
    let manifest = push_blobs(repository, package);
    repository
        .push_manifest(&manifest, &manifest.digest)
        .expect_header("oci-subject", &subject.digest);
    manifest
}

fn subject(fixture: &Fixture<'_>, repository: &Repository) -> Document {
    let image = Image::new(fixture.seed()).build();
    repository.push(&image, "subject");
    image.manifest
}

fn given_an_unknown_repository_when_asked_then_an_empty_index(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let answer = ask(&repository, &algorithm.digest(b"nothing"), &[]).expect_no_header("link");
        assert_eq!(
            answer.json(),
            json!({"schemaVersion": 2, "mediaType": media_type::INDEX, "manifests": []})
        );
    }
}

fn given_an_unknown_digest_when_asked_then_an_empty_index(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    subject(fixture, &repository);
    let answer =
        ask(&repository, &Algorithm::Sha256.digest(b"nothing"), &[]).expect_no_header("oci-filters-applied");
    assert_eq!(descriptors(&answer), Vec::<Value>::new());
}

fn given_a_wrong_digest_when_asked_then_400(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let upper = Algorithm::Sha256
        .digest(b"x")
        .replace("sha256:", "")
        .to_uppercase();
    for digest in [
        "sha256:abc",
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        "latest",
        &format!("sha256:{upper}"),
        "sha256:",
    ] {
        let answer = repository.client.get(&repository.referrers_path(digest)).send();
        answer.expect_error(400, "DIGEST_INVALID");
    }
}

fn given_an_artifact_when_asked_then_its_type_and_annotations(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let subject = subject(fixture, &repository);
    let annotations = json!({"org.example.format": "json", "org.example.text": "grüße \"quoted\" \u{1F980}"});
    let artifact = Artifact::new(SBOM, fixture.seed())
        .subject(&subject.descriptor())
        .annotations(annotations.clone());
    let manifest = push_blobs(&repository, artifact.build());
    repository.push_manifest(&manifest, &manifest.digest);
    let expected = json!([{
        "mediaType": media_type::MANIFEST,
        "digest": manifest.digest,
        "size": manifest.bytes.len(),
        "artifactType": SBOM,
        "annotations": annotations,
    }]);
    assert_eq!(
        Value::Array(descriptors(&ask(&repository, &subject.digest, &[]))),
        expected
    );
}

fn given_an_image_without_a_type_when_asked_then_the_config_type(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let subject = subject(fixture, &repository);
    for own_type in [None, Some("")] {
        let mut image = Image::new(fixture.seed()).subject(&subject.descriptor());
        if let Some(own_type) = own_type {
            image = image.field("artifactType", json!(own_type));
        }
        let manifest = push_blobs(&repository, image.build());
        repository.push_manifest(&manifest, &manifest.digest);
        let all = descriptors(&ask(&repository, &subject.digest, &[media_type::CONFIG]));
        let own = all
            .iter()
            .find(|own| own["digest"] == manifest.digest)
            .expect("the image is listed");
        assert_eq!(own["artifactType"], media_type::CONFIG);
        assert_eq!(own.get("annotations"), None, "{own}");
    }
}

fn given_an_index_without_a_type_when_asked_then_no_type(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let subject = subject(fixture, &repository);
    let index = Index::new()
        .field("subject", subject.descriptor())
        .field("annotations", json!({"a": "b"}))
        .build();
    repository.push_manifest(&index, &index.digest);
    let all = descriptors(&ask(&repository, &subject.digest, &[]));
    assert_eq!(all[0]["mediaType"], media_type::INDEX);
    assert_eq!(all[0].get("artifactType"), None, "{}", all[0]);
    assert_eq!(all[0]["annotations"], json!({"a": "b"}));
}

fn given_an_index_with_a_type_when_asked_then_its_type(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let subject = subject(fixture, &repository);
    let index = Index::new()
        .field("subject", subject.descriptor())
        .field("artifactType", json!(SBOM))
        .build();
    repository.push_manifest(&index, &index.digest);
    let all = descriptors(&ask(&repository, &subject.digest, &[SBOM]));
    assert_eq!((all.len(), &all[0]["artifactType"]), (1, &json!(SBOM)));
}

fn given_a_filter_when_asked_then_only_that_type(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let subject = subject(fixture, &repository);
    let sbom = push_artifact(fixture, &repository, SBOM, &subject);
    let signature = push_artifact(fixture, &repository, SIGNATURE, &subject);
    // A type that begins like another is still another.
    let longer = push_artifact(fixture, &repository, &format!("{SBOM}1"), &subject);
    let unfiltered = ask(&repository, &subject.digest, &[]).expect_no_header("oci-filters-applied");
    assert_eq!(digests(&unfiltered), sorted([&sbom, &signature, &longer]));
    // A plus sign as it stands, as in application/spdx+json.
    let path = format!(
        "{}?artifactType={SIGNATURE}",
        repository.referrers_path(&subject.digest)
    );
    let answer = repository.client.get(&path).send().expect_status(200);
    assert_eq!(digests(&answer), sorted([&signature]));
    for (own_type, document) in [(SBOM, &sbom), (SIGNATURE, &signature)] {
        let answer = ask(&repository, &subject.digest, &[own_type])
            .expect_header("oci-filters-applied", "artifactType");
        assert_eq!(digests(&answer), sorted([document]));
    }
}

fn given_a_filter_that_matches_nothing_when_asked_then_an_empty_index(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let subject = subject(fixture, &repository);
    push_artifact(fixture, &repository, SBOM, &subject);
    for digest in [&subject.digest, &Algorithm::Sha256.digest(b"nothing")] {
        let answer = ask(&repository, digest, &["application/x-other"]);
        assert_eq!(
            digests(&answer.expect_header("oci-filters-applied", "artifactType")),
            Vec::<String>::new()
        );
    }
}

fn given_several_filters_when_asked_then_each_type(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let subject = subject(fixture, &repository);
    let sbom = push_artifact(fixture, &repository, SBOM, &subject);
    let signature = push_artifact(fixture, &repository, SIGNATURE, &subject);
    push_artifact(fixture, &repository, "application/x-third", &subject);
    let answer = ask(&repository, &subject.digest, &[SBOM, SIGNATURE]);
    assert_eq!(
        digests(&answer.expect_header("oci-filters-applied", "artifactType")),
        sorted([&sbom, &signature])
    );
}

fn given_a_subject_pushed_later_when_asked_then_its_referrers(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let image = Image::new(fixture.seed()).build();
    let sbom = push_artifact(fixture, &repository, SBOM, &image.manifest);
    assert_eq!(
        digests(&ask(&repository, &image.manifest.digest, &[])),
        sorted([&sbom])
    );
    repository.push(&image, "late");
    assert_eq!(
        digests(&ask(&repository, &image.manifest.digest, &[])),
        sorted([&sbom])
    );
}

fn given_a_deleted_referrer_when_asked_then_it_is_gone(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let subject = subject(fixture, &repository);
    let sbom = push_artifact(fixture, &repository, SBOM, &subject);
    let signature = push_artifact(fixture, &repository, SIGNATURE, &subject);
    repository.delete_manifest(&sbom.digest).expect_status(202);
    assert_eq!(
        digests(&ask(&repository, &subject.digest, &[])),
        sorted([&signature])
    );
    assert_eq!(
        digests(&ask(&repository, &subject.digest, &[SBOM])),
        Vec::<String>::new()
    );
}

fn given_a_deleted_subject_when_asked_then_its_referrers_stay(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let subject = subject(fixture, &repository);
    let sbom = push_artifact(fixture, &repository, SBOM, &subject);
    repository.delete_manifest(&subject.digest).expect_status(202);
    assert_eq!(digests(&ask(&repository, &subject.digest, &[])), sorted([&sbom]));
    repository.get_manifest(&sbom.digest).expect_status(200);
}

fn given_a_referrer_elsewhere_when_asked_then_it_is_not_listed(fixture: &Fixture<'_>) {
    let (repository, other) = (fixture.repository(), fixture.repository());
    let subject = subject(fixture, &repository);
    push_artifact(fixture, &other, SBOM, &subject);
    assert_eq!(
        digests(&ask(&repository, &subject.digest, &[])),
        Vec::<String>::new()
    );
}

fn given_a_referrer_of_a_referrer_when_asked_then_each_has_its_own(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let subject = subject(fixture, &repository);
    let sbom = push_artifact(fixture, &repository, SBOM, &subject);
    let signature = push_artifact(fixture, &repository, SIGNATURE, &sbom);
    assert_eq!(digests(&ask(&repository, &subject.digest, &[])), sorted([&sbom]));
    assert_eq!(
        digests(&ask(&repository, &sbom.digest, &[])),
        sorted([&signature])
    );
}

fn given_a_sha512_subject_when_asked_then_its_referrers(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let image = Image::new(fixture.seed()).algorithm(Algorithm::Sha512).build();
    repository.push_by_digest(&image);
    let sbom = push_artifact(fixture, &repository, SBOM, &image.manifest);
    assert_eq!(
        digests(&ask(&repository, &image.manifest.digest, &[])),
        sorted([&sbom])
    );
}

fn given_a_tagged_referrer_when_its_tag_goes_then_it_stays(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let subject = subject(fixture, &repository);
    let sbom = push_artifact(fixture, &repository, SBOM, &subject);
    repository.push_manifest(&sbom, "sbom");
    repository.delete_manifest("sbom").expect_status(202);
    assert_eq!(digests(&ask(&repository, &subject.digest, &[])), sorted([&sbom]));
}

fn given_the_fallback_tag_when_pushed_then_it_is_a_tag_like_any_other(fixture: &Fixture<'_>) {
    // Clients of older registries keep the list themselves (distribution-spec, "Referrers Tag Schema").
    let repository = fixture.repository();
    let subject = subject(fixture, &repository);
    let sbom = push_artifact(fixture, &repository, SBOM, &subject);
    let index = Index::new().manifest(&sbom).build();
    let tag = subject.digest.replace(':', "-");
    repository
        .push_manifest(&index, &tag)
        .expect_no_header("oci-subject");
    repository
        .get_manifest(&tag)
        .expect_status(200)
        .expect_body(&index.bytes);
    assert_eq!(digests(&ask(&repository, &subject.digest, &[])), sorted([&sbom]));
}
