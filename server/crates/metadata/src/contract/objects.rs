use std::time::Duration;

use tokio::task::JoinSet;

use super::cases;
use super::object_setting::{Objects as _, attributes, expecting, key, owner, tagged};
use super::setting::{MOMENT, Setting, digest, origin};
use crate::{
    ContentRef, DeleteBucketOutcome, DeleteOutcome, Expected, NewContent, ObjectAttributes, ObjectChecksum,
    ObjectLookup, Overwrite, PutObject, PutOutcome, UpdateOutcome, VersionKind, VersionSelector, Versioning,
    WriteCondition,
};
use VersionSelector::{Current, Null};

cases![
    given_a_bucket_when_small_bytes_are_put_then_read_with_all_that_they_carry,
    given_no_versioning_when_written_over_then_one_null_version_and_a_delete_leaves_nothing,
    given_versioning_when_written_over_then_every_version_is_read_by_its_id,
    given_versioning_when_deleted_then_a_marker_hides_the_object_and_its_removal_shows_it_again,
    given_suspended_versioning_when_written_and_deleted_then_only_the_null_version_is_replaced,
    given_a_clock_that_goes_back_when_written_then_versions_keep_their_order,
    given_the_last_version_removed_when_written_anew_then_the_old_id_finds_nothing,
    given_conditions_when_put_then_each_is_judged_at_the_moment_of_the_write,
    given_a_writer_that_may_not_overwrite_when_an_object_is_there_then_access_denied_whatever_is_expected,
    given_conditions_when_deleted_then_each_is_judged_at_the_moment_of_the_deletion,
    given_many_deletions_when_made_together_then_an_outcome_for_each_in_order,
    given_a_version_when_its_tags_are_set_then_they_alone_change,
    given_a_version_when_copied_then_the_bytes_are_there_when_the_source_is_gone,
    given_a_source_that_changed_when_copied_then_no_such_source,
    given_an_object_when_copied_onto_itself_then_it_keeps_its_bytes,
    given_many_creators_of_one_key_when_they_race_then_exactly_one_wins,
    given_writers_and_a_deletion_of_the_bucket_when_they_race_then_no_object_is_left_in_no_bucket,
];

async fn given_a_bucket_when_small_bytes_are_put_then_read_with_all_that_they_carry(given: Setting) {
    let bucket = given.bucket("first").await;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let carried = ObjectAttributes {
        etag: "e".to_owned(),
        owner: owner("bob"),
        headers: vec![pair("content-type", "text/plain"), pair("x-amz-meta-a", "")],
        tags: vec![pair("team", "blue")],
        storage_class: Some("STANDARD".to_owned()),
        checksum: Some(ObjectChecksum {
            algorithm: "CRC32".to_owned(),
            kind: "FULL_OBJECT".to_owned(),
            value: "AAAAAA==".to_owned(),
        }),
    };
    let object = PutObject {
        attributes: carried.clone(),
        ..given.object(bucket, "a/../b\0c", "bytes")
    };

    let PutOutcome::Stored(written) = given.write(object).await else {
        panic!("the bucket is there");
    };

    assert_eq!(
        (written.version.id(), written.versioning),
        (None, Versioning::Never)
    );
    let read = given.current(bucket, "a/../b\0c").await.unwrap();
    assert_eq!((read.version, read.size), (written.version, 5));
    assert_eq!(
        (read.modified_at, written.modified_at),
        (given.now(), given.now())
    );
    assert_eq!(read.attributes, carried);
    let digest = digest("bytes");
    assert_eq!(read.content, ContentRef::Inline { digest });
    assert_eq!(
        given.text(bucket, "a/../b\0c", Null).await.as_deref(),
        Some("bytes")
    );
    assert_eq!(given.current(bucket, "a").await, None);
    assert_eq!(
        given.current(given.bucket("other").await, "a/../b\0c").await,
        None
    );
}

