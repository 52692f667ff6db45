use bytes::Bytes;
use tokio::task::JoinSet;
use zas_core::{BucketId, UploadId};

use super::cases;
use super::object_setting::{Objects, attributes, expecting, key, owner, tagged};
use super::setting::{DOOM_DELAY, MOMENT, Setting, digest, origin};
use crate::{
    AbortMultipartOutcome, CompleteMultipart, CompleteOutcome, CompletedMultipart, ContentRef,
    CreateMultipartOutcome, DeleteBucketOutcome, DigestOutcome, Expected, GarbageOutcome, ListMultiparts,
    MultipartName, MultipartPosition, NewContent, NewMultipart, NewPartContent, ObjectAttributes,
    ObjectBytes, ObjectLookup, Overwrite, PutObject, PutOutcome, PutPart, PutPartOutcome, Run, StoredVersion,
    VersionSelector, Versioning, WriteCondition,
};
use VersionSelector::Current;

cases![
    given_a_multipart_upload_when_opened_then_found_with_all_that_was_given_until_it_is_aborted,
    given_multipart_uploads_when_listed_then_by_key_and_age_prefix_and_delimiter_also_page_by_page,
    given_parts_when_written_then_listed_by_number_and_a_newer_one_takes_the_place_of_an_older,
    given_parts_when_completed_then_an_object_that_is_read_from_any_offset,
    given_many_parts_when_completed_then_the_list_is_read_across_its_pieces,
    given_a_completion_when_repeated_then_the_first_result_and_nothing_is_open,
    given_a_part_written_after_the_revision_when_completed_then_told_and_open,
    given_conditions_when_completed_then_each_is_judged_at_the_moment_of_the_completion,
    given_unlisted_parts_when_completed_then_they_alone_go,
    given_a_completion_that_ended_half_way_when_completed_with_another_list_then_that_one_holds,
    given_an_aborted_upload_when_drained_then_nothing_is_left,
    given_a_completion_and_an_abort_when_they_race_then_exactly_one_wins,
    given_a_composite_when_its_object_is_deleted_then_it_goes_bit_by_bit_after_the_doom_delay,
    given_a_copied_composite_when_the_source_is_deleted_then_the_bytes_stay_as_long_as_the_copy,
    given_a_range_of_an_object_when_copied_as_a_part_then_the_bytes_are_there_when_the_source_is_gone,
    given_ranges_of_ranges_when_copied_again_and_again_then_what_lies_between_goes,
    given_a_bucket_with_open_uploads_when_deleted_then_they_die_with_it,
    given_a_composite_when_its_digest_is_told_then_known_once,
];

pub(super) trait Multiparts {
    async fn open(&self, bucket: BucketId, key: &str) -> MultipartName;
    async fn try_part(&self, name: &MultipartName, number: u16, content: NewPartContent) -> PutPartOutcome;
    /// Writes inline parts, numbered from 1 on.
    async fn parts(&self, name: &MultipartName, contents: &[&str]);
    async fn revision(&self, name: &MultipartName) -> u64;
    /// What completes an upload with these parts, by number and size.
    async fn completion(&self, name: &MultipartName, parts: &[(u16, u64)]) -> CompleteMultipart;
    async fn try_complete(&self, completion: CompleteMultipart) -> CompleteOutcome;
    async fn complete(&self, name: &MultipartName, parts: &[(u16, u64)]) -> CompletedMultipart;
    async fn abort(&self, name: &MultipartName) -> AbortMultipartOutcome;
    /// The bytes of a composite from `offset` on, `count` runs at a time.
    async fn read(&self, composite: UploadId, offset: u64, count: usize) -> Option<String>;
    /// Drains all that is due; tells in how many steps.
    async fn drain(&self) -> usize;
    async fn composite(&self, bucket: BucketId, key: &str) -> Option<UploadId>;
    /// A part that is a range of the current object of a key.
    async fn range_of(&self, bucket: BucketId, key: &str, offset: u64, length: u64) -> NewPartContent;
}

