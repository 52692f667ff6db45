use bytes::Bytes;
use zas_core::BucketName;

use super::cases;
use super::object_setting::{Objects as _, bucket_name, owner};
use super::setting::{Setting, names, origin};
use crate::{BucketOutcome, CreateBucketOutcome, DeleteBucketOutcome, DocumentKind, Versioning};

cases![
    given_a_free_name_when_a_bucket_is_made_then_it_is_found_with_all_that_was_given,
    given_a_taken_name_when_a_bucket_is_made_then_the_one_that_has_it_is_told,
    given_buckets_of_two_owners_when_listed_then_by_owner_prefix_and_page,
    given_an_empty_bucket_when_deleted_then_gone_with_its_documents_and_its_name_is_free,
    given_a_bucket_with_a_version_or_a_marker_when_deleted_then_not_empty,
    given_a_bucket_made_anew_when_read_then_it_inherits_nothing,
    given_a_bucket_when_its_documents_and_versioning_are_set_then_read_back_and_unknown_when_gone,
];

async fn given_a_free_name_when_a_bucket_is_made_then_it_is_found_with_all_that_was_given(given: Setting) {
    let name: BucketName = bucket_name("first");
    assert_eq!(given.store.stat_bucket(&name).await.unwrap(), None);

    let new = given.new_bucket("first", "alice");
    let CreateBucketOutcome::Created(made) = given.store.create_bucket(&origin(), new.clone()).await.unwrap()
    else {
        panic!("the name was free");
    };

    assert_eq!(
        (&made.name, made.id, &made.owner),
        (&name, new.id, &owner("alice"))
    );
    assert_eq!(
        (made.region.as_str(), made.created_at, made.versioning),
        ("here", given.now(), Versioning::Never)
    );
    assert_eq!(given.store.stat_bucket(&name).await.unwrap(), Some(made));
    assert!(!given.store.is_empty().await.unwrap());
}

async fn given_a_taken_name_when_a_bucket_is_made_then_the_one_that_has_it_is_told(given: Setting) {
    given.bucket("taken").await;
    let existing = given
        .store
        .stat_bucket(&bucket_name("taken"))
        .await
        .unwrap()
        .unwrap();

    let again = given.new_bucket("taken", "bob");
    let outcome = given.store.create_bucket(&origin(), again).await.unwrap();

    assert_eq!(outcome, CreateBucketOutcome::Exists(existing));
    assert_eq!(given.list_buckets(Some("bob"), "", None, 9).await.entries, []);
}

async fn given_buckets_of_two_owners_when_listed_then_by_owner_prefix_and_page(given: Setting) {
    for (name, owner) in [
        ("log-b", "alice"),
        ("log-a", "alice"),
        ("data", "alice"),
        ("log-c", "bob"),
    ] {
        given.bucket_of(name, owner).await;
    }
    let list = async |owner, prefix, after, count| {
        let page = given.list_buckets(owner, prefix, after, count).await;
        let listed = page.entries.into_iter().map(|bucket| bucket.name).collect();
        let more = page.more;
        (
            names(&crate::Page {
                entries: listed,
                more,
            }),
            more,
        )
    };
    let expected = |names: &[&str], more| {
        (
            names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(),
            more,
        )
    };
    assert_eq!(
        list(Some("alice"), "", None, 9).await,
        expected(&["data", "log-a", "log-b"], false)
    );
    assert_eq!(
        list(Some("alice"), "log-", None, 1).await,
        expected(&["log-a"], true)
    );
    assert_eq!(
        list(Some("alice"), "log-", Some("log-a"), 9).await,
        expected(&["log-b"], false)
    );
    assert_eq!(list(Some("bob"), "", None, 9).await, expected(&["log-c"], false));
    assert_eq!(list(Some("bo"), "", None, 9).await, expected(&[], false));
    assert_eq!(
        list(None, "", Some("data"), 9).await,
        expected(&["log-a", "log-b", "log-c"], false)
    );
}

