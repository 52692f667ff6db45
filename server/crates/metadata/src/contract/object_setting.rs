//! Short words for what clients do with buckets and objects.

use bytes::Bytes;
use zas_core::{BucketId, BucketName, ObjectKey};

use super::setting::{Setting, digest, origin};
use crate::{
    BucketOutcome, CreateBucketOutcome, DeleteObject, DeleteOutcome, DocumentKind, Expected, ListBuckets,
    ListObjects, ListedBucket, NewBucket, NewContent, NewVersion, ObjectAttributes, ObjectBytes,
    ObjectLookup, ObjectPage, ObjectVersion, Overwrite, Owner, Page, PutObject, PutOutcome, UpdateOutcome,
    VersionSelector, Versioning, WriteCondition,
};

pub(super) fn owner(subject: &str) -> Owner {
    Owner {
        issuer: "users".to_owned(),
        subject: subject.to_owned(),
    }
}

pub(super) fn bucket_name(name: &str) -> BucketName {
    name.parse().unwrap()
}

pub(super) fn key(key: &str) -> ObjectKey {
    ObjectKey::from_text(key).unwrap()
}

/// What an object of these bytes carries; the text is its entity tag.
pub(super) fn attributes(content: &str) -> ObjectAttributes {
    ObjectAttributes {
        etag: content.to_owned(),
        owner: owner("alice"),
        ..ObjectAttributes::default()
    }
}

pub(super) fn inline(content: &str) -> NewContent {
    NewContent::Inline {
        digest: digest(content),
        bytes: Bytes::copy_from_slice(content.as_bytes()),
    }
}

pub(super) fn expecting(expected: Expected) -> WriteCondition {
    WriteCondition {
        expected,
        overwrite: Overwrite::Allowed,
    }
}

pub(super) fn tagged(etag: &str) -> Expected {
    Expected::Tagged(vec![etag.to_owned()])
}

pub(super) trait Objects {
    fn new_bucket(&self, name: &str, owner: &str) -> NewBucket;
    async fn bucket(&self, name: &str) -> BucketId;
    async fn bucket_of(&self, name: &str, owner: &str) -> BucketId;
    async fn list_buckets(
        &self,
        owner: Option<&str>,
        prefix: &str,
        after: Option<&str>,
        count: usize,
    ) -> Page<ListedBucket>;
    async fn version(&self, bucket: BucketId, versioning: Versioning) -> BucketOutcome;
    async fn document(&self, bucket: BucketId, kind: DocumentKind) -> Option<Bytes>;
    async fn set_document(
        &self,
        bucket: BucketId,
        kind: DocumentKind,
        document: Option<&'static str>,
    ) -> BucketOutcome;

    /// A write of inline bytes.
    fn object(&self, bucket: BucketId, key: &str, content: &str) -> PutObject;
    async fn write(&self, object: PutObject) -> PutOutcome;
    async fn try_put(&self, bucket: BucketId, key: &str, content: &str) -> PutOutcome;
    async fn put(&self, bucket: BucketId, key: &str, content: &str) -> NewVersion;

    async fn look_up(
        &self,
        bucket: BucketId,
        key: &str,
        version: VersionSelector,
    ) -> ObjectLookup<ObjectVersion>;
    async fn current(&self, bucket: BucketId, key: &str) -> Option<ObjectVersion>;
    /// The inline bytes of a version.
    async fn text(&self, bucket: BucketId, key: &str, version: VersionSelector) -> Option<String>;

    fn deletion(&self, key: &str, version: VersionSelector) -> DeleteObject;
    async fn try_delete(&self, bucket: BucketId, deletion: DeleteObject) -> DeleteOutcome;
    /// Deletes without an id; gives what selects the delete marker that was made, if any.
    async fn delete(&self, bucket: BucketId, key: &str) -> VersionSelector;
    async fn remove(&self, bucket: BucketId, key: &str, version: VersionSelector) -> DeleteOutcome;

    async fn delete_all(&self, bucket: BucketId, deletions: Vec<DeleteObject>) -> Vec<DeleteOutcome>;
    async fn set_tags(
        &self,
        bucket: BucketId,
        key: &str,
        version: VersionSelector,
        tags: Vec<(String, String)>,
    ) -> UpdateOutcome;

    async fn page(&self, list: ListObjects) -> ObjectPage;
    /// The keys that start with `prefix`.
    async fn keys(&self, bucket: BucketId, prefix: &str) -> Vec<String>;
}

impl Objects for Setting {
    fn new_bucket(&self, name: &str, of: &str) -> NewBucket {
        NewBucket {
            name: bucket_name(name),
            id: BucketId::new(self.id()),
            owner: owner(of),
            region: "here".to_owned(),
        }
    }

    async fn bucket(&self, name: &str) -> BucketId {
        self.bucket_of(name, "alice").await
    }

    async fn bucket_of(&self, name: &str, owner: &str) -> BucketId {
        let new = self.new_bucket(name, owner);
        match self.store.create_bucket(&origin(), new).await.unwrap() {
            CreateBucketOutcome::Created(bucket) => bucket.id,
            CreateBucketOutcome::Exists(_) => panic!("{name} is taken"),
        }
    }

    async fn list_buckets(
        &self,
        of: Option<&str>,
        prefix: &str,
        after: Option<&str>,
        count: usize,
    ) -> Page<ListedBucket> {
        let list = ListBuckets {
            owner: of.map(owner),
            prefix: prefix.to_owned(),
            after: after.map(str::to_owned),
            count,
        };
        self.store.list_buckets(list).await.unwrap()
    }

