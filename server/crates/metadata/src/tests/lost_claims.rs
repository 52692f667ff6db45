//! Claims that were answered and lost: nobody is ever given their names again.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::disturbed_map::WriteMode;
use super::*;
use crate::memory_map::MemoryMap;
use crate::ordered_map::{Changes, Durability, Effort, Family, Key, KeyRange};
use crate::{MetadataStore as _, Progress, WriterOutcome, Written, keys};

/// What is left of a map when the power is lost now and everything until now is durable.
fn copy(map: &MemoryMap) -> MemoryMap {
    let mut changes = Changes::default();
    for family in Family::ALL {
        let all = KeyRange {
            family,
            from: Vec::new(),
            to: vec![0xFF],
        };
        let visit = &mut |key: &[u8], value: &[u8]| {
            let key = Key {
                family,
                bytes: key.to_vec(),
            };
            changes.set(key, Some(Bytes::copy_from_slice(value)));
            ControlFlow::Continue(())
        };
        map.scan(&all, Effort::Unbounded, visit).unwrap();
    }
    let copy = MemoryMap::default();
    copy.write(&changes, Durability::Synced).unwrap();
    copy
}

fn open(map: &MemoryMap, control: &Arc<Control>) -> Arc<Disturbed<MemoryMap>> {
    disturbed(map.clone(), control, &clock())
}

#[tokio::test]
async fn given_a_claim_lost_with_the_power_when_claimed_again_then_its_names_are_new() {
    // Given an upload whose claim is answered and not durable
    let (map, control, ours) = (MemoryMap::default(), Arc::default(), repository("ours"));
    let (store, id) = (open(&map, &control), upload_id(1));
    store.create_upload(&origin(), &ours, id).await.unwrap();
    let durable = copy(&map);
    let lost = store.claim_upload(&ours, id).await.unwrap().unwrap().epoch;

    // When
    let mut starts = vec![lost.start];
    for _ in 0..3 {
        // Each start loses its claim as well, so the row is the same every time.
        let after = copy(&durable);
        let start = after.get(&keys::start()).unwrap();
        let store = open(&after, &control);
        let claim = store.claim_upload(&ours, id).await.unwrap().unwrap().epoch;
        assert_eq!(claim.claim, lost.claim, "the row of the upload does not know");
        starts.push(claim.start);
        assert_ne!(after.get(&keys::start()).unwrap(), start);
        // What the claim's answer waited for.
        let mut taken = Changes::default();
        taken.set(keys::start(), after.get(&keys::start()).unwrap());
        durable.write(&taken, Durability::Synced).unwrap();
    }

    // Then
    assert_eq!(starts, [1, 2, 3, 4]);
}

#[tokio::test]
async fn given_the_first_claim_of_a_start_when_answered_then_the_number_of_the_start_is_durable() {
    let (map, control, ours) = (
        MemoryMap::default(),
        Arc::<Control>::default(),
        repository("ours"),
    );
    for start in 1..=3 {
        let store = open(&map, &control);
        store
            .create_upload(&origin(), &ours, upload_id(start))
            .await
            .unwrap();
        store
            .claim_upload(&ours, upload_id(start))
            .await
            .unwrap()
            .unwrap();
        let written = control.take_written();
        let durabilities: Vec<_> = written.iter().map(|write| write.durability).collect();
        assert_eq!(durabilities, [Durability::Synced, Durability::Written], "{start}");
    }
}

#[tokio::test]
async fn given_a_claim_lost_by_a_reopened_engine_when_claimed_again_then_the_first_writer_is_fenced() {
    // Given
    let (map, control, ours) = (
        MemoryMap::default(),
        Arc::<Control>::default(),
        repository("ours"),
    );
    let (store, id) = (open(&map, &control), upload_id(1));
    store.create_upload(&origin(), &ours, id).await.unwrap();
    let before = map.get(&keys::upload(id)).unwrap();
    let lost = store.claim_upload(&ours, id).await.unwrap().unwrap().epoch;

    // When a write fails, and the engine finds the state before the claim when it opens the database again
    control.set_mode(WriteMode::FailedBefore);
    store
        .finish_upload(&origin(), push(&ours, "blob"))
        .await
        .unwrap_err();
    let mut undone = Changes::default();
    undone.set(keys::upload(id), before);
    map.write(&undone, Durability::Synced).unwrap();
    control.set_mode(WriteMode::Made);
    let deadline = Instant::now() + Duration::from_secs(30);
    while store.ping().await.is_err() {
        assert!(Instant::now() < deadline, "the store did not come back");
        tokio::task::yield_now().await;
    }
    let claim = store.claim_upload(&ours, id).await.unwrap().unwrap().epoch;

    // Then
    assert_eq!(claim.claim, lost.claim);
    assert_ne!(claim.name(id, 0), lost.name(id, 0));
    let stale = store.save_progress(id, lost, Progress::default(), Written::default());
    assert_eq!(stale.await.unwrap(), WriterOutcome::Fenced);
    let own = store.save_progress(id, claim, Progress::default(), Written::default());
    assert_eq!(own.await.unwrap(), WriterOutcome::Done);
}

#[tokio::test]
async fn given_a_start_row_that_cannot_be_read_when_claimed_then_the_number_is_still_new() {
    let (map, control, ours) = (
        MemoryMap::default(),
        Arc::<Control>::default(),
        repository("ours"),
    );
    let mut damage = Changes::default();
    damage.set(keys::start(), Some(Bytes::from_static(b"\x09")));
    map.write(&damage, Durability::Synced).unwrap();

    let epoch = open(&map, &control)
        .create_upload(&origin(), &ours, upload_id(1))
        .await
        .unwrap();

    assert!(epoch.start > 1_000_000_000, "no store was opened so often");
}
