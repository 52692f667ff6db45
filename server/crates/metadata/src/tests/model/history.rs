//! The effect of a history's steps on engine and model.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use zas_core::{Clock as _, Digest, Holder, LocationName, ManualClock, Reference, UploadId};

use super::super::{clock, digest, epoch, file_blob, inline_blob, manifest, origin, upload_id};
use super::Open;
use super::invariants;
use super::reference::Model;
use super::steps::{Step, artifact_type, body_text, name, precondition, tag_name, target_digest, text};
use crate::embedded::EmbeddedMetadata;
use crate::ordered_map::OrderedMap;
use crate::{
    Epoch, Extent, FinishUpload, Lease, MetadataStore as _, Page, Presence, Progress, ReferenceEdge,
    Referral, SharedManifest, Written,
};

const PRESENCES: [Presence; 4] = [
    Presence::Optional,
    Presence::Blob,
    Presence::Manifest,
    Presence::ManifestOrBlob,
];

/// An engine and its model.
pub(super) struct Engine<'a, M: OrderedMap> {
    open: Open<'a, M>,
    clock: Arc<ManualClock>,
    store: Option<Arc<EmbeddedMetadata<M>>>,
    model: Model,
    made: Vec<(UploadId, Holder)>,
    pushes: u64,
    last_due: Option<crate::DueLink>,
}

impl<'a, M: OrderedMap> Engine<'a, M> {
    pub(super) fn new(open: Open<'a, M>) -> Self {
        let clock = clock();
        let store = Some(open(&clock));
        let model = Model {
            now: clock.now(),
            ..Model::default()
        };
        Self {
            open,
            clock,
            store,
            model,
            made: Vec::new(),
            pushes: 0,
            last_due: None,
        }
    }

    pub(super) async fn run(mut self, steps: Vec<Step>) -> Result<(), TestCaseError> {
        for step in steps {
            self.step(&step)
                .await
                .map_err(|error| TestCaseError::fail(format!("{step:?}: {error}")))?;
        }
        self.compare_listings().await?;
        let map = self.store().map();
        invariants::check(&*map, &self.model)
    }