async fn given_no_versioning_when_written_over_then_one_null_version_and_a_delete_leaves_nothing(
    given: Setting,
) {
    let bucket = given.bucket("first").await;
    given.put(bucket, "k", "old").await;
    given.put(bucket, "k", "new").await;
    assert_eq!(given.text(bucket, "k", Current).await.as_deref(), Some("new"));
    assert_eq!(given.text(bucket, "k", Null).await.as_deref(), Some("new"));
    let removed = DeleteOutcome::Removed(VersionKind::Object);
    assert_eq!(given.remove(bucket, "k", Current).await, removed);
    assert_eq!(given.remove(bucket, "k", Current).await, DeleteOutcome::Absent);
    assert_eq!(given.text(bucket, "k", Null).await, None);
    let deleted = given.store.delete_bucket(&origin(), bucket).await.unwrap();
    assert_eq!(deleted, DeleteBucketOutcome::Deleted);
}

async fn given_versioning_when_written_over_then_every_version_is_read_by_its_id(given: Setting) {
    let bucket = given.bucket("first").await;
    given.put(bucket, "k", "before").await;
    given.version(bucket, Versioning::Enabled).await;
    let mut written = Vec::new();
    for content in ["one", "two", "three"] {
        written.push((given.put(bucket, "k", content).await.version, content));
    }

    assert_eq!(given.text(bucket, "k", Current).await.as_deref(), Some("three"));
    assert_eq!(given.text(bucket, "k", Null).await.as_deref(), Some("before"));
    for (version, content) in &written {
        let by_id = version.selector();
        assert_eq!(given.text(bucket, "k", by_id).await.as_deref(), Some(*content));
        // As clients give it back.
        let id = version.id().unwrap().to_string().parse().unwrap();
        assert_eq!(
            given.text(bucket, "k", VersionSelector::Id(id)).await.as_deref(),
            Some(*content)
        );
    }
    // The one in the middle, the current one, then the rest: the next older one becomes current.
    for (index, left) in [(1, "three"), (2, "one"), (0, "before")] {
        given.remove(bucket, "k", written[index].0.selector()).await;
        assert_eq!(given.text(bucket, "k", Current).await.as_deref(), Some(left));
        assert_eq!(given.keys(bucket, "").await, ["k"]);
    }
    given.remove(bucket, "k", Null).await;
    assert_eq!(given.keys(bucket, "").await, [""; 0]);
}

async fn given_versioning_when_deleted_then_a_marker_hides_the_object_and_its_removal_shows_it_again(
    given: Setting,
) {
    let bucket = given.bucket("first").await;
    given.version(bucket, Versioning::Enabled).await;
    let version = given.put(bucket, "k", "x").await.version;
    given.pass(MOMENT);

    let marker = given.delete(bucket, "k").await;

    assert_eq!(given.text(bucket, "k", Current).await, None);
    assert_eq!(given.keys(bucket, "").await, [""; 0]);
    for selector in [Current, marker] {
        let ObjectLookup::DeleteMarker(found) = given.look_up(bucket, "k", selector).await else {
            panic!("there is a delete marker");
        };
        assert_eq!(
            (found.version.selector(), found.modified_at),
            (marker, given.now())
        );
    }
    assert_eq!(
        given.text(bucket, "k", version.selector()).await.as_deref(),
        Some("x")
    );
    // One of a key that has no version, and one upon another.
    given.delete(bucket, "never").await;
    let second = given.delete(bucket, "k").await;
    assert_ne!(second, marker);
    let removed = DeleteOutcome::Removed(VersionKind::DeleteMarker);
    assert_eq!(given.remove(bucket, "k", second).await, removed);
    assert_eq!(given.text(bucket, "k", Current).await, None);
    assert_eq!(given.remove(bucket, "k", marker).await, removed);
    assert_eq!(given.text(bucket, "k", Current).await.as_deref(), Some("x"));
    assert_eq!(given.keys(bucket, "").await, ["k"]);
    assert_eq!(given.remove(bucket, "k", marker).await, DeleteOutcome::Absent);
}

