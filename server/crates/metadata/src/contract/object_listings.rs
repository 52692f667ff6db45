use zas_core::BucketId;

use super::cases;
use super::object_setting::{Objects as _, listing, owner, shown};
use super::setting::Setting;
use crate::{
    ListObjects, ListPosition, ListVersions, ListedObject, ListedVersion, ObjectAttributes, ObjectChecksum,
    PutObject, VersionPosition, VersionSelector, Versioning,
};

cases![
    given_an_object_when_listed_then_the_row_answers_all_that_a_listing_shows,
    given_keys_when_listed_then_in_byte_order_by_prefix_and_page,
    given_a_delimiter_when_listed_then_what_shares_a_prefix_is_shown_once_also_page_by_page,
    given_keys_of_two_buckets_when_listed_then_they_do_not_mix,
    given_a_page_of_nothing_when_listed_then_empty_and_the_last,
    given_delete_markers_when_listed_then_not_shown,
    given_versions_when_listed_then_by_key_and_from_the_latest_on_also_page_by_page,
    given_a_delimiter_when_versions_are_listed_then_what_shares_a_prefix_is_shown_once,
    given_a_page_whose_versions_are_deleted_when_continued_then_the_next_ones_and_the_current_one_is_told,
    given_more_keys_than_a_bounded_look_takes_when_listed_then_all_of_them,
];

async fn given_an_object_when_listed_then_the_row_answers_all_that_a_listing_shows(given: Setting) {
    let bucket = given.bucket("first").await;
    let object = given.object(bucket, "k", "bytes");
    let key = object.key.clone();
    let attributes = ObjectAttributes {
        storage_class: Some("STANDARD".to_owned()),
        checksum: Some(ObjectChecksum {
            algorithm: "CRC32".to_owned(),
            kind: "COMPOSITE".to_owned(),
            value: "v".to_owned(),
        }),
        ..object.attributes.clone()
    };
    given.write(PutObject { attributes, ..object }).await;

    let page = given.page(listing(bucket, "", None, 9)).await;

    let expected = ListedObject {
        key,
        modified_at: given.now(),
        size: 5,
        etag: "bytes".to_owned(),
        owner: owner("alice"),
        storage_class: Some("STANDARD".to_owned()),
        checksum: Some(("CRC32".to_owned(), "COMPOSITE".to_owned())),
    };
    assert_eq!((page.objects, page.next), (vec![expected], None));
}

const KEYS: [&str; 9] = ["\0", "\0/", "a", "a/b", "a/b/c", "a0", "b//", "é", "\u{10ffff}"];

async fn given_keys_when_listed_then_in_byte_order_by_prefix_and_page(given: Setting) {
    let bucket = given.bucket("first").await;
    for key in KEYS.iter().rev() {
        given.put(bucket, key, "x").await;
    }
    assert_eq!(given.keys(bucket, "").await, KEYS);
    assert_eq!(given.keys(bucket, "\0").await, ["\0", "\0/"]);
    assert_eq!(given.keys(bucket, "a/").await, ["a/b", "a/b/c"]);
    assert_eq!(given.keys(bucket, "x").await, [""; 0]);
    for count in 1..=9 {
        assert_eq!(all_pages(&given, listing(bucket, "", None, count)).await, KEYS);
    }
    // What a page starts behind need not be a key, nor have the prefix.
    for (after, first) in [("", "a/b"), ("a/", "a/b"), ("a/b", "a/b/c"), ("a/b/", "a/b/c")] {
        let list = ListObjects {
            after: Some(ListPosition::Key(after.to_owned())),
            ..listing(bucket, "a/", None, 1)
        };
        assert_eq!(shown(&given.page(list).await), [first], "after {after:?}");
    }
}

