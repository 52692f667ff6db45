//! The operations that make room, each atomic, as the store's own code has them.

use crate::protocol::Protocol;
use crate::rules::Rule;
use crate::state::{Breach, Location, State, Tick};
use crate::witness::Event;

/// What a collector saw outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// The link's repository.
    pub(crate) repository: u8,
    /// When the entry was due.
    pub(crate) due_at: Tick,
    /// Whether there was an edge.
    pub(crate) edge: bool,
    /// Whether the lease was over.
    pub(crate) is_over: bool,
}

impl Protocol {
    /// What a collector sees outside the committer.
    pub(crate) fn look(state: &State, repository: u8, due_at: Tick) -> Look {
        let index = usize::from(repository);
        let link = state.rows.links[index];
        Look {
            repository,
            due_at,
            edge: state.rows.edges[index] != 0,
            is_over: link.is_none_or(|link| link.lease_until <= state.now),
        }
    }

    /// Collects a due link. Returns a name whose bytes are to go at once, by a protocol that does not doom.
    pub(crate) fn reap(&self, state: &mut State, look: Look) -> Option<u8> {
        let Look {
            repository,
            due_at,
            edge,
            is_over,
        } = look;
        let index = usize::from(repository);
        state.rows.due[index] &= !(1 << due_at);
        Self::sync(state);
        let Some(link) = state.rows.links[index] else {
            return self.remove_blob_unless_held(state, index);
        };
        let has_edge = if self.rules.has(Rule::ReapChecksEdge) {
            state.rows.edges[index] != 0
        } else {
            edge
        };
        if has_edge {
            self.saw(Event::Kept);
            return None;
        }
        let is_over = if self.rules.has(Rule::ReapChecksLease) {
            link.lease_until <= state.now
        } else {
            is_over
        };
        if !is_over {
            Self::queue(state, repository, link.lease_until);
            return None;
        }
        state.rows.links[index] = None;
        self.saw(Event::Reaped);
        self.remove_blob_unless_held(state, index)
    }

    fn remove_blob_unless_held(&self, state: &mut State, own: usize) -> Option<u8> {
        let mut links = state.rows.links.iter().enumerate();
        let is_held = links.any(|(index, link)| index != own && link.is_some());
        if is_held && self.rules.has(Rule::AnyLinkKeeps) {
            self.saw(Event::HeldElsewhere);
            return None;
        }
        let blob = state.rows.blob.take()?;
        let names = &blob[..self.scenario.chunks];
        if self.rules.has(Rule::DoomThenDelete) {
            for name in names {
                Self::doom(state, *name);
            }
            return None;
        }
        for name in names {
            state.rows.locations[usize::from(*name)] = None;
        }
        Some(blob[0])
    }

    /// Forgets a doomed name.
    pub(crate) fn forget_location(state: &mut State, name: u8) {
        let location = &mut state.rows.locations[usize::from(name)];
        if matches!(location, Some(Location::Doomed(_))) {
            *location = None;
            Self::sync(state);
        }
    }

    /// Dooms a name that no row knows.
    pub(crate) fn claim_orphan(&self, state: &mut State, name: u8) {
        let is_reserved = self.is_reserved(state, name);
        let is_located = state.rows.locations[usize::from(name)].is_some();
        if is_reserved && self.rules.has(Rule::SweepAsksUploads)
            || is_located && self.rules.has(Rule::SweepAsksLocations)
        {
            self.saw(Event::SweepKept);
            return;
        }
        self.saw(Event::Orphaned);
        Self::doom(state, name);
        Self::sync(state);
    }

    /// Deletes the bytes under a name.
    pub(crate) fn delete_bytes(&self, state: &mut State, name: u8) {
        let mut uploads = state.rows.uploads.iter().flatten();
        let is_listed = uploads.any(|upload| upload.extents[..usize::from(upload.saved)].contains(&name));
        if is_listed || state.rows.locations[usize::from(name)] == Some(Location::Live) {
            state.breach(Breach::NamedBytesDeleted);
        }
        if state.has_bytes(name) {
            self.saw(Event::Deleted);
        }
        state.files[usize::from(name)] = Default::default();
    }
}
