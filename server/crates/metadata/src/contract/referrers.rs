use zas_core::Digest;

use super::cases;
use super::setting::{Describe as _, Setting, digest, manifest, origin, repository};
use crate::{ReferrerCursor, ReferrerPage, SharedManifest};

cases![
    given_referrers_when_listed_then_by_type_and_digest_for_that_subject_only,
    given_a_type_when_listed_then_only_exactly_that_type,
    given_a_page_bound_by_number_when_followed_then_every_referrer_once,
    given_a_page_bound_by_bytes_when_followed_then_every_referrer_once,
    given_a_bound_below_one_descriptor_when_listed_then_one_row_all_the_same,
    given_a_subject_when_deleted_then_its_referrers_stay,
    given_a_referrer_when_deleted_then_its_entry_goes,
    given_a_referrer_committed_again_with_another_type_when_listed_then_once_under_the_new_type,
    given_an_absent_subject_when_referred_to_then_accepted,
];

async fn refer(given: &Setting, body: &str, subject: &Digest, artifact_type: &str) {
    given
        .commit(manifest(&repository("ours"), body).about(subject, artifact_type))
        .await;
}

async fn list(given: &Setting, subject: &Digest, artifact_type: Option<&str>) -> Vec<Digest> {
    let page = page(given, subject, artifact_type, None, 1000, 1 << 20).await;
    assert_eq!(page.next, None);
    digests(&page)
}

async fn page(
    given: &Setting,
    subject: &Digest,
    artifact_type: Option<&str>,
    after: Option<&ReferrerCursor>,
    count: usize,
    bytes: usize,
) -> ReferrerPage {
    given
        .store
        .list_referrers(&repository("ours"), subject, artifact_type, after, count, bytes)
        .await
        .unwrap()
}

/// The digests named by the descriptors of a page.
fn digests(page: &ReferrerPage) -> Vec<Digest> {
    let named = |descriptor: &[u8]| {
        let text = std::str::from_utf8(descriptor).unwrap();
        text.trim_start_matches("{\"digest\":\"")
            .trim_end_matches("\"}")
            .parse()
            .unwrap()
    };
    page.descriptors
        .iter()
        .map(|descriptor| named(descriptor))
        .collect()
}

async fn given_referrers_when_listed_then_by_type_and_digest_for_that_subject_only(given: Setting) {
    let (subject, other) = (digest("{s}"), digest("{o}"));
    refer(&given, "{1}", &subject, "b/x").await;
    refer(&given, "{2}", &subject, "a/x").await;
    refer(&given, "{3}", &subject, "").await;
    refer(&given, "{4}", &subject, "b/x").await;
    refer(&given, "{5}", &other, "a/x").await;
    given
        .commit(manifest(&repository("theirs"), "{6}").about(&subject, "a/x"))
        .await;

    let mut last = [digest("{1}"), digest("{4}")];
    last.sort();
    let expected = [digest("{3}"), digest("{2}"), last[0], last[1]];
    assert_eq!(list(&given, &subject, None).await, expected);
    assert_eq!(list(&given, &other, None).await, [digest("{5}")]);
    assert_eq!(list(&given, &digest("{none}"), None).await, []);
}

async fn given_a_type_when_listed_then_only_exactly_that_type(given: Setting) {
    let subject = digest("{s}");
    for (body, artifact_type) in [("{1}", "a/x"), ("{2}", "a/xy"), ("{3}", "a/"), ("{4}", "")] {
        refer(&given, body, &subject, artifact_type).await;
    }
    assert_eq!(list(&given, &subject, Some("a/x")).await, [digest("{1}")]);
    assert_eq!(list(&given, &subject, Some("a/")).await, [digest("{3}")]);
    assert_eq!(list(&given, &subject, Some("")).await, [digest("{4}")]);
    assert_eq!(list(&given, &subject, Some("b")).await, []);
}

/// Follows pages to the end.
async fn follow(
    given: &Setting,
    artifact_type: Option<&str>,
    count: usize,
    bytes: usize,
) -> (Vec<Digest>, usize) {
    let (mut seen, mut pages, mut after) = (Vec::new(), 0, None);
    loop {
        let page = page(given, &digest("{s}"), artifact_type, after.as_ref(), count, bytes).await;
        assert!(!page.descriptors.is_empty() && page.descriptors.len() <= count.max(1));
        let size: usize = page.descriptors.iter().map(bytes::Bytes::len).sum();
        assert!(size <= bytes || page.descriptors.len() == 1);
        seen.extend(digests(&page));
        pages += 1;
        match page.next {
            Some(cursor) => after = Some(cursor),
            None => return (seen, pages),
        }
    }
}

