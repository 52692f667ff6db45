//! Listing repositories.

use serde_json::json;
use zas_tests::{Client, Image, Repository, Response, with_query};

use super::cases;
use super::tags::{all_pages, next_page, texts};
use crate::environment::PAGE_SIZE;
use crate::fixture::Fixture;

cases!(catalog:
    given_repositories_when_listed_then_in_byte_order,
    given_a_limit_when_links_are_followed_then_all_come_once,
    given_zero_as_limit_when_listed_then_nothing_and_no_link,
    given_a_last_name_when_listed_then_only_what_follows,
    given_only_blobs_when_listed_then_the_repository_is_absent,
    given_the_last_manifest_deleted_when_listed_then_the_repository_is_gone,
    given_a_wrong_limit_when_listed_then_400,
    given_an_empty_limit_when_listed_then_a_page_of_our_own_size,
    given_rights_when_listed_then_only_readable_repositories,
);

fn list(client: &Client, parameters: &[(&str, &str)]) -> Response {
    let answer = client.get(&with_query("/v2/_catalog", parameters)).send();
    answer
        .expect_status(200)
        .expect_header("content-type", "application/json")
}

/// All repositories after `last`, by following links.
fn names_after(client: &Client, last: &str) -> Vec<String> {
    let pages = all_pages(&Repository::new(client, "any"), list(client, &[("last", last)]));
    texts(&pages, "repositories")
}

/// Repositories whose names share a prefix that sorts after every other name.
fn push_repositories(fixture: &Fixture<'_>, count: usize) -> Vec<String> {
    let prefix = fixture.repository_under("zz").name;
    let names: Vec<String> = (0..count)
        .map(|number| format!("{prefix}/r{number:02}"))
        .collect();
    for name in names.iter().rev() {
        Repository::new(&fixture.client, name).push(&Image::new(fixture.seed()).layers(0).build(), "v1");
    }
    names
}

/// Something that sorts right before the first name.
fn before(names: &[String]) -> String {
    names[0].trim_end_matches("r00").trim_end_matches('/').to_owned()
}

fn given_repositories_when_listed_then_in_byte_order(fixture: &Fixture<'_>) {
    let names = push_repositories(fixture, 3);
    let all = names_after(&fixture.client, "");
    assert!(all.is_sorted(), "{all:?}");
    for name in &names {
        assert_eq!(
            all.iter().filter(|own| *own == name).count(),
            1,
            "{name} in {all:?}"
        );
    }
}

fn given_a_limit_when_links_are_followed_then_all_come_once(fixture: &Fixture<'_>) {
    let names = push_repositories(fixture, PAGE_SIZE + 3);
    let first = list(&fixture.client, &[("n", "7"), ("last", &before(&names))]);
    assert_eq!(first.json(), json!({"repositories": names[..7]}));
    let pages = all_pages(&Repository::new(&fixture.client, "any"), first);
    assert_eq!(texts(&pages, "repositories")[..names.len()], names);
    // A page of our own size, when the client asks for more.
    let page = list(&fixture.client, &[("n", "100000"), ("last", &before(&names))]);
    assert_eq!(page.json(), json!({"repositories": names[..PAGE_SIZE]}));
    assert!(next_page(&page).is_some());
}

fn given_zero_as_limit_when_listed_then_nothing_and_no_link(fixture: &Fixture<'_>) {
    push_repositories(fixture, 1);
    let answer = list(&fixture.client, &[("n", "0")]).expect_no_header("link");
    assert_eq!(answer.json(), json!({"repositories": []}));
}

fn given_a_last_name_when_listed_then_only_what_follows(fixture: &Fixture<'_>) {
    let names = push_repositories(fixture, 4);
    let answer = list(&fixture.client, &[("n", "2"), ("last", &names[1])]);
    assert_eq!(answer.json(), json!({"repositories": names[2..4]}));
    let answer = list(&fixture.client, &[("last", "zzz")]).expect_no_header("link");
    assert_eq!(answer.json(), json!({"repositories": []}));
}

fn given_only_blobs_when_listed_then_the_repository_is_absent(fixture: &Fixture<'_>) {
    let repository = fixture.repository_under("zz");
    repository.push_blob(&zas_tests::Blob::random(fixture.seed(), 10));
    assert!(!names_after(&fixture.client, "zy").contains(&repository.name));
}

fn given_the_last_manifest_deleted_when_listed_then_the_repository_is_gone(fixture: &Fixture<'_>) {
    let repository = fixture.repository_under("zz");
    let image = Image::new(fixture.seed()).build();
    repository.push(&image, "v1");
    assert!(names_after(&fixture.client, "zy").contains(&repository.name));
    repository
        .delete_manifest(&image.manifest.digest)
        .expect_status(202);
    assert!(!names_after(&fixture.client, "zy").contains(&repository.name));
    repository
        .client
        .get(&repository.tags_path())
        .send()
        .expect_error(404, "NAME_UNKNOWN");
}

fn given_a_wrong_limit_when_listed_then_400(fixture: &Fixture<'_>) {
    for limit in ["-1", "x"] {
        let answer = fixture
            .client
            .get(&with_query("/v2/_catalog", &[("n", limit)]))
            .send();
        answer.expect_error(400, "UNSUPPORTED");
    }
}

fn given_an_empty_limit_when_listed_then_a_page_of_our_own_size(fixture: &Fixture<'_>) {
    push_repositories(fixture, 1);
    let listed = |parameters: &[(&str, &str)]| list(&fixture.client, parameters).json();
    assert_eq!(listed(&[("n", "")]), listed(&[]));
}

fn given_rights_when_listed_then_only_readable_repositories(fixture: &Fixture<'_>) {
    let alice = fixture.signed_in("alice");
    let private = fixture.repository_under("private").seen_by(&alice);
    let published = fixture.repository_under("published").seen_by(&alice);
    for repository in [&private, &published] {
        repository.push(&Image::new(fixture.seed()).layers(0).build(), "v1");
    }
    let sees = |client: &Client| {
        let names = names_after(client, "priv");
        (names.contains(&private.name), names.contains(&published.name))
    };
    assert_eq!(sees(&alice), (true, true), "alice");
    assert_eq!(sees(&fixture.signed_in("bob")), (true, true), "bob");
    assert_eq!(sees(&fixture.signed_in("dave")), (false, true), "dave");
    assert_eq!(sees(&fixture.anonymous()), (false, true), "anonymous");
}
