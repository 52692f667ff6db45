//! What a newer version adds to a row survives that an older one writes the row again.

use std::sync::Arc;

use zas_core::{ManualClock, Reference};

use super::{TIMING, clock, clocks, digest, file_blob, manifest, origin, repository, upload_id};
use crate::embedded::MemoryMetadata;
use crate::keys;
use crate::memory_map::MemoryMap;
use crate::ordered_map::{Changes, Durability, Key, OrderedMap as _};
use crate::{
    BlobContent, FinishOutcome, FinishUpload, Lease, MetadataStore as _, Precondition, ScrubPosition,
    SweepPosition,
};

/// A field that no version has yet.
const NEWER: &[u8] = &[199, 1, b'x'];

struct Given {
    store: MemoryMetadata,
    map: Arc<MemoryMap>,
    clock: Arc<ManualClock>,
}

impl Given {
    fn new() -> Self {
        let clock = clock();
        let store = MemoryMetadata::new(clocks(&clock), TIMING);
        let map = store.map();
        Self { store, map, clock }
    }

    fn stored(&self, key: &Key) -> Vec<u8> {
        self.map.get(key).unwrap().unwrap().to_vec()
    }

    /// Adds the field to a row, as a newer version would have.
    fn add_to(&self, key: &Key) {
        let row = [&self.stored(key), NEWER].concat();
        let mut changes = Changes::default();
        changes.set(key.clone(), Some(row.into()));
        self.map.write(&changes, Durability::Synced).unwrap();
    }

    /// Asserts that the row was written again, with the field.
    fn assert_rewritten(&self, key: &Key, before: &[u8]) {
        let after = self.stored(key);
        assert_ne!(after, before, "{key:?} is as it was");
        assert!(after.ends_with(NEWER), "{key:?} lost the field");
    }

    async fn push_file(&self, upload: u64) -> FinishOutcome {
        let (ours, id) = (repository("ours"), upload_id(upload));
        let epoch = self.store.create_upload(&origin(), &ours, id).await.unwrap();
        let finish = FinishUpload {
            id,
            epoch: Some(epoch),
            holder: ours,
            blob: file_blob("large", epoch.name(id, 0)),
        };
        self.store.finish_upload(&origin(), finish).await.unwrap()
    }

    async fn content(&self) -> BlobContent {
        let (ours, blob) = (repository("ours"), digest("large"));
        let stat = self.store.stat_blob(&ours, &blob, Lease::Leave).await;
        stat.unwrap().unwrap().content
    }
}

#[tokio::test]
async fn given_a_blob_with_a_newer_field_when_its_row_changes_then_the_field_stays() {
    let (given, blob) = (Given::new(), digest("large"));
    let key = keys::blob(&blob);
    given.push_file(1).await;
    given.add_to(&key);
    let content = given.content().await;

    let before = given.stored(&key);
    given.store.mark_damaged(&blob, Some(&content)).await.unwrap();
    given.assert_rewritten(&key, &before);

    let before = given.stored(&key);
    given.store.clear_damage(&blob, &content).await.unwrap();
    given.assert_rewritten(&key, &before);

    let before = given.stored(&key);
    assert_eq!(given.push_file(2).await, FinishOutcome::Renewed);
    given.assert_rewritten(&key, &before);

    let (content, before) = (given.content().await, given.stored(&key));
    given.store.mark_damaged(&blob, Some(&content)).await.unwrap();
    assert_eq!(given.push_file(3).await, FinishOutcome::Healed);
    given.assert_rewritten(&key, &before);
}

#[tokio::test]
async fn given_a_manifest_with_newer_fields_when_pushed_under_another_type_then_the_fields_stay() {
    let (given, ours, body) = (Given::new(), repository("ours"), digest("{m}"));
    let first = manifest(&ours, "{m}");
    given
        .store
        .commit_manifest(&origin(), first.clone())
        .await
        .unwrap();
    let keys = [keys::manifest(&ours, &body), keys::body(&ours, &body)];
    keys.iter().for_each(|key| given.add_to(key));
    let before = keys.each_ref().map(|key| given.stored(key));

    let mut retyped = first;
    retyped.media_type = "application/vnd.oci.image.index.v1+json".parse().unwrap();
    given.store.commit_manifest(&origin(), retyped).await.unwrap();

    for (key, before) in keys.iter().zip(before) {
        given.assert_rewritten(key, &before);
    }
    let reference = Reference::Digest(body);
    let stored = given.store.resolve_manifest(&ours, &reference).await.unwrap();
    assert_eq!(stored.unwrap().body, "{m}");
}

#[tokio::test]
async fn given_a_tag_with_a_newer_field_when_it_moves_then_the_field_stays() {
    let (given, ours) = (Given::new(), repository("ours"));
    let tag: zas_core::Tag = "t".parse().unwrap();
    let key = keys::tag(&ours, &tag);
    let mut first = manifest(&ours, "{1}");
    first.tags.push((tag.clone(), Precondition::Any));
    given.store.commit_manifest(&origin(), first).await.unwrap();
    given.add_to(&key);
    let before = given.stored(&key);

    let mut second = manifest(&ours, "{2}");
    second.tags.push((tag, Precondition::Any));
    given.store.commit_manifest(&origin(), second).await.unwrap();

    given.assert_rewritten(&key, &before);
}

#[tokio::test]
async fn given_positions_with_newer_fields_when_saved_again_then_the_fields_stay() {
    let given = Given::new();
    let save = async |hours| {
        given.clock.advance(std::time::Duration::from_hours(hours));
        let rested_at = given.store.now().await.unwrap();
        let scrub = ScrubPosition {
            after: None,
            rested_at,
        };
        given.store.save_scrub_position(scrub).await.unwrap();
        let sweep = SweepPosition::resting_since(rested_at);
        given.store.save_sweep_position(sweep).await.unwrap();
    };
    save(1).await;
    let keys = [keys::scrub(), keys::sweep()];
    keys.iter().for_each(|key| given.add_to(key));
    let before = keys.each_ref().map(|key| given.stored(key));

    save(2).await;

    for (key, before) in keys.iter().zip(before) {
        given.assert_rewritten(key, &before);
    }
}
