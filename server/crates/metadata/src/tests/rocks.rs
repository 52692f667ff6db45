use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tempfile::TempDir;

use super::disturbed_map::WriteMode;
use super::*;
use crate::ordered_map::{Changes, Durability, Effort, Family, Key, KeyRange, ScanEnd};
use crate::reopening::Opener;
use crate::rocks_map::RocksMap;
use crate::{
    DeleteManifestOutcome, Lease, MetadataError, MetadataStore as _, Presence, ReapOutcome, ReferenceEdge,
};

#[test]
fn given_random_histories_when_run_on_rocksdb_then_every_answer_and_row_is_as_the_rules_say() {
    let new_directory = || tempfile::tempdir().unwrap();
    super::model::check(12, 80, new_directory, |directory: &TempDir, clock| {
        let path = directory.path().to_owned();
        let map = RocksMap::open(&path).unwrap();
        Arc::new(EmbeddedMetadata::over(
            map,
            Opener::of(move || RocksMap::open(&path)),
            clocks(clock),
            TIMING,
        ))
    });
}

#[tokio::test]
async fn given_a_write_that_fails_when_a_reader_still_holds_the_database_then_it_is_opened_again_after_the_reader()
 {
    // Given
    let (directory, control): (_, Arc<Control>) = (tempfile::tempdir().unwrap(), Arc::default());
    let (path, same) = (directory.path().to_owned(), Arc::clone(&control));
    let open = move || same.open(RocksMap::open(&path)?);
    let map = open().unwrap();
    let store = EmbeddedMetadata::over(map, Opener::of(open), clocks(&clock()), TIMING);
    let ours = repository("ours");
    store
        .finish_upload(&origin(), push(&ours, "before"))
        .await
        .unwrap();
    let reader = store.map();

    // When
    control.set_mode(WriteMode::FailedAfter);
    let outcome = store.finish_upload(&origin(), push(&ours, "during")).await;
    control.set_mode(WriteMode::Made);

    // Then
    assert!(matches!(outcome, Err(MetadataError::Unavailable(_))));
    assert!(matches!(store.ping().await, Err(MetadataError::Unavailable(_))));
    drop(reader);
    let deadline = Instant::now() + Duration::from_secs(30);
    while store.ping().await.is_err() {
        assert!(Instant::now() < deadline, "the store did not come back");
        tokio::task::yield_now().await;
    }
    for content in ["before", "during"] {
        assert!(
            store
                .stat_blob(&ours, &digest(content), Lease::Leave)
                .await
                .unwrap()
                .is_some(),
            "{content}"
        );
    }
    store
        .finish_upload(&origin(), push(&ours, "after"))
        .await
        .unwrap();
}

fn numbered(family: Family, number: u32) -> Key {
    Key {
        family,
        bytes: number.to_be_bytes().to_vec(),
    }
}

fn put(map: &RocksMap, family: Family, numbers: std::ops::Range<u32>, value: Option<&[u8]>) {
    let mut changes = Changes::default();
    for number in numbers {
        changes.set(numbered(family, number), value.map(Bytes::copy_from_slice));
    }
    map.write(&changes, Durability::Written).unwrap();
}

fn first(map: &RocksMap, family: Family, effort: Effort) -> (ScanEnd, Option<Vec<u8>>) {
    let range = KeyRange {
        family,
        from: vec![0],
        to: vec![0xFF],
    };
    let mut found = None;
    let end = map.scan(&range, effort, &mut |key, _| {
        found = Some(key.to_vec());
        ControlFlow::Break(())
    });
    (end.unwrap(), found)
}

#[test]
fn given_many_deleted_rows_when_scanned_then_only_an_unbounded_scan_crosses_them() {
    let directory = tempfile::tempdir().unwrap();
    let map = RocksMap::open(directory.path()).unwrap();
    put(&map, Family::Meta, 0..5000, Some(b"x"));
    put(&map, Family::Meta, 0..400, None);
    let row = |number: u32| Some(number.to_be_bytes().to_vec());
    assert_eq!(
        first(&map, Family::Meta, Effort::Bounded),
        (ScanEnd::Complete, row(400))
    );

    put(&map, Family::Meta, 400..4000, None);

    assert_eq!(
        first(&map, Family::Meta, Effort::Bounded),
        (ScanEnd::TooManyDeleted, None)
    );
    assert_eq!(
        first(&map, Family::Meta, Effort::Unbounded),
        (ScanEnd::Complete, row(4000))
    );
}

