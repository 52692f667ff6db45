//! The rules, as naively as they can be written: what refers to what is looked up by reading everything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use zas_core::{Digest, Holder, LocationName, Tag, Timestamp, UploadId};

use super::super::{LEASE, TIMING};
use crate::{
    BlobContent, BlobStat, Claim, CommitManifest, CommitOutcome, DeleteManifestOutcome, DeleteTagOutcome,
    DueLink, Epoch, Extent, FinishOutcome, FinishUpload, Lease, MountOutcome, NewBlob, OrphanOutcome,
    Precondition, Presence, Progress, ReapOutcome, WriterOutcome, Written,
};

#[derive(Debug)]
pub(super) struct Upload {
    pub(super) holder: Holder,
    pub(super) epoch: Epoch,
    pub(super) progress: Progress,
    pub(super) extents: Vec<Extent>,
    pub(super) ordinal: u32,
    is_writing: bool,
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) lease_until: Timestamp,
    upload: Option<UploadId>,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) now: Timestamp,
    pub(super) uploads: BTreeMap<UploadId, Upload>,
    pub(super) blobs: BTreeMap<Digest, NewBlob>,
    pub(super) renewed: BTreeMap<Digest, Timestamp>,
    pub(super) links: BTreeMap<(Digest, Holder), Link>,
    pub(super) manifests: BTreeMap<(Holder, Digest), CommitManifest>,
    pub(super) tags: BTreeMap<(Holder, Tag), Digest>,
    pub(super) due: BTreeSet<(Timestamp, Holder, Digest)>,
    pub(super) doomed: BTreeSet<(Timestamp, LocationName)>,
    /// How often the store was opened and somebody claimed something in it.
    pub(super) start: u64,
    pub(super) has_claims: bool,
}

impl Model {
    pub(super) fn create(&mut self, holder: &Holder, id: UploadId) -> Epoch {
        let epoch = Epoch {
            start: self.take_start(),
            claim: 1,
        };
        let upload = Upload {
            holder: holder.clone(),
            epoch,
            progress: Progress::default(),
            extents: Vec::new(),
            ordinal: 0,
            is_writing: false,
        };
        self.uploads.insert(id, upload);
        epoch
    }

    fn take_start(&mut self) -> u64 {
        self.start += u64::from(!self.has_claims);
        self.has_claims = true;
        self.start
    }

    pub(super) fn claim(&mut self, holder: &Holder, id: UploadId) -> Option<Claim> {
        let upload = self.uploads.get(&id);
        upload.filter(|upload| upload.holder == *holder)?;
        let start = self.take_start();
        let upload = self.uploads.get_mut(&id)?;
        let unlisted = upload.epoch.name(id, upload.ordinal);
        let was_writing = upload.is_writing;
        upload.epoch = Epoch {
            start,
            claim: upload.epoch.claim + 1,
        };
        upload.ordinal = 0;
        upload.is_writing = true;
        let claim = Claim {
            epoch: upload.epoch,
            progress: upload.progress.clone(),
            extents: upload.extents.len(),
        };
        if was_writing {
            self.doom(unlisted);
        }
        Some(claim)
    }

    pub(super) fn save(
        &mut self,
        id: UploadId,
        epoch: Epoch,
        progress: &Progress,
        written: &Written,
    ) -> WriterOutcome {
        let Some(upload) = self.uploads.get_mut(&id) else {
            return WriterOutcome::Unknown;
        };
        if upload.epoch != epoch {
            return WriterOutcome::Fenced;
        }
        upload.ordinal += written.extents.len() as u32;
        upload.extents.extend_from_slice(&written.extents);
        upload.is_writing &= !written.is_last;
        upload.progress = progress.clone();
        WriterOutcome::Done
    }