async fn thirty_referrers(given: &Setting) -> Vec<Digest> {
    for number in 0..30 {
        refer(
            given,
            &format!("{{{number}}}"),
            &digest("{s}"),
            ["a/x", "b/x", "c/x"][number % 3],
        )
        .await;
    }
    list(given, &digest("{s}"), None).await
}

async fn given_a_page_bound_by_number_when_followed_then_every_referrer_once(given: Setting) {
    let all = thirty_referrers(&given).await;
    assert_eq!(all.len(), 30);
    for (count, pages) in [(1, 30), (7, 5), (10, 3), (29, 2), (30, 1), (200, 1)] {
        assert_eq!(
            follow(&given, None, count, 1 << 20).await,
            (all.clone(), pages),
            "pages of {count}"
        );
    }
    let (of_type, pages) = follow(&given, Some("b/x"), 4, 1 << 20).await;
    assert_eq!((of_type.as_slice(), pages), (&all[10..20], 3));
}

async fn given_a_page_bound_by_bytes_when_followed_then_every_referrer_once(given: Setting) {
    let all = thirty_referrers(&given).await;
    let one = page(&given, &digest("{s}"), None, None, 1, 1 << 20)
        .await
        .descriptors[0]
        .len();
    for (bytes, pages) in [
        (one, 30),
        (one * 4, 8),
        (one * 5 - 1, 8),
        (one * 30, 1),
        (one * 30 - 1, 2),
    ] {
        assert_eq!(
            follow(&given, None, 1000, bytes).await,
            (all.clone(), pages),
            "pages of {bytes} bytes"
        );
    }
}

async fn given_a_bound_below_one_descriptor_when_listed_then_one_row_all_the_same(given: Setting) {
    let all = thirty_referrers(&given).await;
    assert_eq!(follow(&given, None, 1000, 0).await, (all.clone(), 30));
    assert_eq!(follow(&given, None, 0, 1 << 20).await, (all, 30));
}

async fn given_a_subject_when_deleted_then_its_referrers_stay(given: Setting) {
    let ours = repository("ours");
    given.commit(manifest(&ours, "{s}")).await;
    refer(&given, "{1}", &digest("{s}"), "a/x").await;

    given
        .store
        .delete_manifest(&origin(), &ours, &digest("{s}"), SharedManifest::Delete)
        .await
        .unwrap();

    assert_eq!(list(&given, &digest("{s}"), None).await, [digest("{1}")]);
}

async fn given_a_referrer_when_deleted_then_its_entry_goes(given: Setting) {
    let ours = repository("ours");
    given.commit(manifest(&ours, "{s}")).await;
    refer(&given, "{1}", &digest("{s}"), "a/x").await;
    refer(&given, "{2}", &digest("{s}"), "a/x").await;

    given
        .store
        .delete_manifest(&origin(), &ours, &digest("{1}"), SharedManifest::Delete)
        .await
        .unwrap();

    assert_eq!(list(&given, &digest("{s}"), None).await, [digest("{2}")]);
}

async fn given_a_referrer_committed_again_with_another_type_when_listed_then_once_under_the_new_type(
    given: Setting,
) {
    refer(&given, "{1}", &digest("{s}"), "a/x").await;
    refer(&given, "{1}", &digest("{s}"), "b/x").await;
    refer(&given, "{1}", &digest("{s}"), "b/x").await;

    assert_eq!(list(&given, &digest("{s}"), None).await, [digest("{1}")]);
    assert_eq!(list(&given, &digest("{s}"), Some("a/x")).await, []);
    assert_eq!(list(&given, &digest("{s}"), Some("b/x")).await, [digest("{1}")]);
}

async fn given_an_absent_subject_when_referred_to_then_accepted(given: Setting) {
    let outcome = given
        .commit(manifest(&repository("ours"), "{1}").about(&digest("{never}"), ""))
        .await;
    assert_eq!(outcome, super::setting::committed(true));
    assert_eq!(list(&given, &digest("{never}"), None).await, [digest("{1}")]);
}
