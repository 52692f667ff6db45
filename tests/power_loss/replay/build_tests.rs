use std::collections::BTreeSet;
use std::fs;

use crate::{Bytes, Disk, Effect, Journal, Names, Record, Survival};

/// A directory that was synced with one file in it; afterwards a file is renamed over another, and a third made.
fn journal() -> Journal {
    let path = |path: &str| path.to_owned();
    let effects = [
        Effect::Started { inode: 1 },
        Effect::MadeDirectory {
            inode: 2,
            path: path("d"),
        },
        Effect::Created {
            inode: 3,
            path: path("d/old"),
        },
        Effect::Written {
            inode: 3,
            offset: 0,
            bytes: b"old".to_vec(),
        },
        Effect::SyncBegun { inode: 3, sync: 1 },
        Effect::SyncEnded {
            sync: 1,
            is_done: true,
        },
        Effect::SyncBegun { inode: 2, sync: 2 },
        Effect::SyncEnded {
            sync: 2,
            is_done: true,
        },
        Effect::SyncBegun { inode: 1, sync: 3 },
        Effect::SyncEnded {
            sync: 3,
            is_done: true,
        },
        Effect::Created {
            inode: 4,
            path: path("d/new"),
        },
        Effect::Renamed {
            from: path("d/new"),
            to: path("d/old"),
        },
        Effect::Created {
            inode: 5,
            path: path("d/third"),
        },
    ];
    let records = effects.into_iter().enumerate().map(|(number, effect)| Record {
        end: number as u64 + 1,
        call: String::new(),
        effect,
    });
    Journal {
        records: records.collect(),
    }
}

fn names(cut: usize, names: Names, seed: u64) -> Option<BTreeSet<String>> {
    let directory = tempfile::tempdir().unwrap();
    let survival = Survival {
        bytes: Bytes::Everything,
        names,
        seed,
    };
    Disk::of(&journal())
        .build(cut, survival, directory.path())
        .unwrap();
    let entries = fs::read_dir(directory.path().join("d")).ok()?;
    Some(
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect(),
    )
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn given_names_without_a_sync_of_their_directory_when_the_power_fails_then_they_may_be_lost() {
    let all = journal().records.len();
    assert_eq!(names(all, Names::Nothing, 0), Some(set(&["old"])));
    assert_eq!(names(all, Names::Everything, 0), Some(set(&["old", "third"])));
    assert_eq!(
        names(9, Names::Nothing, 0),
        None,
        "its own name was not synced yet"
    );
    assert_eq!(names(9, Names::Everything, 0), Some(set(&["old"])));
}

#[test]
fn given_names_in_order_when_the_power_fails_then_a_later_one_is_never_there_without_an_earlier_one() {
    let all = journal().records.len();
    let ordered: BTreeSet<_> = (0..100)
        .filter_map(|seed| names(all, Names::UpToSome, seed))
        .collect();
    assert_eq!(
        ordered,
        BTreeSet::from([set(&["old"]), set(&["new", "old"]), set(&["old", "third"])])
    );
    let any: BTreeSet<_> = (0..100)
        .filter_map(|seed| names(all, Names::Some, seed))
        .collect();
    let reordered = set(&["old", "third"]);
    assert!(any.contains(&set(&["new", "old", "third"])), "{any:?}");
    let directory = tempfile::tempdir().unwrap();
    let ordered_disk = Disk::of(&journal()).with_names_in_order(|path| path == "d");
    for seed in 0..100 {
        let path = directory.path().join(seed.to_string());
        fs::create_dir(&path).unwrap();
        let survival = Survival {
            bytes: Bytes::Nothing,
            names: Names::Some,
            seed,
        };
        ordered_disk.build(all, survival, &path).unwrap();
        let has = |name: &str| path.join("d").join(name).is_file();
        assert!(!(has("new") && has("third")), "seed {seed}");
    }
    assert!(any.contains(&reordered), "{any:?}");
}

#[test]
fn given_a_drive_that_ignores_syncs_of_directories_when_the_power_fails_then_every_name_is_lost() {
    let disk = Disk::of(&journal()).without_syncs(|kind, _| kind == crate::Kind::Directory);
    let directory = tempfile::tempdir().unwrap();
    disk.build(journal().records.len(), Survival::NOTHING, directory.path())
        .unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