impl Multiparts for Setting {
    async fn open(&self, bucket: BucketId, name: &str) -> MultipartName {
        let name = MultipartName {
            bucket,
            key: key(name),
            id: self.id(),
        };
        let new = NewMultipart {
            name: name.clone(),
            initiator: owner("bob"),
            attributes: ObjectAttributes {
                headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
                ..attributes("")
            },
        };
        let created = self.store.create_multipart(&origin(), new).await.unwrap();
        assert_eq!(created, CreateMultipartOutcome::Created);
        name
    }

    async fn try_part(&self, name: &MultipartName, number: u16, content: NewPartContent) -> PutPartOutcome {
        let part = PutPart {
            multipart: name.clone(),
            number,
            etag: format!("etag {number}"),
            checksum: None,
            content,
        };
        self.store.put_part(&origin(), part).await.unwrap()
    }

    async fn parts(&self, name: &MultipartName, contents: &[&str]) {
        for (number, content) in (1..).zip(contents) {
            let outcome = self.try_part(name, number, inline(content)).await;
            assert_eq!(outcome, PutPartOutcome::Stored(self.now()));
        }
    }

    async fn revision(&self, name: &MultipartName) -> u64 {
        self.store.stat_multipart(name).await.unwrap().unwrap().revision
    }

    async fn completion(&self, name: &MultipartName, parts: &[(u16, u64)]) -> CompleteMultipart {
        CompleteMultipart {
            name: name.clone(),
            revision: self.revision(name).await,
            parts: parts.to_vec(),
            etag: "whole".to_owned(),
            checksum: None,
            condition: WriteCondition::default(),
            random: self.random(),
        }
    }

    async fn try_complete(&self, completion: CompleteMultipart) -> CompleteOutcome {
        self.store
            .complete_multipart(&origin(), completion)
            .await
            .unwrap()
    }

    async fn complete(&self, name: &MultipartName, parts: &[(u16, u64)]) -> CompletedMultipart {
        let completion = self.completion(name, parts).await;
        match self.try_complete(completion).await {
            CompleteOutcome::Completed(completed) => completed,
            refused => panic!("{refused:?}"),
        }
    }

    async fn abort(&self, name: &MultipartName) -> AbortMultipartOutcome {
        self.store.abort_multipart(&origin(), name).await.unwrap()
    }

    async fn read(&self, composite: UploadId, offset: u64, count: usize) -> Option<String> {
        let (mut text, mut at) = (String::new(), offset);
        loop {
            let runs = self.store.read_composite(composite, at, count).await.unwrap()?;
            assert!(runs.len() <= count);
            if runs.is_empty() {
                return Some(text);
            }
            for run in runs {
                at += run.length();
                let Run::Inline(bytes) = run else {
                    panic!("the parts are inline");
                };
                text += std::str::from_utf8(&bytes).unwrap();
            }
        }
    }

    async fn drain(&self) -> usize {
        let mut steps = 0;
        loop {
            let garbage = self.store.take_garbage(100).await.unwrap();
            if garbage.is_empty() {
                return steps;
            }
            for entry in garbage {
                steps += 1;
                let outcome = self.store.drain_garbage(&entry).await.unwrap();
                assert_ne!(outcome, GarbageOutcome::Later);
            }
        }
    }

    async fn composite(&self, bucket: BucketId, name: &str) -> Option<UploadId> {
        let object = self.store.get_object(bucket, &key(name), Current).await.unwrap();
        match object {
            ObjectLookup::Found((object, ObjectBytes::Composite(id))) => {
                assert!(matches!(object.content, ContentRef::Composite(composite) if composite.id == id));
                Some(id)
            }
            _ => None,
        }
    }

