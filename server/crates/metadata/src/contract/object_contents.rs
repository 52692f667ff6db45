//! Objects whose bytes are in the blob store, beside repositories that hold the same.

use tokio::task::JoinSet;
use zas_core::{BucketId, Holder, LocationName, UploadId};

use super::cases;
use super::object_setting::{Objects, expecting, key, owner, tagged};
use super::setting::{DOOM_DELAY, LEASE, Setting, digest, file, origin, repository};
use crate::{
    BlobContent, CompleteMultipart, CompleteOutcome, ContentRef, CreateMultipartOutcome, Epoch, Extent,
    GarbageOutcome, MetadataError, MultipartName, NewContent, NewMultipart, NewPartContent, ObjectAttributes,
    ObjectBytes, ObjectLookup, PutObject, PutOutcome, PutPart, PutPartOutcome, ReapOutcome, Run,
    VersionSelector, Versioning, WriteCondition,
};
use VersionSelector::Current;

cases![
    given_bytes_of_an_upload_when_put_then_the_object_has_them_and_the_upload_is_gone,
    given_a_refused_put_when_its_upload_is_claimed_again_then_it_goes_on,
    given_no_upload_into_the_bucket_when_put_then_told_and_nothing_changed,
    given_an_object_when_due_links_are_collected_then_its_bytes_stay,
    given_an_object_when_it_is_deleted_then_its_bytes_go_after_the_doom_delay_alone,
    given_two_versions_of_one_digest_when_one_is_deleted_then_the_other_keeps_the_bytes,
    given_a_repository_and_a_bucket_with_one_digest_when_one_lets_go_then_the_other_keeps_the_bytes,
    given_a_stored_object_when_copied_to_another_bucket_then_it_outlives_its_source,
    given_damaged_bytes_when_read_or_copied_then_refused_until_an_upload_heals_them,
    given_stored_parts_when_replaced_aborted_or_deleted_then_their_names_are_doomed,
    given_a_range_of_a_stored_object_when_copied_as_a_part_then_read_across_its_runs,
    given_parts_when_looked_for_orphans_then_their_names_are_known,
    given_writers_deletions_and_collection_of_one_digest_when_they_race_then_every_object_has_its_bytes,
];

trait Stored {
    async fn uploaded(&self, bucket: BucketId, content: &str) -> (UploadId, Epoch);
    /// Puts an object whose bytes are a file; gives the file's name.
    async fn put_file(&self, bucket: BucketId, key: &str, content: &str) -> LocationName;
    /// The names of an object's bytes.
    async fn names(&self, bucket: BucketId, key: &str) -> Option<Vec<LocationName>>;
    async fn copy(&self, from: (BucketId, &str), to: (BucketId, &str)) -> PutOutcome;
    /// Collects until nothing is due.
    async fn collect_all(&self);
    async fn put_part_file(&self, name: &MultipartName, number: u16, content: &str) -> LocationName;
    async fn part(&self, name: &MultipartName, number: u16, content: NewPartContent) -> PutPartOutcome;
    async fn opened(&self, bucket: BucketId, key: &str) -> MultipartName;
    async fn completed(&self, name: &MultipartName, parts: &[(u16, u64)]);
}

impl Stored for Setting {
    async fn uploaded(&self, bucket: BucketId, _content: &str) -> (UploadId, Epoch) {
        self.start(&Holder::Bucket(bucket)).await
    }

    async fn put_file(&self, bucket: BucketId, key: &str, content: &str) -> LocationName {
        let (id, epoch) = self.uploaded(bucket, content).await;
        let object = upload(self.object(bucket, key, ""), id, epoch, content);
        assert!(matches!(self.write(object).await, PutOutcome::Stored(_)));
        epoch.name(id, 0)
    }

    async fn names(&self, bucket: BucketId, name: &str) -> Option<Vec<LocationName>> {
        match self.store.get_object(bucket, &key(name), Current).await.unwrap() {
            ObjectLookup::Found((_, ObjectBytes::Extents(extents))) => {
                Some(extents.iter().map(|extent| extent.location).collect())
            }
            _ => None,
        }
    }

