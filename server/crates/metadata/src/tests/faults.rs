use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use zas_core::{ManualClock, Reference};

use super::disturbed_map::WriteMode;
use super::*;
use crate::memory_map::MemoryMap;
use crate::operations::listings::FEW_ROWS;
use crate::ordered_map::{Changes, Durability, Key};
use crate::{DeleteManifestOutcome, DueLink, Lease, MetadataError, MetadataStore, ReapOutcome, keys};

struct Given {
    store: Arc<Disturbed<MemoryMap>>,
    map: MemoryMap,
    control: Arc<Control>,
    clock: Arc<ManualClock>,
}

impl Given {
    fn new() -> Self {
        let (map, control, clock) = (MemoryMap::default(), Arc::default(), clock());
        Self {
            store: disturbed(map.clone(), &control, &clock),
            map,
            control,
            clock,
        }
    }

    fn put_raw(&self, key: Key, value: &'static [u8]) {
        let mut changes = Changes::default();
        changes.set(key, Some(Bytes::from_static(value)));
        self.map.write(&changes, Durability::Synced).unwrap();
    }
}

async fn until_available(store: &dyn MetadataStore) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while store.ping().await.is_err() {
        assert!(Instant::now() < deadline, "the store did not come back");
        tokio::task::yield_now().await;
    }
}

