//! The stores' common promise.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use zas_core::{LocationName, StoreId};

use crate::{Result, Write};

/// Stores bytes under physical names.
#[async_trait]
pub trait BlobStore: Debug + Send + Sync + 'static {
    /// Writes all batches under a name that is new, and returns how many bytes they had.
    ///
    /// When this returns, the bytes and the name's directory entry survive power loss. Of two writers of one name, also
    /// of two stores over the same place, at most one succeeds. Dropping the future stops the writing.
    ///
    /// # Errors
    /// [`crate::BlobError::Exists`] when somebody wrote the name before, [`crate::BlobError::Full`] below the disk
    /// reserve, [`crate::BlobError::Storage`] otherwise. After a failure, and after dropping the future, the name may
    /// hold any part of the bytes, to be deleted by whoever gave it out.
    async fn write(&self, write: Write) -> Result<u64>;

    /// Opens a name for reading. A reader keeps working after its name is deleted.
    ///
    /// # Errors
    /// [`crate::BlobError::NotFound`] when there is no such name.
    async fn open(&self, name: LocationName) -> Result<Arc<dyn BlobReader>>;

    /// Deletes a name. Deleting one that is not there succeeds.
    async fn delete(&self, name: LocationName) -> Result<()>;

    /// Up to `count` stored names behind `after`, in a fixed order of the store's choice. Fewer than `count` names:
    /// the end. What is written or deleted meanwhile may or may not appear.
    async fn scan(&self, after: Option<LocationName>, count: usize) -> Result<Vec<LocationName>>;

    /// The store that these bytes belong to; `None`: nobody has said so.
    ///
    /// # Errors
    /// [`crate::BlobError::Storage`] also when what is written there is no id.
    async fn store_id(&self) -> Result<Option<StoreId>>;

    /// Says which store these bytes belong to. Survives power loss when this returns.
    async fn set_store_id(&self, id: StoreId) -> Result<()>;

    /// Whether the store can be written, and how full it is.
    async fn probe(&self) -> Result<Capacity>;
}

/// Reads the bytes of one name.
#[async_trait]
pub trait BlobReader: Debug + Send + Sync {
    /// How many bytes there are.
    fn length(&self) -> u64;

    /// Up to `length` bytes from `offset` if they can be had without waiting, else `None`. May return fewer than
    /// asked, never none at all.
    fn try_read(&self, offset: u64, length: usize) -> Option<Bytes>;

    /// Exactly `length` bytes from `offset`.
    ///
    /// # Errors
    /// [`crate::BlobError::TooShort`] when there are not so many.
    async fn read(&self, offset: u64, length: usize) -> Result<Bytes>;
}

/// How full a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Free bytes, when the store knows.
    pub free: Option<u64>,
    /// Whether writes are refused to keep the reserve.
    pub is_full: bool,
}