    async fn copy(&self, from: (BucketId, &str), to: (BucketId, &str)) -> PutOutcome {
        let content = NewContent::CopyOf {
            bucket: from.0,
            key: key(from.1),
            version: self.current(from.0, from.1).await.unwrap().version,
        };
        self.write(PutObject {
            content,
            ..self.object(to.0, to.1, "")
        })
        .await
    }

    async fn collect_all(&self) {
        loop {
            let garbage = self.store.take_garbage(100).await.unwrap();
            for entry in &garbage {
                let outcome = self.store.drain_garbage(entry).await.unwrap();
                assert_ne!(outcome, GarbageOutcome::Later);
            }
            if self.collect().await.is_empty() && garbage.is_empty() {
                return;
            }
        }
    }

    async fn put_part_file(&self, name: &MultipartName, number: u16, content: &str) -> LocationName {
        let (id, epoch) = self.start(&Holder::Bucket(name.bucket)).await;
        let BlobContent::Extents(extents) = file(epoch.name(id, 0), content).content else {
            panic!("a file has runs");
        };
        let size = content.len() as u64;
        let content = NewPartContent::Upload {
            id,
            epoch,
            size,
            extents,
        };
        let outcome = self.part(name, number, content).await;
        assert_eq!(outcome, PutPartOutcome::Stored(self.now()));
        epoch.name(id, 0)
    }

    async fn part(&self, name: &MultipartName, number: u16, content: NewPartContent) -> PutPartOutcome {
        let part = PutPart {
            multipart: name.clone(),
            number,
            etag: String::new(),
            checksum: None,
            content,
        };
        self.store.put_part(&origin(), part).await.unwrap()
    }

    async fn opened(&self, bucket: BucketId, name: &str) -> MultipartName {
        let name = MultipartName {
            bucket,
            key: key(name),
            id: self.id(),
        };
        let new = NewMultipart {
            name: name.clone(),
            initiator: owner("bob"),
            attributes: ObjectAttributes::default(),
        };
        let outcome = self.store.create_multipart(&origin(), new).await.unwrap();
        assert_eq!(outcome, CreateMultipartOutcome::Created);
        name
    }

    async fn completed(&self, name: &MultipartName, parts: &[(u16, u64)]) {
        let completion = CompleteMultipart {
            name: name.clone(),
            revision: self.store.stat_multipart(name).await.unwrap().unwrap().revision,
            parts: parts.to_vec(),
            etag: "whole".to_owned(),
            checksum: None,
            condition: WriteCondition::default(),
            random: self.random(),
        };
        let outcome = self
            .store
            .complete_multipart(&origin(), completion)
            .await
            .unwrap();
        assert!(matches!(outcome, CompleteOutcome::Completed(_)));
    }
}

/// An object whose bytes an upload has written.
fn upload(object: PutObject, id: UploadId, epoch: Epoch, content: &str) -> PutObject {
    let blob = file(epoch.name(id, 0), content);
    PutObject {
        content: NewContent::Upload { id, epoch, blob },
        ..object
    }
}

async fn given_bytes_of_an_upload_when_put_then_the_object_has_them_and_the_upload_is_gone(given: Setting) {
    let bucket = given.bucket("first").await;
    let id = given.put_file(bucket, "k", "layer").await;

    let object = given.current(bucket, "k").await.unwrap();
    assert_eq!(
        (object.size, object.content),
        (5, ContentRef::Blob(digest("layer")))
    );
    assert_eq!(given.names(bucket, "k").await, Some(vec![id]));
    let holder = Holder::Bucket(bucket);
    assert_eq!(given.store.stat_upload(&holder, id.upload).await.unwrap(), None);
    assert_eq!(
        given.store.find_holders(&digest("layer"), 9).await.unwrap(),
        [holder]
    );
    // Once more: the proved bytes take the place of the others.
    let again = given.put_file(bucket, "l", "layer").await;
    for key in ["k", "l"] {
        assert_eq!(given.names(bucket, key).await, Some(vec![again]));
    }
    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, [id]);
}

