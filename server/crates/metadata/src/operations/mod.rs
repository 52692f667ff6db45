//! The operations: functions from a view and arguments to an outcome and changes. They read no clock and hold
//! no state, and run one after the other.

pub(crate) mod access_keys;
pub(crate) mod blobs;
pub(crate) mod buckets;
pub(crate) mod collection;
pub(crate) mod damage;
pub(crate) mod links;
pub(crate) mod listings;
pub(crate) mod locations;
pub(crate) mod manifests;
pub(crate) mod multipart;
pub(crate) mod objects;
pub(crate) mod removal;
pub(crate) mod store;
pub(crate) mod tags;
pub(crate) mod uploads;