async fn given_an_empty_bucket_when_deleted_then_gone_with_its_documents_and_its_name_is_free(
    given: Setting,
) {
    let bucket = given.bucket("first").await;
    given.set_document(bucket, DocumentKind::Tags, Some("<t/>")).await;

    let delete = async || given.store.delete_bucket(&origin(), bucket).await.unwrap();
    assert_eq!(delete().await, DeleteBucketOutcome::Deleted);
    assert_eq!(delete().await, DeleteBucketOutcome::Unknown);

    assert_eq!(
        given.store.stat_bucket(&bucket_name("first")).await.unwrap(),
        None
    );
    assert_eq!(given.list_buckets(None, "", None, 9).await.entries, []);
    assert_eq!(given.list_buckets(Some("alice"), "", None, 9).await.entries, []);
    assert_eq!(given.document(bucket, DocumentKind::Tags).await, None);
    assert!(given.store.is_empty().await.unwrap());
}

async fn given_a_bucket_with_a_version_or_a_marker_when_deleted_then_not_empty(given: Setting) {
    let bucket = given.bucket("first").await;
    let delete = async || given.store.delete_bucket(&origin(), bucket).await.unwrap();
    given.put(bucket, "a", "x").await;
    assert_eq!(delete().await, DeleteBucketOutcome::NotEmpty);
    given.delete(bucket, "a").await;
    given.version(bucket, Versioning::Enabled).await;
    let marker = given.delete(bucket, "a").await;
    assert_eq!(delete().await, DeleteBucketOutcome::NotEmpty);
    given.remove(bucket, "a", marker).await;
    assert_eq!(delete().await, DeleteBucketOutcome::Deleted);
}

async fn given_a_bucket_made_anew_when_read_then_it_inherits_nothing(given: Setting) {
    let old = given.bucket("first").await;
    given.version(old, Versioning::Enabled).await;
    given.set_document(old, DocumentKind::Cors, Some("<c/>")).await;
    given.put(old, "a", "x").await;
    let marker = given.delete(old, "a").await;
    given.remove(old, "a", marker).await;
    let version = given.current(old, "a").await.unwrap().version;
    given.remove(old, "a", version.selector()).await;
    assert_eq!(
        given.store.delete_bucket(&origin(), old).await.unwrap(),
        DeleteBucketOutcome::Deleted
    );

    let new = given.bucket("first").await;

    assert_ne!(old, new);
    let bucket = given
        .store
        .stat_bucket(&bucket_name("first"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(bucket.versioning, Versioning::Never);
    assert_eq!(given.document(new, DocumentKind::Cors).await, None);
    assert_eq!(given.current(new, "a").await, None);
    assert_eq!(given.keys(new, "").await, [""; 0]);
    // What still goes by the old id finds nothing.
    assert_eq!(
        given.try_put(old, "a", "x").await,
        crate::PutOutcome::NoSuchBucket
    );
}

async fn given_a_bucket_when_its_documents_and_versioning_are_set_then_read_back_and_unknown_when_gone(
    given: Setting,
) {
    let bucket = given.bucket("first").await;
    for document in [Some("<a/>"), Some("<b/>"), None] {
        let outcome = given.set_document(bucket, DocumentKind::Tags, document).await;
        assert_eq!(outcome, BucketOutcome::Done);
        let stored = given.document(bucket, DocumentKind::Tags).await;
        assert_eq!(stored, document.map(Bytes::from));
        assert_eq!(given.document(bucket, DocumentKind::Cors).await, None);
    }
    for versioning in [Versioning::Enabled, Versioning::Suspended, Versioning::Enabled] {
        assert_eq!(given.version(bucket, versioning).await, BucketOutcome::Done);
        let stat = given.store.stat_bucket(&bucket_name("first")).await.unwrap();
        assert_eq!(stat.unwrap().versioning, versioning);
    }
    given.store.delete_bucket(&origin(), bucket).await.unwrap();
    assert_eq!(
        given.version(bucket, Versioning::Enabled).await,
        BucketOutcome::Unknown
    );
    let outcome = given.set_document(bucket, DocumentKind::Tags, None).await;
    assert_eq!(outcome, BucketOutcome::Unknown);
}
