//! The stores' common promise.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use zas_core::{StoreId, UploadId};

use crate::{Append, Appended, Result};

/// Stores bytes under physical names.
#[async_trait]
pub trait BlobStore: Debug + Send + Sync + 'static {
    /// Writes all batches behind `append.offset`, hashing each byte once on its way.
    ///
    /// When this returns, the bytes and the name's directory entry survive power loss. Dropping the future stops
    /// the writing before the next append of the same name begins.
    ///
    /// # Errors
    /// [`crate::BlobError::Full`] below the disk reserve, [`crate::BlobError::TooShort`] when the name has fewer than
    /// `offset` bytes, [`crate::BlobError::Storage`] otherwise. Bytes behind `offset` and the last checkpoint may be
    /// gone or remain, to be cut off by the next append or deleted; so after dropping the future.
    async fn append(&self, append: Append) -> Result<Appended>;

    /// Opens a name for reading. A reader keeps working after its name is deleted.
    ///
    /// # Errors
    /// [`crate::BlobError::NotFound`] when there is no such name.
    async fn open(&self, name: UploadId) -> Result<Arc<dyn BlobReader>>;

    /// Deletes a name. Deleting one that is not there succeeds.
    async fn delete(&self, name: UploadId) -> Result<()>;

    /// Up to `count` stored names behind `after`, in a fixed order of the store's choice. Fewer than `count` names:
    /// the end. What is written or deleted meanwhile may or may not appear.
    async fn scan(&self, after: Option<UploadId>, count: usize) -> Result<Vec<UploadId>>;

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