    async fn version(&self, bucket: BucketId, versioning: Versioning) -> BucketOutcome {
        self.store
            .set_versioning(&origin(), bucket, versioning)
            .await
            .unwrap()
    }

    async fn document(&self, bucket: BucketId, kind: DocumentKind) -> Option<Bytes> {
        self.store.bucket_document(bucket, kind).await.unwrap()
    }

    async fn set_document(
        &self,
        bucket: BucketId,
        kind: DocumentKind,
        document: Option<&'static str>,
    ) -> BucketOutcome {
        self.store
            .set_bucket_document(&origin(), bucket, kind, document.map(Bytes::from))
            .await
            .unwrap()
    }

    fn object(&self, bucket: BucketId, name: &str, content: &str) -> PutObject {
        PutObject {
            bucket,
            key: key(name),
            attributes: attributes(content),
            content: inline(content),
            condition: WriteCondition::default(),
            random: self.random(),
        }
    }

    async fn write(&self, object: PutObject) -> PutOutcome {
        self.store.put_object(&origin(), object).await.unwrap()
    }

    async fn try_put(&self, bucket: BucketId, key: &str, content: &str) -> PutOutcome {
        self.write(self.object(bucket, key, content)).await
    }

    async fn put(&self, bucket: BucketId, key: &str, content: &str) -> NewVersion {
        match self.try_put(bucket, key, content).await {
            PutOutcome::Stored(written) => written,
            refused => panic!("{key}: {refused:?}"),
        }
    }

    async fn look_up(
        &self,
        bucket: BucketId,
        name: &str,
        version: VersionSelector,
    ) -> ObjectLookup<ObjectVersion> {
        self.store.stat_object(bucket, &key(name), version).await.unwrap()
    }

    async fn current(&self, bucket: BucketId, name: &str) -> Option<ObjectVersion> {
        match self.look_up(bucket, name, VersionSelector::Current).await {
            ObjectLookup::Found(object) => Some(object),
            ObjectLookup::DeleteMarker(_) | ObjectLookup::Unknown => None,
        }
    }

    async fn text(&self, bucket: BucketId, name: &str, version: VersionSelector) -> Option<String> {
        match self.store.get_object(bucket, &key(name), version).await.unwrap() {
            ObjectLookup::Found((object, ObjectBytes::Inline(bytes))) => {
                assert_eq!(object.size, bytes.len() as u64);
                Some(String::from_utf8(bytes.to_vec()).unwrap())
            }
            ObjectLookup::Found(other) => panic!("{other:?}"),
            ObjectLookup::DeleteMarker(_) | ObjectLookup::Unknown => None,
        }
    }

    fn deletion(&self, name: &str, version: VersionSelector) -> DeleteObject {
        DeleteObject {
            key: key(name),
            version,
            expected: Expected::Any,
            random: self.random(),
        }
    }

    async fn try_delete(&self, bucket: BucketId, deletion: DeleteObject) -> DeleteOutcome {
        self.store
            .delete_object(&origin(), bucket, &owner("bob"), deletion)
            .await
            .unwrap()
    }

    async fn delete(&self, bucket: BucketId, key: &str) -> VersionSelector {
        let deletion = self.deletion(key, VersionSelector::Current);
        match self.try_delete(bucket, deletion).await {
            DeleteOutcome::MarkerMade(marker) => marker.selector(),
            _ => VersionSelector::Current,
        }
    }

    async fn remove(&self, bucket: BucketId, key: &str, version: VersionSelector) -> DeleteOutcome {
        self.try_delete(bucket, self.deletion(key, version)).await
    }

    async fn delete_all(&self, bucket: BucketId, deletions: Vec<DeleteObject>) -> Vec<DeleteOutcome> {
        self.store
            .delete_objects(&origin(), bucket, &owner("bob"), deletions)
            .await
            .unwrap()
    }

    async fn set_tags(
        &self,
        bucket: BucketId,
        name: &str,
        version: VersionSelector,
        tags: Vec<(String, String)>,
    ) -> UpdateOutcome {
        self.store
            .set_object_tags(&origin(), bucket, &key(name), version, tags)
            .await
            .unwrap()
    }

    async fn page(&self, list: ListObjects) -> ObjectPage {
        self.store.list_objects(list).await.unwrap()
    }

    async fn keys(&self, bucket: BucketId, prefix: &str) -> Vec<String> {
        let mut keys = Vec::new();
        let mut after = None;
        loop {
            let mut list = listing(bucket, prefix, None, 1000);
            list.after = after;
            let page = self.page(list).await;
            keys.extend(page.objects.iter().map(|object| object.key.as_str().to_owned()));
            match page.next {
                Some(next) => after = Some(next),
                None => return keys,
            }
        }
    }
}

pub(super) fn listing(bucket: BucketId, prefix: &str, delimiter: Option<&str>, count: usize) -> ListObjects {
    ListObjects {
        bucket,
        prefix: prefix.to_owned(),
        delimiter: delimiter.map(str::to_owned),
        after: None,
        count,
    }
}

/// What a page shows, in order: keys, and common prefixes behind a star.
pub(super) fn shown(page: &ObjectPage) -> Vec<String> {
    let keys = page.objects.iter().map(|object| object.key.as_str().to_owned());
    let mut shown: Vec<_> = keys
        .map(|key| (key.clone(), key))
        .chain(
            page.prefixes
                .iter()
                .map(|prefix| (prefix.clone(), format!("*{prefix}"))),
        )
        .collect();
    shown.sort();
    shown.into_iter().map(|(_, shown)| shown).collect()
}
