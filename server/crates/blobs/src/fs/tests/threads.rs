//! Who waits for whom, and on which thread.

use std::sync::Arc;

use tokio::runtime::Builder;
use zas_blocking::{BLOB_WRITES, threads};

use super::{Fixture, PATIENCE, prepare, send, until};
use crate::BlobStore;
use crate::contract::{content, name, open_and_read, write};

#[test]
fn given_one_blocking_thread_when_many_clients_are_slow_then_others_are_served() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let served =
        runtime.block_on(async { tokio::time::timeout(PATIENCE, serve_beside_slow_clients()).await });
    // A thread that is occupied for ever must not occupy the test as well.
    runtime.shutdown_background();
    served.unwrap();
}

async fn serve_beside_slow_clients() {
    // Given
    let Fixture {
        store,
        directory: _directory,
        ..
    } = Fixture::new();
    let mut slow = Vec::new();
    for number in 0..20 {
        let (sender, write) = prepare(name(number), None);
        let store = Arc::clone(&store);
        let writing = tokio::spawn(async move { store.write(write).await });
        assert!(send(&sender, content(number, 1_000)).await);
        slow.push((sender, writing));
    }

    // When
    write(&*store, name(100), b"content").await.unwrap();

    // Then
    assert_eq!(open_and_read(&*store, name(100)).await, &b"content"[..]);
    for (sender, writing) in slow {
        assert!(send(&sender, content(7, 1_000)).await);
        drop(sender);
        assert_eq!(writing.await.unwrap().unwrap(), 2_000);
    }
}

#[test]
fn given_a_disk_that_hangs_in_more_writes_than_there_are_threads_when_others_come_then_they_are_served() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(threads())
        .enable_time()
        .build()
        .unwrap();
    let served =
        runtime.block_on(async { tokio::time::timeout(PATIENCE, serve_beside_hanging_writes()).await });
    runtime.shutdown_background();
    served.unwrap();
}

async fn serve_beside_hanging_writes() {
    // Given
    let Fixture {
        store,
        disk,
        directory: _directory,
    } = Fixture::new();
    write(&*store, name(0), b"content").await.unwrap();
    write(&*store, name(1), b"content").await.unwrap();
    disk.close_gate();
    let mut hanging = Vec::new();
    for number in 0..2 * BLOB_WRITES.threads() as u64 {
        let (sender, write) = prepare(name(100 + number), None);
        assert!(send(&sender, content(number, 1_000)).await);
        let store = Arc::clone(&store);
        hanging.push(tokio::spawn(async move { store.write(write).await }));
    }
    until(|| BLOB_WRITES.waiting() > 0).await;

    // When
    let reader = store.open(name(0)).await.unwrap();
    let read = reader.read(0, 7).await.unwrap();
    let listed = store.scan(None, 10).await.unwrap();
    let probed = store.probe().await;
    store.delete(name(1)).await.unwrap();

    // Then
    assert_eq!(read, &b"content"[..]);
    assert!(!listed.is_empty());
    probed.unwrap();
    disk.open_gate();
    for writing in hanging {
        assert_eq!(writing.await.unwrap().unwrap(), 1_000);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn given_a_dropped_write_inside_a_call_when_the_call_ends_then_nothing_more_is_written_and_the_file_goes()
 {
    // Given
    let fixture = Fixture::new();
    let (store, disk) = (&fixture.store, &fixture.disk);
    disk.close_gate();
    let (sender, stale) = prepare(name(1), None);
    for _ in 0..2 {
        assert!(send(&sender, content(1, 1_000)).await);
    }
    let stale = tokio::spawn({
        let store = Arc::clone(store);
        async move { store.write(stale).await }
    });
    let mut seen = Vec::new();
    until(|| {
        seen.extend(disk.happened());
        seen.contains(&"write".to_owned())
    })
    .await;
    stale.abort();
    let _ = stale.await;

    // When
    disk.open_gate();

    // Then
    until(|| !fixture.is_stored(name(1))).await;
    assert_eq!(disk.happened(), [] as [&str; 0], "no further batch, no sync");
}
