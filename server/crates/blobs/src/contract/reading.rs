//! Reading ranges, deleting.

use super::{Store, content, name, open_and_read, write};
use crate::{BlobError, BlobReader};

const LENGTH: usize = 100_000;

pub(super) async fn suite(make: &impl Fn() -> Store) {
    given_an_unknown_name_when_opened_then_not_found(make()).await;
    given_a_range_when_read_then_exactly_it(make()).await;
    given_a_range_behind_the_end_when_read_then_too_short(make()).await;
    given_any_position_when_tried_then_right_bytes_or_none_but_never_nothing(make()).await;
    given_a_reader_when_its_name_is_deleted_then_it_reads_on(make()).await;
    given_a_name_when_deleted_twice_then_both_succeed_and_it_is_gone(make()).await;
    given_many_readers_of_one_name_when_they_read_together_then_all_get_its_bytes(make()).await;
}

async fn stored(store: &Store) -> std::sync::Arc<dyn BlobReader> {
    write(&**store, name(1), &content(1, LENGTH)).await.unwrap();
    store.open(name(1)).await.unwrap()
}

async fn given_an_unknown_name_when_opened_then_not_found(store: Store) {
    let error = store.open(name(1)).await.unwrap_err();
    assert!(
        matches!(error, BlobError::NotFound(unknown) if unknown == name(1)),
        "{error}"
    );
}

async fn given_a_range_when_read_then_exactly_it(store: Store) {
    let reader = stored(&store).await;
    assert_eq!(reader.length(), LENGTH as u64);
    for (offset, length) in [
        (0, 0),
        (0, 1),
        (0, LENGTH),
        (1, 4_096),
        (65_535, 2),
        (LENGTH - 1, 1),
        (LENGTH, 0),
    ] {
        let bytes = reader.read(offset as u64, length).await.unwrap();
        assert!(
            bytes == content(1, LENGTH)[offset..offset + length],
            "{length} bytes from {offset}"
        );
    }
}

async fn given_a_range_behind_the_end_when_read_then_too_short(store: Store) {
    let reader = stored(&store).await;
    let end = LENGTH as u64;
    for (offset, length) in [
        (0, LENGTH + 1),
        (end, 1),
        (end + 1, 0),
        (u64::MAX, 1),
        (u64::MAX, usize::MAX),
    ] {
        let error = reader.read(offset, length).await.unwrap_err();
        assert!(
            matches!(error, BlobError::TooShort { length, .. } if length == end),
            "{length} bytes from {offset}: {error}"
        );
    }
}

async fn given_any_position_when_tried_then_right_bytes_or_none_but_never_nothing(store: Store) {
    let reader = stored(&store).await;
    for (offset, length) in [
        (0, 1),
        (0, LENGTH),
        (1, 4_096),
        (LENGTH - 1, 1),
        (LENGTH - 1, 100),
        (5, usize::MAX),
    ] {
        let Some(bytes) = reader.try_read(offset as u64, length) else {
            continue;
        };
        assert!(
            (1..=length).contains(&bytes.len()),
            "{length} bytes from {offset}"
        );
        assert!(
            bytes == content(1, LENGTH)[offset..offset + bytes.len()],
            "{length} bytes from {offset}"
        );
    }
    for (offset, length) in [
        (LENGTH as u64, 1),
        (LENGTH as u64 + 1, 1),
        (u64::MAX, 1),
        (u64::MAX, usize::MAX),
    ] {
        assert_eq!(
            reader.try_read(offset, length),
            None,
            "{length} bytes from {offset}"
        );
    }
}

async fn given_a_reader_when_its_name_is_deleted_then_it_reads_on(store: Store) {
    let reader = stored(&store).await;

    store.delete(name(1)).await.unwrap();

    assert!(reader.read(0, LENGTH).await.unwrap() == content(1, LENGTH));
    assert!(matches!(store.open(name(1)).await, Err(BlobError::NotFound(_))));
}

async fn given_a_name_when_deleted_twice_then_both_succeed_and_it_is_gone(store: Store) {
    drop(stored(&store).await);
    write(&*store, name(2), b"other").await.unwrap();

    store.delete(name(1)).await.unwrap();
    store.delete(name(1)).await.unwrap();

    assert_eq!(store.scan(None, 10).await.unwrap(), [name(2)]);
    assert_eq!(open_and_read(&*store, name(2)).await, &b"other"[..]);
}

async fn given_many_readers_of_one_name_when_they_read_together_then_all_get_its_bytes(store: Store) {
    drop(stored(&store).await);
    let mut readers = Vec::new();
    for start in 0..64 {
        let store = std::sync::Arc::clone(&store);
        readers.push(tokio::spawn(async move {
            let reader = store.open(name(1)).await.unwrap();
            let offset = start * 1_000;
            let bytes = reader.read(offset as u64, LENGTH - offset).await.unwrap();
            assert!(bytes == content(1, LENGTH)[offset..]);
        }));
    }
    for reader in readers {
        reader.await.unwrap();
    }
}
