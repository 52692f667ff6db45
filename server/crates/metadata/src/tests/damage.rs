//! Rows whose bytes are no rows: named when read, and written anew by the next push.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use zas_core::{Reference, Tag};

use super::*;
use crate::memory_map::MemoryMap;
use crate::ordered_map::{Changes, Durability, Key, OrderedMap as _};
use crate::rows::{Payload, Row as _};
use crate::{
    CommitOutcome, DamageOutcome, DeleteTagOutcome, FinishOutcome, Lease, MemoryMetadata, MetadataError,
    MetadataStore, OrphanOutcome, Precondition, keys,
};

struct Given {
    store: MemoryMetadata,
    map: Arc<MemoryMap>,
    uploads: AtomicU64,
}

impl Given {
    /// A store with a small blob, a large one and a manifest.
    async fn new() -> Self {
        let store = MemoryMetadata::new(clocks(&clock()), TIMING);
        let given = Self {
            map: store.map(),
            store,
            uploads: AtomicU64::new(1),
        };
        given.push_all().await;
        given
    }

    async fn push_all(&self) -> [FinishOutcome; 2] {
        let ours = repository("ours");
        let small = self.finish(push(&ours, "small")).await;
        let id = upload_id(self.uploads.fetch_add(1, Ordering::SeqCst));
        let epoch = self.store.create_upload(&origin(), &ours, id).await.unwrap();
        let large = crate::FinishUpload {
            id,
            epoch: Some(epoch),
            holder: ours.clone(),
            blob: file_blob("large", epoch.name(id, 0)),
        };
        let large = self.finish(large).await;
        self.store
            .commit_manifest(&origin(), manifest(&ours, "{m}"))
            .await
            .unwrap();
        [small, large]
    }

    async fn finish(&self, upload: crate::FinishUpload) -> FinishOutcome {
        self.store.finish_upload(&origin(), upload).await.unwrap()
    }

    fn damage(&self, key: Key) {
        self.write(key, Bytes::from_static(b"\x09 damaged"));
    }

    fn write(&self, key: Key, value: Bytes) {
        let mut changes = Changes::default();
        changes.set(key, Some(value));
        self.map.write(&changes, Durability::Synced).unwrap();
    }
}

#[tokio::test]
async fn given_damaged_rows_of_a_blob_when_pushed_again_then_named_before_and_healed_after() {
    let (ours, small, large) = (repository("ours"), digest("small"), digest("large"));
    for (key, blob) in [
        (keys::blob(&small), small),
        (keys::blob_data(&small), small),
        (keys::link(&small, &ours), small),
        (keys::blob(&large), large),
        (keys::link(&large, &ours), large),
    ] {
        // Given
        let given = Given::new().await;
        given.damage(key.clone());
        let answer = given.store.stat_blob(&ours, &blob, Lease::Leave).await;
        assert!(
            matches!(answer, Err(MetadataError::Corrupt(_))),
            "{key:?}: {answer:?}"
        );
        // When
        given.push_all().await;
        // Then
        let answer = given.store.stat_blob(&ours, &blob, Lease::Renew).await;
        assert!(matches!(answer, Ok(Some(_))), "{key:?}: {answer:?}");
    }
}

#[tokio::test]
async fn given_a_damaged_body_when_pushed_again_then_named_before_and_healed_after() {
    let (given, ours, body) = (Given::new().await, repository("ours"), digest("{m}"));
    given.damage(keys::body(&ours, &body));
    let reference = Reference::Digest(body);
    let answer = given.store.resolve_manifest(&ours, &reference).await;
    assert!(matches!(answer, Err(MetadataError::Corrupt(_))), "{answer:?}");

    given.push_all().await;

    let answer = given.store.resolve_manifest(&ours, &reference).await.unwrap();
    assert_eq!(answer.unwrap().body, "{m}");
}

#[tokio::test]
async fn given_a_damaged_row_of_a_manifest_when_pulled_then_answered_and_healed_by_the_next_push() {
    let (given, ours, body) = (Given::new().await, repository("ours"), digest("{m}"));
    let reference = Reference::Digest(body);
    let whole = given.store.resolve_manifest(&ours, &reference).await.unwrap();
    let damage = Bytes::from_static(b"\x09 damaged");
    given.write(keys::manifest(&ours, &body), damage.clone());
    let answer = given.store.resolve_manifest(&ours, &reference).await.unwrap();
    assert_eq!(answer, whole);

    given.push_all().await;

    let stored = given.map.get(&keys::manifest(&ours, &body)).unwrap();
    assert_ne!(stored, Some(damage));
}

#[tokio::test]
async fn given_a_damaged_row_of_a_manifest_when_pushed_under_a_type_it_may_not_take_then_refused() {
    let (given, ours, body) = (Given::new().await, repository("ours"), digest("{m}"));
    given.damage(keys::manifest(&ours, &body));
    let mut other = manifest(&ours, "{m}");
    let first = std::mem::replace(
        &mut other.media_type,
        "application/vnd.oci.image.index.v1+json".parse().unwrap(),
    );
    other.retyping = Retyping::Refused;

    let outcome = given.store.commit_manifest(&origin(), other).await.unwrap();

    assert_eq!(outcome, CommitOutcome::TypeConflict(first));
}

