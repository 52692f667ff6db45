//! Who waits for whom, and on which thread.

use std::sync::Arc;

use tokio::runtime::Builder;
use zas_blocking::{BLOB_WRITES, threads};

use super::{Fixture, PATIENCE, prepare, send, until};
use crate::contract::{append, content, name, open_and_read};
use crate::{Append, BatchSender, BlobStore};

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
        let (sender, append) = prepare(name(number), 0, None);
        let store = Arc::clone(&store);
        let appending = tokio::spawn(async move { store.append(append).await });
        assert!(send(&sender, content(number, 1_000)).await);
        slow.push((sender, appending));
    }

    // When
    append(&*store, name(100), 0, b"content").await.unwrap();

    // Then
    assert_eq!(open_and_read(&*store, name(100)).await, &b"content"[..]);
    for (sender, appending) in slow {
        assert!(send(&sender, content(7, 1_000)).await);
        drop(sender);
        assert_eq!(appending.await.unwrap().unwrap().offset, 2_000);
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
    append(&*store, name(0), 0, b"content").await.unwrap();
    append(&*store, name(1), 0, b"content").await.unwrap();
    disk.close_gate();
    let mut hanging = Vec::new();
    for number in 0..2 * BLOB_WRITES.threads() as u64 {
        let (sender, append): (BatchSender, Append) = prepare(name(100 + number), 0, None);
        assert!(send(&sender, content(number, 1_000)).await);
        let store = Arc::clone(&store);
        hanging.push(tokio::spawn(async move { store.append(append).await }));
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
    for appending in hanging {
        assert_eq!(appending.await.unwrap().unwrap().offset, 1_000);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn given_a_dropped_append_inside_a_write_when_the_next_one_comes_then_it_waits_for_the_end_of_the_write()
 {
    // Given
    let Fixture {
        store,
        disk,
        directory: _directory,
    } = Fixture::new();
    disk.close_gate();
    let (sender, stale) = prepare(name(1), 0, None);
    for _ in 0..3 {
        assert!(send(&sender, content(1, 1_000)).await);
    }
    let stale = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.append(stale).await }
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
    let next = tokio::spawn({
        let store = Arc::clone(&store);
        async move { append(&*store, name(1), 0, b"content").await }
    });
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    let before = disk.happened();
    disk.open_gate();
    next.await.unwrap().unwrap();

    // Then
    assert_eq!(
        before,
        [] as [&str; 0],
        "nothing happens while the stale write is under way"
    );
    let after = disk.happened();
    assert_eq!(
        after[..3],
        ["open", "write", "sync data"],
        "the stale append wrote no further batch"
    );
    assert_eq!(open_and_read(&*store, name(1)).await, &b"content"[..]);
}

#[test]
fn given_a_runtime_that_shuts_down_when_an_append_runs_then_the_next_process_can_continue() {
    let fixture = Fixture::new();
    let runtime = || Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let first = runtime();
    let (sender, append_) = prepare(name(1), 0, None);
    first.spawn({
        let store = Arc::clone(&fixture.store);
        async move { store.append(append_).await }
    });
    first.block_on(async { assert!(send(&sender, content(1, 1_000)).await) });
    drop(first);

    runtime().block_on(async {
        append(&*fixture.store, name(1), 0, b"content").await.unwrap();
        assert_eq!(open_and_read(&*fixture.store, name(1)).await, &b"content"[..]);
    });
}