    async fn range_of(&self, bucket: BucketId, name: &str, offset: u64, length: u64) -> NewPartContent {
        NewPartContent::CopyOf {
            bucket,
            key: key(name),
            version: current(self, bucket, name).await,
            offset,
            length,
        }
    }
}

async fn current(given: &Setting, bucket: BucketId, key: &str) -> StoredVersion {
    Objects::current(given, bucket, key).await.unwrap().version
}

fn inline(content: &str) -> NewPartContent {
    NewPartContent::Inline(Bytes::copy_from_slice(content.as_bytes()))
}

async fn given_a_multipart_upload_when_opened_then_found_with_all_that_was_given_until_it_is_aborted(
    given: Setting,
) {
    let bucket = given.bucket("first").await;
    let name = given.open(bucket, "k").await;
    let stat = given.store.stat_multipart(&name).await.unwrap().unwrap();
    assert_eq!((stat.multipart.id, &stat.multipart.key), (name.id, &name.key));
    assert_eq!(
        (stat.multipart.initiator, stat.multipart.created_at),
        (owner("bob"), given.now())
    );
    assert_eq!(stat.multipart.attributes.headers.len(), 1);
    let other_key = MultipartName {
        key: key("other"),
        ..name.clone()
    };
    assert_eq!(given.store.stat_multipart(&other_key).await.unwrap(), None);
    assert_eq!(given.store.list_parts(&other_key, 0, 9).await.unwrap(), None);
    assert_eq!(given.current(bucket, "k").await, None);

    assert_eq!(
        given.abort(&other_key).await,
        AbortMultipartOutcome::NoSuchMultipart
    );
    assert_eq!(given.abort(&name).await, AbortMultipartOutcome::Aborted);
    assert_eq!(given.abort(&name).await, AbortMultipartOutcome::NoSuchMultipart);
    assert_eq!(given.store.stat_multipart(&name).await.unwrap(), None);
    assert_eq!(
        given.try_part(&name, 1, inline("x")).await,
        PutPartOutcome::NoSuchMultipart
    );
    let new = NewMultipart {
        name: MultipartName {
            bucket: BucketId::new(given.id()),
            ..name
        },
        initiator: owner("bob"),
        attributes: attributes(""),
    };
    let outcome = given.store.create_multipart(&origin(), new).await.unwrap();
    assert_eq!(outcome, CreateMultipartOutcome::NoSuchBucket);
}

async fn given_multipart_uploads_when_listed_then_by_key_and_age_prefix_and_delimiter_also_page_by_page(
    given: Setting,
) {
    let bucket = given.bucket("first").await;
    let mut opened = Vec::new();
    for key in ["b", "a", "b", "c/1", "c/2", "d"] {
        opened.push(given.open(bucket, key).await);
    }
    let list = |count, delimiter: Option<&str>, after| ListMultiparts {
        bucket,
        prefix: String::new(),
        delimiter: delimiter.map(str::to_owned),
        after,
        count,
    };
    let all = async |count, delimiter, mut after| {
        let mut shown = Vec::new();
        loop {
            let page = given
                .store
                .list_multiparts(list(count, delimiter, after))
                .await
                .unwrap();
            assert!(page.uploads.len() + page.prefixes.len() <= count);
            shown.extend(page.prefixes.iter().map(|prefix| format!("*{prefix}")));
            shown.extend(page.uploads.iter().map(|upload| {
                let number = opened.iter().position(|name| name.id == upload.id).unwrap();
                format!("{} {number}", upload.key)
            }));
            match page.next {
                Some(next) => after = Some(next),
                None => return shown,
            }
        }
    };
    let whole = ["a 1", "b 0", "b 2", "c/1 3", "c/2 4", "d 5"];
    for count in 1..=7 {
        assert_eq!(all(count, None, None).await, whole);
    }
    assert_eq!(all(1, Some("/"), None).await, ["a 1", "b 0", "b 2", "*c/", "d 5"]);
    let behind = MultipartPosition::Upload("b".to_owned(), opened[0].id);
    assert_eq!(all(9, None, Some(behind)).await, whole[2..]);
    let behind = MultipartPosition::Key("b".to_owned());
    assert_eq!(all(9, None, Some(behind)).await, whole[3..]);
    let behind = MultipartPosition::Prefix("c/".to_owned());
    assert_eq!(all(9, None, Some(behind)).await, whole[5..]);
}