async fn given_a_refused_put_when_its_upload_is_claimed_again_then_it_goes_on(given: Setting) {
    let bucket = given.bucket("first").await;
    let (id, epoch) = given.uploaded(bucket, "layer").await;
    let refused = PutObject {
        condition: expecting(tagged("e")),
        ..upload(given.object(bucket, "k", ""), id, epoch, "layer")
    };
    assert_eq!(given.write(refused).await, PutOutcome::NoCurrent);
    assert_eq!(given.store.find_holders(&digest("layer"), 9).await.unwrap(), []);
    let claim = given
        .store
        .claim_upload(&Holder::Bucket(bucket), id)
        .await
        .unwrap()
        .unwrap();
    let fenced = upload(given.object(bucket, "k", ""), id, epoch, "layer");
    assert_eq!(given.write(fenced).await, PutOutcome::Fenced);
    let object = upload(given.object(bucket, "k", ""), id, claim.epoch, "layer");
    assert!(matches!(given.write(object).await, PutOutcome::Stored(_)));
}

async fn given_no_upload_into_the_bucket_when_put_then_told_and_nothing_changed(given: Setting) {
    let (bucket, other) = (given.bucket("first").await, given.bucket("other").await);
    let (id, epoch) = given.uploaded(other, "layer").await;
    let object = upload(given.object(bucket, "k", ""), id, epoch, "layer");
    assert_eq!(given.write(object).await, PutOutcome::NoSuchUpload);
    assert_eq!(given.current(bucket, "k").await, None);
    let name = given.opened(bucket, "k").await;
    let content = NewPartContent::Upload {
        id,
        epoch,
        size: 0,
        extents: Vec::new(),
    };
    assert_eq!(given.part(&name, 1, content).await, PutPartOutcome::NoSuchUpload);
    assert_eq!(
        given.store.stat_upload(&Holder::Bucket(other), id).await.unwrap(),
        Some(0)
    );
}

async fn given_an_object_when_due_links_are_collected_then_its_bytes_stay(given: Setting) {
    let bucket = given.bucket("first").await;
    let id = given.put_file(bucket, "k", "layer").await;
    // The link got a lease too, as far as the bucket is asked like a repository.
    given.renew(&Holder::Bucket(bucket), &digest("layer")).await;
    for _ in 0..3 {
        given.pass(LEASE);
        given.collect_all().await;
        assert_eq!(given.names(bucket, "k").await, Some(vec![id]));
    }
    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, []);
}

async fn given_an_object_when_it_is_deleted_then_its_bytes_go_after_the_doom_delay_alone(given: Setting) {
    let bucket = given.bucket("first").await;
    let id = given.put_file(bucket, "k", "layer").await;
    given.delete(bucket, "k").await;
    assert_eq!(given.outcomes().await, [ReapOutcome::Doomed(vec![id])]);
    assert_eq!(given.doomed().await, []);
    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, [id]);
    let holders = given.store.find_holders(&digest("layer"), 9).await.unwrap();
    assert_eq!(holders, []);
}

async fn given_two_versions_of_one_digest_when_one_is_deleted_then_the_other_keeps_the_bytes(given: Setting) {
    let bucket = given.bucket("first").await;
    given.version(bucket, Versioning::Enabled).await;
    given.put_file(bucket, "k", "layer").await;
    let first = given.current(bucket, "k").await.unwrap().version;
    let id = given.put_file(bucket, "k", "layer").await;
    given.remove(bucket, "k", first.selector()).await;
    given.collect_all().await;
    assert_eq!(given.names(bucket, "k").await, Some(vec![id]));
    // Behind a delete marker too.
    given.delete(bucket, "k").await;
    given.pass(LEASE);
    given.collect_all().await;
    assert_eq!(
        given.store.find_holders(&digest("layer"), 9).await.unwrap().len(),
        1
    );
}

