//! The operations of the metadata store, each atomic, as the store's own code has them.

use crate::protocol::Protocol;
use crate::rules::Rule;
use crate::state::{CLAIMS, DIGEST, Epoch, Extents, Link, Location, NAMES_OF_UPLOAD, State, Tick, Upload};
use crate::witness::Event;

/// How long doomed bytes stay.
pub(crate) const DOOM_DELAY: Tick = 1;

/// What a claim found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Claim {
    /// The upload is the caller's.
    Claimed(Upload),
    /// There is no such upload.
    Unknown,
}

/// What a writer's operation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was done.
    Done,
    /// Somebody else has the upload.
    Fenced,
    /// There is no such upload.
    Unknown,
}

impl Protocol {
    /// Every operation that waits for the disk makes durable what was noted before it.
    pub(crate) fn sync(state: &mut State) {
        state.synced_uploads = state.rows.uploads;
        state.synced_locations = state.rows.locations;
    }

    /// The name that a writer of an upload writes; `None` when it claimed more often than the model has room for.
    pub(crate) fn name_of(&self, upload: u8, epoch: Epoch) -> Option<u8> {
        let own = if self.rules.has(Rule::OwnNames) {
            epoch.start * CLAIMS + epoch.claim.saturating_sub(2)
        } else {
            0
        };
        let is_room = epoch.claim < CLAIMS + 2;
        is_room.then_some(self.first_name_of(upload) + own)
    }

    /// The first of the names of an upload.
    pub(crate) fn first_name_of(&self, upload: u8) -> u8 {
        let upload = if self.rules.has(Rule::NameIsUpload) {
            upload
        } else {
            DIGEST
        };
        upload * NAMES_OF_UPLOAD
    }

    /// Whether an upload has reserved a name.
    pub(crate) fn is_reserved(&self, state: &State, name: u8) -> bool {
        let mut uploads = (0_u8..).zip(&state.rows.uploads);
        uploads.any(|(id, upload)| {
            let first = self.first_name_of(id);
            upload.is_some() && (first..first + NAMES_OF_UPLOAD).contains(&name)
        })
    }

    /// Reserves an id, without waiting for the disk.
    pub(crate) fn create_upload(state: &mut State) -> u8 {
        let id = state.next_upload;
        state.next_upload += 1;
        state.rows.uploads[usize::from(id)] = Some(Upload {
            epoch: Epoch {
                start: state.start,
                claim: 1,
            },
            saved: 0,
            extents: [0; _],
            is_writing: false,
            is_idle: false,
        });
        id
    }

    /// Fences the present writer off and dooms what it did not list, without waiting for the disk.
    pub(crate) fn claim_upload(&self, state: &mut State, id: u8) -> Claim {
        let Some(upload) = state.rows.uploads[usize::from(id)] else {
            return Claim::Unknown;
        };
        if upload.is_writing {
            self.doom_unlisted(state, id, upload);
        }
        let epoch = Epoch {
            start: state.start,
            claim: upload.epoch.claim + 1,
        };
        let claimed = Upload {
            epoch,
            is_writing: true,
            is_idle: false,
            ..upload
        };
        state.rows.uploads[usize::from(id)] = Some(claimed);
        Claim::Claimed(claimed)
    }

    /// Dooms the name that the present writer of an upload may be writing.
    fn doom_unlisted(&self, state: &mut State, id: u8, upload: Upload) {
        let listed = &upload.extents[..usize::from(upload.saved)];
        if let Some(name) = self.name_of(id, upload.epoch)
            && self.rules.has(Rule::ClaimDooms)
            && !listed.contains(&name)
        {
            self.saw(Event::UnlistedDoomed);
            Self::doom(state, name);
        }
    }

    fn owned(&self, state: &State, id: u8, epoch: Epoch) -> Result<Upload, Outcome> {
        match state.rows.uploads[usize::from(id)] {
            None => Err(Outcome::Unknown),
            Some(upload) if self.rules.has(Rule::EpochIsRequired) && upload.epoch != epoch => {
                self.saw(Event::Fenced);
                Err(Outcome::Fenced)
            }
            Some(upload) => Ok(upload),
        }
    }

