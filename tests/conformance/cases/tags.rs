//! Listing tags.

use serde_json::{Value, json};
use zas_tests::{Image, Repository, Response, with_query};

use super::cases;
use super::manifests::push_blobs;
use crate::environment::PAGE_SIZE;
use crate::fixture::Fixture;

cases!(tags:
    given_tags_when_listed_then_name_and_tags_in_byte_order,
    given_a_limit_when_listed_then_the_first_tags_and_a_link,
    given_zero_as_limit_when_listed_then_nothing_and_no_link,
    given_a_last_tag_when_listed_then_only_what_follows,
    given_a_last_tag_that_is_absent_when_listed_then_what_follows_it,
    given_the_last_of_all_when_listed_then_nothing,
    given_a_limit_that_takes_all_when_listed_then_no_link,
    given_more_tags_than_a_page_when_links_are_followed_then_all_come_once,
    given_a_limit_above_the_page_when_listed_then_a_page_and_a_link,
    given_a_link_when_followed_then_the_limit_is_kept,
    given_an_unknown_repository_when_listed_then_404,
    given_a_repository_without_tags_when_listed_then_an_empty_list,
    given_a_wrong_limit_when_listed_then_400,
);

/// In the order of their bytes.
const SORTED: [&str; 8] = ["0.1", "1.0", "10.0", "A", "Z-9", "_under", "a", "latest"];

fn tagged(fixture: &Fixture<'_>, tags: &[String]) -> Repository {
    let repository = fixture.repository();
    let manifest = push_blobs(&repository, Image::new(fixture.seed()).build());
    // Not in order, so that the order of the answer is the server's doing.
    for tag in tags.iter().rev() {
        repository.push_manifest(&manifest, tag);
    }
    repository
}

fn sorted_tags() -> Vec<String> {
    SORTED.map(str::to_owned).to_vec()
}

fn list(repository: &Repository, parameters: &[(&str, &str)]) -> Response {
    let answer = repository
        .client
        .get(&with_query(&repository.tags_path(), parameters))
        .send();
    answer
        .expect_status(200)
        .expect_header("content-type", "application/json")
}

#[track_caller]
fn expect_tags(repository: &Repository, answer: &Response, tags: &[&str]) {
    assert_eq!(
        answer.json(),
        json!({"name": repository.name, "tags": tags}),
        "{}",
        answer.request
    );
}

/// The address of the next page (RFC 8288), if there is one.
#[track_caller]
pub(crate) fn next_page(answer: &Response) -> Option<String> {
    let link = answer.header("link")?;
    let (target, parameters) = link.split_once(';').expect("a link has parameters");
    assert_eq!(parameters.trim(), "rel=\"next\"", "{link}");
    let address = target
        .trim()
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'));
    Some(address.expect("a link's target is in angle brackets").to_owned())
}

/// All pages from a first one on.
#[track_caller]
pub(crate) fn all_pages(repository: &Repository, first: Response) -> Vec<Response> {
    let mut pages = vec![first];
    while let Some(address) = pages.last().and_then(next_page) {
        assert!(pages.len() < 200, "the links lead nowhere");
        pages.push(repository.client.get(&address).send().expect_status(200));
    }
    pages
}