#[tokio::test]
async fn given_a_repository_full_of_deletions_when_its_last_manifests_go_then_it_goes_with_the_last() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_owned();
    let map = RocksMap::open(&path).unwrap();
    let store = EmbeddedMetadata::over(
        map,
        Opener::of(move || RocksMap::open(&path)),
        clocks(&clock()),
        TIMING,
    );
    let store = Arc::new(store);
    let ours = repository("ours");
    let mut bodies: Vec<_> = (0..2500).map(|number| format!("{{{number}}}")).collect();
    // In the order of their keys, so that the deleted rows are all in front of the last one.
    bodies.sort_by_key(|body| digest(body));
    let each = |delete: bool| {
        let tasks = bodies.clone().into_iter().map(|body| {
            let (store, ours) = (Arc::clone(&store), ours.clone());
            async move {
                if delete {
                    let outcome = store
                        .delete_manifest(&origin(), &ours, &digest(&body), SharedManifest::Delete)
                        .await
                        .unwrap();
                    assert_eq!(outcome, DeleteManifestOutcome::Deleted);
                } else {
                    store
                        .commit_manifest(&origin(), manifest(&ours, &body))
                        .await
                        .unwrap();
                }
            }
        });
        tasks.collect::<tokio::task::JoinSet<()>>()
    };
    each(false).join_all().await;
    assert_eq!(
        store.list_repositories("", None, 9).await.unwrap().entries,
        ["ours".parse().unwrap()]
    );

    each(true).join_all().await;

    assert_eq!(store.list_repositories("", None, 9).await.unwrap().entries, []);
    assert_eq!(store.list_tags(&ours, None, 9).await.unwrap(), None);
}

#[tokio::test]
async fn given_a_blob_whose_many_references_went_when_it_is_reaped_on_a_quiet_store_then_it_goes() {
    let (directory, clock) = (tempfile::tempdir().unwrap(), clock());
    let path = directory.path().to_owned();
    let map = RocksMap::open(&path).unwrap();
    let store = EmbeddedMetadata::over(
        map,
        Opener::of(move || RocksMap::open(&path)),
        clocks(&clock),
        TIMING,
    );
    let store = Arc::new(store);
    let ours = repository("ours");
    store
        .finish_upload(&origin(), push(&ours, "layer"))
        .await
        .unwrap();
    let churn = (0..1500).map(|number| {
        let (store, ours) = (Arc::clone(&store), ours.clone());
        async move {
            let mut image = manifest(&ours, &format!("{{{number}}}"));
            image.references = vec![ReferenceEdge {
                digest: digest("layer"),
                presence: Presence::Blob,
            }];
            store.commit_manifest(&origin(), image.clone()).await.unwrap();
            store
                .delete_manifest(&origin(), &ours, &image.digest, SharedManifest::Delete)
                .await
                .unwrap();
        }
    });
    churn.collect::<tokio::task::JoinSet<()>>().join_all().await;
    clock.advance(LEASE);

    let due = store.take_due(9).await.unwrap().remove(0);
    let outcome = store.reap(&due).await.unwrap();

    assert_eq!(outcome, ReapOutcome::Doomed(Vec::new()));
}

#[test]
fn given_large_values_when_flushed_then_they_are_in_blob_files_and_small_ones_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let map = RocksMap::open(directory.path()).unwrap();
    let blob_files = || {
        let names = std::fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        names
            .filter(|path| path.extension().is_some_and(|extension| extension == "blob"))
            .count()
    };
    put(&map, Family::Data, 0..100, Some(&[7; 100]));
    map.flush();
    assert_eq!(blob_files(), 0);

    put(&map, Family::Data, 100..200, Some(&[7; 4096]));
    map.flush();

    assert!(blob_files() > 0);
    for number in [0, 150] {
        assert!(map.get(&numbered(Family::Data, number)).unwrap().is_some());
    }
}

/// Index and filter blocks in a sharded block cache make every get many times slower as soon as the filter does
/// not fit its shard.
#[test]
fn given_many_rows_when_read_then_index_and_filter_are_in_table_memory_and_misses_read_no_block() {
    let directory = tempfile::tempdir().unwrap();
    let map = RocksMap::open(directory.path()).unwrap();
    for part in 0..10 {
        put(
            &map,
            Family::Meta,
            part * 20_000..(part + 1) * 20_000,
            Some(b"a small row"),
        );
    }
    map.flush();
    let cached_before = map.block_cache_bytes();

    for number in 1_000_000..1_001_000 {
        assert_eq!(map.get(&numbered(Family::Meta, number)).unwrap(), None);
    }

    // Ten bits a key: more than 200 KB for 200,000 keys.
    assert!(map.table_reader_bytes() > 200_000, "{}", map.table_reader_bytes());
    // One miss in a hundred passes the filter and reads a block of 4 KiB.
    let read = map.block_cache_bytes() - cached_before;
    assert!(read < 100 * 4096 * 2, "{read}");
}

#[test]
fn given_an_open_database_when_opened_to_read_beside_it_then_what_was_synced_is_read_and_nothing_written() {
    // Given
    let directory = tempfile::tempdir().unwrap();
    let map = RocksMap::open(directory.path()).unwrap();
    let key = crate::keys::upload(upload_id(1));
    let mut changes = Changes::default();
    changes.set(key.clone(), Some(Bytes::from_static(b"\x01")));
    map.write(&changes, Durability::Synced).unwrap();
    let files = || std::fs::read_dir(directory.path()).unwrap().count();
    let before = files();
    // When
    let readable = RocksMap::open_to_read(directory.path()).unwrap();
    // Then
    assert!(readable.get(&key).unwrap().is_some());
    assert!(readable.write(&changes, Durability::Synced).is_err());
    assert_eq!(files(), before);
    drop(readable);
    map.write(&changes, Durability::Synced).unwrap();
}