async fn given_a_delimiter_when_listed_then_what_shares_a_prefix_is_shown_once_also_page_by_page(
    given: Setting,
) {
    let bucket = given.bucket("first").await;
    for key in KEYS {
        given.put(bucket, key, "x").await;
    }
    // More than are crossed one by one.
    for number in 0..40 {
        given.put(bucket, &format!("many/{number:02}/x"), "x").await;
    }
    let whole = ["\0", "*\0/", "a", "*a/", "a0", "*b/", "*many/", "é", "\u{10ffff}"];
    for count in 1..=9 {
        let pages = all_pages(&given, listing(bucket, "", Some("/"), count)).await;
        assert_eq!(pages, whole, "{count} a page");
    }
    let below = given.page(listing(bucket, "a/", Some("/"), 9)).await;
    assert_eq!(shown(&below), ["a/b", "*a/b/"]);
    let tail = given.page(listing(bucket, "b/", Some("/"), 9)).await;
    assert_eq!(shown(&tail), ["*b//"]);
    assert_eq!(
        all_pages(&given, listing(bucket, "many/", Some("/"), 7))
            .await
            .len(),
        40
    );
    let longer = given.page(listing(bucket, "many/", Some("/x"), 50)).await;
    assert_eq!(longer.prefixes.len(), 40);
    let none = given.page(listing(bucket, "a", Some(""), 9)).await;
    assert_eq!(shown(&none), ["a", "a/b", "a/b/c", "a0"]);
    // Behind a key, the rest of what is shown as one still counts; behind a common prefix it does not.
    let after = |after| ListObjects {
        after: Some(after),
        ..listing(bucket, "", Some("/"), 1)
    };
    let list = after(ListPosition::Key("a/b".to_owned()));
    assert_eq!(shown(&given.page(list).await), ["*a/"]);
    let list = after(ListPosition::Prefix("a/".to_owned()));
    assert_eq!(shown(&given.page(list).await), ["a0"]);
}

async fn all_pages(given: &Setting, mut list: ListObjects) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let page = given.page(list.clone()).await;
        assert!(page.objects.len() + page.prefixes.len() <= list.count);
        all.extend(shown(&page));
        match page.next {
            Some(next) => list.after = Some(next),
            None => return all,
        }
    }
}

async fn given_keys_of_two_buckets_when_listed_then_they_do_not_mix(given: Setting) {
    let (one, two) = (given.bucket("one").await, given.bucket("two").await);
    given.put(one, "a", "x").await;
    given.put(two, "b", "x").await;
    assert_eq!(given.keys(one, "").await, ["a"]);
    assert_eq!(given.keys(two, "").await, ["b"]);
}

async fn given_a_page_of_nothing_when_listed_then_empty_and_the_last(given: Setting) {
    let bucket = given.bucket("first").await;
    given.put(bucket, "a", "x").await;
    let page = given.page(listing(bucket, "", None, 0)).await;
    assert_eq!(page, crate::ObjectPage::default());
}

async fn given_delete_markers_when_listed_then_not_shown(given: Setting) {
    let bucket = given.bucket("first").await;
    given.version(bucket, Versioning::Enabled).await;
    for key in ["a", "b", "c"] {
        given.put(bucket, key, "x").await;
    }
    given.delete(bucket, "b").await;
    given.delete(bucket, "never").await;
    assert_eq!(given.keys(bucket, "").await, ["a", "c"]);
    given.put(bucket, "b", "y").await;
    assert_eq!(given.keys(bucket, "").await, ["a", "b", "c"]);
}

async fn given_more_keys_than_a_bounded_look_takes_when_listed_then_all_of_them(given: Setting) {
    let bucket = given.bucket("first").await;
    let keys: Vec<_> = (0..300)
        .map(|number| format!("{:02}/{number:03}", number / 10))
        .collect();
    for key in &keys {
        given.put(bucket, key, "x").await;
    }
    assert_eq!(given.keys(bucket, "").await, keys);
    assert_eq!(
        all_pages(&given, listing(bucket, "", Some("/"), 1000))
            .await
            .len(),
        30
    );
}

fn versions_of(bucket: BucketId, count: usize) -> ListVersions {
    ListVersions {
        bucket,
        prefix: String::new(),
        delimiter: None,
        after: None,
        count,
    }
}

/// Each version as key, what it is, and a star when it is current.
async fn all_versions(given: &Setting, mut list: ListVersions) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let page = given.store.list_object_versions(list.clone()).await.unwrap();
        assert!(page.versions.len() + page.prefixes.len() <= list.count);
        all.extend(page.versions.iter().map(shown_version));
        match page.next {
            Some(next) => list.after = Some(next),
            None => return all,
        }
    }
}