async fn given_parts_when_written_then_listed_by_number_and_a_newer_one_takes_the_place_of_an_older(
    given: Setting,
) {
    let bucket = given.bucket("first").await;
    let name = given.open(bucket, "k").await;
    for number in [10_000, 1, 7] {
        given.try_part(&name, number, inline("old")).await;
    }
    let before = given.revision(&name).await;
    given.pass(MOMENT);
    given.try_part(&name, 7, inline("newer")).await;
    assert!(given.revision(&name).await > before);

    let page = given.store.list_parts(&name, 0, 2).await.unwrap().unwrap();
    let shown: Vec<_> = page
        .entries
        .iter()
        .map(|part| (part.number, part.size, part.etag.as_str()))
        .collect();
    assert_eq!(
        (shown, page.more),
        (vec![(1, 3, "etag 1"), (7, 5, "etag 7")], true)
    );
    assert_eq!(page.entries[1].modified_at, given.now());
    let rest = given.store.list_parts(&name, 7, 2).await.unwrap().unwrap();
    assert_eq!(
        (rest.entries.len(), rest.entries[0].number, rest.more),
        (1, 10_000, false)
    );
}

async fn given_parts_when_completed_then_an_object_that_is_read_from_any_offset(given: Setting) {
    let bucket = given.bucket("first").await;
    given.version(bucket, Versioning::Enabled).await;
    let name = given.open(bucket, "k").await;
    given.parts(&name, &["one", "", "three", "4"]).await;
    given.pass(MOMENT);

    let completed = given.complete(&name, &[(1, 3), (2, 0), (3, 5), (4, 1)]).await;

    let object = given.current(bucket, "k").await.unwrap();
    assert_eq!((object.size, object.version), (9, completed.version.version));
    assert_eq!(
        (object.attributes.etag.as_str(), object.modified_at),
        ("whole", given.now())
    );
    assert_eq!(object.attributes.headers.len(), 1);
    assert_eq!(given.keys(bucket, "").await, ["k"]);
    let id = given.composite(bucket, "k").await.unwrap();
    assert_eq!(id, name.id);
    for offset in 0..=9 {
        for count in [1, 2, 9] {
            let read = given.read(id, offset, count).await.unwrap();
            assert_eq!(read, "onethree4"[offset as usize..]);
        }
    }
    let parts = given.store.list_composite_parts(id, 1, 2).await.unwrap().unwrap();
    let shown: Vec<_> = parts
        .entries
        .iter()
        .map(|part| (part.part.number, part.offset, part.part.size))
        .collect();
    assert_eq!((shown, parts.more), (vec![(2, 3, 0), (3, 3, 5)], true));
    assert_eq!(given.read(given.id(), 0, 1).await, None);
    assert_eq!(given.drain().await, 0);
}

