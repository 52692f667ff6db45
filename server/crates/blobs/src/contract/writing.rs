//! Appending, continuing, cutting off.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};
use zas_core::{Algorithm, Digest, Hashing};

use super::{
    CHECKPOINT_BYTES, Store, append, batch, content, feed, name, open_and_read, prepare, sha256, start,
};
use crate::{Batch, BlobError};

pub(super) async fn suite(make: &impl Fn() -> Store) {
    given_bytes_when_appended_then_they_are_read_back_and_hashed(make()).await;
    given_no_batches_when_appended_then_an_empty_name_exists(make()).await;
    given_thousands_of_pieces_in_a_batch_when_appended_then_none_is_lost(make()).await;
    given_a_saved_offset_when_continued_then_the_digest_is_that_of_the_whole(make()).await;
    given_bytes_behind_the_offset_when_appended_then_they_are_cut_off(make()).await;
    given_too_few_bytes_when_continued_then_refused_and_nothing_changes(make()).await;
    given_a_wrong_announcement_when_appended_then_the_content_is_what_came(make()).await;
    given_a_long_append_when_watched_then_each_checkpoint_can_be_continued(make()).await;
    given_nobody_who_wants_checkpoints_when_appended_then_it_goes_on(make()).await;
    given_batches_that_hold_budget_when_written_then_it_is_given_back(make()).await;
    given_many_uploads_at_the_same_time_when_done_then_each_has_its_bytes(make()).await;
    given_a_thousand_small_uploads_when_done_then_all_are_there(make()).await;
    given_a_store_when_probed_then_it_is_not_full(make()).await;
}

async fn given_bytes_when_appended_then_they_are_read_back_and_hashed(store: Store) {
    let content = content(1, 3_000_001);
    let hashes = vec![Hashing::new(Algorithm::Sha512), Hashing::new(Algorithm::Sha256)];
    let (sender, append) = prepare(name(1), 0, hashes);

    let appending = start(&store, append);
    feed(sender, content.clone(), 400_000).await;
    let appended = appending.await.unwrap().unwrap();

    assert_eq!(appended.offset, 3_000_001);
    let digests: Vec<_> = appended.hashes.into_iter().map(Hashing::finish).collect();
    assert_eq!(
        digests,
        [
            Algorithm::Sha512.digest(&content),
            Algorithm::Sha256.digest(&content)
        ]
    );
    assert!(open_and_read(&*store, name(1)).await == content);
}

async fn given_no_batches_when_appended_then_an_empty_name_exists(store: Store) {
    let (sender, append) = prepare(name(1), 0, sha256());
    drop(sender);

    let mut appended = store.append(append).await.unwrap();

    assert_eq!(appended.offset, 0);
    assert_eq!(appended.hashes.remove(0).finish(), Digest::sha256_of(b""));
    assert_eq!(store.open(name(1)).await.unwrap().length(), 0);
    assert_eq!(store.scan(None, 10).await.unwrap(), [name(1)]);
}

async fn given_thousands_of_pieces_in_a_batch_when_appended_then_none_is_lost(store: Store) {
    let content = content(1, 30_000);
    let mut pieces: Vec<Bytes> = content.chunks(7).map(|piece| content.slice_ref(piece)).collect();
    pieces.insert(0, Bytes::new());
    pieces.insert(2_000, Bytes::new());
    pieces.push(Bytes::new());
    let (sender, append) = prepare(name(1), 0, Vec::new());
    sender.send(Batch { pieces, permit: None }).await.unwrap();
    sender
        .send(Batch {
            pieces: Vec::new(),
            permit: None,
        })
        .await
        .unwrap();
    sender.send(batch(&Bytes::new())).await.unwrap();
    drop(sender);

    assert_eq!(store.append(append).await.unwrap().offset, 30_000);
    assert!(open_and_read(&*store, name(1)).await == content);
}

async fn given_a_saved_offset_when_continued_then_the_digest_is_that_of_the_whole(store: Store) {
    let content = content(1, 100_000);
    let mut hashes = sha256();
    let mut offset = 0;
    for end in [1, 63, 4_096, 4_097, 50_000, 50_000, 100_000] {
        let (sender, append) = prepare(name(1), offset as u64, hashes);
        sender.send(batch(&content.slice(offset..end))).await.unwrap();
        drop(sender);
        let appended = store.append(append).await.unwrap();
        assert_eq!(appended.offset, end as u64);
        // What is saved between two requests is the state.
        hashes = appended
            .hashes
            .iter()
            .map(|hashing| Hashing::resume(&hashing.state()).unwrap())
            .collect();
        offset = end;
    }
    assert_eq!(hashes.remove(0).finish(), Digest::sha256_of(&content));
    assert!(open_and_read(&*store, name(1)).await == content);
}

async fn given_bytes_behind_the_offset_when_appended_then_they_are_cut_off(store: Store) {
    append(&*store, name(1), 0, &content(1, 100_000)).await.unwrap();
    // A reader of the longer content must not stand for the shorter one.
    drop(open_and_read(&*store, name(1)).await);

    let appended = append(&*store, name(1), 5_000, b"end").await.unwrap();

    assert_eq!(appended.offset, 5_003);
    let stored = open_and_read(&*store, name(1)).await;
    assert!(stored[..5_000] == content(1, 100_000)[..5_000]);
    assert_eq!(stored[5_000..], *b"end");

    let appended = append(&*store, name(1), 0, b"").await.unwrap();
    assert_eq!(appended.offset, 0);
    assert_eq!(open_and_read(&*store, name(1)).await, &b""[..]);
}

