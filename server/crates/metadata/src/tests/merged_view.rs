use std::collections::BTreeMap;
use std::ops::ControlFlow;

use bytes::Bytes;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use crate::memory_map::MemoryMap;
use crate::ordered_map::{Changes, Durability, Effort, Family, Key, KeyRange, OrderedMap as _, ScanEnd};
use crate::view::View;

type Rows = BTreeMap<Vec<u8>, u8>;

fn key() -> impl Strategy<Value = Vec<u8>> {
    vec(0..4_u8, 0..4)
}

fn changes(rows: impl IntoIterator<Item = (Vec<u8>, Option<u8>)>) -> Changes {
    let mut changes = Changes::default();
    for (bytes, value) in rows {
        let value = value.map(|value| Bytes::copy_from_slice(&[value]));
        changes.set(
            Key {
                family: Family::Meta,
                bytes,
            },
            value,
        );
    }
    changes
}

proptest! {
    #[test]
    fn given_any_rows_and_changes_when_read_through_both_then_as_if_they_were_written(
        stored in btree_map(key(), any::<u8>(), 0..20),
        changed in btree_map(key(), option::of(any::<u8>()), 0..20),
        from in key(), to in key(), limit in 1..30_usize,
    ) {
        // Given
        let map = MemoryMap::default();
        map.write(&changes(stored.iter().map(|(key, value)| (key.clone(), Some(*value)))), Durability::Synced).unwrap();
        let overlay = changes(changed.clone());
        let mut expected: Rows = stored;
        for (key, value) in changed {
            match value {
                Some(value) => expected.insert(key, value),
                None => expected.remove(&key),
            };
        }
        let view = View::with_overlay(&map, &overlay);

        // When
        let range = KeyRange { family: Family::Meta, from: from.clone(), to: to.clone() };
        let mut seen = Vec::new();
        let end = view.scan(&range, Effort::Bounded, &mut |key, value| {
            seen.push((key.to_vec(), value[0]));
            if seen.len() == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }).unwrap();

        // Then
        let inside = expected.iter().filter(|(key, _)| **key >= from && **key < to).take(limit);
        let inside: Vec<_> = inside.map(|(key, value)| (key.clone(), *value)).collect();
        prop_assert_eq!(seen, inside);
        prop_assert_eq!(end, ScanEnd::Complete);

        let keys: Vec<_> = [from, to].into_iter().chain(expected.keys().cloned()).collect();
        let keys: Vec<_> = keys.into_iter().map(|bytes| Key { family: Family::Meta, bytes }).collect();
        let values = view.meta_values(&keys).unwrap();
        for (key, value) in keys.iter().zip(values) {
            let expected = expected.get(&key.bytes).copied();
            prop_assert_eq!(value.map(|value| value[0]), expected);
            prop_assert_eq!(view.has(key).unwrap(), expected.is_some());
        }
    }
}
