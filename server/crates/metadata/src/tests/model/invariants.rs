//! What holds for the rows at every moment, read from the rows themselves and compared with the model.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use zas_core::{Digest, Holder};

use super::reference::Model;
use crate::EdgeOwner;
use crate::keys::{self, Elements};
use crate::ordered_map::{Effort, Family, Key, KeyRange, OrderedMap};
use crate::rows::{
    BlobRow, BodyRow, ExtentRow, LinkRow, LocationOwner, LocationRow, ManifestRow, Payload, Row, StartRow,
    StoredContent, TagRow,
};
use crate::view::View;

struct Dump<'a> {
    map: &'a dyn OrderedMap,
    /// Every key that a rule explains; what is left over at the end is a leak.
    explained: BTreeSet<Key>,
}

pub(super) fn check(map: &dyn OrderedMap, model: &Model) -> Result<(), TestCaseError> {
    let mut dump = Dump {
        map,
        explained: BTreeSet::new(),
    };
    dump.manifests(model)?;
    dump.tags(model)?;
    dump.blobs(model)?;
    dump.links(model)?;
    dump.queues(model)?;
    let left: Vec<_> = dump
        .keys()
        .into_iter()
        .filter(|key| !dump.explained.contains(key))
        .collect();
    prop_assert_eq!(left, Vec::new(), "rows that nothing explains");
    Ok(())
}