async fn given_too_few_bytes_when_continued_then_refused_and_nothing_changes(store: Store) {
    append(&*store, name(1), 0, b"12345").await.unwrap();

    for (number, length) in [(1, 5), (2, 0)] {
        let refused = append(&*store, name(number), 6, b"more").await.unwrap_err();
        let BlobError::TooShort {
            name: named,
            length: found,
            wanted,
        } = refused
        else {
            panic!("expected that bytes are missing: {refused}")
        };
        assert_eq!((named, found, wanted), (name(number), length, 6));
    }
    assert_eq!(open_and_read(&*store, name(1)).await, &b"12345"[..]);
    assert_eq!(
        store.scan(None, 10).await.unwrap(),
        [name(1)],
        "a refused append makes no name"
    );
}

async fn given_a_wrong_announcement_when_appended_then_the_content_is_what_came(store: Store) {
    for (number, expected) in [(1, 0), (2, 1), (3, 200 * 1024 * 1024)] {
        let (sender, mut append) = prepare(name(number), 0, Vec::new());
        append.expected = Some(expected);
        sender.send(batch(&content(number, 70_000))).await.unwrap();
        drop(sender);

        assert_eq!(store.append(append).await.unwrap().offset, 70_000);
        assert!(open_and_read(&*store, name(number)).await == content(number, 70_000));
    }
}

async fn given_a_long_append_when_watched_then_each_checkpoint_can_be_continued(store: Store) {
    let length = 5 * usize::try_from(CHECKPOINT_BYTES).unwrap() + 12_345;
    let content = content(1, length);
    let (sender, mut append) = prepare(name(1), 0, sha256());
    let (checkpoint_sender, mut checkpoints) = mpsc::channel(1);
    append.checkpoints = Some(checkpoint_sender);

    let appending = start(&store, append);
    let feeding = tokio::spawn(feed(sender, content.clone(), 300_000));
    let mut seen = Vec::new();
    while let Some(checkpoint) = checkpoints.recv().await {
        seen.push(checkpoint);
    }
    feeding.await.unwrap();
    appending.await.unwrap().unwrap();

    assert!((3..=5).contains(&seen.len()), "{} checkpoints", seen.len());
    for mut checkpoint in seen {
        let offset = usize::try_from(checkpoint.offset).unwrap();
        assert_eq!(
            checkpoint.hashes.remove(0).finish(),
            Digest::sha256_of(&content[..offset])
        );
    }
}

async fn given_nobody_who_wants_checkpoints_when_appended_then_it_goes_on(store: Store) {
    let content = content(1, 3 * usize::try_from(CHECKPOINT_BYTES).unwrap());
    let (sender, mut append) = prepare(name(1), 0, Vec::new());
    append.checkpoints = Some(mpsc::channel(1).0);

    let appending = start(&store, append);
    feed(sender, content.clone(), 300_000).await;

    assert_eq!(appending.await.unwrap().unwrap().offset, content.len() as u64);
}

async fn given_batches_that_hold_budget_when_written_then_it_is_given_back(store: Store) {
    let budget = Arc::new(Semaphore::new(1_000));
    let (sender, append) = prepare(name(1), 0, Vec::new());
    let appending = start(&store, append);
    for _ in 0..10 {
        // More than half of it: the next one waits until this one is written, while the append still runs.
        let permit = Arc::clone(&budget).acquire_many_owned(600).await.unwrap();
        sender
            .send(Batch {
                pieces: vec![content(1, 600)],
                permit: Some(permit),
            })
            .await
            .unwrap();
    }
    drop(sender);
    appending.await.unwrap().unwrap();
    assert_eq!(budget.available_permits(), 1_000);
}

async fn given_many_uploads_at_the_same_time_when_done_then_each_has_its_bytes(store: Store) {
    let mut uploads = Vec::new();
    for number in 0..32 {
        let (sender, append) = prepare(name(number), 0, sha256());
        let appending = start(&store, append);
        let feeding = tokio::spawn(feed(
            sender,
            content(number, 500_000 + number as usize),
            64 * 1024,
        ));
        uploads.push((number, appending, feeding));
    }
    for (number, appending, feeding) in uploads {
        feeding.await.unwrap();
        let mut appended = appending.await.unwrap().unwrap();
        let expected = content(number, 500_000 + number as usize);
        assert_eq!(appended.hashes.remove(0).finish(), Digest::sha256_of(&expected));
        assert!(open_and_read(&*store, name(number)).await == expected);
    }
}

async fn given_a_thousand_small_uploads_when_done_then_all_are_there(store: Store) {
    let mut writers = Vec::new();
    for writer in 0..8 {
        let store = Arc::clone(&store);
        writers.push(tokio::spawn(async move {
            for number in (writer..1_000).step_by(8) {
                append(&*store, name(number), 0, &content(number, number as usize))
                    .await
                    .unwrap();
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(store.scan(None, 2_000).await.unwrap().len(), 1_000);
    for number in 0..1_000 {
        assert!(open_and_read(&*store, name(number)).await == content(number, number as usize));
    }
}

async fn given_a_store_when_probed_then_it_is_not_full(store: Store) {
    assert!(!store.probe().await.unwrap().is_full);
    assert_eq!(store.scan(None, 10).await.unwrap(), [], "probing stores nothing");
}