    /// Saves how far an upload is.
    pub(crate) fn save_progress(
        &self,
        state: &mut State,
        id: u8,
        epoch: Epoch,
        saved: u8,
        extents: Extents,
    ) -> Outcome {
        let upload = match self.owned(state, id, epoch) {
            Ok(upload) => upload,
            Err(refusal) => return refusal,
        };
        state.rows.uploads[usize::from(id)] = Some(Upload {
            saved,
            extents,
            is_writing: false,
            is_idle: false,
            ..upload
        });
        state.promises.offsets[usize::from(id)] = saved;
        Self::sync(state);
        Outcome::Done
    }

    /// Cancels an upload that was idle when it was listed.
    pub(crate) fn abort_upload(&self, state: &mut State, id: u8, epoch: Epoch) -> Outcome {
        let upload = match self.owned(state, id, epoch) {
            Ok(upload) => upload,
            Err(refusal) => return refusal,
        };
        if upload.is_idle {
            state.promises.offsets[usize::from(id)] = 0;
        }
        state.rows.uploads[usize::from(id)] = None;
        for name in &upload.extents[..usize::from(upload.saved)] {
            Self::doom(state, *name);
        }
        self.doom_unlisted(state, id, upload);
        self.saw(Event::Expired);
        Self::sync(state);
        Outcome::Done
    }

    /// Ends an upload. `looked` is what was seen of the digest before, by a protocol that trusts it.
    pub(crate) fn finish_upload(
        &self,
        state: &mut State,
        id: u8,
        epoch: Epoch,
        repository: u8,
        extents: Extents,
        looked: Option<bool>,
    ) -> Outcome {
        if let Err(refusal) = self.owned(state, id, epoch) {
            return refusal;
        }
        state.rows.uploads[usize::from(id)] = None;
        if looked.unwrap_or(state.rows.blob.is_some()) {
            self.saw(Event::Deduplicated);
            self.finish_duplicate(state, extents);
        } else {
            self.place_blob(state, extents);
        }
        self.grant(state, repository, Some(id));
        state.promises.offsets[usize::from(id)] = 0;
        state.promises.finished |= 1 << id;
        Self::answer(state, repository);
        Self::sync(state);
        Outcome::Done
    }

    /// Ends an upload of content that is stored already.
    fn finish_duplicate(&self, state: &mut State, extents: Extents) {
        let names = self.names(extents);
        let stored = state.rows.blob.map(|blob| self.names(blob));
        let is_stored = |name: &u8| stored.as_ref().is_some_and(|stored| stored.contains(name));
        match &stored {
            Some(old) if self.scenario.renews && !names.iter().any(is_stored) => {
                self.place_blob(state, extents);
                for name in old {
                    self.retire(state, *name);
                }
            }
            _ if self.rules.has(Rule::DuplicateIsDoomed) => {
                for name in names.iter().filter(|name| !is_stored(name)) {
                    Self::doom(state, *name);
                }
            }
            _ => {}
        }
    }

    fn names(&self, extents: Extents) -> Vec<u8> {
        extents[..self.scenario.chunks].to_vec()
    }

    fn place_blob(&self, state: &mut State, extents: Extents) {
        for name in self.names(extents) {
            state.rows.locations[usize::from(name)] = Some(Location::Live);
        }
        state.rows.blob = Some(extents);
    }

    /// Gives up a location whose place another has taken.
    fn retire(&self, state: &mut State, name: u8) {
        self.saw(Event::Replaced);
        if self.rules.has(Rule::RenewalDooms) {
            return Self::doom(state, name);
        }
        state.rows.locations[usize::from(name)] = None;
        self.delete_bytes(state, name);
    }

    pub(crate) fn doom(state: &mut State, name: u8) {
        state.rows.locations[usize::from(name)] = Some(Location::Doomed(state.now + DOOM_DELAY));
    }

    fn lease_end(&self, now: Tick) -> Tick {
        now + 2 * self.scenario.grace
    }

    pub(crate) fn queue(state: &mut State, repository: u8, at: Tick) {
        state.rows.due[usize::from(repository)] |= 1 << at;
    }

    fn grant(&self, state: &mut State, repository: u8, upload: Option<u8>) {
        let lease_until = self.lease_end(state.now);
        let link = &mut state.rows.links[usize::from(repository)];
        if let Some(link) = link {
            link.lease_until = link.lease_until.max(lease_until);
            link.upload = upload.or(link.upload);
            return;
        }
        *link = Some(Link { lease_until, upload });
        Self::queue(state, repository, lease_until);
    }

