//! Pushing a manifest by digest with tags as query parameters.

use zas_tests::{Algorithm, Document, Image, Index, Repository, Response, with_query};

use super::cases;
use super::manifests::{expect_pushed, expect_served, push_blobs};
use crate::fixture::Fixture;

cases!(tag_parameters:
    given_tags_when_pushed_by_digest_then_each_is_set,
    given_as_many_tags_as_allowed_when_pushed_then_each_is_set,
    given_too_many_tags_when_pushed_then_414_and_nothing_is_stored,
    given_a_wrong_tag_among_them_when_pushed_then_400_and_nothing_is_stored,
    given_a_tag_twice_when_pushed_then_it_is_set,
    given_an_existing_tag_when_pushed_then_it_moves,
    given_a_sha512_digest_when_pushed_with_tags_then_the_tag_answers_it,
    given_an_index_when_pushed_with_tags_then_each_is_set,
    given_a_wrong_digest_when_pushed_with_tags_then_none_is_set,
);

/// The default of `limits.tagParameters`.
const LIMIT: usize = 46;

fn put(repository: &Repository, document: &Document, tags: &[String]) -> Response {
    let parameters: Vec<(&str, &str)> = tags.iter().map(|tag| ("tag", tag.as_str())).collect();
    let path = with_query(&repository.manifest_path(&document.digest), &parameters);
    repository
        .client
        .put(&path)
        .header("content-type", &document.media_type)
        .body(&document.bytes)
        .send()
}

/// All tags that the headers `OCI-Tag` name: one header may name several (RFC 9110 section 5.3).
fn named_tags(answer: &Response) -> Vec<String> {
    let values = answer.header_values("oci-tag").flat_map(|value| value.split(','));
    let mut tags: Vec<String> = values.map(|tag| tag.trim().to_owned()).collect();
    tags.sort();
    tags
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("t{number:02}")).collect()
}

#[track_caller]
fn expect_set(repository: &Repository, document: &Document, answer: Response, tags: &[String]) {
    assert_eq!(named_tags(&answer), tags);
    expect_pushed(repository, document, answer);
    for tag in tags {
        expect_served(repository, document, tag);
    }
}

fn given_tags_when_pushed_by_digest_then_each_is_set(fixture: &Fixture<'_>) {
    for count in [1, 10] {
        let (repository, tags) = (fixture.repository(), numbered(count));
        let manifest = push_blobs(&repository, Image::new(fixture.seed()).build());
        expect_set(&repository, &manifest, put(&repository, &manifest, &tags), &tags);
    }
}

fn given_as_many_tags_as_allowed_when_pushed_then_each_is_set(fixture: &Fixture<'_>) {
    let (repository, tags) = (fixture.repository(), numbered(LIMIT));
    let manifest = push_blobs(&repository, Image::new(fixture.seed()).build());
    expect_set(&repository, &manifest, put(&repository, &manifest, &tags), &tags);
}

fn given_too_many_tags_when_pushed_then_414_and_nothing_is_stored(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let manifest = push_blobs(&repository, Image::new(fixture.seed()).build());
    put(&repository, &manifest, &numbered(LIMIT + 1)).expect_error(414, "MANIFEST_INVALID");
    repository.head_manifest(&manifest.digest).expect_status(404);
    repository.head_manifest("t00").expect_status(404);
}

fn given_a_wrong_tag_among_them_when_pushed_then_400_and_nothing_is_stored(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let manifest = push_blobs(&repository, Image::new(fixture.seed()).build());
    let too_long = "a".repeat(129);
    for wrong in ["", ".hidden", "-x", "a/b", "a:b", "ü", &too_long] {
        let tags = ["good".to_owned(), wrong.to_owned()];
        put(&repository, &manifest, &tags).expect_error(400, "MANIFEST_INVALID");
        repository.head_manifest("good").expect_status(404);
        repository.head_manifest(&manifest.digest).expect_status(404);
    }
}

fn given_a_tag_twice_when_pushed_then_it_is_set(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let manifest = push_blobs(&repository, Image::new(fixture.seed()).build());
    let answer = put(&repository, &manifest, &["same".to_owned(), "same".to_owned()]).expect_status(201);
    assert!(
        named_tags(&answer).contains(&"same".to_owned()),
        "{:?}",
        named_tags(&answer)
    );
    expect_served(&repository, &manifest, "same");
}

fn given_an_existing_tag_when_pushed_then_it_moves(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let first = push_blobs(&repository, Image::new(fixture.seed()).build());
    let second = push_blobs(&repository, Image::new(fixture.seed()).build());
    repository.push_manifest(&first, "stable");
    let tags = ["new".to_owned(), "stable".to_owned()];
    expect_set(&repository, &second, put(&repository, &second, &tags), &tags);
    expect_served(&repository, &first, &first.digest);
}

fn given_a_sha512_digest_when_pushed_with_tags_then_the_tag_answers_it(fixture: &Fixture<'_>) {
    let (repository, tags) = (fixture.repository(), numbered(2));
    let manifest = push_blobs(
        &repository,
        Image::new(fixture.seed()).algorithm(Algorithm::Sha512).build(),
    );
    expect_set(&repository, &manifest, put(&repository, &manifest, &tags), &tags);
}

fn given_an_index_when_pushed_with_tags_then_each_is_set(fixture: &Fixture<'_>) {
    let (repository, tags) = (fixture.repository(), numbered(3));
    let image = Image::new(fixture.seed()).build();
    repository.push_by_digest(&image);
    let index = Index::new().platform(&image.manifest, "amd64").build();
    expect_set(&repository, &index, put(&repository, &index, &tags), &tags);
}

fn given_a_wrong_digest_when_pushed_with_tags_then_none_is_set(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    let mut manifest = push_blobs(&repository, Image::new(fixture.seed()).build());
    manifest.bytes.push(b' ');
    put(&repository, &manifest, &numbered(2)).expect_error(400, "DIGEST_INVALID");
    repository.head_manifest("t00").expect_status(404);
}