/// Versions up to 0.2.0 stored the media type with the row alone.
#[tokio::test]
async fn given_a_body_without_media_type_when_pulled_then_its_row_tells_and_the_next_push_adds_it() {
    // Given
    let (given, ours, body) = (Given::new().await, repository("ours"), digest("{m}"));
    let reference = Reference::Digest(body);
    let whole = given.store.resolve_manifest(&ours, &reference).await.unwrap();
    let key = keys::body(&ours, &body);
    let new = given.map.get(&key).unwrap();
    given.write(key.clone(), Payload(Bytes::from_static(b"{m}")).encode());
    // When
    let answer = given.store.resolve_manifest(&ours, &reference).await.unwrap();
    given.push_all().await;
    // Then
    assert_eq!(answer, whole);
    assert_eq!(given.map.get(&key).unwrap(), new);
}

/// Points a tag to a manifest.
async fn commit(given: &Given, body: &str, tag: &Tag, precondition: Precondition) -> CommitOutcome {
    let mut commit = manifest(&repository("ours"), body);
    commit.tags = vec![(tag.clone(), precondition)];
    given.store.commit_manifest(&origin(), commit).await.unwrap()
}

#[tokio::test]
async fn given_a_damaged_tag_when_pushed_again_then_named_before_and_healed_after() {
    // Given
    let (given, ours, tag) = (Given::new().await, repository("ours"), "t".parse().unwrap());
    commit(&given, "{a}", &tag, Precondition::Any).await;
    given.damage(keys::tag(&ours, &tag));
    let reference = Reference::Tag(tag.clone());
    let answer = given.store.resolve_manifest(&ours, &reference).await;
    assert!(matches!(answer, Err(MetadataError::Corrupt(_))), "{answer:?}");
    // Whoever may not overwrite does not, and whoever knows where it points is not sure any more.
    for precondition in [Precondition::Absent, Precondition::Equals(digest("{a}"))] {
        let outcome = commit(&given, "{b}", &tag, precondition).await;
        assert_eq!(outcome, CommitOutcome::TagConflict(vec![tag.clone()]));
    }

    // When
    let outcome = commit(&given, "{b}", &tag, Precondition::Any).await;

    // Then
    let healed = CommitOutcome::Committed {
        created: true,
        displaced: Vec::new(),
    };
    assert_eq!(outcome, healed);
    given
        .store
        .delete_manifest(&origin(), &ours, &digest("{a}"), SharedManifest::Delete)
        .await
        .unwrap();
    let answer = given.store.resolve_manifest(&ours, &reference).await.unwrap();
    assert_eq!(
        answer.unwrap().body,
        "{b}",
        "the tag no longer goes with its old manifest"
    );
}

#[tokio::test]
async fn given_a_damaged_tag_when_it_or_its_manifest_is_deleted_then_it_is_gone() {
    let (ours, tag): (_, Tag) = (repository("ours"), "t".parse().unwrap());
    for by_manifest in [false, true] {
        let given = Given::new().await;
        commit(&given, "{a}", &tag, Precondition::Any).await;
        given.damage(keys::tag(&ours, &tag));

        if by_manifest {
            given
                .store
                .delete_manifest(&origin(), &ours, &digest("{a}"), SharedManifest::Delete)
                .await
                .unwrap();
        } else {
            let guarded = Precondition::Equals(digest("{a}"));
            let outcome = given.store.delete_tag(&origin(), &ours, &tag, guarded).await;
            assert_eq!(outcome.unwrap(), DeleteTagOutcome::Conflict);
            let outcome = given
                .store
                .delete_tag(&origin(), &ours, &tag, Precondition::Any)
                .await;
            assert_eq!(outcome.unwrap(), DeleteTagOutcome::Deleted(None));
        }

        let listed = given.store.list_tags(&ours, None, 9).await.unwrap();
        assert!(listed.unwrap().entries.is_empty(), "by manifest: {by_manifest}");
        assert_eq!(given.store.resolve_tag(&ours, &tag).await.unwrap(), None);
    }
}

#[tokio::test]
async fn given_a_healed_blob_when_swept_then_the_name_that_its_damaged_row_held_is_doomed() {
    let given = Given::new().await;
    let ours = repository("ours");
    let before = given.store.stat_blob(&ours, &digest("large"), Lease::Leave).await;
    let old = locations(&before.unwrap().unwrap());
    given.damage(keys::blob(&digest("large")));
    // What the blob names is not known: nothing of it may go.
    assert!(given.store.claim_orphan(old).await.is_err());

    given.push_all().await;

    let after = given.store.stat_blob(&ours, &digest("large"), Lease::Leave).await;
    let new = locations(&after.unwrap().unwrap());
    assert_ne!(old, new);
    assert_eq!(
        given.store.claim_orphan(old).await.unwrap(),
        OrphanOutcome::Doomed
    );
    assert_eq!(given.store.claim_orphan(new).await.unwrap(), OrphanOutcome::Known);
}

#[tokio::test]
async fn given_a_blob_row_that_cannot_be_read_when_listed_and_marked_then_it_is_named() {
    let given = Given::new().await;
    given.damage(keys::blob(&digest("large")));
    let listed = given.store.list_blobs(None, 9).await.unwrap().entries;
    let entry = listed
        .iter()
        .find(|entry| entry.digest == digest("large"))
        .unwrap();
    assert_eq!(entry.content, None);

    let outcome = given.store.mark_damaged(&digest("large"), None).await.unwrap();

    assert_eq!(outcome, DamageOutcome::Marked);
    let damaged = given.store.list_damaged(9).await.unwrap().entries;
    assert_eq!(damaged, [digest("large")]);
    given.push_all().await;
    assert!(given.store.list_damaged(9).await.unwrap().entries.is_empty());
}

fn locations(blob: &crate::BlobStat) -> zas_core::LocationName {
    let crate::BlobContent::Extents(extents) = &blob.content else {
        panic!("the blob is in the blob store");
    };
    extents.first().unwrap().location
}
