//! What has to hold in every state.

use stateright::Property;

use crate::protocol::Protocol;
use crate::state::{Breach, Cell, Location, State};

/// 1. What a manifest references is there.
pub const REFERENCED: &str = "1 referenced bytes stay";
/// 2. A positive answer is a promise.
pub const PROMISED: &str = "2 a positive answer holds for the grace";
/// 3. No row without bytes.
pub const BACKED: &str = "3 no row without bytes";
/// 4. No name is deleted while it is in use.
pub const NAMED: &str = "4 named bytes are not deleted";
/// 5. No corrupt bytes under a digest.
pub const RIGHT: &str = "5 no wrong bytes under a digest";
/// 6. No garbage for ever.
pub const CLEAN: &str = "6 no garbage stays";
/// 7. Readers read on.
pub const READABLE: &str = "7 a pull begun before a delete ends";
/// 8. A retry is answered like the first request.
pub const RETRYABLE: &str = "8 a retried closing PUT succeeds";
/// 9. Progress is not taken back.
pub const PROGRESS: &str = "9 an acknowledged offset stays";

/// All properties with what they say.
pub const SENTENCES: [(&str, &str); 9] = [
    (
        REFERENCED,
        "the blob of an acknowledged manifest is linked and its durable bytes are whole and right, until a client deletes one of them",
    ),
    (
        PROMISED,
        "after 201, mount 201 or HEAD 200 younger than the grace the blob is linked (so a manifest that needs it is accepted) and whole",
    ),
    (
        BACKED,
        "every blob row leads to a live location with all its bytes on the disk, and every link to a blob row",
    ),
    (
        NAMED,
        "bytes are never deleted while a live location or an upload row names them",
    ),
    (
        RIGHT,
        "the bytes that a blob row leads to are those of the digest",
    ),
    (
        CLEAN,
        "when all clients are done, nothing is under way and time has passed, rows and bytes of referenced blobs are all that is left",
    ),
    (
        READABLE,
        "whoever got a manifest finds its blob for a grace more, and a download that found its bytes reads them for the doom delay",
    ),
    (
        RETRYABLE,
        "a closing PUT repeated after a lost answer is not told that its upload is unknown while the blob is there",
    ),
    (
        PROGRESS,
        "an acknowledged offset never goes back, unless the upload lies idle until it expires",
    ),
];

/// The properties.
pub fn all() -> Vec<Property<Protocol>> {
    vec![
        Property::always(REFERENCED, |model: &Protocol, state: &State| {
            (0..state.promises.owed.len())
                .all(|index| state.promises.owed[index] == 0 || is_held(model, state, index))
        }),
        Property::always(PROMISED, |model: &Protocol, state: &State| {
            (0..state.promises.answered.len())
                .all(|index| state.promises.answered[index].is_none() || is_held(model, state, index))
        }),
        Property::always(BACKED, |model: &Protocol, state: &State| {
            let Some(blob) = state.rows.blob else {
                return state.rows.links.iter().all(Option::is_none);
            };
            let mut names = blob[..model.scenario.chunks].iter();
            names.all(|name| state.rows.locations[usize::from(*name)] == Some(Location::Live))
                && state
                    .durable_cells(blob, model.scenario.chunks)
                    .all(|(_, cell)| cell != Cell::Absent)
        }),
        Property::always(NAMED, |_: &Protocol, state: &State| {
            !is_broken(state, Breach::NamedBytesDeleted)
        }),
        Property::always(RIGHT, |model: &Protocol, state: &State| {
            state.rows.blob.is_none_or(|blob| {
                let mut cells = state.durable_cells(blob, model.scenario.chunks);
                cells.all(|(chunk, cell)| cell == Cell::Absent || cell == Cell::Chunk(chunk as u8))
            })
        }),
        Property::always(CLEAN, |model: &Protocol, state: &State| {
            !model.is_quiet(state) || is_clean(model, &model.drain(state))
        }),
        Property::always(READABLE, |_: &Protocol, state: &State| {
            !is_broken(state, Breach::ReaderFailed)
        }),
        Property::always(RETRYABLE, |_: &Protocol, state: &State| {
            !is_broken(state, Breach::RetryRefused)
        }),
        Property::always(PROGRESS, |_: &Protocol, state: &State| {
            let mut uploads = state.promises.offsets.iter().zip(&state.rows.uploads);
            uploads.all(|(offset, row)| *offset == 0 || row.is_some_and(|row| row.saved >= *offset))
        }),
    ]
}

fn is_broken(state: &State, breach: Breach) -> bool {
    state.promises.broken & breach as u8 != 0
}

fn is_held(model: &Protocol, state: &State, repository: usize) -> bool {
    state.rows.links[repository].is_some()
        && state.rows.blob.is_some_and(|blob| {
            let mut cells = state.durable_cells(blob, model.scenario.chunks);
            cells.all(|(chunk, cell)| cell == Cell::Chunk(chunk as u8))
        })
}

/// Only what a manifest references is left, and all of that.
fn is_clean(model: &Protocol, state: &State) -> bool {
    let rows = &state.rows;
    let referenced = |index: usize| rows.edges[index] != 0;
    let links_are_referenced =
        (0..rows.links.len()).all(|index| rows.links[index].is_none() || referenced(index));
    let owed_are_linked =
        (0..rows.links.len()).all(|index| state.promises.owed[index] == 0 || rows.links[index].is_some());
    let blob_is_linked = rows.blob.is_none() || rows.links.iter().any(Option::is_some);
    let queues_are_empty = rows.due.iter().all(|due| *due == 0) && rows.uploads.iter().all(Option::is_none);
    let tags_lead_somewhere = (0..rows.tags.len())
        .all(|index| rows.tags[index].is_none_or(|manifest| rows.manifests[index] & (1 << manifest) != 0));
    let names_are_used = (0..).zip(&rows.locations).all(|(name, location)| {
        let is_live = rows
            .blob
            .is_some_and(|blob| blob[..model.scenario.chunks].contains(&name));
        state.has_bytes(name) == is_live && location.is_some() == is_live
    });
    links_are_referenced
        && owed_are_linked
        && blob_is_linked
        && queues_are_empty
        && tags_lead_somewhere
        && names_are_used
}