    pub(super) fn abort(&mut self, id: UploadId, epoch: Epoch) -> WriterOutcome {
        match self.uploads.get(&id) {
            None => return WriterOutcome::Unknown,
            Some(upload) if upload.epoch != epoch => return WriterOutcome::Fenced,
            Some(_) => {}
        }
        let upload = self.uploads.remove(&id).unwrap();
        for extent in &upload.extents {
            self.doom(extent.location);
        }
        self.doom(epoch.name(id, upload.ordinal));
        WriterOutcome::Done
    }

    pub(super) fn finish(&mut self, upload: &FinishUpload) -> FinishOutcome {
        let FinishUpload {
            id,
            epoch,
            holder,
            blob,
        } = upload;
        let is_file = matches!(blob.content, BlobContent::Extents(_));
        let mut saved = Vec::new();
        match epoch {
            None if is_file => return FinishOutcome::Unknown,
            None => {}
            Some(epoch) => match self.uploads.get(id) {
                Some(upload) if upload.holder != *holder => return FinishOutcome::Unknown,
                Some(upload) if upload.epoch != *epoch => return FinishOutcome::Fenced,
                Some(upload) => saved.clone_from(&upload.extents),
                None => return FinishOutcome::Unknown,
            },
        }
        self.uploads.remove(id);
        let mut blob = blob.clone();
        match &mut blob.content {
            BlobContent::Inline(_) => saved.iter().for_each(|extent| self.doom(extent.location)),
            BlobContent::Extents(extents) => drop(extents.splice(0..0, saved)),
        }
        let outcome = match self.blobs.get(&blob.digest).cloned() {
            Some(existing) if !self.may_replace(&existing, &blob) => {
                names(&blob).into_iter().for_each(|name| self.doom(name));
                FinishOutcome::Existed
            }
            existing => {
                self.blobs.insert(blob.digest, blob.clone());
                match existing {
                    None => FinishOutcome::Created,
                    Some(old) => {
                        names(&old).into_iter().for_each(|name| self.doom(name));
                        self.renewed.insert(blob.digest, self.now);
                        FinishOutcome::Renewed
                    }
                }
            }
        };
        self.grant(holder, &blob.digest, Some(*id));
        outcome
    }

    fn may_replace(&self, existing: &NewBlob, new: &NewBlob) -> bool {
        let renewed = self.renewed.get(&existing.digest);
        matches!(existing.content, BlobContent::Extents(_))
            && names(new).len() <= names(existing).len()
            && renewed.is_none_or(|at| self.now.since(*at) >= Duration::from_hours(1))
    }

    pub(super) fn stat(&mut self, holder: &Holder, digest: &Digest, lease: Lease) -> Option<BlobStat> {
        let link = self.links.get_mut(&(*digest, holder.clone()))?;
        if lease == Lease::Renew && link.lease_until < self.now.plus(TIMING.grace) {
            link.lease_until = self.now.plus(LEASE);
        }
        let blob = &self.blobs[digest];
        Some(BlobStat {
            size: blob.size,
            content: blob.content.clone(),
            upload: link.upload,
        })
    }

    pub(super) fn mount(&mut self, from: &Holder, to: &Holder, digest: &Digest) -> MountOutcome {
        if !self.links.contains_key(&(*digest, from.clone())) {
            return MountOutcome::Unknown;
        }
        self.grant(to, digest, None);
        MountOutcome::Mounted
    }

    pub(super) fn unlink(&mut self, holder: &Holder, digest: &Digest) -> bool {
        let is_held = self.links.remove(&(*digest, holder.clone())).is_some();
        if is_held {
            self.due.insert((self.now, holder.clone(), *digest));
        }
        is_held
    }

    pub(super) fn holders(&self, digest: &Digest) -> Vec<Holder> {
        self.links
            .keys()
            .filter(|(held, _)| held == digest)
            .map(|(_, holder)| holder.clone())
            .collect()
    }

