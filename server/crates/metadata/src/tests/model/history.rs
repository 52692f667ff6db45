//! The steps of a history and their effect on engine and model.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use zas_core::{Clock as _, Digest, ManualClock, Reference, RepositoryName, Tag, UploadId};

use super::super::{clock, digest, file_blob, inline_blob, manifest, origin, repository, upload_id};
use super::Open;
use super::invariants;
use super::reference::Model;
use crate::embedded::EmbeddedMetadata;
use crate::ordered_map::OrderedMap;
use crate::{
    Epoch, FinishUpload, Lease, MetadataStore as _, Page, Precondition, Presence, Progress, ReferenceEdge,
    Referral,
};

/// One step; numbers choose among few repositories, contents, tags and uploads, so that steps meet.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Create {
        repository: u8,
    },
    Claim {
        repository: u8,
        upload: u8,
    },
    Save {
        upload: u8,
        is_current: bool,
        is_inline: bool,
    },
    Abort {
        upload: u8,
        is_current: bool,
    },
    FinishFile {
        repository: Option<u8>,
        upload: u8,
        is_current: bool,
        content: u8,
    },
    FinishInline {
        repository: Option<u8>,
        upload: u8,
        is_current: bool,
        content: u8,
    },
    Push {
        repository: u8,
        content: u8,
    },
    Stat {
        repository: u8,
        content: u8,
        renew: bool,
    },
    Mount {
        from: u8,
        to: u8,
        content: u8,
    },
    Unlink {
        repository: u8,
        content: u8,
    },
    Commit {
        repository: u8,
        body: u8,
        references: Vec<(u8, u8)>,
        tags: Vec<(u8, u8)>,
        subject: Option<(u8, u8)>,
    },
    DeleteTag {
        repository: u8,
        tag: u8,
        precondition: u8,
    },
    DeleteManifest {
        repository: u8,
        body: u8,
    },
    Pass {
        minutes: u64,
    },
    Reap {
        count: usize,
    },
    ReapAgain,
    Sweep {
        forget: usize,
    },
    ClaimOrphan {
        upload: u8,
    },
    Reopen,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let (repository, content, body, upload) = (0..3_u8, 0..4_u8, 0..3_u8, 0..12_u8);
    let commit = (
        repository.clone(),
        body.clone(),
        vec((0..7_u8, 0..3_u8), 0..4),
        vec((0..3_u8, 0..5_u8), 0..3),
        option::of((0..4_u8, 0..2_u8)),
    );
    let finish = (
        option::of(repository.clone()),
        upload.clone(),
        prop::bool::weighted(0.9),
        content.clone(),
    );
    prop_oneof![
        2 => repository.clone().prop_map(|repository| Step::Create { repository }),
        1 => (repository.clone(), upload.clone()).prop_map(|(repository, upload)| Step::Claim { repository, upload }),
        2 => (upload.clone(), prop::bool::weighted(0.9), any::<bool>())
            .prop_map(|(upload, is_current, is_inline)| Step::Save { upload, is_current, is_inline }),
        1 => (upload.clone(), prop::bool::weighted(0.9))
            .prop_map(|(upload, is_current)| Step::Abort { upload, is_current }),
        4 => finish.clone().prop_map(|(repository, upload, is_current, content)| {
            Step::FinishFile { repository, upload, is_current, content }
        }),
        2 => finish.prop_map(|(repository, upload, is_current, content)| {
            Step::FinishInline { repository, upload, is_current, content }
        }),
        3 => (repository.clone(), content.clone()).prop_map(|(repository, content)| Step::Push { repository, content }),
        2 => (repository.clone(), content.clone(), any::<bool>())
            .prop_map(|(repository, content, renew)| Step::Stat { repository, content, renew }),
        2 => (repository.clone(), repository.clone(), content.clone())
            .prop_map(|(from, to, content)| Step::Mount { from, to, content }),
        1 => (repository.clone(), content).prop_map(|(repository, content)| Step::Unlink { repository, content }),
        6 => commit.prop_map(|(repository, body, references, tags, subject)| {
            Step::Commit { repository, body, references, tags, subject }
        }),
        1 => (repository.clone(), 0..3_u8, 0..5_u8)
            .prop_map(|(repository, tag, precondition)| Step::DeleteTag { repository, tag, precondition }),
        2 => (repository, body).prop_map(|(repository, body)| Step::DeleteManifest { repository, body }),
        4 => (1..90_u64).prop_map(|minutes| Step::Pass { minutes }),
        4 => (1..9_usize).prop_map(|count| Step::Reap { count }),
        1 => Just(Step::ReapAgain),
        1 => (0..4_usize).prop_map(|forget| Step::Sweep { forget }),
        1 => upload.prop_map(|upload| Step::ClaimOrphan { upload }),
        1 => Just(Step::Reopen),
    ]
}