async fn given_suspended_versioning_when_written_and_deleted_then_only_the_null_version_is_replaced(
    given: Setting,
) {
    let bucket = given.bucket("first").await;
    given.version(bucket, Versioning::Enabled).await;
    let kept = given.put(bucket, "k", "kept").await.version;
    given.version(bucket, Versioning::Suspended).await;
    let first = given.put(bucket, "k", "null 1").await;
    assert_eq!(
        (first.version.id(), first.versioning),
        (None, Versioning::Suspended)
    );
    given.put(bucket, "k", "null 2").await;
    assert_eq!(given.text(bucket, "k", Null).await.as_deref(), Some("null 2"));

    let marker = given.delete(bucket, "k").await;

    assert_eq!(marker, Null);
    assert_eq!(given.text(bucket, "k", Null).await, None);
    assert_eq!(
        given.text(bucket, "k", kept.selector()).await.as_deref(),
        Some("kept")
    );
    let removed = DeleteOutcome::Removed(VersionKind::DeleteMarker);
    assert_eq!(given.remove(bucket, "k", Null).await, removed);
    assert_eq!(given.text(bucket, "k", Current).await.as_deref(), Some("kept"));
    given.version(bucket, Versioning::Enabled).await;
    given.put(bucket, "k", "newer").await;
    assert_eq!(given.text(bucket, "k", Null).await, None);
}

async fn given_a_clock_that_goes_back_when_written_then_versions_keep_their_order(given: Setting) {
    let bucket = given.bucket("first").await;
    given.version(bucket, Versioning::Enabled).await;
    given.jump(Duration::from_hours(9));
    let mut versions = vec![given.put(bucket, "k", "0").await.version.id()];
    given.jump_back(Duration::from_hours(8));
    for content in ["1", "2"] {
        versions.push(given.put(bucket, "k", content).await.version.id());
        assert_eq!(given.text(bucket, "k", Current).await.as_deref(), Some(content));
    }
    // Also when the newest ones have gone.
    let newest = VersionSelector::Id(versions[2].unwrap());
    given.remove(bucket, "k", newest).await;
    versions.push(given.put(bucket, "k", "3").await.version.id());
    assert!(versions.is_sorted());
    assert_eq!(given.text(bucket, "k", newest).await, None);
}

async fn given_the_last_version_removed_when_written_anew_then_the_old_id_finds_nothing(given: Setting) {
    let bucket = given.bucket("first").await;
    given.version(bucket, Versioning::Enabled).await;
    let old = given.put(bucket, "k", "old").await.version;
    given.remove(bucket, "k", old.selector()).await;
    // In the same moment, so that the place is the same.
    let new = given.put(bucket, "k", "new").await.version;
    assert_ne!(old.id(), new.id());
    assert_eq!(given.text(bucket, "k", old.selector()).await, None);
    assert_eq!(
        given.text(bucket, "k", new.selector()).await.as_deref(),
        Some("new")
    );
}

async fn given_conditions_when_put_then_each_is_judged_at_the_moment_of_the_write(given: Setting) {
    let bucket = given.bucket("first").await;
    given.version(bucket, Versioning::Enabled).await;
    let put = async |content: &str, expected| {
        let object = PutObject {
            condition: expecting(expected),
            ..given.object(bucket, "k", content)
        };
        given.write(object).await
    };
    let is_stored = |outcome| matches!(outcome, PutOutcome::Stored(_));
    assert_eq!(put("0", tagged("0")).await, PutOutcome::NoCurrent);
    assert_eq!(put("0", Expected::Present).await, PutOutcome::NoCurrent);
    assert!(is_stored(put("1", Expected::Absent).await));
    assert_eq!(put("2", Expected::Absent).await, PutOutcome::PreconditionFailed);
    assert_eq!(put("2", tagged("0")).await, PutOutcome::PreconditionFailed);
    assert!(is_stored(put("2", tagged("1")).await));
    assert!(is_stored(put("3", Expected::Present).await));
    let one_of_two = Expected::Tagged(vec!["other".to_owned(), "3".to_owned()]);
    assert!(is_stored(put("4", one_of_two).await));
    given.delete(bucket, "k").await;
    assert_eq!(put("5", tagged("4")).await, PutOutcome::NoCurrent);
    assert!(is_stored(put("5", Expected::Absent).await));
    assert_eq!(given.text(bucket, "k", Current).await.as_deref(), Some("5"));
}