    pub(super) fn commit(&mut self, manifest: &CommitManifest) -> CommitOutcome {
        let holder = &manifest.holder;
        let has_blob = |digest: &Digest| self.links.contains_key(&(*digest, holder.clone()));
        let has_manifest = |digest: &Digest| self.manifests.contains_key(&(holder.clone(), *digest));
        let is_missing = |presence, digest: &Digest| match presence {
            Presence::Optional => false,
            Presence::Blob => !has_blob(digest),
            Presence::Manifest => !has_manifest(digest),
            Presence::ManifestOrBlob => !has_blob(digest) && !has_manifest(digest),
        };
        let references = manifest.references.iter();
        let missing: Vec<_> = references
            .filter(|reference| is_missing(reference.presence, &reference.digest))
            .map(|reference| reference.digest)
            .collect();
        if !missing.is_empty() {
            return CommitOutcome::Missing(missing);
        }
        let present = |tag: &Tag| self.tags.get(&(holder.clone(), tag.clone())).copied();
        let is_conflict = |(tag, precondition): &&(Tag, Precondition)| match (precondition, present(tag)) {
            (_, Some(present)) if present == manifest.digest => false,
            (Precondition::Any, _) | (Precondition::Absent, None) => false,
            (Precondition::Equals(expected), Some(present)) => *expected != present,
            (Precondition::Absent, Some(_)) | (Precondition::Equals(_), None) => true,
        };
        let conflicts: Vec<_> = manifest
            .tags
            .iter()
            .filter(is_conflict)
            .map(|(tag, _)| tag.clone())
            .collect();
        if !conflicts.is_empty() {
            return CommitOutcome::TagConflict(conflicts);
        }

        let mut displaced = Vec::new();
        for (tag, _) in &manifest.tags {
            let old = self.tags.insert((holder.clone(), tag.clone()), manifest.digest);
            displaced.extend(
                old.filter(|old| *old != manifest.digest)
                    .map(|old| (tag.clone(), old)),
            );
        }
        let old = self
            .manifests
            .insert((holder.clone(), manifest.digest), manifest.clone());
        for reference in old.iter().flat_map(|old| &old.references) {
            if !manifest
                .references
                .iter()
                .any(|kept| kept.digest == reference.digest)
            {
                self.release(holder, &reference.digest);
            }
        }
        CommitOutcome::Committed {
            created: old.is_none(),
            displaced,
        }
    }

    pub(super) fn delete_tag(
        &mut self,
        holder: &Holder,
        tag: &Tag,
        precondition: Precondition,
    ) -> DeleteTagOutcome {
        let key = (holder.clone(), tag.clone());
        let Some(present) = self.tags.get(&key).copied() else {
            return DeleteTagOutcome::Unknown;
        };
        match precondition {
            Precondition::Absent => return DeleteTagOutcome::Conflict,
            Precondition::Equals(expected) if expected != present => return DeleteTagOutcome::Conflict,
            Precondition::Any | Precondition::Equals(_) => {}
        }
        self.tags.remove(&key);
        DeleteTagOutcome::Deleted(Some(present))
    }

    pub(super) fn delete_manifest(&mut self, holder: &Holder, digest: &Digest) -> DeleteManifestOutcome {
        let Some(manifest) = self.manifests.remove(&(holder.clone(), *digest)) else {
            return DeleteManifestOutcome::Unknown;
        };
        self.tags
            .retain(|(tagged_in, _), tagged| tagged_in != holder || tagged != digest);
        for reference in &manifest.references {
            self.release(holder, &reference.digest);
        }
        DeleteManifestOutcome::Deleted
    }

    /// Every manifest that refers to a digest in a repository.
    pub(super) fn is_referenced(&self, holder: &Holder, digest: &Digest) -> bool {
        let manifests = self.manifests.iter().filter(|((owner, _), _)| owner == holder);
        manifests
            .flat_map(|(_, manifest)| &manifest.references)
            .any(|reference| reference.digest == *digest)
    }

