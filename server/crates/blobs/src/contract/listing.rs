//! Scanning.

use std::collections::BTreeSet;

use zas_core::LocationName;

use super::{Store, name, write};

pub(super) async fn suite(make: &impl Fn() -> Store) {
    given_names_when_scanned_in_pages_of_any_size_then_each_comes_once_in_one_order(make()).await;
    given_a_cursor_that_was_deleted_when_scanned_then_the_rest_follows(make()).await;
    given_an_empty_store_or_no_room_when_scanned_then_nothing(make()).await;
}

async fn pages(store: &Store, count: usize) -> Vec<LocationName> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = store.scan(after, count).await.unwrap();
        assert!(page.len() <= count);
        all.extend_from_slice(&page);
        assert!(all.len() < 10_000, "the pages come to an end");
        if page.len() < count {
            return all;
        }
        after = page.last().copied();
    }
}

async fn given_names_when_scanned_in_pages_of_any_size_then_each_comes_once_in_one_order(store: Store) {
    // Given: several shards, several names in some of them
    let numbers = (0..20).chain(250..262).chain(510..520).chain([255 + 256 * 7]);
    let names: BTreeSet<LocationName> = numbers.map(name).collect();
    for name in &names {
        write(&*store, *name, b"x").await.unwrap();
    }

    // When
    let whole = store.scan(None, 1_000).await.unwrap();

    // Then
    assert_eq!(whole.iter().copied().collect::<BTreeSet<_>>(), names);
    for count in [1, 2, 3, 7, names.len(), names.len() + 1] {
        assert_eq!(pages(&store, count).await, whole, "pages of {count}");
    }
}

async fn given_a_cursor_that_was_deleted_when_scanned_then_the_rest_follows(store: Store) {
    for number in 0..600 {
        if number % 40 < 3 {
            write(&*store, name(number), b"x").await.unwrap();
        }
    }
    let whole = store.scan(None, 1_000).await.unwrap();

    for (position, cursor) in whole.iter().enumerate() {
        store.delete(*cursor).await.unwrap();
        assert_eq!(
            store.scan(Some(*cursor), 1_000).await.unwrap(),
            whole[position + 1..]
        );
    }
}

async fn given_an_empty_store_or_no_room_when_scanned_then_nothing(store: Store) {
    assert_eq!(store.scan(None, 10).await.unwrap(), []);
    write(&*store, name(1), b"x").await.unwrap();
    assert_eq!(store.scan(None, 0).await.unwrap(), []);
    assert_eq!(store.scan(Some(name(1)), 10).await.unwrap(), []);
}