/// The texts of the array `member` of all pages.
pub(crate) fn texts(pages: &[Response], member: &str) -> Vec<String> {
    let arrays = pages
        .iter()
        .map(|page| page.json()[member].as_array().cloned().unwrap_or_default());
    arrays
        .flatten()
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

fn given_tags_when_listed_then_name_and_tags_in_byte_order(fixture: &Fixture<'_>) {
    let repository = tagged(fixture, &sorted_tags());
    let answer = list(&repository, &[]).expect_no_header("link");
    expect_tags(&repository, &answer, &SORTED);
}

fn given_a_limit_when_listed_then_the_first_tags_and_a_link(fixture: &Fixture<'_>) {
    let repository = tagged(fixture, &sorted_tags());
    for count in [1, 3, 7] {
        let answer = list(&repository, &[("n", &count.to_string())]);
        expect_tags(&repository, &answer, &SORTED[..count]);
        assert!(next_page(&answer).is_some(), "more tags follow");
        assert_eq!(texts(&all_pages(&repository, answer), "tags"), SORTED);
    }
}

fn given_zero_as_limit_when_listed_then_nothing_and_no_link(fixture: &Fixture<'_>) {
    let repository = tagged(fixture, &sorted_tags());
    for parameters in [&[("n", "0")][..], &[("n", "0"), ("last", "1.0")]] {
        let answer = list(&repository, parameters).expect_no_header("link");
        expect_tags(&repository, &answer, &[]);
    }
}

fn given_a_last_tag_when_listed_then_only_what_follows(fixture: &Fixture<'_>) {
    let repository = tagged(fixture, &sorted_tags());
    expect_tags(
        &repository,
        &list(&repository, &[("last", "10.0")]).expect_no_header("link"),
        &SORTED[3..],
    );
    let answer = list(&repository, &[("last", "10.0"), ("n", "2")]);
    expect_tags(&repository, &answer, &SORTED[3..5]);
    assert_eq!(texts(&all_pages(&repository, answer), "tags"), SORTED[3..]);
}

fn given_a_last_tag_that_is_absent_when_listed_then_what_follows_it(fixture: &Fixture<'_>) {
    let repository = tagged(fixture, &sorted_tags());
    expect_tags(&repository, &list(&repository, &[("last", "1.5")]), &SORTED[2..]);
    expect_tags(&repository, &list(&repository, &[("last", "0")]), &SORTED);
}

fn given_the_last_of_all_when_listed_then_nothing(fixture: &Fixture<'_>) {
    let repository = tagged(fixture, &sorted_tags());
    for last in ["latest", "zzz"] {
        let answer = list(&repository, &[("last", last), ("n", "5")]).expect_no_header("link");
        expect_tags(&repository, &answer, &[]);
    }
}

fn given_a_limit_that_takes_all_when_listed_then_no_link(fixture: &Fixture<'_>) {
    let repository = tagged(fixture, &sorted_tags());
    for count in ["8", "9", "15"] {
        let answer = list(&repository, &[("n", count)]).expect_no_header("link");
        expect_tags(&repository, &answer, &SORTED);
    }
}

fn many_tags() -> Vec<String> {
    (0..PAGE_SIZE * 2 + 5)
        .map(|number| format!("tag-{number:03}"))
        .collect()
}

fn given_more_tags_than_a_page_when_links_are_followed_then_all_come_once(fixture: &Fixture<'_>) {
    let repository = tagged(fixture, &many_tags());
    let pages = all_pages(&repository, list(&repository, &[]));
    assert_eq!(texts(&pages, "tags"), many_tags());
    let sizes: Vec<usize> = pages
        .iter()
        .map(|page| page.json()["tags"].as_array().map_or(0, Vec::len))
        .collect();
    assert_eq!(sizes, [PAGE_SIZE, PAGE_SIZE, 5]);
}

fn given_a_limit_above_the_page_when_listed_then_a_page_and_a_link(fixture: &Fixture<'_>) {
    let repository = tagged(fixture, &many_tags());
    for limit in ["40", "100000", "4294967296", "99999999999999999999999999"] {
        let answer = list(&repository, &[("n", limit)]);
        assert_eq!(answer.json()["tags"].as_array().map(Vec::len), Some(PAGE_SIZE));
        assert_eq!(texts(&all_pages(&repository, answer), "tags"), many_tags());
    }
}

fn given_a_link_when_followed_then_the_limit_is_kept(fixture: &Fixture<'_>) {
    let repository = tagged(fixture, &sorted_tags());
    let pages = all_pages(&repository, list(&repository, &[("n", "3")]));
    let sizes: Vec<usize> = pages
        .iter()
        .map(|page| page.json()["tags"].as_array().map_or(0, Vec::len))
        .collect();
    assert_eq!(sizes, [3, 3, 2]);
}

fn given_an_unknown_repository_when_listed_then_404(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    repository
        .client
        .get(&repository.tags_path())
        .send()
        .expect_error(404, "NAME_UNKNOWN");
}

fn given_a_repository_without_tags_when_listed_then_an_empty_list(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    repository.push_by_digest(&Image::new(fixture.seed()).build());
    let answer = list(&repository, &[]).expect_no_header("link");
    assert_eq!(answer.json()["tags"], Value::Array(Vec::new()));
}

fn given_a_wrong_limit_when_listed_then_400(fixture: &Fixture<'_>) {
    let repository = tagged(fixture, &sorted_tags());
    for limit in ["-1", "a", "1.5", "+1", "0x1"] {
        let answer = repository
            .client
            .get(&with_query(&repository.tags_path(), &[("n", limit)]))
            .send();
        answer.expect_error(400, "UNSUPPORTED");
    }
}
