//! Random histories of a bucket, on the engine and on a list of versions for each key side by side.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use zas_core::{BucketId, ManualClock, ObjectKey};

use super::*;
use crate::ordered_map::{Effort, Family, KeyRange};
use crate::view::{Found, View};
use crate::{
    BucketStore as _, DeleteObject, DeleteOutcome, Expected, ListObjects, ListVersions, MemoryMetadata,
    NewBucket, NewContent, ObjectAttributes, ObjectBytes, ObjectLookup, ObjectStore as _, Overwrite, Owner,
    PutObject, PutOutcome, StoredVersion, VersionKind, VersionSelector, Versioning, WriteCondition,
};

#[derive(Clone, Debug)]
enum Step {
    Put { key: u8, expected: u8 },
    Copy { from: u8, to: u8 },
    Delete { key: u8 },
    Remove { key: u8, version: usize },
    RemoveNull { key: u8 },
    Switch { is_enabled: bool },
    Forward { millis: u64 },
    Back { millis: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0..3_u8;
    prop_oneof![
        6 => (key.clone(), 0..6_u8).prop_map(|(key, expected)| Step::Put { key, expected }),
        2 => (key.clone(), key.clone()).prop_map(|(from, to)| Step::Copy { from, to }),
        3 => key.clone().prop_map(|key| Step::Delete { key }),
        3 => (key.clone(), 0..6_usize).prop_map(|(key, version)| Step::Remove { key, version }),
        1 => key.prop_map(|key| Step::RemoveNull { key }),
        1 => any::<bool>().prop_map(|is_enabled| Step::Switch { is_enabled }),
        2 => (0..3_u64).prop_map(|millis| Step::Forward { millis }),
        1 => (0..5_000_u64).prop_map(|millis| Step::Back { millis }),
    ]
}

/// A version and its text; none of a delete marker. The oldest comes first.
type Versions = Vec<(StoredVersion, Option<String>)>;

struct History {
    store: MemoryMetadata,
    clock: Arc<ManualClock>,
    bucket: BucketId,
    versioning: Versioning,
    model: BTreeMap<u8, Versions>,
    gone: Vec<(u8, StoredVersion)>,
    count: u64,
}

fn name(key: u8) -> ObjectKey {
    ["a", "a/b", "b"][usize::from(key)].parse().unwrap()
}

impl History {
    async fn new() -> Self {
        let clock = clock();
        let store = MemoryMetadata::new(clocks(&clock), TIMING);
        let bucket = BucketId::new(upload_id(1));
        let new = NewBucket {
            name: "first".parse().unwrap(),
            id: bucket,
            owner: Owner::default(),
            region: String::new(),
        };
        store.create_bucket(&origin(), new).await.unwrap();
        Self {
            store,
            clock,
            bucket,
            versioning: Versioning::Never,
            model: BTreeMap::new(),
            gone: Vec::new(),
            count: 0,
        }
    }

    async fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        self.count += 1;
        match step {
            Step::Put { key, expected } => self.put(key, expected).await?,
            Step::Copy { from, to } => self.copy(from, to).await?,
            Step::Delete { key } => self.delete(key).await?,
            Step::Remove { key, version } => self.remove(key, version).await?,
            Step::RemoveNull { key } => self.remove_null(key).await?,
            Step::Switch { is_enabled } => {
                self.versioning = if is_enabled {
                    Versioning::Enabled
                } else {
                    Versioning::Suspended
                };
                self.store
                    .set_versioning(&origin(), self.bucket, self.versioning)
                    .await
                    .unwrap();
            }
            Step::Forward { millis } => self.clock.advance(Duration::from_millis(millis)),
            Step::Back { millis } => self.clock.go_back(Duration::from_millis(millis)),
        }
        self.compare().await
    }

    fn current(&self, key: u8) -> Option<&String> {
        self.model.get(&key)?.last()?.1.as_ref()
    }

    fn object(&self, key: u8, etag: &str, content: NewContent) -> PutObject {
        PutObject {
            bucket: self.bucket,
            key: name(key),
            attributes: ObjectAttributes {
                etag: etag.to_owned(),
                ..ObjectAttributes::default()
            },
            content,
            condition: WriteCondition::default(),
            random: self.count,
        }
    }

