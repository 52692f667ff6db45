//! Appends that are dropped, and appends that meet.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use zas_core::Digest;

use super::{
    CHECKPOINT_BYTES, Store, append, batch, content, feed, name, open_and_read, prepare, sha256, start, taken,
};
use crate::Batch;

pub(super) async fn suite(make: &impl Fn() -> Store) {
    given_a_running_append_when_another_of_its_name_comes_then_it_waits(make()).await;
    given_appends_dropped_at_any_moment_when_the_next_one_writes_then_no_bytes_mix(make()).await;
    given_an_append_dropped_behind_a_checkpoint_when_continued_there_then_the_whole_is_right(make()).await;
    given_a_dropped_append_when_the_next_one_ran_then_its_budget_is_free(make()).await;
    given_a_sender_that_waits_when_the_append_is_dropped_then_it_learns(make()).await;
}

async fn given_a_running_append_when_another_of_its_name_comes_then_it_waits(store: Store) {
    // Given
    let (first_sender, first) = prepare(name(1), 0, sha256());
    let first = start(&store, first);
    first_sender.send(batch(&content(1, 200_000))).await.unwrap();
    taken(&first_sender).await;

    // When
    let (second_sender, second) = prepare(name(1), 0, sha256());
    second_sender.send(batch(&content(2, 150_000))).await.unwrap();
    drop(second_sender);
    let second = start(&store, second);
    feed(first_sender, content(3, 900_000), 50_000).await;

    // Then
    let mut whole = content(1, 200_000).to_vec();
    whole.extend_from_slice(&content(3, 900_000));
    assert_eq!(
        first.await.unwrap().unwrap().hashes.remove(0).finish(),
        Digest::sha256_of(&whole)
    );
    assert_eq!(second.await.unwrap().unwrap().offset, 150_000);
    assert!(open_and_read(&*store, name(1)).await == content(2, 150_000));
}

async fn given_appends_dropped_at_any_moment_when_the_next_one_writes_then_no_bytes_mix(store: Store) {
    append(&*store, name(1), 0, &content(0, 10_000)).await.unwrap();
    for round in 1..=150_u64 {
        // Given an append that is dropped after some batches, while its sender goes on
        let (sender, stale) = prepare(name(1), 10_000, Vec::new());
        let stale = start(&store, stale);
        let feeding = tokio::spawn(feed(sender.clone(), content(round, 800_000), 100_000));
        for _ in 0..round % 12 {
            tokio::task::yield_now().await;
        }
        if round % 3 == 0 {
            taken(&sender).await;
        }
        stale.abort();

        // When
        let fresh = content(round + 1_000, 60_000 + usize::try_from(round).unwrap());
        append(&*store, name(1), 10_000, &fresh).await.unwrap();

        // Then
        drop(sender);
        feeding.await.unwrap();
        let stored = open_and_read(&*store, name(1)).await;
        assert!(
            stored[..10_000] == content(0, 10_000),
            "round {round}: bytes before the offset"
        );
        assert!(stored[10_000..] == fresh, "round {round}: {} bytes", stored.len());
    }
}

async fn given_an_append_dropped_behind_a_checkpoint_when_continued_there_then_the_whole_is_right(
    store: Store,
) {
    // Given
    let length = 4 * usize::try_from(CHECKPOINT_BYTES).unwrap();
    let content = content(1, length);
    let (sender, mut first) = prepare(name(1), 0, sha256());
    let (checkpoint_sender, mut checkpoints) = mpsc::channel(1);
    first.checkpoints = Some(checkpoint_sender);
    let first = start(&store, first);
    let feeding = tokio::spawn(feed(sender, content.clone(), 300_000));
    let checkpoint = checkpoints.recv().await.unwrap();
    first.abort();
    let _ = first.await;
    feeding.await.unwrap();

    // When
    let offset = usize::try_from(checkpoint.offset).unwrap();
    let (sender, second) = prepare(name(1), checkpoint.offset, checkpoint.hashes);
    let second = start(&store, second);
    feed(sender, content.slice(offset..), 300_000).await;

    // Then
    let mut appended = second.await.unwrap().unwrap();
    assert_eq!(appended.hashes.remove(0).finish(), Digest::sha256_of(&content));
    assert!(open_and_read(&*store, name(1)).await == content);
}

async fn given_a_dropped_append_when_the_next_one_ran_then_its_budget_is_free(store: Store) {
    let budget = Arc::new(Semaphore::new(1_000));
    let (sender, first) = prepare(name(1), 0, Vec::new());
    let first = start(&store, first);
    for _ in 0..4 {
        let permit = Arc::clone(&budget).acquire_many_owned(250).await.unwrap();
        sender
            .send(Batch {
                pieces: vec![content(1, 250)],
                permit: Some(permit),
            })
            .await
            .unwrap();
    }

    first.abort();
    let _ = first.await;
    append(&*store, name(1), 0, b"next").await.unwrap();

    assert_eq!(budget.available_permits(), 1_000);
    assert_eq!(open_and_read(&*store, name(1)).await, &b"next"[..]);
}

async fn given_a_sender_that_waits_when_the_append_is_dropped_then_it_learns(store: Store) {
    let (sender, first) = prepare(name(1), 0, Vec::new());
    let first = start(&store, first);
    sender.send(batch(&content(1, 1_000))).await.unwrap();
    taken(&sender).await;

    first.abort();

    sender.closed().await;
}