impl Dump<'_> {
    fn keys(&self) -> Vec<Key> {
        let mut keys = Vec::new();
        for family in Family::ALL {
            let all = KeyRange {
                family,
                from: Vec::new(),
                to: vec![0xFF],
            };
            let collect = &mut |key: &[u8], _: &[u8]| {
                keys.push(Key {
                    family,
                    bytes: key.to_vec(),
                });
                ControlFlow::Continue(())
            };
            self.map.scan(&all, Effort::Unbounded, collect).unwrap();
        }
        keys
    }

    fn row<R: Row>(&mut self, key: Key) -> Result<R, TestCaseError> {
        let row = View::committed(self.map).row(&key).unwrap();
        let row = row.ok_or_else(|| TestCaseError::fail(format!("no {} at {key:?}", R::NAME)));
        self.explained.insert(key);
        row
    }

    fn there(&mut self, key: Key) -> Result<(), TestCaseError> {
        prop_assert!(View::committed(self.map).has(&key).unwrap(), "no row at {key:?}");
        self.explained.insert(key);
        Ok(())
    }

    /// Each manifest has its body, its repository, its edges and its referrer entry, and they have it.
    fn manifests(&mut self, model: &Model) -> Result<(), TestCaseError> {
        for ((holder, digest), manifest) in &model.manifests {
            let row: ManifestRow = self.row(keys::manifest(holder, digest))?;
            let BodyRow { body, media_type, .. } = self.row(keys::body(holder, digest))?;
            prop_assert_eq!(media_type.as_ref(), Some(&row.media_type));
            prop_assert_eq!((&body, row.size), (&manifest.body, body.len() as u64));
            prop_assert_eq!(&row.media_type, &manifest.media_type);
            prop_assert_eq!(&row.actor, "ci");
            if let Some(name) = holder.repository() {
                self.there(keys::repository(name))?;
            }
            let edges: Vec<_> = manifest
                .references
                .iter()
                .map(|reference| reference.digest)
                .collect();
            prop_assert_eq!(&row.edges, &edges);
            for edge in edges {
                self.there(keys::edge(&edge, holder, &EdgeOwner::Manifest(*digest)))?;
            }
            let referral = manifest.subject.as_ref();
            let expected = referral.map(|referral| (referral.subject, referral.artifact_type.clone()));
            prop_assert_eq!(row.referral, expected);
            if let Some(referral) = referral {
                let key = keys::referrer(holder, &referral.subject, &referral.artifact_type, digest);
                prop_assert_eq!(self.row::<Payload>(key)?.0, referral.descriptor.clone());
            }
        }
        Ok(())
    }

    fn tags(&mut self, model: &Model) -> Result<(), TestCaseError> {
        for ((holder, tag), digest) in &model.tags {
            prop_assert!(model.manifests.contains_key(&(holder.clone(), *digest)));
            let row: TagRow = self.row(keys::tag(holder, tag))?;
            prop_assert_eq!(row.digest, *digest);
            self.there(keys::tag_of(holder, digest, tag))?;
        }
        Ok(())
    }

    /// Each blob has its bytes in one place, and its names know it.
    fn blobs(&mut self, model: &Model) -> Result<(), TestCaseError> {
        for (digest, blob) in &model.blobs {
            let row: BlobRow = self.row(keys::blob(digest))?;
            prop_assert_eq!(row.size, blob.size);
            match (&row.content, &blob.content) {
                (StoredContent::Inline, crate::BlobContent::Inline(bytes)) => {
                    prop_assert_eq!(&self.row::<Payload>(keys::blob_data(digest))?.0, bytes);
                }
                (StoredContent::Extents(stored), crate::BlobContent::Extents(extents)) => {
                    prop_assert_eq!(stored, extents);
                }
                _ => {
                    return Err(TestCaseError::fail(format!(
                        "{digest} is stored as {:?}",
                        row.content
                    )));
                }
            }
            for name in row.locations() {
                let location: LocationRow = self.row(keys::location(name))?;
                prop_assert_eq!(location, LocationRow::Live(LocationOwner::Blob(*digest)));
            }
            let held = model.links.keys().any(|(held, _)| held == digest);
            let queued = model.due.iter().any(|(_, _, queued)| queued == digest);
            prop_assert!(held || queued, "{digest} will never be collected");
        }
        Ok(())
    }

    /// Each link has its blob, and is looked at one day unless something refers to it.
    fn links(&mut self, model: &Model) -> Result<(), TestCaseError> {
        for ((digest, holder), link) in &model.links {
            prop_assert!(model.blobs.contains_key(digest));
            let row: LinkRow = self.row(keys::link(digest, holder))?;
            prop_assert_eq!(
                (row.lease_until, row.size),
                (link.lease_until, model.blobs[digest].size)
            );
            let is_referenced = model.is_referenced(holder, digest);
            prop_assert!(
                is_referenced || self.is_queued(holder, digest),
                "{digest} in {holder} leaks"
            );
        }
        Ok(())
    }

    fn is_queued(&self, holder: &Holder, digest: &Digest) -> bool {
        self.keys()
            .iter()
            .filter(|key| key.family == Family::Queue)
            .any(|key| {
                let mut elements = Elements::of(&key.bytes);
                let parsed = (elements.time(), elements.holder(), elements.digest());
                parsed.1.as_ref() == Some(holder) && parsed.2.as_ref() == Some(digest)
            })
    }

    fn queues(&mut self, model: &Model) -> Result<(), TestCaseError> {
        for (at, holder, digest) in &model.due {
            self.there(keys::due(*at, holder, digest))?;
        }
        for (at, name) in &model.doomed {
            self.there(keys::doomed(*at, *name))?;
            let location: LocationRow = self.row(keys::location(*name))?;
            prop_assert_eq!(location, LocationRow::Doomed(*at));
            prop_assert!(
                !model.live().any(|live| live == *name),
                "{name} is live and doomed"
            );
        }
        if model.start > 0 {
            prop_assert_eq!(self.row::<StartRow>(keys::start())?, StartRow(model.start));
        }
        for (id, upload) in &model.uploads {
            self.there(keys::upload(*id))?;
            for (index, extent) in (0..).zip(&upload.extents) {
                prop_assert_eq!(
                    self.row::<ExtentRow>(keys::extent(*id, index))?,
                    ExtentRow(*extent)
                );
                let location = View::committed(self.map).row::<LocationRow>(&keys::location(extent.location));
                prop_assert!(location.unwrap().is_none(), "the upload's row reserves its names");
            }
        }
        Ok(())
    }
}
