//! Full disks, and giving space back.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Fixture, MIB, prepare, send, until};
use crate::contract::{content, name, open_and_read, write};
use crate::{BlobError, BlobStore};

fn is_full(error: &BlobError) -> bool {
    matches!(error, BlobError::Full { .. })
}

#[tokio::test]
async fn given_less_than_the_reserve_when_used_then_only_writing_is_refused_until_there_is_space() {
    // Given
    let Fixture {
        store,
        disk,
        directory: _directory,
    } = Fixture::with_reserve(1_000);
    write(&*store, name(1), b"content").await.unwrap();
    write(&*store, name(2), b"other").await.unwrap();
    disk.set_free(999);

    // When
    let refused = write(&*store, name(3), b"more").await.unwrap_err();

    // Then
    assert!(
        matches!(
            refused,
            BlobError::Full {
                free: 999,
                reserve: 1_000
            }
        ),
        "{refused}"
    );
    let capacity = store.probe().await.unwrap();
    assert_eq!((capacity.free, capacity.is_full), (Some(999), true));
    assert_eq!(open_and_read(&*store, name(1)).await, &b"content"[..]);
    store.delete(name(2)).await.unwrap();
    assert_eq!(store.scan(None, 10).await.unwrap(), [name(1)]);

    disk.set_free(1_000);
    write(&*store, name(3), b"more").await.unwrap();
    assert!(!store.probe().await.unwrap().is_full);
    assert_eq!(open_and_read(&*store, name(1)).await, &b"content"[..]);
}

#[tokio::test]
async fn given_an_announcement_that_does_not_fit_when_written_then_refused_before_a_byte_is_written() {
    let Fixture {
        store,
        disk,
        directory: _directory,
    } = Fixture::with_reserve(1_000);
    disk.set_free(6_000);
    for (expected, fits) in [(5_000, true), (5_001, false), (u64::MAX, false)] {
        let (sender, announced) = prepare(name(expected), Some(expected));
        assert!(send(&sender, content(1, 10)).await);
        drop(sender);

        let outcome = store.write(announced).await;

        assert_eq!(outcome.is_ok(), fits, "{expected}");
        assert_eq!(store.open(name(expected)).await.is_ok(), fits, "{expected}");
    }
}

#[tokio::test]
async fn given_a_reserve_reached_in_the_middle_when_written_then_full() {
    let Fixture {
        store,
        disk,
        directory: _directory,
    } = Fixture::with_reserve(1_000);
    let (sender, long) = prepare(name(1), None);
    let writing = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.write(long).await }
    });
    let piece = content(1, 1024 * 1024);
    let mut sent = 0;
    while send(&sender, piece.clone()).await {
        sent += 1;
        if sent == 30 {
            disk.set_free(999);
        }
        assert!(sent < 100, "the reserve is looked at every 64 MiB");
    }

    assert!(is_full(&writing.await.unwrap().unwrap_err()));
}

#[tokio::test]
async fn given_a_disk_that_fills_in_the_middle_when_written_then_full_and_the_space_is_given_back() {
    // Given
    let fixture = Fixture::new();
    let (store, disk) = (&fixture.store, &fixture.disk);
    disk.room.store(300_000, Ordering::SeqCst);

    // When
    let failed = write(&**store, name(1), &content(2, 1_000_000))
        .await
        .unwrap_err();

    // Then
    assert!(is_full(&failed), "{failed}");
    until(|| !fixture.is_stored(name(1))).await;

    disk.room.store(u64::MAX, Ordering::SeqCst);
    write(&**store, name(2), b"more").await.unwrap();
}

#[tokio::test]
async fn given_a_disk_without_room_for_anything_when_written_then_full_whatever_failed() {
    for effect in [
        "make directory",
        "sync directory",
        "make file",
        "write",
        "sync data",
    ] {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            let Fixture {
                store,
                disk,
                directory: _directory,
            } = Fixture::new();
            disk.fail(effect, kind);
            let failed = write(&*store, name(1), b"content").await.unwrap_err();
            assert!(is_full(&failed), "{effect}: {failed}");
            write(&*store, name(2), b"content").await.unwrap();
        }
    }
}

#[tokio::test]
async fn given_a_disk_that_takes_no_files_when_probed_then_full_or_failed() {
    let Fixture {
        store,
        disk,
        directory,
    } = Fixture::new();
    disk.fail("make file", io::ErrorKind::StorageFull);
    assert!(store.probe().await.unwrap().is_full);
    disk.fail("make file", io::ErrorKind::ReadOnlyFilesystem);
    assert!(matches!(store.probe().await, Err(BlobError::Storage { .. })));
    assert!(!store.probe().await.unwrap().is_full);
    assert_eq!(
        std::fs::read_dir(directory.path().join("blobs")).unwrap().count(),
        0,
        "probing leaves nothing"
    );
}

#[tokio::test]
async fn given_more_announced_than_sent_when_written_then_the_file_takes_what_it_needs() {
    let fixture = Fixture::new();
    let (sender, announced) = prepare(name(1), Some(100 * MIB));
    assert!(send(&sender, content(1, 1024 * 1024)).await);
    drop(sender);

    fixture.store.write(announced).await.unwrap();

    let (length, on_disk) = fixture.usage(name(1));
    assert_eq!(length, MIB);
    assert!(on_disk < 2 * MIB, "{on_disk} bytes on disk");
}

#[tokio::test]
async fn given_a_large_write_when_dropped_then_its_space_is_given_back() {
    // Given
    let fixture = Fixture::new();
    let store = &fixture.store;
    let (sender, large) = prepare(name(1), Some(200 * MIB));
    let writing = tokio::spawn({
        let store = Arc::clone(store);
        async move { store.write(large).await }
    });
    for _ in 0..3 {
        assert!(send(&sender, content(2, 1024 * 1024)).await);
    }
    until(|| fixture.is_stored(name(1)) && fixture.usage(name(1)).0 == 3 * MIB).await;

    // When
    writing.abort();
    let _ = writing.await;

    // Then
    until(|| !fixture.is_stored(name(1))).await;
}

#[tokio::test]
async fn given_a_name_that_is_there_when_refused_then_its_file_stays() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    write(&**store, name(1), b"content").await.unwrap();

    write(&**store, name(1), b"other").await.unwrap_err();
    write(&**store, name(2), b"later").await.unwrap();

    assert_eq!(fixture.usage(name(1)).0, 7);
}