    async fn put(&mut self, key: u8, expected: u8) -> Result<(), TestCaseError> {
        let text = self.count.to_string();
        let current = self.current(key).cloned();
        let (expected, refusal) = match (expected, &current) {
            (0, None) => (Expected::Absent, None),
            (0, Some(_)) => (Expected::Absent, Some(PutOutcome::PreconditionFailed)),
            (1, None) => (Expected::Present, Some(PutOutcome::NoCurrent)),
            (2, Some(text)) => (Expected::Tagged(vec![text.clone()]), None),
            (3, Some(_)) => (
                Expected::Tagged(vec!["other".to_owned()]),
                Some(PutOutcome::PreconditionFailed),
            ),
            _ => (Expected::Any, None),
        };
        let content = NewContent::Inline {
            digest: digest(&text),
            bytes: Bytes::from(text.clone()),
        };
        let mut object = self.object(key, &text, content);
        object.condition = WriteCondition {
            expected,
            overwrite: Overwrite::Allowed,
        };
        let outcome = self.store.put_object(&origin(), object).await.unwrap();
        match (outcome, refusal) {
            (PutOutcome::Stored(written), None) => self.write(key, written.version, Some(text)),
            (outcome, refusal) => {
                prop_assert_eq!(Some(outcome), refusal);
                Ok(())
            }
        }
    }

    async fn copy(&mut self, from: u8, to: u8) -> Result<(), TestCaseError> {
        let Some((version, Some(text))) = self.model.get(&from).and_then(|all| all.last()).cloned() else {
            return Ok(());
        };
        let content = NewContent::CopyOf {
            bucket: self.bucket,
            key: name(from),
            version,
        };
        let outcome = self
            .store
            .put_object(&origin(), self.object(to, &text, content))
            .await
            .unwrap();
        match outcome {
            PutOutcome::Stored(written) => self.write(to, written.version, Some(text)),
            refused => Err(TestCaseError::fail(format!("{refused:?}"))),
        }
    }

    /// What a write does to the versions of a key.
    fn write(&mut self, key: u8, version: StoredVersion, text: Option<String>) -> Result<(), TestCaseError> {
        prop_assert_eq!(version.is_null, self.versioning != Versioning::Enabled);
        let versions = self.model.entry(key).or_default();
        // Later ones have larger ids, whatever the clock says.
        prop_assert!(
            versions
                .iter()
                .all(|(other, _)| other.id.sequence < version.id.sequence)
        );
        if version.is_null {
            let old = versions.iter().filter(|(other, _)| other.is_null);
            self.gone.extend(old.map(|(other, _)| (key, *other)));
            versions.retain(|(other, _)| !other.is_null);
        }
        versions.push((version, text));
        Ok(())
    }

    async fn try_delete(&self, key: u8, version: VersionSelector) -> DeleteOutcome {
        let deletion = DeleteObject {
            key: name(key),
            version,
            expected: Expected::Any,
            random: self.count,
        };
        self.store
            .delete_object(&origin(), self.bucket, &Owner::default(), deletion)
            .await
            .unwrap()
    }

    async fn delete(&mut self, key: u8) -> Result<(), TestCaseError> {
        if self.versioning == Versioning::Never {
            return self.expect_removed(key, VersionSelector::Current, |_| true).await;
        }
        match self.try_delete(key, VersionSelector::Current).await {
            DeleteOutcome::MarkerMade(marker) => self.write(key, marker, None),
            other => Err(TestCaseError::fail(format!("{other:?}"))),
        }
    }

    async fn remove(&mut self, key: u8, version: usize) -> Result<(), TestCaseError> {
        let versions = self.model.get(&key).map(Vec::as_slice).unwrap_or_default();
        let Some(version) = versions.get(version).map(|(version, _)| *version) else {
            return Ok(());
        };
        self.expect_removed(key, version.selector(), |other| other == version)
            .await
    }

    async fn remove_null(&mut self, key: u8) -> Result<(), TestCaseError> {
        self.expect_removed(key, VersionSelector::Null, |version| version.is_null)
            .await
    }

