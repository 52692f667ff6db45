//! Writes that are dropped.

use std::sync::Arc;

use tokio::sync::Semaphore;
use zas_core::LocationName;

use super::{Store, batch, content, feed, name, open_and_read, prepare, start, taken, write};
use crate::Batch;

pub(super) async fn suite(make: &impl Fn() -> Store) {
    given_writes_dropped_at_any_moment_when_the_successor_writes_then_no_bytes_mix(make()).await;
    given_a_dropped_write_when_its_name_is_deleted_then_nothing_stays(make()).await;
    given_a_dropped_write_when_it_ended_then_its_budget_is_free(make()).await;
    given_a_sender_that_waits_when_the_write_is_dropped_then_it_learns(make()).await;
}

async fn given_writes_dropped_at_any_moment_when_the_successor_writes_then_no_bytes_mix(store: Store) {
    for round in 1..=150_u64 {
        // Given a write that is dropped after some batches, while its sender goes on
        let (sender, stale) = prepare(LocationName {
            epoch: 2 * round,
            ..name(1)
        });
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
        let successor = LocationName {
            epoch: 2 * round + 1,
            ..name(1)
        };
        let fresh = content(round + 1_000, 60_000 + usize::try_from(round).unwrap());
        write(&*store, successor, &fresh).await.unwrap();

        // Then
        drop(sender);
        feeding.await.unwrap();
        assert!(open_and_read(&*store, successor).await == fresh, "round {round}");
    }
}

async fn given_a_dropped_write_when_its_name_is_deleted_then_nothing_stays(store: Store) {
    let (sender, dropped) = prepare(name(1));
    let dropped = start(&store, dropped);
    sender.send(batch(&content(1, 1_000))).await.unwrap();
    taken(&sender).await;
    dropped.abort();
    let _ = dropped.await;
    // The write under way ends, and then nobody holds the other end.
    sender.closed().await;

    store.delete(name(1)).await.unwrap();

    assert_eq!(store.scan(None, 10).await.unwrap(), []);
}

async fn given_a_dropped_write_when_it_ended_then_its_budget_is_free(store: Store) {
    let budget = Arc::new(Semaphore::new(1_000));
    let (sender, dropped) = prepare(name(1));
    let dropped = start(&store, dropped);
    for _ in 0..2 {
        let permit = Arc::clone(&budget).acquire_many_owned(500).await.unwrap();
        let batch = Batch::new(vec![content(1, 500)], Some(permit));
        sender.send(batch).await.unwrap();
    }

    dropped.abort();
    let _ = dropped.await;

    let _all = budget.acquire_many(1_000).await.unwrap();
}

async fn given_a_sender_that_waits_when_the_write_is_dropped_then_it_learns(store: Store) {
    let (sender, dropped) = prepare(name(1));
    let dropped = start(&store, dropped);
    sender.send(batch(&content(1, 1_000))).await.unwrap();
    taken(&sender).await;

    dropped.abort();

    sender.closed().await;
}
