//! Every fact of the store: repositories, manifests, tags, referrers, links to blobs, uploads and what is to
//! be collected.
//!
//! [`MetadataStore`] offers atomic domain operations instead of transactions, so that an embedded ordered map
//! and a SQL database can both implement it. Bytes are not its concern: the services write them first and
//! commit the row afterwards.

//!
//! The embedded engines are one implementation over a small ordered map, in memory ([`MemoryMetadata`]) and, with
//! the feature `rocksdb`, on disk (`RocksMetadata`).

mod clocks;
mod committer;
#[cfg(any(test, feature = "rocksdb"))]
mod directory;
mod embedded;
mod error;
#[cfg_attr(
    not(any(test, feature = "rocksdb")),
    expect(dead_code, reason = "only what is on disk has a marker")
)]
mod format;
mod keys;
mod lower_bound;
mod memory_map;
mod model;
mod operations;
mod ordered_map;
mod reopening;
#[cfg(feature = "rocksdb")]
mod rocks_map;
mod rows;
mod shared;
mod store;
#[cfg(test)]
mod tests;
mod transaction;
mod view;

#[cfg(feature = "contract")]
pub mod contract;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;

pub use clocks::{Clocks, Monotonic, SystemMonotonic};
pub use embedded::{EmbeddedMetadata, MemoryMetadata};
pub use error::{MetadataError, OpenError, Result};
pub use format::DATA_FORMAT;
pub use model::*;
#[cfg(feature = "rocksdb")]
pub use rocks_map::RocksMetadata;
pub use store::{AccessKeyStore, BucketStore, MetadataStore, MultipartStore, ObjectStore};

/// The longest content that is kept in a row instead of a file, in bytes: up to here a synced row costs less than
/// a synced file.
pub const INLINE_LIMIT: usize = 16 * 1024;
