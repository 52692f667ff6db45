//! What is synced, in which order, and what happens when it fails.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::test_disk::TestDisk;
use super::{Fixture, MIB, prepare, send, shard};
use crate::contract::{content, name, open_and_read, write};
use crate::fs::{FilesystemBlobs, FilesystemSettings};
use crate::{BlobError, BlobStore};

#[tokio::test]
async fn given_a_new_shard_when_written_then_its_entry_is_synced_before_the_file_is_made() {
    let Fixture {
        store,
        disk,
        directory: _directory,
    } = Fixture::new();

    write(&*store, name(1), b"content").await.unwrap();

    let shard = format!("blobs/{}", shard(1));
    let expected = [
        format!("make directory {shard}"),
        "sync directory blobs".to_owned(),
        "make file".to_owned(),
        "write".to_owned(),
        "sync data".to_owned(),
        format!("sync directory {shard}"),
    ];
    assert_eq!(disk.happened(), expected);
}

#[tokio::test]
async fn given_a_known_shard_when_written_then_two_syncs_whatever_the_length() {
    for length in [0, 1, 100 * MIB] {
        let Fixture {
            store,
            disk,
            directory: _directory,
        } = Fixture::new();
        write(&*store, name(1), b"").await.unwrap();
        disk.forget();

        // 256 names further is the same shard.
        let (sender, new) = prepare(name(257), Some(length));
        let writing = tokio::spawn({
            let store = Arc::clone(&store);
            async move { store.write(new).await }
        });
        let piece = content(1, 1024 * 1024);
        for start in (0..length).step_by(piece.len()) {
            let end = usize::try_from(length - start).unwrap().min(piece.len());
            assert!(send(&sender, piece.slice(..end)).await);
        }
        drop(sender);
        assert_eq!(writing.await.unwrap().unwrap(), length);
        let mut expected = vec![
            "make file".to_owned(),
            "write".to_owned(),
            "sync data".to_owned(),
            format!("sync directory blobs/{}", shard(257)),
        ];
        if length == 0 {
            expected.remove(1);
        }
        assert_eq!(disk.happened(), expected, "{length} bytes");
    }
}

#[tokio::test]
async fn given_a_sync_that_fails_when_written_then_reported_and_the_next_name_syncs_again() {
    for effect in ["sync data", "sync directory", "make directory"] {
        let Fixture {
            store,
            disk,
            directory: _directory,
        } = Fixture::new();
        disk.fail(effect, io::ErrorKind::TimedOut);

        let failed = write(&*store, name(1), b"content").await.unwrap_err();

        assert!(
            matches!(&failed, BlobError::Storage { source, .. } if source.kind() == io::ErrorKind::TimedOut)
        );
        disk.forget();
        write(&*store, name(257), b"content").await.unwrap();
        let happened = disk.happened();
        for synced in [
            "sync data".to_owned(),
            format!("sync directory blobs/{}", shard(257)),
        ] {
            assert!(happened.contains(&synced), "{effect}: {happened:?}");
        }
        if effect != "sync data" {
            assert!(
                happened.contains(&"sync directory blobs".to_owned()),
                "{effect}: {happened:?}"
            );
        }
        assert_eq!(open_and_read(&*store, name(257)).await, &b"content"[..]);
    }
}

#[test]
fn given_a_root_several_levels_below_when_opened_then_each_new_entry_is_synced() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("data/store/blobs");
    let open = || {
        let disk = Arc::new(TestDisk::new(directory.path()));
        let settings = FilesystemSettings { reserve_bytes: 0 };
        FilesystemBlobs::on(Arc::clone(&disk) as _, &root, settings).unwrap();
        disk.happened()
    };
    let syncs = |happened: Vec<String>| {
        happened
            .into_iter()
            .filter(|effect| effect.starts_with("sync"))
            .collect::<Vec<_>>()
    };

    assert_eq!(
        syncs(open()),
        [
            "sync directory ",
            "sync directory data",
            "sync directory data/store"
        ]
    );
    // An earlier process may have died between making any of them and its sync.
    let again = syncs(open());
    let own = [
        "sync directory data/store",
        "sync directory data",
        "sync directory ",
    ];
    assert!(again.starts_with(&own.map(str::to_owned)), "{again:?}");
}

#[tokio::test]
async fn given_a_stored_name_when_the_store_is_opened_again_then_it_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let open = |root: &Path| FilesystemBlobs::open(root, FilesystemSettings { reserve_bytes: 0 }).unwrap();
    write(&open(directory.path()), name(1), b"content").await.unwrap();

    let store = open(directory.path());

    assert_eq!(open_and_read(&store, name(1)).await, &b"content"[..]);
    assert_eq!(store.scan(None, 10).await.unwrap(), [name(1)]);
}