fn shown_version(version: &ListedVersion) -> String {
    let content = version.object.as_ref().map_or("gone", |object| &object.etag);
    let id = if version.version.id().is_none() {
        " null"
    } else {
        ""
    };
    let star = if version.is_current { " *" } else { "" };
    format!("{} {content}{id}{star}", version.key)
}

async fn given_versions_when_listed_then_by_key_and_from_the_latest_on_also_page_by_page(given: Setting) {
    let bucket = given.bucket("first").await;
    given.put(bucket, "b", "0").await;
    given.put(bucket, "c", "0").await;
    given.version(bucket, Versioning::Enabled).await;
    for content in ["1", "2"] {
        given.put(bucket, "b", content).await;
    }
    given.put(bucket, "a", "1").await;
    given.delete(bucket, "a").await;
    given.version(bucket, Versioning::Suspended).await;
    given.put(bucket, "d", "1").await;
    given.delete(bucket, "d").await;

    let whole = [
        "a gone *",
        "a 1",
        "b 2 *",
        "b 1",
        "b 0 null",
        "c 0 null *",
        "d gone null *",
    ];
    for count in 1..=8 {
        assert_eq!(
            all_versions(&given, versions_of(bucket, count)).await,
            whole,
            "{count} a page"
        );
    }
    let after = |after| ListVersions {
        after: Some(after),
        ..versions_of(bucket, 9)
    };
    let behind = after(VersionPosition::Key("b".to_owned()));
    assert_eq!(all_versions(&given, behind).await, whole[5..]);
    let behind = after(VersionPosition::Version("b".to_owned(), VersionSelector::Null));
    assert_eq!(all_versions(&given, behind).await, whole[5..]);
    let behind = after(VersionPosition::Version("b".to_owned(), VersionSelector::Current));
    assert_eq!(all_versions(&given, behind).await, whole[5..]);
    let with_prefix = ListVersions {
        prefix: "b".to_owned(),
        ..versions_of(bucket, 2)
    };
    assert_eq!(all_versions(&given, with_prefix).await, whole[2..5]);
    assert_eq!(all_versions(&given, versions_of(bucket, 0)).await, [""; 0]);
}

async fn given_a_delimiter_when_versions_are_listed_then_what_shares_a_prefix_is_shown_once(given: Setting) {
    let bucket = given.bucket("first").await;
    given.version(bucket, Versioning::Enabled).await;
    for key in ["a/1", "a/2", "b", "c/1"] {
        given.put(bucket, key, "x").await;
        given.delete(bucket, key).await;
    }
    let (mut prefixes, mut keys) = (Vec::new(), Vec::new());
    let mut list = ListVersions {
        delimiter: Some("/".to_owned()),
        ..versions_of(bucket, 1)
    };
    loop {
        let page = given.store.list_object_versions(list.clone()).await.unwrap();
        prefixes.extend(page.prefixes);
        keys.extend(page.versions.iter().map(shown_version));
        match page.next {
            Some(next) => list.after = Some(next),
            None => break,
        }
    }
    assert_eq!(prefixes, ["a/", "c/"]);
    assert_eq!(keys, ["b gone *", "b x"]);
}

async fn given_a_page_whose_versions_are_deleted_when_continued_then_the_next_ones_and_the_current_one_is_told(
    given: Setting,
) {
    let bucket = given.bucket("first").await;
    given.version(bucket, Versioning::Enabled).await;
    for content in ["1", "2", "3", "4"] {
        given.put(bucket, "k", content).await;
    }
    let list = versions_of(bucket, 2);
    let first = given.store.list_object_versions(list.clone()).await.unwrap();
    let deletions: Vec<_> = first
        .versions
        .iter()
        .map(|version| given.deletion("k", version.version.selector()))
        .collect();
    given.delete_all(bucket, deletions).await;

    let second = given.store.list_object_versions(ListVersions {
        after: first.next,
        ..list
    });

    let shown: Vec<_> = second.await.unwrap().versions.iter().map(shown_version).collect();
    assert_eq!(shown, ["k 2 *", "k 1"]);
}