async fn given_a_writer_that_may_not_overwrite_when_an_object_is_there_then_access_denied_whatever_is_expected(
    given: Setting,
) {
    let bucket = given.bucket("first").await;
    given.version(bucket, Versioning::Enabled).await;
    let put = async |expected| {
        let condition = WriteCondition {
            expected,
            overwrite: Overwrite::Denied,
        };
        let object = PutObject {
            condition,
            ..given.object(bucket, "k", "x")
        };
        given.write(object).await
    };
    assert!(matches!(put(Expected::Any).await, PutOutcome::Stored(_)));
    for expected in [Expected::Any, Expected::Absent, tagged("x"), tagged("y")] {
        assert_eq!(put(expected).await, PutOutcome::AccessDenied);
    }
    given.delete(bucket, "k").await;
    assert!(matches!(put(Expected::Absent).await, PutOutcome::Stored(_)));
}

async fn given_conditions_when_deleted_then_each_is_judged_at_the_moment_of_the_deletion(given: Setting) {
    let plain = given.bucket("plain").await;
    let versioned = given.bucket("versioned").await;
    given.version(versioned, Versioning::Enabled).await;
    for bucket in [plain, versioned] {
        let delete = async |expected| {
            let deletion = crate::DeleteObject {
                expected,
                ..given.deletion("k", Current)
            };
            given.try_delete(bucket, deletion).await
        };
        assert_eq!(delete(tagged("1")).await, DeleteOutcome::NoCurrent);
        given.put(bucket, "k", "1").await;
        assert_eq!(delete(tagged("2")).await, DeleteOutcome::PreconditionFailed);
        assert_eq!(given.text(bucket, "k", Current).await.as_deref(), Some("1"));
        assert!(!matches!(
            delete(tagged("1")).await,
            DeleteOutcome::PreconditionFailed | DeleteOutcome::NoCurrent
        ));
        assert_eq!(given.text(bucket, "k", Current).await, None);
    }
}

async fn given_many_deletions_when_made_together_then_an_outcome_for_each_in_order(given: Setting) {
    let bucket = given.bucket("first").await;
    for number in 0..200 {
        given.put(bucket, &format!("{number:03}"), "x").await;
    }
    let mut deletions: Vec<_> = (0..150)
        .map(|number| given.deletion(&format!("{number:03}"), Current))
        .collect();
    // One key twice, and one that was never there.
    deletions.insert(2, given.deletion("000", Current));
    deletions.push(given.deletion("never", Current));

    let outcomes = given.delete_all(bucket, deletions).await;

    let removed = DeleteOutcome::Removed(VersionKind::Object);
    let mut expected = vec![removed; 150];
    expected.insert(2, DeleteOutcome::Absent);
    expected.push(DeleteOutcome::Absent);
    assert_eq!(outcomes, expected);
    assert_eq!(given.keys(bucket, "").await.len(), 50);
    let gone = zas_core::BucketId::new(given.id());
    let deletions = vec![given.deletion("k", Current)];
    assert_eq!(
        given.delete_all(gone, deletions).await,
        [DeleteOutcome::NoSuchBucket]
    );
}

async fn given_a_version_when_its_tags_are_set_then_they_alone_change(given: Setting) {
    let bucket = given.bucket("first").await;
    given.version(bucket, Versioning::Enabled).await;
    let version = given.put(bucket, "k", "x").await.version;
    given.put(bucket, "k", "y").await;
    let before = given.look_up(bucket, "k", version.selector()).await;
    let new = vec![("a".to_owned(), "b".to_owned())];
    given.pass(MOMENT);

    let set = async |selector, tags| given.set_tags(bucket, "k", selector, tags).await;
    assert_eq!(
        set(version.selector(), new.clone()).await,
        UpdateOutcome::Updated(version)
    );

    let (ObjectLookup::Found(mut before), ObjectLookup::Found(after)) =
        (before, given.look_up(bucket, "k", version.selector()).await)
    else {
        panic!("the version is there");
    };
    before.attributes.tags = new;
    assert_eq!(after, before);
    assert_eq!(given.current(bucket, "k").await.unwrap().attributes.tags, []);
    given.delete(bucket, "k").await;
    assert!(matches!(
        set(Current, Vec::new()).await,
        UpdateOutcome::DeleteMarker(_)
    ));
    assert_eq!(set(Null, Vec::new()).await, UpdateOutcome::Unknown);
}