async fn given_a_repository_and_a_bucket_with_one_digest_when_one_lets_go_then_the_other_keeps_the_bytes(
    given: Setting,
) {
    let (bucket, ours) = (given.bucket("first").await, repository("ours"));
    let (layer, _) = given.push_file(&ours, "layer").await;
    let id = given.put_file(bucket, "k", "layer").await;
    given.store.unlink_blob(&origin(), &ours, &layer).await.unwrap();
    given.pass(LEASE);
    given.collect_all().await;
    assert_eq!(given.names(bucket, "k").await, Some(vec![id]));
    given.push_file(&ours, "layer").await;
    given.delete(bucket, "k").await;
    given.collect_all().await;
    assert!(given.stat(&ours, &layer).await.is_some());
    assert_eq!(given.store.find_holders(&layer, 9).await.unwrap(), [ours]);
}

async fn given_a_stored_object_when_copied_to_another_bucket_then_it_outlives_its_source(given: Setting) {
    let (bucket, other) = (given.bucket("first").await, given.bucket("other").await);
    let id = given.put_file(bucket, "k", "layer").await;
    assert!(matches!(
        given.copy((bucket, "k"), (other, "l")).await,
        PutOutcome::Stored(_)
    ));
    // And onto itself.
    assert!(matches!(
        given.copy((bucket, "k"), (bucket, "k")).await,
        PutOutcome::Stored(_)
    ));
    given.collect_all().await;
    assert_eq!(given.names(bucket, "k").await, Some(vec![id]));
    given.delete(bucket, "k").await;
    given.store.delete_bucket(&origin(), bucket).await.unwrap();
    given.collect_all().await;
    assert_eq!(given.names(other, "l").await, Some(vec![id]));
    given.delete(other, "l").await;
    given.collect_all().await;
    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, [id]);
}

async fn given_damaged_bytes_when_read_or_copied_then_refused_until_an_upload_heals_them(given: Setting) {
    let bucket = given.bucket("first").await;
    let damaged = given.put_file(bucket, "k", "layer").await;
    let seen = file(damaged, "layer").content;
    given
        .store
        .mark_damaged(&digest("layer"), Some(&seen))
        .await
        .unwrap();
    let read = given.store.get_object(bucket, &key("k"), Current).await;
    assert!(matches!(read, Err(MetadataError::Corrupt(_))));
    // What it carries is still told.
    assert_eq!(given.current(bucket, "k").await.unwrap().size, 5);
    assert_eq!(
        given.copy((bucket, "k"), (bucket, "l")).await,
        PutOutcome::NoSuchSource
    );
    let healthy = given.put_file(bucket, "l", "layer").await;
    assert_eq!(given.names(bucket, "k").await, Some(vec![healthy]));
}

async fn given_stored_parts_when_replaced_aborted_or_deleted_then_their_names_are_doomed(given: Setting) {
    let bucket = given.bucket("first").await;
    let name = given.opened(bucket, "k").await;
    let replaced = given.put_part_file(&name, 1, "old").await;
    let listed = given.put_part_file(&name, 1, "new").await;
    let unlisted = given.put_part_file(&name, 2, "not").await;
    given.completed(&name, &[(1, 3)]).await;
    let aborted = given.opened(bucket, "k").await;
    let part = given.put_part_file(&aborted, 1, "x").await;
    given.store.abort_multipart(&origin(), &aborted).await.unwrap();
    given.collect_all().await;
    given.pass(DOOM_DELAY);
    let mut doomed = given.doomed().await;
    doomed.sort();
    assert_eq!(doomed, [replaced, unlisted, part]);
    given.delete(bucket, "k").await;
    given.pass(DOOM_DELAY);
    given.collect_all().await;
    assert_eq!(given.doomed().await.len(), 3);
    given.pass(DOOM_DELAY);
    assert!(given.doomed().await.contains(&listed));
}