async fn given_many_parts_when_completed_then_the_list_is_read_across_its_pieces(given: Setting) {
    let bucket = given.bucket("first").await;
    let name = given.open(bucket, "k").await;
    let mut writers = JoinSet::new();
    for first in 0..8_u16 {
        let (given, name) = (given.clone(), name.clone());
        writers.spawn(async move {
            for number in (1 + first..=2000).step_by(8) {
                given
                    .try_part(&name, number, inline(&format!("{number:04}")))
                    .await;
            }
        });
    }
    writers.join_all().await;
    let parts: Vec<_> = (1..=2000).map(|number| (number, 4)).collect();

    given.complete(&name, &parts).await;

    for (offset, starts) in [
        (0, "00010002"),
        (4 * 511, "05120513"),
        (4 * 1024 + 2, "2510261027"),
        (7996, "2000"),
    ] {
        let runs = given
            .store
            .read_composite(name.id, offset, 3)
            .await
            .unwrap()
            .unwrap();
        let text: Vec<u8> = runs
            .iter()
            .flat_map(|run| match run {
                Run::Inline(bytes) => bytes.to_vec(),
                Run::Extent(_) => panic!("the parts are inline"),
            })
            .collect();
        let starts = if offset % 4 == 0 { starts } else { "251026" };
        assert!(
            String::from_utf8(text).unwrap().starts_with(starts),
            "at {offset}"
        );
    }
    let last = given
        .store
        .list_composite_parts(name.id, 1999, 9)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((last.entries.len(), last.entries[0].offset), (1, 7996));
    // What was written ahead is looked through once.
    assert!(given.drain().await <= 1);
    given.delete(bucket, "k").await;
    given.pass(DOOM_DELAY);
    assert!(given.drain().await >= 2000 / 64);
    assert_eq!(given.read(name.id, 0, 1).await, None);
}

async fn given_a_completion_when_repeated_then_the_first_result_and_nothing_is_open(given: Setting) {
    let bucket = given.bucket("first").await;
    let name = given.open(bucket, "k").await;
    given.parts(&name, &["x"]).await;
    let completion = given.completion(&name, &[(1, 1)]).await;
    assert_eq!(given.store.completed_multipart(&name).await.unwrap(), None);
    let first = given.try_complete(completion.clone()).await;
    given.pass(MOMENT);

    let again = CompleteMultipart {
        condition: expecting(Expected::Absent),
        random: given.random(),
        ..completion
    };
    assert_eq!(given.try_complete(again.clone()).await, first);

    let CompleteOutcome::Completed(completed) = first else {
        panic!("it was open");
    };
    assert_eq!(
        given.store.completed_multipart(&name).await.unwrap(),
        Some(completed)
    );
    assert_eq!(given.abort(&name).await, AbortMultipartOutcome::NoSuchMultipart);
    assert_eq!(
        given.try_part(&name, 1, inline("y")).await,
        PutPartOutcome::NoSuchMultipart
    );
    let list = ListMultiparts {
        bucket,
        prefix: String::new(),
        delimiter: None,
        after: None,
        count: 9,
    };
    assert_eq!(given.store.list_multiparts(list).await.unwrap().uploads, []);
    given.delete(bucket, "k").await;
    given.pass(DOOM_DELAY);
    given.drain().await;
    assert_eq!(given.try_complete(again).await, CompleteOutcome::NoSuchMultipart);
}

async fn given_a_part_written_after_the_revision_when_completed_then_told_and_open(given: Setting) {
    let bucket = given.bucket("first").await;
    let name = given.open(bucket, "k").await;
    given.parts(&name, &["x"]).await;
    let completion = given.completion(&name, &[(1, 1)]).await;
    given.try_part(&name, 1, inline("longer")).await;
    assert_eq!(
        given.try_complete(completion).await,
        CompleteOutcome::PartsChanged
    );
    assert_eq!(given.current(bucket, "k").await, None);
    given.complete(&name, &[(1, 6)]).await;
}

async fn given_conditions_when_completed_then_each_is_judged_at_the_moment_of_the_completion(given: Setting) {
    let bucket = given.bucket("first").await;
    let name = given.open(bucket, "k").await;
    given.parts(&name, &["x"]).await;
    let complete = async |condition| {
        let completion = given.completion(&name, &[(1, 1)]).await;
        given
            .try_complete(CompleteMultipart {
                condition,
                ..completion
            })
            .await
    };
    assert_eq!(complete(expecting(tagged("e"))).await, CompleteOutcome::NoCurrent);
    given.put(bucket, "k", "e").await;
    assert_eq!(
        complete(expecting(Expected::Absent)).await,
        CompleteOutcome::PreconditionFailed
    );
    let denied = WriteCondition {
        expected: Expected::Absent,
        overwrite: Overwrite::Denied,
    };
    assert_eq!(complete(denied).await, CompleteOutcome::AccessDenied);
    assert!(matches!(
        complete(expecting(tagged("e"))).await,
        CompleteOutcome::Completed(_)
    ));
}