/// An engine and its model.
pub(super) struct Engine<'a, M: OrderedMap> {
    open: Open<'a, M>,
    clock: Arc<ManualClock>,
    store: Option<Arc<EmbeddedMetadata<M>>>,
    model: Model,
    made: Vec<(UploadId, RepositoryName)>,
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
            Step::Create { repository } => {
                let (id, repository) = (upload_id(self.made.len() as u64), name(*repository));
                self.made.push((id, repository.clone()));
                let epoch = store.create_upload(&origin(), &repository, id).await.unwrap();
                prop_assert_eq!(epoch, model.create(&repository, id));
            }
            Step::Claim { repository, upload } => {
                let id = upload_id(u64::from(*upload));
                let claim = store.claim_upload(&name(*repository), id).await.unwrap();
                prop_assert_eq!(claim, model.claim(&name(*repository), id));
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
                let outcome = store.save_progress(id, epoch, progress.clone()).await.unwrap();
                prop_assert_eq!(outcome, self.model.save(id, epoch, &progress));
            }
            Step::Abort { upload, is_current } => {
                let (id, epoch) = self.writer(*upload, *is_current);
                let outcome = store.abort_upload(&origin(), id, epoch).await.unwrap();
                prop_assert_eq!(outcome, self.model.abort(id, epoch));
            }
            Step::FinishFile {
                repository,
                upload,
                is_current,
                content,
            } => {
                let (id, epoch) = self.writer(*upload, *is_current);
                let blob = file_blob(&text(*content), id);
                let upload = FinishUpload {
                    id,
                    epoch: Some(epoch),
                    repository: self.home(id, *repository),
                    blob,
                };
                let outcome = store.finish_upload(&origin(), upload.clone()).await.unwrap();
                prop_assert_eq!(outcome, self.model.finish(&upload));
            }
            Step::FinishInline {
                repository,
                upload,
                is_current,
                content,
            } => {
                let (id, epoch) = self.writer(*upload, *is_current);
                let blob = inline_blob(&text(*content));
                let upload = FinishUpload {
                    id,
                    epoch: Some(epoch),
                    repository: self.home(id, *repository),
                    blob,
                };
                let outcome = store.finish_upload(&origin(), upload.clone()).await.unwrap();
                prop_assert_eq!(outcome, self.model.finish(&upload));
            }
            Step::Push { repository, content } => {
                // Ids of their own: there is no row of such an upload.
                self.pushes += 1;
                let (id, blob) = (upload_id(1_000_000 + self.pushes), inline_blob(&text(*content)));
                let upload = FinishUpload {
                    id,
                    epoch: None,
                    repository: name(*repository),
                    blob,
                };
                let outcome = store.finish_upload(&origin(), upload.clone()).await.unwrap();
                prop_assert_eq!(outcome, model.finish(&upload));
            }
            Step::Stat {
                repository,
                content,
                renew,
            } => {
                let (repository, digest) = (name(*repository), digest(&text(*content)));
                let lease = if *renew { Lease::Renew } else { Lease::Leave };
                let stat = store.stat_blob(&repository, &digest, lease).await.unwrap();
                prop_assert_eq!(stat, model.stat(&repository, &digest, lease));
            }
            Step::Mount { from, to, content } => {
                let (from, to, digest) = (name(*from), name(*to), digest(&text(*content)));
                let outcome = store.mount_blob(&origin(), &from, &to, &digest).await.unwrap();
                prop_assert_eq!(outcome, model.mount(&from, &to, &digest));
            }
            Step::Unlink { repository, content } => {
                let (repository, digest) = (name(*repository), digest(&text(*content)));
                let was_held = store.unlink_blob(&origin(), &repository, &digest).await.unwrap();
                prop_assert_eq!(was_held, model.unlink(&repository, &digest));
            }
            Step::Commit {
                repository,
                body,
                references,
                tags,
                subject,
            } => {
                let mut manifest = manifest(&name(*repository), &body_text(*body));
                for (target, presence) in references {
                    let digest = target_digest(*target);
                    let presence = [Presence::Optional, Presence::Blob, Presence::ManifestOrBlob]
                        [usize::from(*presence)];
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
                repository,
                tag,
                precondition: condition,
            } => {
                let (repository, tag, condition) =
                    (name(*repository), tag_name(*tag), precondition(*condition));
                let outcome = store
                    .delete_tag(&origin(), &repository, &tag, condition)
                    .await
                    .unwrap();
                prop_assert_eq!(outcome, model.delete_tag(&repository, &tag, condition));
            }
            Step::DeleteManifest { repository, body } => {
                let (repository, digest) = (name(*repository), digest(&body_text(*body)));
                let outcome = store
                    .delete_manifest(&origin(), &repository, &digest)
                    .await
                    .unwrap();
                prop_assert_eq!(outcome, model.delete_manifest(&repository, &digest));
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
                    let name = upload_id(u64::from(*upload));
                    prop_assert_eq!(store.claim_orphan(name).await.unwrap(), model.claim_orphan(name));
                }
            }
            Step::Reopen => {
                drop(store);
                self.store = None;
                self.store = Some((self.open)(&self.clock));
            }
        }
        Ok(())
    }

    /// The present writer of an upload, or the one before.
    fn writer(&self, upload: u8, is_current: bool) -> (UploadId, Epoch) {
        let id = upload_id(u64::from(upload));
        let epoch = self.model.uploads.get(&id).map_or(1, |upload| upload.epoch.0);
        (id, Epoch(if is_current { epoch } else { epoch - 1 }))
    }

    /// The repository an upload was started in, unless another one is named.
    fn home(&self, id: UploadId, other: Option<u8>) -> RepositoryName {
        let own = self
            .made
            .iter()
            .find(|(made, _)| *made == id)
            .map(|(_, repository)| repository.clone());
        own.filter(|_| other != Some(0))
            .unwrap_or_else(|| name(other.unwrap_or_default()))
    }

    async fn compare_listings(&self) -> Result<(), TestCaseError> {
        let (store, model) = (self.store(), &self.model);
        let mut listed = Vec::new();
        for repository in (0..3).map(name) {
            let manifests: Vec<_> = model
                .manifests
                .iter()
                .filter(|((owner, _), _)| *owner == repository)
                .collect();
            let tags = model
                .tags
                .keys()
                .filter(|(owner, _)| *owner == repository)
                .map(|(_, tag)| tag.clone());
            let page = Page {
                entries: tags.collect(),
                more: false,
            };
            let expected = (!manifests.is_empty()).then_some(page);
            prop_assert_eq!(store.list_tags(&repository, None, 100).await.unwrap(), expected);

            for ((_, digest), manifest) in &manifests {
                let by_digest = store
                    .resolve_manifest(&repository, &Reference::Digest(*digest))
                    .await
                    .unwrap();
                prop_assert_eq!(by_digest.map(|stored| stored.body), Some(manifest.body.clone()));
            }
            for subject in (0..7).map(target_digest) {
                self.compare_referrers(&repository, &subject).await?;
            }
            listed.extend((!manifests.is_empty()).then_some(repository));
        }
        for ((repository, tag), digest) in &model.tags {
            let by_tag = store
                .resolve_manifest(repository, &Reference::Tag(tag.clone()))
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
            .map(|entry| (entry.id, entry.repository, entry.epoch))
            .collect();
        let expected: Vec<_> = model
            .uploads
            .iter()
            .map(|(id, upload)| (*id, upload.repository.clone(), upload.epoch))
            .collect();
        prop_assert_eq!(uploads, expected);
        for (id, upload) in &model.uploads {
            let offset = store.stat_upload(&upload.repository, *id).await.unwrap();
            prop_assert_eq!(offset, Some(upload.progress.offset));
        }
        Ok(())
    }

    async fn compare_referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
    ) -> Result<(), TestCaseError> {
        let mut expected: Vec<_> = Vec::new();
        for ((owner, digest), manifest) in &self.model.manifests {
            if let Some(referral) = manifest
                .subject
                .as_ref()
                .filter(|referral| referral.subject == *subject)
                && owner == repository
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
                .list_referrers(repository, subject, kind.as_deref(), None, 100, 1 << 20)
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

fn name(number: u8) -> RepositoryName {
    repository(["team/app", "team/app/tools", "team"][usize::from(number)])
}

fn text(content: u8) -> String {
    format!("content {content}")
}

fn body_text(body: u8) -> String {
    format!("{{body {body}}}")
}

/// A blob or, from 4 on, a manifest.
fn target_digest(target: u8) -> Digest {
    if target < 4 {
        digest(&text(target))
    } else {
        digest(&body_text(target - 4))
    }
}

fn tag_name(number: u8) -> Tag {
    ["latest", "v1", "v1.0"][usize::from(number)].parse().unwrap()
}

fn artifact_type(number: u8) -> String {
    ["", "application/sbom"][usize::from(number)].to_owned()
}

fn precondition(number: u8) -> Precondition {
    match number {
        0 | 1 => Precondition::Any,
        2 => Precondition::Absent,
        other => Precondition::Equals(digest(&body_text(other - 3))),
    }
}