    /// Takes a reference away.
    fn release(&self, state: &mut State, repository: u8, manifest: u8) {
        state.rows.edges[usize::from(repository)] &= !(1 << manifest);
        let now = state.now;
        let Some(link) = &mut state.rows.links[usize::from(repository)] else {
            return;
        };
        if self.rules.has(Rule::ReleaseLeases) {
            let grace_end = now + self.scenario.grace;
            link.lease_until = if self.rules.has(Rule::ReleaseKeepsLongerLease) {
                link.lease_until.max(grace_end)
            } else {
                grace_end
            };
        }
        let lease_until = link.lease_until;
        if self.rules.has(Rule::ReleaseQueues) {
            Self::queue(state, repository, lease_until);
        }
    }

    /// The client may rely on the blob from now on.
    fn answer(state: &mut State, repository: u8) {
        let index = usize::from(repository);
        state.promises.answered[index] = Some(state.now);
        state.promises.owed[index] |= state.rows.edges[index] | state.rows.manifests[index];
    }

    /// Whether a repository holds the blob; a positive answer renews the lease.
    pub(crate) fn stat_blob(&self, state: &mut State, repository: u8) -> bool {
        let end = self.lease_end(state.now);
        let Some(link) = &mut state.rows.links[usize::from(repository)] else {
            return false;
        };
        if self.rules.has(Rule::HeadRenews) && link.lease_until < state.now + self.scenario.grace {
            self.saw(Event::Renewed);
            link.lease_until = end;
            Self::sync(state);
        }
        Self::answer(state, repository);
        true
    }

    /// Answers from what was read before, whatever became of it.
    pub(crate) fn renew_blindly(&self, state: &mut State, repository: u8) {
        self.stat_blob(state, repository);
        Self::answer(state, repository);
    }

    /// Makes a repository hold what another holds.
    pub(crate) fn mount_blob(&self, state: &mut State, repository: u8) {
        self.saw(Event::Mounted);
        self.grant(state, repository, None);
        Self::answer(state, repository);
        Self::sync(state);
    }

    /// Takes the blob out of a repository.
    pub(crate) fn unlink_blob(&self, state: &mut State, repository: u8) {
        let index = usize::from(repository);
        state.promises.owed[index] = 0;
        state.promises.answered[index] = None;
        if state.rows.links[index].take().is_some() {
            self.saw(Event::Unlinked);
            if self.rules.has(Rule::UnlinkQueues) {
                Self::queue(state, repository, state.now);
            }
            Self::sync(state);
        }
    }

    /// Stores a manifest with its edge and tag. `false`: the blob it needs is unknown.
    pub(crate) fn commit_manifest(
        &self,
        state: &mut State,
        repository: u8,
        manifest: u8,
        is_required: bool,
    ) -> bool {
        let index = usize::from(repository);
        let is_present = state.rows.links[index].is_some();
        if is_required && !is_present {
            return false;
        }
        self.write_edges(state, repository, manifest, is_present);
        true
    }

    /// The writing half of [`Self::commit_manifest`].
    pub(crate) fn write_edges(&self, state: &mut State, repository: u8, manifest: u8, is_present: bool) {
        let index = usize::from(repository);
        self.saw(Event::Committed);
        if is_present || self.rules.has(Rule::EdgeForAbsent) {
            state.rows.edges[index] |= 1 << manifest;
        }
        if is_present {
            state.promises.owed[index] |= 1 << manifest;
        }
        state.rows.manifests[index] |= 1 << manifest;
        state.rows.tags[index] = Some(manifest);
        Self::sync(state);
    }

    /// Removes a manifest with its tag and edge.
    pub(crate) fn delete_manifest(&self, state: &mut State, repository: u8, manifest: u8) {
        let index = usize::from(repository);
        state.promises.owed[index] &= !(1 << manifest);
        if state.rows.manifests[index] & (1 << manifest) == 0 {
            return;
        }
        state.rows.manifests[index] &= !(1 << manifest);
        if state.rows.tags[index] == Some(manifest) {
            state.rows.tags[index] = None;
        }
        self.release(state, repository, manifest);
        Self::sync(state);
    }
}