async fn given_unlisted_parts_when_completed_then_they_alone_go(given: Setting) {
    let bucket = given.bucket("first").await;
    let name = given.open(bucket, "k").await;
    for number in 1..=200 {
        given.try_part(&name, number, inline("ab")).await;
    }
    given.complete(&name, &[(100, 2), (150, 2)]).await;
    assert!(given.drain().await >= 198 / 64);
    assert_eq!(given.read(name.id, 0, 9).await.as_deref(), Some("abab"));
    let parts = given
        .store
        .list_composite_parts(name.id, 0, 9)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(parts.entries.len(), 2);
}

async fn given_a_completion_that_ended_half_way_when_completed_with_another_list_then_that_one_holds(
    given: Setting,
) {
    let bucket = given.bucket("first").await;
    let name = given.open(bucket, "k").await;
    for number in 1..=1600 {
        given.try_part(&name, number, inline("ab")).await;
    }
    let parts: Vec<_> = (1..=1600).map(|number| (number, 2)).collect();
    let refused = CompleteMultipart {
        condition: expecting(tagged("e")),
        ..given.completion(&name, &parts).await
    };
    assert_eq!(given.try_complete(refused).await, CompleteOutcome::NoCurrent);

    given.complete(&name, &[(1, 2), (1600, 2)]).await;

    given.drain().await;
    assert_eq!(given.read(name.id, 0, 9).await.as_deref(), Some("abab"));
    given.delete(bucket, "k").await;
    given.pass(DOOM_DELAY);
    given.drain().await;
    assert_eq!(given.read(name.id, 0, 9).await, None);
}

async fn given_an_aborted_upload_when_drained_then_nothing_is_left(given: Setting) {
    let bucket = given.bucket("first").await;
    let name = given.open(bucket, "k").await;
    for number in 1..=100 {
        given.try_part(&name, number, inline("ab")).await;
    }
    given.abort(&name).await;
    // Nobody reads them: they need no delay.
    assert_eq!(given.drain().await, 2);
    assert_eq!(given.store.list_parts(&name, 0, 9).await.unwrap(), None);
    let complete = CompleteMultipart {
        name: name.clone(),
        revision: 100,
        parts: vec![(1, 2)],
        etag: String::new(),
        checksum: None,
        condition: WriteCondition::default(),
        random: 7,
    };
    assert_eq!(
        given.try_complete(complete).await,
        CompleteOutcome::NoSuchMultipart
    );
}

async fn given_a_completion_and_an_abort_when_they_race_then_exactly_one_wins(given: Setting) {
    let bucket = given.bucket("first").await;
    for round in 0..20 {
        let name = given.open(bucket, &format!("{round}")).await;
        given.parts(&name, &["x"]).await;
        let completion = given.completion(&name, &[(1, 1)]).await;
        let completing = {
            let given = given.clone();
            tokio::spawn(async move { given.try_complete(completion).await })
        };
        let aborted = given.abort(&name).await;
        let completed = completing.await.unwrap();

        given.pass(DOOM_DELAY);
        given.drain().await;
        let is_there = given.current(bucket, &format!("{round}")).await.is_some();
        let is_completed = matches!(completed, CompleteOutcome::Completed(_));
        assert_eq!(
            (is_completed, is_there),
            (is_there, is_completed),
            "round {round}"
        );
        assert_eq!(is_completed, aborted == AbortMultipartOutcome::NoSuchMultipart);
        assert_eq!(given.read(name.id, 0, 9).await.is_some(), is_completed);
    }
}

