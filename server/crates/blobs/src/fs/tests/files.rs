//! Handles, short writes, foreign files.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Fixture, shard};
use crate::contract::{content, name, open_and_read, write};
use crate::{BlobError, BlobStore};

#[tokio::test]
async fn given_a_file_in_the_page_cache_when_tried_then_all_of_it_is_read_without_waiting() {
    let Fixture {
        store,
        directory: _directory,
        ..
    } = Fixture::new();
    let length = 5_000_000;
    write(&*store, name(1), &content(1, length)).await.unwrap();
    let reader = store.open(name(1)).await.unwrap();

    let mut read = Vec::new();
    while read.len() < length {
        let bytes = reader
            .try_read(read.len() as u64, 256 * 1024)
            .expect("what was just written is in memory");
        read.extend_from_slice(&bytes);
    }

    assert!(read == content(1, length));
}

#[tokio::test]
async fn given_a_name_opened_before_when_opened_again_then_the_handle_is_shared() {
    let Fixture {
        store,
        directory: _directory,
        ..
    } = Fixture::new();
    write(&*store, name(1), b"content").await.unwrap();

    let (first, second) = (
        store.open(name(1)).await.unwrap(),
        store.open(name(1)).await.unwrap(),
    );

    assert!(Arc::ptr_eq(&first, &second));
}

#[tokio::test]
async fn given_a_cached_handle_when_its_name_is_deleted_then_the_last_reader_frees_the_disk() {
    let Fixture {
        store,
        directory: _directory,
        ..
    } = Fixture::new();
    write(&*store, name(1), b"content").await.unwrap();
    let reader = store.open(name(1)).await.unwrap();
    let handle = Arc::downgrade(&reader);

    store.delete(name(1)).await.unwrap();
    assert!(handle.upgrade().is_some());
    drop(reader);

    assert!(handle.upgrade().is_none(), "no handle is left");
}

#[tokio::test]
async fn given_a_disk_that_writes_in_small_steps_when_written_then_nothing_is_lost() {
    let Fixture {
        store,
        disk,
        directory: _directory,
    } = Fixture::new();
    disk.write_size.store(777, Ordering::SeqCst);

    write(&*store, name(1), &content(1, 100_000)).await.unwrap();

    assert!(open_and_read(&*store, name(1)).await == content(1, 100_000));
}

#[tokio::test]
async fn given_foreign_files_when_scanned_then_left_alone() {
    let Fixture { store, directory, .. } = Fixture::new();
    write(&*store, name(1), b"content").await.unwrap();
    write(&*store, name(2), b"content").await.unwrap();
    let root = directory.path().join("blobs");
    let text = name(1).to_string();
    let shard = root.join(shard(1));
    fs::create_dir(root.join("lost+found")).unwrap();
    fs::write(root.join("notes.txt"), b"").unwrap();
    fs::write(shard.join("notes.txt"), b"").unwrap();
    fs::write(shard.join(text.to_uppercase()), b"").unwrap();
    fs::write(shard.join(name(2).to_string()), b"").unwrap();
    fs::create_dir(shard.join(name(257).to_string())).unwrap();

    let mut names = store.scan(None, 100).await.unwrap();

    names.sort_unstable();
    assert_eq!(names, [name(1), name(2)]);
    assert_eq!(fs::read_dir(shard).unwrap().count(), 5, "nothing is deleted");
}

#[tokio::test]
async fn given_a_shard_removed_by_somebody_when_written_twice_then_the_second_time_it_is_made_again() {
    let Fixture { store, directory, .. } = Fixture::new();
    write(&*store, name(1), b"content").await.unwrap();
    fs::remove_dir_all(directory.path().join("blobs").join(shard(1))).unwrap();

    assert!(matches!(
        write(&*store, name(257), b"content").await,
        Err(BlobError::Storage { .. })
    ));
    write(&*store, name(257), b"content").await.unwrap();

    assert_eq!(open_and_read(&*store, name(257)).await, &b"content"[..]);
}

#[tokio::test]
async fn given_a_file_that_lost_its_end_when_read_then_too_short() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    write(&**store, name(1), &content(1, 10_000)).await.unwrap();
    let reader = store.open(name(1)).await.unwrap();
    let file = fs::OpenOptions::new()
        .write(true)
        .open(store.shared.layout.file(name(1)))
        .unwrap();
    file.set_len(5_000).unwrap();

    let error = reader.read(1_000, 9_000).await.unwrap_err();

    assert!(
        matches!(
            error,
            BlobError::TooShort {
                length: 5_000,
                wanted: 10_000,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(reader.try_read(5_000, 10), None);
    assert!(
        reader
            .try_read(4_990, 100)
            .is_some_and(|bytes| bytes == content(1, 10_000)[4_990..5_000])
    );
}
