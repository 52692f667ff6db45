//! A model of the storage protocol that is small enough to be checked in every state: upload, lease, commit, reap,
//! doom and delete, with crashes, power loss, lost answers and two replicas over one store.
//!
//! Each rule of the protocol is a switch. With all of them on, every property holds; with any one off, the checker
//! finds how a property breaks. `docs/PROTOCOL_MODEL.md` is written by this crate.
#![expect(
    clippy::indexing_slicing,
    reason = "the indexes of a bounded model are within its bounds; a test fails otherwise"
)]

mod background;
mod collection;
pub mod exploration;
mod operations;
pub mod page;
pub mod proofs;
pub mod properties;
pub mod protocol;
mod requests;
pub mod rules;
pub mod scenario;
pub mod state;
mod story;
pub mod witness;
mod writing;
