use super::cases;
use super::setting::{Describe as _, Setting, manifest, names, repository};
use crate::Precondition;

cases![
    given_tags_when_listed_then_in_byte_order_page_by_page,
    given_a_position_that_is_no_tag_when_listed_then_from_behind_it,
    given_no_repository_when_its_tags_are_listed_then_none,
    given_neighbours_when_tags_are_listed_then_they_do_not_mix,
    given_a_count_of_zero_when_listed_then_an_empty_page_that_tells_whether_there_is_more,
    given_repositories_when_listed_then_in_byte_order_page_by_page,
    given_a_prefix_when_repositories_are_listed_then_only_names_that_start_with_it,
    given_a_position_when_repositories_are_listed_then_from_behind_it,
    given_an_empty_store_when_listed_then_empty,
];

async fn tagged(given: &Setting, name: &str, tags: &[&str]) {
    let tagged = tags.iter().fold(manifest(&repository(name), "{m}"), |all, tag| {
        all.tagged(tag, Precondition::Any)
    });
    given.commit(tagged).await;
}

async fn tags(given: &Setting, name: &str, after: Option<&str>, count: usize) -> (Vec<String>, bool) {
    let page = given
        .store
        .list_tags(&repository(name), after, count)
        .await
        .unwrap()
        .unwrap();
    (names(&page), page.more)
}

async fn repositories(
    given: &Setting,
    prefix: &str,
    after: Option<&str>,
    count: usize,
) -> (Vec<String>, bool) {
    let page = given.store.list_repositories(prefix, after, count).await.unwrap();
    (names(&page), page.more)
}

async fn given_tags_when_listed_then_in_byte_order_page_by_page(given: Setting) {
    let mut all: Vec<String> = (0..300).map(|number| format!("v{number}")).collect();
    all.extend(["_a", "A", "a", "a-b", "a.b", "a_b", "Z"].map(str::to_owned));
    tagged(
        &given,
        "ours",
        &all.iter().map(String::as_str).collect::<Vec<_>>(),
    )
    .await;
    all.sort();

    for count in [1, 50, 100, 101, 306, 307, 308] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let (page, more) = tags(&given, "ours", after.as_deref(), count).await;
            assert!(page.len() == count || !more, "only the last page is short");
            seen.extend(page);
            after = seen.last().cloned();
            if !more {
                break;
            }
        }
        assert_eq!(seen, all, "pages of {count}");
    }
}

async fn given_a_position_that_is_no_tag_when_listed_then_from_behind_it(given: Setting) {
    tagged(&given, "ours", &["a", "ab", "b"]).await;
    assert_eq!(tags(&given, "ours", Some("aa!"), 9).await.0, ["ab", "b"]);
    assert_eq!(tags(&given, "ours", Some(""), 9).await.0, ["a", "ab", "b"]);
    assert_eq!(tags(&given, "ours", Some("a\0"), 9).await.0, ["ab", "b"]);
    assert_eq!(tags(&given, "ours", Some("ü"), 9).await, (vec![], false));
}

async fn given_no_repository_when_its_tags_are_listed_then_none(given: Setting) {
    let ours = repository("ours");
    assert_eq!(given.store.list_tags(&ours, None, 9).await.unwrap(), None);
    given.push_inline(&ours, "layer").await;
    assert_eq!(given.store.list_tags(&ours, None, 9).await.unwrap(), None);
    given.commit(manifest(&ours, "{m}")).await;
    assert_eq!(tags(&given, "ours", None, 9).await, (vec![], false));
}

async fn given_neighbours_when_tags_are_listed_then_they_do_not_mix(given: Setting) {
    tagged(&given, "a", &["t1"]).await;
    tagged(&given, "a/b", &["t2"]).await;
    tagged(&given, "a-b", &["t3"]).await;
    tagged(&given, "ab", &["t4"]).await;
    assert_eq!(tags(&given, "a", None, 9).await, (vec!["t1".to_owned()], false));
    assert_eq!(tags(&given, "a", Some("t1"), 9).await, (vec![], false));
    assert_eq!(tags(&given, "a-b", None, 9).await.0, ["t3"]);
}

async fn given_a_count_of_zero_when_listed_then_an_empty_page_that_tells_whether_there_is_more(
    given: Setting,
) {
    tagged(&given, "ours", &["t"]).await;
    assert_eq!(tags(&given, "ours", None, 0).await, (vec![], true));
    assert_eq!(tags(&given, "ours", Some("t"), 0).await, (vec![], false));
    assert_eq!(repositories(&given, "", None, 0).await, (vec![], true));
    assert_eq!(given.store.list_uploads(None, 0).await.unwrap().entries, []);
    assert_eq!(given.store.take_due(0).await.unwrap(), []);
    assert_eq!(given.store.take_doomed(0).await.unwrap(), []);
}

async fn given_repositories_when_listed_then_in_byte_order_page_by_page(given: Setting) {
    let mut all: Vec<String> = (0..150).map(|number| format!("team/app{number}")).collect();
    all.extend(["team", "team-a", "team.a", "team/a/b", "a", "z"].map(str::to_owned));
    for name in &all {
        given.commit(manifest(&repository(name), "{m}")).await;
    }
    all.sort();

    for count in [1, 10, 155, 156, 500] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let (page, more) = repositories(&given, "", after.as_deref(), count).await;
            seen.extend(page);
            after = seen.last().cloned();
            if !more {
                break;
            }
        }
        assert_eq!(seen, all, "pages of {count}");
    }
}

async fn given_a_prefix_when_repositories_are_listed_then_only_names_that_start_with_it(given: Setting) {
    for name in ["a", "a/b", "a/bc", "a/c", "ab", "b"] {
        given.commit(manifest(&repository(name), "{m}")).await;
    }
    assert_eq!(
        repositories(&given, "a/", None, 9).await.0,
        ["a/b", "a/bc", "a/c"]
    );
    assert_eq!(repositories(&given, "a/b", None, 9).await.0, ["a/b", "a/bc"]);
    assert_eq!(
        repositories(&given, "a/b", None, 1).await,
        (vec!["a/b".to_owned()], true)
    );
    assert_eq!(repositories(&given, "c", None, 9).await, (vec![], false));
}

async fn given_a_position_when_repositories_are_listed_then_from_behind_it(given: Setting) {
    for name in ["a", "a/b", "b", "c"] {
        given.commit(manifest(&repository(name), "{m}")).await;
    }
    assert_eq!(repositories(&given, "", Some("a/b"), 9).await.0, ["b", "c"]);
    assert_eq!(
        repositories(&given, "", Some("a/a"), 9).await.0,
        ["a/b", "b", "c"]
    );
    assert_eq!(repositories(&given, "b", Some("a"), 9).await.0, ["b"]);
    assert_eq!(
        repositories(&given, "a", Some("b"), 9).await.0,
        Vec::<String>::new()
    );
}

async fn given_an_empty_store_when_listed_then_empty(given: Setting) {
    assert_eq!(repositories(&given, "", None, 9).await, (vec![], false));
    assert_eq!(given.store.list_uploads(None, 9).await.unwrap().entries, []);
    assert_eq!(given.store.take_due(9).await.unwrap(), []);
    assert_eq!(given.store.take_doomed(9).await.unwrap(), []);
    given.store.ping().await.unwrap();
}
