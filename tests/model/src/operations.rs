//! The operations of the metadata store, each atomic, as the store's own code has them.

use crate::protocol::Protocol;
use crate::rules::Rule;
use crate::state::{DIGEST_NAME, Extents, Link, Location, SEGMENTS, State, Tick, Upload};
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
    }

    /// Where an upload's bytes are.
    pub(crate) fn name_of(&self, upload: u8) -> u8 {
        if self.rules.has(Rule::NameIsUpload) {
            upload
        } else {
            DIGEST_NAME
        }
    }

    /// Reserves an id, without waiting for the disk.
    pub(crate) fn create_upload(state: &mut State) -> u8 {
        let id = state.next_upload;
        state.next_upload += 1;
        state.rows.uploads[usize::from(id)] = Some(Upload {
            epoch: 1,
            saved: 0,
            segments: [0; 2],
            is_idle: false,
        });
        id
    }

    /// Fences the present writer off, without waiting for the disk.
    pub(crate) fn claim_upload(state: &mut State, id: u8) -> Claim {
        let Some(upload) = &mut state.rows.uploads[usize::from(id)] else {
            return Claim::Unknown;
        };
        upload.epoch += 1;
        upload.is_idle = false;
        Claim::Claimed(*upload)
    }

    /// The segment that an epoch writes.
    pub(crate) fn segment_of(&self, epoch: u8) -> Option<u8> {
        if !self.has_own_segments() {
            return Some(0);
        }
        let segment = epoch - 2;
        (usize::from(segment) < SEGMENTS).then_some(segment)
    }

    fn owned(&self, state: &State, id: u8, epoch: u8) -> Result<Upload, Outcome> {
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
        epoch: u8,
        saved: u8,
        segments: [u8; 2],
    ) -> Outcome {
        let upload = match self.owned(state, id, epoch) {
            Ok(upload) => upload,
            Err(refusal) => return refusal,
        };
        state.rows.uploads[usize::from(id)] = Some(Upload {
            saved,
            segments,
            is_idle: false,
            ..upload
        });
        state.promises.offsets[usize::from(id)] = saved;
        Self::sync(state);
        Outcome::Done
    }

    /// Cancels an upload that was idle when it was listed.
    pub(crate) fn abort_upload(&self, state: &mut State, id: u8, epoch: u8) -> Outcome {
        let upload = match self.owned(state, id, epoch) {
            Ok(upload) => upload,
            Err(refusal) => return refusal,
        };
        if upload.is_idle {
            state.promises.offsets[usize::from(id)] = 0;
        }
        state.rows.uploads[usize::from(id)] = None;
        let name = self.name_of(id);
        Self::doom(state, name);
        self.saw(Event::Expired);
        Self::sync(state);
        Outcome::Done
    }

    /// Ends an upload. `looked` is what was seen of the digest before, by a protocol that trusts it.
    pub(crate) fn finish_upload(
        &self,
        state: &mut State,
        id: u8,
        epoch: u8,
        repository: u8,
        segments: [u8; 2],
        looked: Option<bool>,
    ) -> Outcome {
        if let Err(refusal) = self.owned(state, id, epoch) {
            return refusal;
        }
        state.rows.uploads[usize::from(id)] = None;
        let name = self.name_of(id);
        if looked.unwrap_or(state.rows.blob.is_some()) {
            self.saw(Event::Deduplicated);
            match state.rows.blob {
                Some(blob) if blob.name == name => {}
                Some(old) if self.scenario.renews => {
                    Self::place_blob(state, name, segments);
                    self.retire(state, old.name);
                }
                _ if self.rules.has(Rule::DuplicateIsDoomed) => Self::doom(state, name),
                _ => {}
            }
        } else {
            Self::place_blob(state, name, segments);
        }
        self.grant(state, repository, Some(id));
        state.promises.offsets[usize::from(id)] = 0;
        state.promises.finished |= 1 << id;
        Self::answer(state, repository);
        Self::sync(state);
        Outcome::Done
    }

    fn place_blob(state: &mut State, name: u8, segments: [u8; 2]) {
        state.rows.blob = Some(Extents { name, segments });
        state.rows.locations[usize::from(name)] = Some(Location::Live);
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
