//! Writing whole names.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::{Store, batch, content, feed, name, open_and_read, prepare, start, write};
use crate::{Batch, BlobError};

pub(super) async fn suite(make: &impl Fn() -> Store) {
    given_bytes_when_written_then_they_are_read_back(make()).await;
    given_no_batches_when_written_then_an_empty_name_exists(make()).await;
    given_thousands_of_pieces_in_a_batch_when_written_then_none_is_lost(make()).await;
    given_a_name_that_is_there_when_written_again_then_refused_and_nothing_changes(make()).await;
    given_a_wrong_announcement_when_written_then_the_content_is_what_came(make()).await;
    given_batches_that_hold_budget_when_written_then_it_is_given_back(make()).await;
    given_many_uploads_at_the_same_time_when_done_then_each_has_its_bytes(make()).await;
    given_a_thousand_small_uploads_when_done_then_all_are_there(make()).await;
    given_a_store_when_probed_then_it_is_not_full(make()).await;
}

async fn given_bytes_when_written_then_they_are_read_back(store: Store) {
    let content = content(1, 3_000_001);
    let (sender, write) = prepare(name(1));

    let writing = start(&store, write);
    feed(sender, content.clone(), 400_000).await;

    assert_eq!(writing.await.unwrap().unwrap(), 3_000_001);
    assert!(open_and_read(&*store, name(1)).await == content);
}

async fn given_no_batches_when_written_then_an_empty_name_exists(store: Store) {
    let (sender, write) = prepare(name(1));
    drop(sender);

    assert_eq!(store.write(write).await.unwrap(), 0);

    assert_eq!(store.open(name(1)).await.unwrap().length(), 0);
    assert_eq!(store.scan(None, 10).await.unwrap(), [name(1)]);
}

async fn given_thousands_of_pieces_in_a_batch_when_written_then_none_is_lost(store: Store) {
    let content = content(1, 30_000);
    let mut pieces: Vec<Bytes> = content.chunks(7).map(|piece| content.slice_ref(piece)).collect();
    pieces.insert(0, Bytes::new());
    pieces.insert(2_000, Bytes::new());
    pieces.push(Bytes::new());
    let (sender, write) = prepare(name(1));
    let writing = start(&store, write);
    sender.send(Batch::new(pieces, None)).await.unwrap();
    sender.send(Batch::new(Vec::new(), None)).await.unwrap();
    sender.send(batch(&Bytes::new())).await.unwrap();
    drop(sender);

    assert_eq!(writing.await.unwrap().unwrap(), 30_000);
    assert!(open_and_read(&*store, name(1)).await == content);
}

async fn given_a_name_that_is_there_when_written_again_then_refused_and_nothing_changes(store: Store) {
    write(&*store, name(1), b"first").await.unwrap();

    for again in [&b"second, and longer"[..], b"", b"first"] {
        let refused = write(&*store, name(1), again).await.unwrap_err();
        assert!(
            matches!(refused, BlobError::Exists(refused) if refused == name(1)),
            "{refused}"
        );
    }
    assert_eq!(open_and_read(&*store, name(1)).await, &b"first"[..]);
}

async fn given_a_wrong_announcement_when_written_then_the_content_is_what_came(store: Store) {
    for (number, expected) in [(1, 0), (2, 1), (3, 200 * 1024 * 1024)] {
        let (sender, mut write) = prepare(name(number));
        write.expected = Some(expected);
        sender.send(batch(&content(number, 70_000))).await.unwrap();
        drop(sender);

        assert_eq!(store.write(write).await.unwrap(), 70_000);
        assert!(open_and_read(&*store, name(number)).await == content(number, 70_000));
    }
}

async fn given_batches_that_hold_budget_when_written_then_it_is_given_back(store: Store) {
    let budget = Arc::new(Semaphore::new(1_000));
    let (sender, write) = prepare(name(1));
    let writing = start(&store, write);
    for _ in 0..10 {
        // More than half of it: the next one waits until this one is written, while the write still runs.
        let permit = Arc::clone(&budget).acquire_many_owned(600).await.unwrap();
        let batch = Batch::new(vec![content(1, 600)], Some(permit));
        sender.send(batch).await.unwrap();
    }
    drop(sender);
    writing.await.unwrap().unwrap();
    assert_eq!(budget.available_permits(), 1_000);
}

async fn given_many_uploads_at_the_same_time_when_done_then_each_has_its_bytes(store: Store) {
    let mut uploads = Vec::new();
    for number in 0..32 {
        let (sender, write) = prepare(name(number));
        let writing = start(&store, write);
        let content = content(number, 500_000 + usize::try_from(number).unwrap());
        let feeding = tokio::spawn(feed(sender, content.clone(), 64 * 1024));
        uploads.push((number, content, writing, feeding));
    }
    for (number, content, writing, feeding) in uploads {
        feeding.await.unwrap();
        assert_eq!(writing.await.unwrap().unwrap(), content.len() as u64);
        assert!(open_and_read(&*store, name(number)).await == content);
    }
}

async fn given_a_thousand_small_uploads_when_done_then_all_are_there(store: Store) {
    let mut writers = Vec::new();
    for writer in 0..8 {
        let store = Arc::clone(&store);
        writers.push(tokio::spawn(async move {
            for number in (writer..1_000).step_by(8) {
                let content = content(number, usize::try_from(number).unwrap());
                write(&*store, name(number), &content).await.unwrap();
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(store.scan(None, 2_000).await.unwrap().len(), 1_000);
    for number in 0..1_000 {
        let content = content(number, usize::try_from(number).unwrap());
        assert!(open_and_read(&*store, name(number)).await == content);
    }
}

async fn given_a_store_when_probed_then_it_is_not_full(store: Store) {
    assert!(!store.probe().await.unwrap().is_full);
    assert_eq!(store.scan(None, 10).await.unwrap(), [], "probing stores nothing");
}