async fn given_a_composite_when_its_object_is_deleted_then_it_goes_bit_by_bit_after_the_doom_delay(
    given: Setting,
) {
    let bucket = given.bucket("first").await;
    let name = given.open(bucket, "k").await;
    for number in 1..=130 {
        given.try_part(&name, number, inline("ab")).await;
    }
    let parts: Vec<_> = (1..=130).map(|number| (number, 2)).collect();
    given.complete(&name, &parts).await;
    given.put(bucket, "k", "over").await;
    assert_eq!(given.drain().await, 0);
    // A download that began before runs to its end.
    assert_eq!(given.read(name.id, 258, 9).await.as_deref(), Some("ab"));
    given.pass(DOOM_DELAY);
    assert_eq!(given.drain().await, 3);
    assert_eq!(given.read(name.id, 0, 9).await, None);
    assert_eq!(given.store.list_undigested(None, 9).await.unwrap(), []);
    given.delete(bucket, "k").await;
    let deleted = given.store.delete_bucket(&origin(), bucket).await.unwrap();
    assert_eq!(deleted, DeleteBucketOutcome::Deleted);
}

async fn given_a_copied_composite_when_the_source_is_deleted_then_the_bytes_stay_as_long_as_the_copy(
    given: Setting,
) {
    let (bucket, other) = (given.bucket("first").await, given.bucket("other").await);
    let name = given.open(bucket, "k").await;
    given.parts(&name, &["one", "two"]).await;
    given.complete(&name, &[(1, 3), (2, 3)]).await;
    let copy = PutObject {
        content: NewContent::CopyOf {
            bucket,
            key: key("k"),
            version: current(&given, bucket, "k").await,
        },
        ..given.object(other, "copy", "")
    };
    assert!(matches!(given.write(copy).await, PutOutcome::Stored(_)));
    given.delete(bucket, "k").await;
    given.store.delete_bucket(&origin(), bucket).await.unwrap();
    given.pass(DOOM_DELAY);
    given.drain().await;
    assert_eq!(given.composite(other, "copy").await, Some(name.id));
    assert_eq!(given.read(name.id, 2, 9).await.as_deref(), Some("etwo"));
    assert_eq!(given.current(other, "copy").await.unwrap().size, 6);
    given.delete(other, "copy").await;
    given.pass(DOOM_DELAY);
    given.drain().await;
    assert_eq!(given.read(name.id, 0, 9).await, None);
}

async fn given_a_range_of_an_object_when_copied_as_a_part_then_the_bytes_are_there_when_the_source_is_gone(
    given: Setting,
) {
    let bucket = given.bucket("first").await;
    let base = given.open(bucket, "base").await;
    given.parts(&base, &["0123", "4567"]).await;
    given.complete(&base, &[(1, 4), (2, 4)]).await;
    given.put(bucket, "small", "abcdef").await;
    let name = given.open(bucket, "k").await;
    let contents = [
        given.range_of(bucket, "base", 2, 4).await,
        given.range_of(bucket, "small", 1, 3).await,
        inline("!"),
    ];
    for (number, content) in (1..).zip(contents) {
        let outcome = given.try_part(&name, number, content).await;
        assert_eq!(outcome, PutPartOutcome::Stored(given.now()));
    }
    for (offset, length) in [(6, 3), (u64::MAX, 2)] {
        let beyond = given.range_of(bucket, "base", offset, length).await;
        assert_eq!(
            given.try_part(&name, 4, beyond).await,
            PutPartOutcome::NoSuchSource
        );
    }
    let stale = given.range_of(bucket, "small", 0, 1).await;
    for source in ["base", "small"] {
        given.delete(bucket, source).await;
    }
    assert_eq!(
        given.try_part(&name, 4, stale).await,
        PutPartOutcome::NoSuchSource
    );
    given.pass(DOOM_DELAY);
    given.drain().await;

    given.complete(&name, &[(1, 4), (2, 3), (3, 1)]).await;

    for offset in 0..=8 {
        let read = given.read(name.id, offset, 2).await.unwrap();
        assert_eq!(read, "2345bcd!"[offset as usize..]);
    }
    given.delete(bucket, "k").await;
    for _ in 0..2 {
        given.pass(DOOM_DELAY);
        given.drain().await;
    }
    assert_eq!(given.read(name.id, 0, 9).await, None);
    assert_eq!(given.read(base.id, 0, 9).await, None);
}

