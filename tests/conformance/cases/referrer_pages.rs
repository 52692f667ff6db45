//! Referrers that do not fit one answer.

use serde_json::json;
use zas_tests::{Algorithm, Artifact, Index, Repository, Response};

use super::cases;
use super::manifests::push_blobs;
use super::referrers::{SBOM, SIGNATURE, ask, descriptors};
use super::tags::all_pages;
use crate::environment::{REFERRERS_PAGE, REFERRERS_PAGE_BYTES};
use crate::fixture::Fixture;

cases!(referrer_pages:
    given_more_referrers_than_a_page_when_links_are_followed_then_all_come_once,
    given_a_filter_when_links_are_followed_then_only_that_type,
    given_large_annotations_when_links_are_followed_then_pages_stay_small,
    given_one_referrer_larger_than_a_page_when_asked_then_it_comes,
);

fn absent_subject(fixture: &Fixture<'_>) -> serde_json::Value {
    let digest = Algorithm::Sha256.digest(&fixture.seed().to_le_bytes());
    json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 100})
}

fn push_artifacts(
    fixture: &Fixture<'_>,
    repository: &Repository,
    own_type: &str,
    subject: &serde_json::Value,
    count: usize,
) -> Vec<String> {
    let push = |_| {
        let manifest = push_blobs(
            repository,
            Artifact::new(own_type, fixture.seed()).subject(subject).build(),
        );
        repository.push_manifest(&manifest, &manifest.digest);
        manifest.digest
    };
    let mut digests: Vec<String> = (0..count).map(push).collect();
    digests.sort();
    digests
}

fn all_digests(pages: &[Response]) -> Vec<String> {
    let all = pages.iter().flat_map(descriptors);
    let mut digests: Vec<String> = all
        .filter_map(|own| own["digest"].as_str().map(str::to_owned))
        .collect();
    digests.sort();
    digests
}

fn given_more_referrers_than_a_page_when_links_are_followed_then_all_come_once(fixture: &Fixture<'_>) {
    let (repository, subject) = (fixture.repository(), absent_subject(fixture));
    let expected = push_artifacts(fixture, &repository, SBOM, &subject, REFERRERS_PAGE * 2 + 3);
    let pages = all_pages(
        &repository,
        ask(&repository, subject["digest"].as_str().unwrap(), &[]),
    );
    assert_eq!(all_digests(&pages), expected);
    let sizes: Vec<usize> = pages.iter().map(|page| descriptors(page).len()).collect();
    assert_eq!(sizes, [REFERRERS_PAGE, REFERRERS_PAGE, 3]);
}

fn given_a_filter_when_links_are_followed_then_only_that_type(fixture: &Fixture<'_>) {
    let (repository, subject) = (fixture.repository(), absent_subject(fixture));
    let expected = push_artifacts(fixture, &repository, SIGNATURE, &subject, REFERRERS_PAGE + 2);
    push_artifacts(fixture, &repository, SBOM, &subject, REFERRERS_PAGE + 2);
    let pages = all_pages(
        &repository,
        ask(&repository, subject["digest"].as_str().unwrap(), &[SIGNATURE]),
    );
    assert_eq!(all_digests(&pages), expected);
    for page in &pages {
        assert_eq!(
            page.header("oci-filters-applied"),
            Some("artifactType"),
            "{}",
            page.request
        );
    }
}

fn push_index(
    repository: &Repository,
    subject: &serde_json::Value,
    number: usize,
    annotation: usize,
) -> String {
    let annotations = json!({"number": number.to_string(), "filling": "A".repeat(annotation)});
    let index = Index::new()
        .field("subject", subject.clone())
        .field("annotations", annotations)
        .build();
    repository.push_manifest(&index, &index.digest);
    index.digest
}

fn given_large_annotations_when_links_are_followed_then_pages_stay_small(fixture: &Fixture<'_>) {
    let (repository, subject) = (fixture.repository(), absent_subject(fixture));
    let mut expected: Vec<String> = (0..5)
        .map(|number| push_index(&repository, &subject, number, 25_000))
        .collect();
    expected.sort();
    let pages = all_pages(
        &repository,
        ask(&repository, subject["digest"].as_str().unwrap(), &[]),
    );
    assert_eq!(all_digests(&pages), expected);
    for page in &pages {
        // The frame of the index comes on top.
        assert!(
            page.body.len() <= REFERRERS_PAGE_BYTES + 1_000,
            "a page has {} bytes",
            page.body.len()
        );
    }
    assert!(
        pages.len() >= 3,
        "five descriptors of 25 kB do not fit {} pages",
        pages.len()
    );
}

fn given_one_referrer_larger_than_a_page_when_asked_then_it_comes(fixture: &Fixture<'_>) {
    let (repository, subject) = (fixture.repository(), absent_subject(fixture));
    let mut expected: Vec<String> = (0..2)
        .map(|number| push_index(&repository, &subject, number, REFERRERS_PAGE_BYTES * 2))
        .collect();
    expected.sort();
    let pages = all_pages(
        &repository,
        ask(&repository, subject["digest"].as_str().unwrap(), &[]),
    );
    assert_eq!(all_digests(&pages), expected);
}