    fn store(&self) -> &EmbeddedMetadata<M> {
        self.store.as_ref().unwrap()
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind of step")]
    async fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let store = Arc::clone(self.store.as_ref().unwrap());
        let model = &mut self.model;
        match step {
            Step::Create { holder } => {
                let (id, holder) = (upload_id(self.made.len() as u64), name(*holder));
                self.made.push((id, holder.clone()));
                let epoch = store.create_upload(&origin(), &holder, id).await.unwrap();
                prop_assert_eq!(epoch, model.create(&holder, id));
            }
            Step::Claim { holder, upload } => {
                let id = upload_id(u64::from(*upload));
                let claim = store.claim_upload(&name(*holder), id).await.unwrap();
                prop_assert_eq!(claim, model.claim(&name(*holder), id));
            }
            Step::Save {
                upload,
                is_current,
                is_inline,
            } => {
                let (id, epoch) = self.writer(*upload, *is_current);
                let inline = is_inline.then(|| Bytes::from_static(b"few"));
                let progress = Progress {
                    offset: 3,
                    hashes: Vec::new(),
                    inline,
                };
                let written = self.written(id, epoch, *is_inline);
                let outcome = store
                    .save_progress(id, epoch, progress.clone(), written.clone())
                    .await
                    .unwrap();
                prop_assert_eq!(outcome, self.model.save(id, epoch, &progress, &written));
            }
            Step::Abort { upload, is_current } => {
                let (id, epoch) = self.writer(*upload, *is_current);
                let outcome = store.abort_upload(&origin(), id, epoch).await.unwrap();
                prop_assert_eq!(outcome, self.model.abort(id, epoch));
            }
            Step::FinishFile {
                holder,
                upload,
                is_current,
                content,
            } => {
                let (id, epoch) = self.writer(*upload, *is_current);
                let blob = file_blob(&text(*content), self.next_name(id, epoch));
                let upload = FinishUpload {
                    id,
                    epoch: Some(epoch),
                    holder: self.home(id, *holder),
                    blob,
                };
                let outcome = store.finish_upload(&origin(), upload.clone()).await.unwrap();
                prop_assert_eq!(outcome, self.model.finish(&upload));
            }
            Step::FinishInline {
                holder,
                upload,
                is_current,
                content,
            } => {
                let (id, epoch) = self.writer(*upload, *is_current);
                let blob = inline_blob(&text(*content));
                let upload = FinishUpload {
                    id,
                    epoch: Some(epoch),
                    holder: self.home(id, *holder),
                    blob,
                };
                let outcome = store.finish_upload(&origin(), upload.clone()).await.unwrap();
                prop_assert_eq!(outcome, self.model.finish(&upload));
            }
            Step::Push { holder, content } => {
                // Ids of their own: there is no row of such an upload.
                self.pushes += 1;
                let (id, blob) = (upload_id(1_000_000 + self.pushes), inline_blob(&text(*content)));
                let upload = FinishUpload {
                    id,
                    epoch: None,
                    holder: name(*holder),
                    blob,
                };
                let outcome = store.finish_upload(&origin(), upload.clone()).await.unwrap();
                prop_assert_eq!(outcome, model.finish(&upload));
            }
            Step::Stat {
                holder,
                content,
                renew,
            } => {
                let (holder, digest) = (name(*holder), digest(&text(*content)));
                let lease = if *renew { Lease::Renew } else { Lease::Leave };
                let stat = store.stat_blob(&holder, &digest, lease).await.unwrap();
                prop_assert_eq!(stat, model.stat(&holder, &digest, lease));
            }
            Step::Mount { from, to, content } => {
                let (from, to, digest) = (name(*from), name(*to), digest(&text(*content)));
                let outcome = store.mount_blob(&origin(), &from, &to, &digest).await.unwrap();
                prop_assert_eq!(outcome, model.mount(&from, &to, &digest));
            }
            Step::Unlink { holder, content } => {
                let (holder, digest) = (name(*holder), digest(&text(*content)));
                let was_held = store.unlink_blob(&origin(), &holder, &digest).await.unwrap();
                prop_assert_eq!(was_held, model.unlink(&holder, &digest));
            }
            Step::Commit {
                holder,
                body,
                references,
                tags,
                subject,
            } => {
                let mut manifest = manifest(&name(*holder), &body_text(*body));
                for (target, presence) in references {
                    let digest = target_digest(*target);
                    let presence = PRESENCES[usize::from(*presence)];
                    let is_new = manifest
                        .references
                        .iter()
                        .all(|reference| reference.digest != digest);
                    if is_new && digest != manifest.digest {
                        manifest.references.push(ReferenceEdge { digest, presence });
                    }
                }
                for (tag, condition) in tags {
                    if manifest.tags.iter().all(|(known, _)| *known != tag_name(*tag)) {
                        manifest.tags.push((tag_name(*tag), precondition(*condition)));
                    }
                }
                manifest.subject = subject.map(|(subject, kind)| Referral {
                    subject: target_digest(subject + 3),
                    artifact_type: artifact_type(kind),
                    descriptor: Bytes::from(format!("{body} about {subject} as {kind}")),
                });
                let outcome = store.commit_manifest(&origin(), manifest.clone()).await.unwrap();
                prop_assert_eq!(outcome, model.commit(&manifest));
            }
            Step::DeleteTag {
                holder,
                tag,
                precondition: condition,
            } => {
                let (holder, tag, condition) = (name(*holder), tag_name(*tag), precondition(*condition));
                let outcome = store
                    .delete_tag(&origin(), &holder, &tag, condition)
                    .await
                    .unwrap();
                prop_assert_eq!(outcome, model.delete_tag(&holder, &tag, condition));
            }
            Step::DeleteManifest { holder, body } => {
                let (holder, digest) = (name(*holder), digest(&body_text(*body)));
                let outcome = store
                    .delete_manifest(&origin(), &holder, &digest, SharedManifest::Delete)
                    .await
                    .unwrap();
                prop_assert_eq!(outcome, model.delete_manifest(&holder, &digest));
            }
            Step::Pass { minutes } => {
                self.clock.advance(Duration::from_mins(*minutes));
                model.now = self.clock.now();
            }
            Step::Reap { count } => {
                let due = store.take_due(*count).await.unwrap();
                let expected = model.take_due();
                prop_assert_eq!(&due, &expected[..expected.len().min(*count)]);
                for due in due {
                    prop_assert_eq!(store.reap(&due).await.unwrap(), model.reap(&due));
                    self.last_due = Some(due);
                }
            }
            Step::ReapAgain => {
                // A collector that was interrupted repeats itself.
                if let Some(due) = &self.last_due {
                    prop_assert_eq!(store.reap(due).await.unwrap(), model.reap(due));
                }
            }
            Step::Sweep { forget } => {
                let doomed = store.take_doomed(1000).await.unwrap();
                prop_assert_eq!(&doomed, &model.take_doomed());
                for name in doomed.into_iter().take(*forget) {
                    store.forget_location(name).await.unwrap();
                    model.forget(name);
                }
            }
            Step::ClaimOrphan { upload } => {
                // Only names that were made are ever found in the blob store.
                if usize::from(*upload) < self.made.len() {
                    let name = epoch(2).name(upload_id(u64::from(*upload)), 0);
                    prop_assert_eq!(store.claim_orphan(name).await.unwrap(), model.claim_orphan(name));
                }
            }
            Step::Reopen => {
                drop(store);
                self.store = None;
                self.store = Some((self.open)(&self.clock));
                self.model.has_claims = false;
            }
        }
        Ok(())
    }

    /// The present writer of an upload, or the one before.
    fn writer(&self, upload: u8, is_current: bool) -> (UploadId, Epoch) {
        let id = upload_id(u64::from(upload));
        let present = self
            .model
            .uploads
            .get(&id)
            .map_or(epoch(1), |upload| upload.epoch);
        let claim = if is_current {
            present.claim
        } else {
            present.claim - 1
        };
        (id, Epoch { claim, ..present })
    }