async fn given_a_range_of_a_stored_object_when_copied_as_a_part_then_read_across_its_runs(given: Setting) {
    let bucket = given.bucket("first").await;
    let base = given.opened(bucket, "parts").await;
    let first = given.put_part_file(&base, 3, "0123").await;
    let second = given.put_part_file(&base, 9, "4567").await;
    given.completed(&base, &[(3, 4), (9, 4)]).await;
    let blob = given.put_file(bucket, "blob", "abcdef").await;
    let name = given.opened(bucket, "k").await;
    for (number, source, offset, length) in [(1, "parts", 2, 4), (2, "blob", 1, 3)] {
        let content = NewPartContent::CopyOf {
            bucket,
            key: key(source),
            version: given.current(bucket, source).await.unwrap().version,
            offset,
            length,
        };
        let outcome = given.part(&name, number, content).await;
        assert_eq!(outcome, PutPartOutcome::Stored(given.now()));
    }
    given.completed(&name, &[(1, 4), (2, 3)]).await;
    for source in ["parts", "blob"] {
        given.delete(bucket, source).await;
    }
    given.pass(DOOM_DELAY);
    given.collect_all().await;

    let read = async |offset, count| {
        let runs = given
            .store
            .read_composite(name.id, offset, count)
            .await
            .unwrap()
            .unwrap();
        let run = |run: Run| match run {
            Run::Extent(extent) => extent,
            Run::Inline(_) => panic!("the bytes are in files"),
        };
        runs.into_iter().map(run).collect::<Vec<_>>()
    };
    let at = |location, offset, length| Extent {
        location,
        offset,
        length,
    };
    let whole = [at(first, 2, 2), at(second, 0, 2), at(blob, 1, 3)];
    assert_eq!(read(0, 9).await, whole);
    assert_eq!(read(0, 2).await, whole[..2]);
    assert_eq!(read(3, 9).await, [at(second, 1, 1), whole[2]]);
    assert_eq!(read(6, 9).await, [at(blob, 3, 1)]);
    assert_eq!(read(7, 9).await, []);

    given.delete(bucket, "k").await;
    for _ in 0..3 {
        given.pass(DOOM_DELAY);
        given.collect_all().await;
    }
    given.pass(DOOM_DELAY);
    let mut doomed = given.doomed().await;
    doomed.sort();
    assert_eq!(doomed, [first, second, blob]);
}

async fn given_parts_when_looked_for_orphans_then_their_names_are_known(given: Setting) {
    let bucket = given.bucket("first").await;
    let name = given.opened(bucket, "k").await;
    let part = given.put_part_file(&name, 1, "x").await;
    assert_eq!(given.store.find_orphans(&[part]).await.unwrap(), []);
    given.completed(&name, &[(1, 1)]).await;
    assert_eq!(given.store.find_orphans(&[part]).await.unwrap(), []);
}

async fn given_writers_deletions_and_collection_of_one_digest_when_they_race_then_every_object_has_its_bytes(
    given: Setting,
) {
    let bucket = given.bucket("first").await;
    let ours = repository("ours");
    for round in 0..20 {
        let content = format!("layer {round}");
        let mut tasks = JoinSet::new();
        for number in 0..8 {
            let (given, content, ours) = (given.clone(), content.clone(), ours.clone());
            tasks.spawn(async move {
                let key = (number % 4).to_string();
                match number {
                    0..4 => drop(given.put_file(bucket, &key, &content).await),
                    4 | 5 => drop(given.delete(bucket, &key).await),
                    6 => drop(given.push_file(&ours, &content).await),
                    _ => given.collect_all().await,
                }
            });
        }
        tasks.join_all().await;
        given.collect_all().await;
        given.pass(DOOM_DELAY);
        let doomed = given.doomed().await;
        for key in given.keys(bucket, "").await {
            let names = given.names(bucket, &key).await.unwrap();
            assert!(
                names.iter().all(|name| !doomed.contains(name)),
                "round {round}, key {key}"
            );
        }
    }
}