fn assert_unavailable<T: std::fmt::Debug>(outcome: &crate::Result<T>) {
    assert!(
        matches!(outcome, Err(MetadataError::Unavailable(_))),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn given_a_write_that_fails_when_made_then_everything_is_unavailable_until_the_database_is_open_again()
{
    for (mode, is_there) in [
        (WriteMode::FailedBefore, false),
        (WriteMode::FailedAfter, true),
        (WriteMode::Panicked, false),
    ] {
        // Given
        let given = Given::new();
        let (store, ours) = (&given.store, repository("ours"));
        store
            .finish_upload(&origin(), push(&ours, "before"))
            .await
            .unwrap();
        given.control.refuse_openings(usize::MAX);
        given.control.set_mode(mode);

        // When
        assert_unavailable(&store.finish_upload(&origin(), push(&ours, "during")).await);
        given.control.set_mode(WriteMode::Made);

        // Then
        assert_unavailable(&store.finish_upload(&origin(), push(&ours, "closed")).await);
        assert_unavailable(&store.stat_blob(&ours, &digest("before"), Lease::Leave).await);
        assert_unavailable(&store.stat_blob(&ours, &digest("before"), Lease::Renew).await);
        assert_unavailable(&store.list_repositories("", None, 10).await);
        assert_unavailable(&store.list_repositories("", None, 1000).await);
        assert_unavailable(&store.take_due(10).await);
        assert_unavailable(&store.ping().await);

        // And when it opens again
        given.control.refuse_openings(2);
        until_available(&**store).await;

        // Then what was acknowledged is there, what was answered before the write is not, and the rest may be.
        assert_eq!(given.control.refusals_left(), 0);
        assert!(
            store
                .stat_blob(&ours, &digest("before"), Lease::Leave)
                .await
                .unwrap()
                .is_some()
        );
        assert!(
            store
                .stat_blob(&ours, &digest("closed"), Lease::Leave)
                .await
                .unwrap()
                .is_none()
        );
        let during = store
            .stat_blob(&ours, &digest("during"), Lease::Leave)
            .await
            .unwrap();
        assert_eq!(during.is_some(), is_there, "{mode:?}");
        store
            .finish_upload(&origin(), push(&ours, "after"))
            .await
            .unwrap();
        given.clock.advance(LEASE);
        // The due entry of an ambiguous write is found, although nobody was told of it.
        assert_eq!(
            store.take_due(10).await.unwrap().len(),
            if is_there { 3 } else { 2 }
        );
    }
}

#[tokio::test]
async fn given_a_disk_that_takes_no_writes_when_one_fails_then_everything_can_still_be_read() {
    // Given
    let given = Given::new();
    let (store, ours) = (&given.store, repository("ours"));
    store
        .finish_upload(&origin(), push(&ours, "before"))
        .await
        .unwrap();
    given.control.refuse_openings(usize::MAX);
    given.control.is_readable.store(true, Ordering::SeqCst);
    given.control.set_mode(WriteMode::FailedBefore);
    // When
    assert_unavailable(&store.finish_upload(&origin(), push(&ours, "during")).await);
    // Then
    let deadline = Instant::now() + Duration::from_secs(30);
    let read = loop {
        match store.stat_blob(&ours, &digest("before"), Lease::Leave).await {
            Err(_) if Instant::now() < deadline => tokio::task::yield_now().await,
            read => break read,
        }
    };
    assert!(read.unwrap().is_some());
    assert!(store.list_repositories("", None, 1000).await.is_ok());
    assert_unavailable(&store.finish_upload(&origin(), push(&ours, "closed")).await);
    assert_unavailable(&store.ping().await);

    // And when the disk takes writes again
    given.control.set_mode(WriteMode::Made);
    given.control.refuse_openings(0);
    until_available(&**store).await;
    store
        .finish_upload(&origin(), push(&ours, "after"))
        .await
        .unwrap();
}

#[tokio::test]
async fn given_a_second_failure_when_just_open_again_then_it_is_opened_once_more() {
    let given = Given::new();
    let ours = repository("ours");
    for round in 0..3 {
        given.control.set_mode(WriteMode::FailedBefore);
        assert_unavailable(&given.store.finish_upload(&origin(), push(&ours, "blob")).await);
        given.control.set_mode(WriteMode::Made);
        until_available(&*given.store).await;
        given
            .store
            .finish_upload(&origin(), push(&ours, &format!("blob {round}")))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn given_a_store_that_cannot_be_reopened_when_dropped_then_it_ends_at_once() {
    let given = Given::new();
    given.control.refuse_openings(usize::MAX);
    given.control.set_mode(WriteMode::FailedBefore);
    assert_unavailable(
        &given
            .store
            .finish_upload(&origin(), push(&repository("ours"), "blob"))
            .await,
    );

    drop(given.store);

    assert_eq!(Arc::strong_count(&given.control), 1);
}

#[tokio::test]
async fn given_damaged_rows_when_read_then_corrupt_and_named() {
    let given = Given::new();
    let (ours, layer) = (repository("ours"), digest("layer"));
    given
        .store
        .finish_upload(&origin(), push(&ours, "layer"))
        .await
        .unwrap();
    given.put_raw(keys::link(&layer, &ours), b"\x01\x01");

    let outcome = given.store.stat_blob(&ours, &layer, Lease::Leave).await;

    let Err(MetadataError::Corrupt(what)) = outcome else {
        panic!("{outcome:?}")
    };
    assert!(what.starts_with("link at") && what.contains("ours"), "{what}");
    // A change that meets the row changes nothing and harms nobody else.
    let theirs = repository("theirs");
    let outcome = given.store.mount_blob(&origin(), &ours, &theirs, &layer).await;
    assert!(matches!(outcome, Err(MetadataError::Corrupt(_))));
    given
        .store
        .finish_upload(&origin(), push(&ours, "other"))
        .await
        .unwrap();
}

#[tokio::test]
async fn given_rows_whose_other_half_is_missing_when_read_then_corrupt_and_not_absent() {
    let given = Given::new();
    let (ours, body) = (repository("ours"), digest("{m}"));
    given
        .store
        .finish_upload(&origin(), push(&ours, "layer"))
        .await
        .unwrap();
    given
        .store
        .commit_manifest(&origin(), manifest(&ours, "{m}"))
        .await
        .unwrap();
    let mut changes = Changes::default();
    changes.set(keys::blob_data(&digest("layer")), None);
    changes.set(keys::body(&ours, &body), None);
    given.map.write(&changes, Durability::Synced).unwrap();

    let blob = given.store.stat_blob(&ours, &digest("layer"), Lease::Leave).await;
    let manifest = given
        .store
        .resolve_manifest(&ours, &Reference::Digest(body))
        .await;

    assert!(matches!(blob, Err(MetadataError::Corrupt(_))), "{blob:?}");
    assert!(matches!(manifest, Err(MetadataError::Corrupt(_))), "{manifest:?}");
}

#[tokio::test]
async fn given_a_manifest_whose_row_is_damaged_when_described_then_its_body_is_asked() {
    let given = Given::new();
    let ours = repository("ours");
    let manifest = manifest(&ours, "{m}");
    given
        .store
        .commit_manifest(&origin(), manifest.clone())
        .await
        .unwrap();
    given.put_raw(keys::manifest(&ours, &manifest.digest), b"\xFF");

    let stat = given
        .store
        .stat_manifest(&ours, &Reference::Digest(manifest.digest))
        .await;
    let stat = stat.unwrap().unwrap();
    assert_eq!((stat.media_type, stat.size), (manifest.media_type, 3));
}

#[tokio::test]
async fn given_a_manifest_when_pushed_again_then_nothing_is_written() {
    let given = Given::new();
    let ours = repository("ours");
    let mut manifest = manifest(&ours, "{m}");
    manifest.tags = vec![("t".parse().unwrap(), crate::Precondition::Any)];
    manifest.subject = Some(crate::Referral {
        subject: digest("subject"),
        artifact_type: "a/b".to_owned(),
        descriptor: Bytes::from_static(b"{}"),
    });
    given
        .store
        .commit_manifest(&origin(), manifest.clone())
        .await
        .unwrap();

    given.control.set_mode(WriteMode::FailedBefore);
    let again = given.store.commit_manifest(&origin(), manifest.clone()).await;
    assert!(
        matches!(again, Ok(crate::CommitOutcome::Committed { created: false, .. })),
        "{again:?}"
    );

    manifest.tags = vec![("u".parse().unwrap(), crate::Precondition::Any)];
    assert_unavailable(&given.store.commit_manifest(&origin(), manifest).await);
}

#[tokio::test]
async fn given_damaged_rows_when_listed_then_corrupt() {
    let given = Given::new();
    let ours = repository("ours");
    given
        .store
        .commit_manifest(&origin(), manifest(&ours, "{m}"))
        .await
        .unwrap();
    given.put_raw(keys::tag_position(&ours, "not a tag"), b"\x01");
    given.put_raw(keys::upload(upload_id(1)), b"\x09");
    let listed = given.store.list_tags(&ours, None, 9).await;
    assert!(matches!(listed, Err(MetadataError::Corrupt(_))), "{listed:?}");
    let listed = given.store.list_uploads(None, 9).await;
    assert!(matches!(listed, Err(MetadataError::Corrupt(_))), "{listed:?}");
}

#[tokio::test]
async fn given_too_many_deleted_rows_when_reaped_then_later_and_queued_behind_the_others() {
    let given = Given::new();
    let (store, ours) = (&given.store, repository("ours"));
    store
        .finish_upload(&origin(), push(&ours, "layer"))
        .await
        .unwrap();
    given.clock.advance(LEASE);
    let due = store.take_due(9).await.unwrap().remove(0);

    given.control.is_full_of_deletions.store(true, Ordering::SeqCst);
    assert_eq!(store.reap(&due).await.unwrap(), ReapOutcome::Later);
    assert!(
        store
            .stat_blob(&ours, &digest("layer"), Lease::Leave)
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(store.take_due(9).await.unwrap(), []);

    given.control.is_full_of_deletions.store(false, Ordering::SeqCst);
    given.clock.advance(Duration::from_mins(1));
    let again = store.take_due(9).await.unwrap().remove(0);
    assert_eq!(
        again,
        DueLink {
            due_at: due.due_at.plus(Duration::from_mins(1)),
            ..due
        }
    );
    assert_eq!(store.reap(&again).await.unwrap(), ReapOutcome::Doomed(Vec::new()));
}

#[tokio::test]
async fn given_too_many_deleted_rows_when_they_can_be_tidied_up_then_reaped_at_once() {
    let given = Given::new();
    let (store, ours) = (&given.store, repository("ours"));
    store
        .finish_upload(&origin(), push(&ours, "layer"))
        .await
        .unwrap();
    given.clock.advance(LEASE);
    let due = store.take_due(9).await.unwrap().remove(0);
    given.control.is_full_of_deletions.store(true, Ordering::SeqCst);
    given.control.is_tidied_up.store(true, Ordering::SeqCst);

    assert_eq!(store.reap(&due).await.unwrap(), ReapOutcome::Doomed(Vec::new()));
}

#[tokio::test]
async fn given_too_many_deleted_rows_when_listed_then_the_listing_is_whole_all_the_same() {
    let given = Given::new();
    let (store, ours) = (&given.store, repository("ours"));
    let mut image = manifest(&ours, "{m}");
    image.tags = vec![("t".parse().unwrap(), crate::Precondition::Any)];
    store.commit_manifest(&origin(), image).await.unwrap();
    store
        .finish_upload(&origin(), push(&ours, "layer"))
        .await
        .unwrap();
    store.create_upload(&origin(), &ours, upload_id(5)).await.unwrap();
    given.clock.advance(LEASE);
    given.control.is_full_of_deletions.store(true, Ordering::SeqCst);

    assert_eq!(
        store
            .list_tags(&ours, None, 9)
            .await
            .unwrap()
            .unwrap()
            .entries
            .len(),
        1
    );
    assert_eq!(
        store.list_repositories("", None, 9).await.unwrap().entries.len(),
        1
    );
    assert_eq!(store.find_holders(&digest("layer"), 9).await.unwrap().len(), 1);
    assert_eq!(store.list_uploads(None, 9).await.unwrap().entries.len(), 1);
    assert_eq!(store.take_due(9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn given_few_rows_when_many_are_asked_for_then_the_listing_stays_on_its_thread() {
    let given = Given::new();
    let (store, ours) = (&given.store, repository("ours"));
    let push_tags = async |count: usize| {
        let mut image = manifest(&ours, "{m}");
        let tag = |number| (format!("t{number}").parse().unwrap(), crate::Precondition::Any);
        image.tags = (0..count).map(tag).collect();
        store.commit_manifest(&origin(), image).await.unwrap();
    };
    push_tags(FEW_ROWS).await;
    let is_immediate = || {
        let listing = std::pin::pin!(store.list_tags(&ours, None, 1000));
        listing.poll(&mut Context::from_waker(Waker::noop())).is_ready()
    };
    assert!(is_immediate(), "so few rows are worth no thread");

    push_tags(FEW_ROWS + 1).await;
    assert!(
        !is_immediate(),
        "many rows must not hold up the thread of other requests"
    );
    let listed = store.list_tags(&ours, None, 1000).await.unwrap().unwrap();
    assert_eq!(listed.entries.len(), FEW_ROWS + 1);
}

#[tokio::test]
async fn given_an_empty_queue_when_a_write_that_failed_turns_up_in_it_then_it_is_seen() {
    let given = Given::new();
    let (store, ours) = (&given.store, repository("ours"));
    // The look remembers that there is nothing.
    assert_eq!(store.list_uploads(None, 9).await.unwrap().entries, []);
    given.control.set_mode(WriteMode::FailedAfter);
    assert_unavailable(&store.create_upload(&origin(), &ours, upload_id(5)).await);
    given.control.set_mode(WriteMode::Made);
    until_available(&**store).await;
    assert_eq!(store.list_uploads(None, 9).await.unwrap().entries.len(), 1);
}

#[tokio::test]
async fn given_too_many_deleted_rows_when_a_deleted_link_is_reaped_then_later_too() {
    let given = Given::new();
    let (store, ours) = (&given.store, repository("ours"));
    store
        .finish_upload(&origin(), push(&ours, "layer"))
        .await
        .unwrap();
    store
        .unlink_blob(&origin(), &ours, &digest("layer"))
        .await
        .unwrap();
    let due = store.take_due(9).await.unwrap().remove(0);
    given.control.is_full_of_deletions.store(true, Ordering::SeqCst);
    assert_eq!(store.reap(&due).await.unwrap(), ReapOutcome::Later);
    given.control.is_full_of_deletions.store(false, Ordering::SeqCst);
    given.clock.advance(Duration::from_mins(1));
    let due = store.take_due(9).await.unwrap().remove(0);
    assert_eq!(store.reap(&due).await.unwrap(), ReapOutcome::Doomed(Vec::new()));
}

#[tokio::test]
async fn given_too_many_deleted_rows_when_a_manifest_is_deleted_then_its_repository_goes_only_with_the_last()
{
    let given = Given::new();
    let (store, ours) = (&given.store, repository("ours"));
    for body in ["{a}", "{b}"] {
        store
            .commit_manifest(&origin(), manifest(&ours, body))
            .await
            .unwrap();
    }
    given.control.is_full_of_deletions.store(true, Ordering::SeqCst);

    for (body, left) in [("{a}", 1), ("{b}", 0)] {
        let outcome = store
            .delete_manifest(&origin(), &ours, &digest(body), SharedManifest::Delete)
            .await
            .unwrap();
        assert_eq!(outcome, DeleteManifestOutcome::Deleted);
        assert_eq!(
            store.list_repositories("", None, 9).await.unwrap().entries.len(),
            left
        );
    }
}