    async fn expect_removed(
        &mut self,
        key: u8,
        selector: VersionSelector,
        is_meant: impl Fn(StoredVersion) -> bool,
    ) -> Result<(), TestCaseError> {
        let outcome = self.try_delete(key, selector).await;
        let versions = self.model.entry(key).or_default();
        let place = versions.iter().position(|(version, _)| is_meant(*version));
        let expected = match place.map(|place| versions.remove(place)) {
            None => DeleteOutcome::Absent,
            Some((version, text)) => {
                self.gone.push((key, version));
                DeleteOutcome::Removed(match text {
                    Some(_) => VersionKind::Object,
                    None => VersionKind::DeleteMarker,
                })
            }
        };
        prop_assert_eq!(outcome, expected);
        Ok(())
    }

    async fn text(&self, key: u8, selector: VersionSelector) -> Option<String> {
        match self
            .store
            .get_object(self.bucket, &name(key), selector)
            .await
            .unwrap()
        {
            ObjectLookup::Found((_, ObjectBytes::Inline(bytes))) => {
                Some(String::from_utf8(bytes.to_vec()).unwrap())
            }
            _ => None,
        }
    }

    async fn compare(&self) -> Result<(), TestCaseError> {
        let (mut listed, mut all) = (Vec::new(), Vec::new());
        for (key, versions) in &self.model {
            let current = self.current(*key);
            let text = self.text(*key, VersionSelector::Current).await;
            prop_assert_eq!(text.as_ref(), current);
            listed.extend(current.map(|text| (name(*key), text.clone())));
            let null = versions.iter().find(|(version, _)| version.is_null);
            let null = null.and_then(|(_, text)| text.clone());
            prop_assert_eq!(self.text(*key, VersionSelector::Null).await, null);
            for (age, (version, text)) in versions.iter().rev().enumerate() {
                prop_assert_eq!(&self.text(*key, version.selector()).await, text);
                all.push((name(*key), *version, age == 0, text.clone()));
            }
        }
        for (key, version) in &self.gone {
            if let Some(id) = version.id() {
                prop_assert_eq!(self.text(*key, VersionSelector::Id(id)).await, None);
            }
        }
        let page = self.store.list_objects(ListObjects {
            bucket: self.bucket,
            prefix: String::new(),
            delimiter: None,
            after: None,
            count: 100,
        });
        let objects = page.await.unwrap().objects;
        let shown: Vec<_> = objects
            .into_iter()
            .map(|object| (object.key, object.etag))
            .collect();
        prop_assert_eq!(shown, listed);
        let page = self.store.list_object_versions(ListVersions {
            bucket: self.bucket,
            prefix: String::new(),
            delimiter: None,
            after: None,
            count: 1000,
        });
        let versions = page.await.unwrap().versions.into_iter().map(|listed| {
            let etag = listed.object.map(|object| object.etag);
            (listed.key, listed.version, listed.is_current, etag)
        });
        prop_assert_eq!(versions.collect::<Vec<_>>(), all);
        Ok(())
    }

    /// With the last version everything goes that leads to it.
    async fn empty(mut self) -> Result<(), TestCaseError> {
        for (key, versions) in self.model.clone() {
            for (version, _) in versions {
                self.expect_removed(key, version.selector(), |other| other == version)
                    .await?;
            }
        }
        self.compare().await?;
        let deleted = self.store.delete_bucket(&origin(), self.bucket).await.unwrap();
        prop_assert_eq!(deleted, crate::DeleteBucketOutcome::Deleted);
        let map = self.store.map();
        for family in [Family::Meta, Family::Data] {
            let range = KeyRange {
                family,
                from: vec![0],
                to: vec![0xFF],
            };
            let found = View::committed(&*map).find(&range, Effort::Unbounded, |_| true);
            prop_assert_eq!(found.unwrap(), Found::Nothing);
        }
        Ok(())
    }
}

#[test]
fn given_random_histories_of_a_bucket_when_run_then_every_answer_is_as_the_rules_say_and_nothing_is_left() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let config = Config {
        cases: 200,
        failure_persistence: None,
        ..Config::default()
    };
    let histories = proptest::collection::vec(step(), 1..60);
    let result = TestRunner::new(config).run(&histories, |steps: Vec<Step>| {
        runtime.block_on(async {
            let mut history = History::new().await;
            for step in steps {
                history.step(step).await?;
            }
            history.empty().await
        })
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}