    pub(super) fn take_due(&self) -> Vec<DueLink> {
        let due = self.due.iter().take_while(|(at, _, _)| *at <= self.now);
        due.map(|(due_at, holder, digest)| DueLink {
            due_at: *due_at,
            holder: holder.clone(),
            digest: *digest,
        })
        .collect()
    }

    pub(super) fn reap(&mut self, due: &DueLink) -> ReapOutcome {
        if due.due_at > self.now {
            return ReapOutcome::Kept(Some(due.due_at));
        }
        self.due.remove(&(due.due_at, due.holder.clone(), due.digest));
        let key = (due.digest, due.holder.clone());
        if let Some(link) = self.links.get(&key) {
            if self.is_referenced(&due.holder, &due.digest) {
                return ReapOutcome::Kept(None);
            }
            if link.lease_until > self.now {
                let until = link.lease_until;
                self.due.insert((until, due.holder.clone(), due.digest));
                return ReapOutcome::Kept(Some(until));
            }
        }
        let was_held = self.links.remove(&key).is_some();
        if self.links.keys().any(|(held, _)| *held == due.digest) {
            return if was_held {
                ReapOutcome::LinkRemoved
            } else {
                ReapOutcome::Gone
            };
        }
        let Some(blob) = self.blobs.remove(&due.digest) else {
            return ReapOutcome::Gone;
        };
        self.renewed.remove(&due.digest);
        let names = names(&blob);
        for name in &names {
            self.doom(*name);
        }
        ReapOutcome::Doomed(names)
    }

    pub(super) fn take_doomed(&self) -> Vec<LocationName> {
        self.doomed
            .iter()
            .take_while(|(due, _)| *due <= self.now)
            .map(|(_, name)| *name)
            .collect()
    }

    pub(super) fn forget(&mut self, name: LocationName) {
        self.doomed.retain(|(_, doomed)| *doomed != name);
    }

    pub(super) fn claim_orphan(&mut self, name: LocationName) -> OrphanOutcome {
        let is_known = self.uploads.contains_key(&name.upload)
            || self.live().any(|live| live == name)
            || self.doomed.iter().any(|(_, doomed)| *doomed == name);
        if is_known {
            return OrphanOutcome::Known;
        }
        self.doom(name);
        OrphanOutcome::Doomed
    }

    /// The names that hold bytes of blobs.
    pub(super) fn live(&self) -> impl Iterator<Item = LocationName> {
        self.blobs.values().flat_map(|blob| match &blob.content {
            BlobContent::Inline(_) => Vec::new(),
            BlobContent::Extents(extents) => extents.iter().map(|extent| extent.location).collect(),
        })
    }

    fn grant(&mut self, holder: &Holder, digest: &Digest, upload: Option<UploadId>) {
        let until = self.now.plus(LEASE);
        match self.links.get_mut(&(*digest, holder.clone())) {
            Some(link) => {
                link.lease_until = link.lease_until.max(until);
                link.upload = upload.or(link.upload);
            }
            None => {
                self.links.insert(
                    (*digest, holder.clone()),
                    Link {
                        lease_until: until,
                        upload,
                    },
                );
                self.due.insert((until, holder.clone(), *digest));
            }
        }
    }

    fn release(&mut self, holder: &Holder, digest: &Digest) {
        let Some(link) = self.links.get_mut(&(*digest, holder.clone())) else {
            return;
        };
        link.lease_until = link.lease_until.max(self.now.plus(TIMING.grace));
        self.due.insert((link.lease_until, holder.clone(), *digest));
    }

    fn doom(&mut self, name: LocationName) {
        self.doomed.insert((self.now.plus(TIMING.doom_delay), name));
    }
}

fn names(blob: &NewBlob) -> Vec<LocationName> {
    match &blob.content {
        BlobContent::Inline(_) => Vec::new(),
        BlobContent::Extents(extents) => extents.iter().map(|extent| extent.location).collect(),
    }
}