async fn given_ranges_of_ranges_when_copied_again_and_again_then_what_lies_between_goes(given: Setting) {
    let bucket = given.bucket("first").await;
    let base = given.open(bucket, "k").await;
    given.parts(&base, &["0123", "4567"]).await;
    given.complete(&base, &[(1, 4), (2, 4)]).await;
    let mut between = Vec::new();
    for _ in 0..100 {
        let touched = given.open(bucket, "k").await;
        for (number, offset) in [(1, 0), (2, 3)] {
            let content = given
                .range_of(bucket, "k", offset, if number == 1 { 3 } else { 5 })
                .await;
            given.try_part(&touched, number, content).await;
        }
        given.complete(&touched, &[(1, 3), (2, 5)]).await;
        between.push(touched.id);
        given.pass(DOOM_DELAY);
        given.drain().await;
    }
    let last = between.pop().unwrap();
    assert_eq!(given.read(last, 0, 9).await.as_deref(), Some("01234567"));
    for id in between {
        assert_eq!(given.read(id, 0, 9).await, None);
    }
}

async fn given_a_bucket_with_open_uploads_when_deleted_then_they_die_with_it(given: Setting) {
    let bucket = given.bucket("first").await;
    let mut names = Vec::new();
    for number in 0..70 {
        let name = given.open(bucket, &format!("{number}")).await;
        given.parts(&name, &["x"]).await;
        names.push(name);
    }
    let completion = given.completion(&names[0], &[(1, 1)]).await;
    let deleted = given.store.delete_bucket(&origin(), bucket).await.unwrap();
    assert_eq!(deleted, DeleteBucketOutcome::Deleted);
    assert_eq!(
        given.try_complete(completion).await,
        CompleteOutcome::NoSuchMultipart
    );
    assert_eq!(
        given.try_part(&names[1], 2, inline("y")).await,
        PutPartOutcome::NoSuchMultipart
    );
    assert_eq!(
        given.abort(&names[2]).await,
        AbortMultipartOutcome::NoSuchMultipart
    );
    assert!(given.drain().await >= 72);
    assert_eq!(given.store.take_garbage(9).await.unwrap(), []);
}

async fn given_a_composite_when_its_digest_is_told_then_known_once(given: Setting) {
    let bucket = given.bucket("first").await;
    let mut ids = Vec::new();
    for key in ["a", "b"] {
        let name = given.open(bucket, key).await;
        given.parts(&name, &["x"]).await;
        given.complete(&name, &[(1, 1)]).await;
        ids.push(name.id);
    }
    assert_eq!(given.store.list_undigested(None, 9).await.unwrap(), ids);
    assert_eq!(
        given.store.list_undigested(Some(ids[0]), 9).await.unwrap(),
        ids[1..]
    );
    let (first, second) = (digest("x"), digest("y"));
    let tell = async |id, digest| given.store.set_composite_digest(id, &digest).await.unwrap();
    assert_eq!(tell(ids[0], first).await, DigestOutcome::Set);
    assert_eq!(tell(ids[0], second).await, DigestOutcome::Known(first));
    assert_eq!(tell(given.id(), first).await, DigestOutcome::Unknown);
    assert_eq!(given.store.list_undigested(None, 9).await.unwrap(), ids[1..]);
    let object = given.current(bucket, "a").await.unwrap();
    assert!(matches!(object.content, ContentRef::Composite(composite) if composite.digest == Some(first)));
}
