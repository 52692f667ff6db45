//! Objects whose rows cannot be read.

use zas_core::{BucketId, ObjectKey};

use super::*;
use crate::keys;
use crate::ordered_map::{Changes, Durability};
use crate::{
    BucketStore as _, DeleteObject, DeleteOutcome, Expected, MemoryMetadata, MetadataError, NewBucket,
    NewContent, ObjectAttributes, ObjectStore as _, Owner, PutObject, VersionKind, VersionSelector,
    WriteCondition,
};

fn key(name: &str) -> ObjectKey {
    name.parse().unwrap()
}

async fn with_objects(names: &[&str]) -> (MemoryMetadata, BucketId) {
    let store = MemoryMetadata::new(clocks(&clock()), TIMING);
    let bucket = BucketId::new(upload_id(1));
    let new = NewBucket {
        name: "first".parse().unwrap(),
        id: bucket,
        owner: Owner::default(),
        region: String::new(),
    };
    store.create_bucket(&origin(), new).await.unwrap();
    for name in names {
        let object = PutObject {
            bucket,
            key: key(name),
            attributes: ObjectAttributes::default(),
            content: NewContent::Inline {
                digest: digest("x"),
                bytes: Bytes::from_static(b"x"),
            },
            condition: WriteCondition::default(),
            random: 1,
        };
        store.put_object(&origin(), object).await.unwrap();
    }
    (store, bucket)
}

#[tokio::test]
async fn given_a_damaged_head_when_several_are_deleted_then_it_alone_is_told_and_the_others_go() {
    let (store, bucket) = with_objects(&["a", "b", "c"]).await;
    let mut damage = Changes::default();
    damage.set(keys::live(bucket, &key("b")), Some(Bytes::from_static(b"?")));
    store.map().write(&damage, Durability::Synced).unwrap();
    let deletion = |name| DeleteObject {
        key: key(name),
        version: VersionSelector::Current,
        expected: Expected::Any,
        random: 2,
    };
    let owner = Owner::default();

    let several = vec![deletion("a"), deletion("b"), deletion("c")];
    let outcomes = store
        .delete_objects(&origin(), bucket, &owner, several)
        .await
        .unwrap();

    let removed = DeleteOutcome::Removed(VersionKind::Object);
    assert_eq!(outcomes, [removed, DeleteOutcome::Damaged, removed]);
    let alone = store
        .delete_object(&origin(), bucket, &owner, deletion("b"))
        .await;
    assert!(matches!(alone, Err(MetadataError::Corrupt(damage)) if damage.contains("object head")));
}
