use super::*;

use crate::{Disk, Effect, Journal, Record};

fn journal(effects: &[Effect]) -> Journal {
    let records = effects.iter().enumerate().map(|(number, effect)| Record {
        end: number as u64 + 1,
        call: String::new(),
        effect: effect.clone(),
    });
    Journal {
        records: records.collect(),
    }
}

fn written(offset: u64, bytes: &[u8]) -> Effect {
    Effect::Written {
        inode: 2,
        offset,
        bytes: bytes.to_vec(),
    }
}

/// A file of four synced bytes, then four more, then one changed, then cut.
fn file() -> (Disk, usize) {
    let effects = [
        Effect::Started { inode: 1 },
        Effect::Created {
            inode: 2,
            path: "file".to_owned(),
        },
        written(0, b"abcd"),
        Effect::SyncBegun { inode: 2, sync: 1 },
        written(4, b"efgh"),
        Effect::SyncEnded {
            sync: 1,
            is_done: true,
        },
        written(0, b"X"),
        Effect::Cut { inode: 2, length: 6 },
    ];
    (Disk::of(&journal(&effects)), effects.len())
}

fn hold(cut: usize, bytes: Bytes) -> Vec<u8> {
    let (disk, _) = file();
    content(&disk.nodes[1], cut, bytes, &mut Rng::with_seed(1))
}

#[test]
fn given_writes_during_a_sync_when_the_power_fails_then_only_those_before_it_are_promised() {
    let (_, all) = file();
    assert_eq!(hold(all, Bytes::Nothing), b"abcd");
    assert_eq!(hold(all, Bytes::Everything), b"Xbcdef");
    assert_eq!(hold(all, Bytes::Oldest), b"abcdefgh");
    assert_eq!(hold(7, Bytes::Newest), b"Xbcd\0\0\0\0");
    assert_eq!(hold(7, Bytes::Sizes), b"abcd\0\0\0\0");
}

#[test]
fn given_a_sync_that_has_not_ended_when_the_power_fails_then_it_promises_nothing() {
    assert_eq!(hold(5, Bytes::Nothing), b"");
    assert_eq!(hold(5, Bytes::Everything), b"abcdefgh");
    assert_eq!(hold(6, Bytes::Nothing), b"abcd");
}

#[test]
fn given_any_choice_when_the_power_fails_then_what_was_synced_is_there() {
    let (disk, all) = file();
    let mut different = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let content = content(&disk.nodes[1], all, Bytes::Some, &mut Rng::with_seed(seed));
        assert!(content.len() >= 4 && content.len() <= 8, "{content:?}");
        assert!(
            content.starts_with(b"abcd") || content.starts_with(b"Xbcd"),
            "{content:?}"
        );
        different.insert(content);
    }
    assert!(different.len() > 6, "{different:?}");
}

#[test]
fn given_a_torn_write_when_it_survives_then_it_is_torn_between_sectors() {
    let bytes = vec![7; 5000];
    for seed in 0..100 {
        let mut content = Vec::new();
        tear(&mut content, 100, &bytes, &mut Rng::with_seed(seed));
        content.resize(5100, 0);
        for (start, piece) in split(100, &content[100..5100], 512) {
            assert!(piece.iter().all(|byte| *byte == piece[0]), "at {start}");
        }
    }
}
