//! A physical name has one owner, and nobody else gives it up.

use std::sync::Arc;

use bytes::Bytes;
use zas_core::{LocationName, ManualClock};

use super::{TIMING, clock, clocks, digest, epoch, file_blob, origin, repository, upload_id};
use crate::embedded::MemoryMetadata;
use crate::keys;
use crate::memory_map::MemoryMap;
use crate::ordered_map::{Changes, Durability, Key, OrderedMap as _};
use crate::rows::{EmptyRow, LocationOwner, LocationRow, Row};
use crate::{FinishUpload, MetadataStore as _, OrphanOutcome, ReapOutcome};

struct Given {
    store: MemoryMetadata,
    map: Arc<MemoryMap>,
    clock: Arc<ManualClock>,
    /// What holds the bytes of the one blob.
    name: LocationName,
}

impl Given {
    /// A store with one blob in a file.
    async fn new() -> Self {
        let clock = clock();
        let store = MemoryMetadata::new(clocks(&clock), TIMING);
        let (ours, id) = (repository("ours"), upload_id(1));
        let epoch = store.create_upload(&origin(), &ours, id).await.unwrap();
        let name = epoch.name(id, 0);
        let finish = FinishUpload {
            id,
            epoch: Some(epoch),
            holder: ours,
            blob: file_blob("ours", name),
        };
        store.finish_upload(&origin(), finish).await.unwrap();
        Self {
            map: store.map(),
            store,
            clock,
            name,
        }
    }

    /// Says in the rows that `name` is the owner's.
    fn give(&self, name: LocationName, owner: LocationOwner) {
        self.write(keys::location(name), &LocationRow::Live(owner));
    }

    fn write(&self, key: Key, row: &impl Row) {
        let mut changes = Changes::default();
        changes.set(key, Some(row.encode()));
        self.map.write(&changes, Durability::Synced).unwrap();
    }

    fn location(&self, name: LocationName) -> Option<Bytes> {
        self.map.get(&keys::location(name)).unwrap()
    }

    /// Takes the blob from its only holder and collects it.
    async fn remove_blob(&self) -> ReapOutcome {
        let (ours, blob) = (repository("ours"), digest("ours"));
        assert!(self.store.unlink_blob(&origin(), &ours, &blob).await.unwrap());
        let due = self.store.take_due(1).await.unwrap();
        self.store.reap(&due[0]).await.unwrap()
    }
}

#[tokio::test]
async fn given_a_blob_whose_name_is_its_own_when_it_goes_then_the_name_is_doomed() {
    let given = Given::new().await;
    assert_eq!(given.remove_blob().await, ReapOutcome::Doomed(vec![given.name]));
    given.clock.advance(TIMING.doom_delay);
    assert_eq!(given.store.take_doomed(9).await.unwrap(), [given.name]);
}

#[tokio::test]
async fn given_a_blob_that_lists_a_name_of_another_owner_when_it_goes_then_the_owner_keeps_the_name() {
    for owner in [
        LocationOwner::Blob(digest("theirs")),
        LocationOwner::Upload(upload_id(9)),
        LocationOwner::Composite(upload_id(9)),
    ] {
        let given = Given::new().await;
        given.give(given.name, owner);

        let outcome = given.remove_blob().await;

        assert_eq!(outcome, ReapOutcome::Doomed(Vec::new()), "{owner:?}");
        given.clock.advance(TIMING.doom_delay);
        assert_eq!(given.store.take_doomed(9).await.unwrap(), []);
        let kept = Some(LocationRow::Live(owner).encode());
        assert_eq!(given.location(given.name), kept, "{owner:?}");
    }
}

#[tokio::test]
async fn given_a_name_of_each_kind_of_owner_when_claimed_as_an_orphan_then_known_as_long_as_the_owner_lists_it()
 {
    let given = Given::new().await;
    let (ours, open) = (repository("ours"), upload_id(2));
    let writing = given.store.create_upload(&origin(), &ours, open).await.unwrap();
    given.write(keys::part(upload_id(7), 1), &EmptyRow);
    let found = epoch(1).name(upload_id(3), 0);
    for (owner, expected) in [
        (LocationOwner::Blob(digest("ours")), OrphanOutcome::Doomed),
        (LocationOwner::Blob(digest("gone")), OrphanOutcome::Doomed),
        (LocationOwner::Upload(open), OrphanOutcome::Known),
        (LocationOwner::Upload(upload_id(8)), OrphanOutcome::Doomed),
        (LocationOwner::Composite(upload_id(7)), OrphanOutcome::Known),
        (LocationOwner::Composite(upload_id(8)), OrphanOutcome::Doomed),
    ] {
        given.give(found, owner);
        assert_eq!(
            given.store.claim_orphan(found).await.unwrap(),
            expected,
            "{owner:?}"
        );
    }
    for name in [given.name, writing.name(open, 0)] {
        assert_eq!(
            given.store.claim_orphan(name).await.unwrap(),
            OrphanOutcome::Known
        );
    }
}