    /// The name that a writer writes next.
    fn next_name(&self, id: UploadId, epoch: Epoch) -> LocationName {
        let ordinal = self.model.uploads.get(&id).map_or(0, |upload| upload.ordinal);
        epoch.name(id, ordinal)
    }

    /// What a writer says that it wrote: nothing, or a run without bytes, so that every content fits behind it. The one
    /// with something says that it writes no more.
    fn written(&self, id: UploadId, epoch: Epoch, is_nothing: bool) -> Written {
        if is_nothing {
            return Written::default();
        }
        Written {
            extents: vec![Extent {
                location: self.next_name(id, epoch),
                offset: 0,
                length: 0,
            }],
            is_last: true,
        }
    }

    /// The repository an upload was started in, unless another one is named.
    fn home(&self, id: UploadId, other: Option<u8>) -> Holder {
        let own = self
            .made
            .iter()
            .find(|(made, _)| *made == id)
            .map(|(_, holder)| holder.clone());
        own.filter(|_| other != Some(0))
            .unwrap_or_else(|| name(other.unwrap_or_default()))
    }

    async fn compare_listings(&self) -> Result<(), TestCaseError> {
        let (store, model) = (self.store(), &self.model);
        let mut listed = Vec::new();
        for holder in (0..4).map(name) {
            let manifests: Vec<_> = model
                .manifests
                .iter()
                .filter(|((owner, _), _)| *owner == holder)
                .collect();
            let tags = model
                .tags
                .keys()
                .filter(|(owner, _)| *owner == holder)
                .map(|(_, tag)| tag.clone());
            let page = Page {
                entries: tags.collect(),
                more: false,
            };
            // Nobody asks here whether there is a bucket.
            let is_there = !manifests.is_empty() || holder.repository().is_none();
            let expected = is_there.then_some(page);
            prop_assert_eq!(store.list_tags(&holder, None, 100).await.unwrap(), expected);

            for ((_, digest), manifest) in &manifests {
                let by_digest = store
                    .resolve_manifest(&holder, &Reference::Digest(*digest))
                    .await
                    .unwrap();
                let stat = store
                    .stat_manifest(&holder, &Reference::Digest(*digest))
                    .await
                    .unwrap();
                let described = stat.map(|stat| (stat.media_type, stat.size));
                prop_assert_eq!(
                    described,
                    by_digest
                        .as_ref()
                        .map(|stored| (stored.media_type.clone(), stored.body.len() as u64))
                );
                prop_assert_eq!(by_digest.map(|stored| stored.body), Some(manifest.body.clone()));
            }
            for subject in (0..7).map(target_digest) {
                self.compare_referrers(&holder, &subject).await?;
            }
            if !manifests.is_empty() {
                listed.extend(holder.repository().cloned());
            }
        }
        for ((holder, tag), digest) in &model.tags {
            let by_tag = store
                .resolve_manifest(holder, &Reference::Tag(tag.clone()))
                .await
                .unwrap();
            prop_assert_eq!(by_tag.map(|stored| stored.digest), Some(*digest));
        }
        listed.sort();
        prop_assert_eq!(
            store.list_repositories("", None, 100).await.unwrap().entries,
            listed
        );
        for digest in (0..4).map(|content| digest(&text(content))) {
            prop_assert_eq!(
                store.find_holders(&digest, 32).await.unwrap(),
                model.holders(&digest)
            );
        }
        let uploads = store.list_uploads(None, 1000).await.unwrap().entries;
        let uploads: Vec<_> = uploads
            .into_iter()
            .map(|entry| (entry.id, entry.holder, entry.epoch))
            .collect();
        let expected: Vec<_> = model
            .uploads
            .iter()
            .map(|(id, upload)| (*id, upload.holder.clone(), upload.epoch))
            .collect();
        prop_assert_eq!(uploads, expected);
        for (id, upload) in &model.uploads {
            let offset = store.stat_upload(&upload.holder, *id).await.unwrap();
            prop_assert_eq!(offset, Some(upload.progress.offset));
        }
        Ok(())
    }

    async fn compare_referrers(&self, holder: &Holder, subject: &Digest) -> Result<(), TestCaseError> {
        let mut expected: Vec<_> = Vec::new();
        for ((owner, digest), manifest) in &self.model.manifests {
            if let Some(referral) = manifest
                .subject
                .as_ref()
                .filter(|referral| referral.subject == *subject)
                && owner == holder
            {
                expected.push((
                    referral.artifact_type.clone(),
                    *digest,
                    referral.descriptor.clone(),
                ));
            }
        }
        expected.sort();
        for kind in [None, Some(0), Some(1)] {
            let kind = kind.map(artifact_type);
            let page = self
                .store()
                .list_referrers(holder, subject, kind.as_deref(), None, 100, 1 << 20)
                .await
                .unwrap();
            let of_kind = expected
                .iter()
                .filter(|(known, _, _)| kind.as_ref().is_none_or(|kind| kind == known));
            let of_kind: Vec<_> = of_kind.map(|(_, _, descriptor)| descriptor.clone()).collect();
            prop_assert_eq!(page.descriptors, of_kind);
        }
        Ok(())
    }
}