async fn given_a_version_when_copied_then_the_bytes_are_there_when_the_source_is_gone(given: Setting) {
    let (from, to) = (given.bucket("source").await, given.bucket("target").await);
    let source = given.put(from, "k", "bytes").await.version;
    let copy = PutObject {
        attributes: attributes("copy"),
        content: NewContent::CopyOf {
            bucket: from,
            key: key("k"),
            version: source,
        },
        ..given.object(to, "l", "")
    };
    assert!(matches!(given.write(copy).await, PutOutcome::Stored(_)));
    given.delete(from, "k").await;
    assert_eq!(given.text(to, "l", Current).await.as_deref(), Some("bytes"));
    let copied = given.current(to, "l").await.unwrap();
    assert_eq!((copied.size, copied.attributes.etag.as_str()), (5, "copy"));
}

async fn given_a_source_that_changed_when_copied_then_no_such_source(given: Setting) {
    let bucket = given.bucket("first").await;
    let source = given.put(bucket, "k", "old").await.version;
    given.put(bucket, "k", "new").await;
    let copy = PutObject {
        content: NewContent::CopyOf {
            bucket,
            key: key("k"),
            version: source,
        },
        ..given.object(bucket, "l", "")
    };
    assert_eq!(given.write(copy).await, PutOutcome::NoSuchSource);
    assert_eq!(given.current(bucket, "l").await, None);
}

async fn given_an_object_when_copied_onto_itself_then_it_keeps_its_bytes(given: Setting) {
    let bucket = given.bucket("first").await;
    let mut version = given.put(bucket, "k", "bytes").await.version;
    for round in ["1", "2"] {
        let copy = PutObject {
            attributes: attributes(round),
            content: NewContent::CopyOf {
                bucket,
                key: key("k"),
                version,
            },
            ..given.object(bucket, "k", "")
        };
        let PutOutcome::Stored(written) = given.write(copy).await else {
            panic!("the source is there");
        };
        version = written.version;
        assert_eq!(given.text(bucket, "k", Current).await.as_deref(), Some("bytes"));
        assert_eq!(given.current(bucket, "k").await.unwrap().attributes.etag, round);
    }
}

async fn given_many_creators_of_one_key_when_they_race_then_exactly_one_wins(given: Setting) {
    let bucket = given.bucket("first").await;
    let mut writers = JoinSet::new();
    for number in 0..50 {
        let given = given.clone();
        writers.spawn(async move {
            let content = number.to_string();
            let object = PutObject {
                condition: expecting(Expected::Absent),
                ..given.object(bucket, "k", &content)
            };
            (content, given.write(object).await)
        });
    }
    let outcomes = writers.join_all().await;

    let is_winner = |(_, outcome): &&(String, PutOutcome)| matches!(outcome, PutOutcome::Stored(_));
    let winners: Vec<_> = outcomes.iter().filter(is_winner).collect();
    assert_eq!(winners.len(), 1);
    let losers = outcomes
        .iter()
        .filter(|(_, outcome)| *outcome == PutOutcome::PreconditionFailed);
    assert_eq!(losers.count(), 49);
    assert_eq!(
        given.text(bucket, "k", Current).await.as_ref(),
        Some(&winners[0].0)
    );
}

async fn given_writers_and_a_deletion_of_the_bucket_when_they_race_then_no_object_is_left_in_no_bucket(
    given: Setting,
) {
    for round in 0..20 {
        let bucket = given.bucket(&format!("round-{round}")).await;
        let mut writers = JoinSet::new();
        for number in 0..4 {
            let given = given.clone();
            writers.spawn(async move { given.try_put(bucket, &number.to_string(), "x").await });
        }
        let deletion = given.store.delete_bucket(&origin(), bucket).await.unwrap();
        let outcomes = writers.join_all().await;

        let is_stored = |outcome: &&PutOutcome| matches!(outcome, PutOutcome::Stored(_));
        let stored = outcomes.iter().filter(is_stored).count();
        assert_eq!(given.keys(bucket, "").await.len(), stored, "round {round}");
        match deletion {
            DeleteBucketOutcome::Deleted => assert_eq!(stored, 0, "round {round}"),
            DeleteBucketOutcome::NotEmpty => assert_eq!(stored, 4, "round {round}"),
            DeleteBucketOutcome::Unknown => panic!("round {round}: it was there"),
        }
    }
}
