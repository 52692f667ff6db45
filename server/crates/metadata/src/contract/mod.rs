//! The behaviour that every engine must show: one suite, run against each of them.
//!
//! A test of an engine calls [`run`] for every group of [`groups`] with a function that makes an empty store.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests in every respect but the place: other crates run them"
)]

mod access_keys;
mod blobs;
mod buckets;
mod collection;
mod concurrency;
mod damage;
mod holders;
mod listings;
mod manifests;
mod multipart;
mod object_contents;
mod object_digests;
mod object_listings;
mod object_setting;
mod objects;
mod referrers;
mod removal;
mod setting;
mod store;
mod tags;
mod time;
mod uploads;

use std::pin::Pin;
use std::sync::Arc;

use crate::{Clocks, MetadataStore, Timing};
use setting::Setting;

/// A store and what has to live as long as it, such as the directory it is in.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The store; it goes first.
    pub store: Arc<dyn MetadataStore>,
    /// What it stands on.
    pub ground: Arc<dyn std::any::Any + Send + Sync>,
}

/// Makes an empty store that goes by these clocks.
pub type Make<'a> = &'a (dyn Fn(Clocks, Timing) -> Subject + Sync);

/// Cases about one subject.
#[derive(Debug)]
pub struct Group {
    /// The subject.
    pub name: &'static str,
    cases: Vec<Case>,
}

/// One promise.
struct Case {
    name: &'static str,
    run: fn(Setting) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}

/// Lists the cases of a module. A case that is not listed is unused code, which the compiler reports.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        pub(super) fn cases() -> Vec<super::Case> {
            vec![$(super::Case { name: stringify!($name), run: |setting| Box::pin($name(setting)) }),*]
        }
    };
}
use cases;

/// Every group.
pub fn groups() -> Vec<Group> {
    let group = |name, cases| Group { name, cases };
    vec![
        group("uploads", uploads::cases()),
        group("blobs", blobs::cases()),
        group("manifests", manifests::cases()),
        group("tags", tags::cases()),
        group("removal", removal::cases()),
        group("referrers", referrers::cases()),
        group("listings", listings::cases()),
        group("holders", holders::cases()),
        group("collection", collection::cases()),
        group("damage", damage::cases()),
        group("store", store::cases()),
        group("time", time::cases()),
        group("buckets", buckets::cases()),
        group("objects", objects::cases()),
        group("object_contents", object_contents::cases()),
        group("object_digests", object_digests::cases()),
        group("multipart", multipart::cases()),
        group("object_listings", object_listings::cases()),
        group("access_keys", access_keys::cases()),
        group("concurrency", concurrency::cases()),
    ]
}

/// Runs the cases of a group one after the other, each on a new store. Needs a runtime of several threads.
///
/// # Panics
/// When the engine breaks a promise; the case is the last one named on the error stream.
pub async fn run(group: &Group, make: Make<'_>) {
    for case in &group.cases {
        eprintln!("{}: {}", group.name, case.name);
        (case.run)(Setting::new(make)).await;
    }
}
