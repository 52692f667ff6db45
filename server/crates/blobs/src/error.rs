//! What can go wrong with bytes.

use zas_core::LocationName;

/// The result of a blob operation.
pub type Result<T> = std::result::Result<T, BlobError>;

/// A failure of the store of bytes.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// No bytes are stored under the name.
    #[error("no bytes are stored under {0}")]
    NotFound(LocationName),
    /// The name is not new: nothing was written.
    #[error("{0} was written before")]
    Exists(LocationName),
    /// The bytes end before the offset that was asked for.
    #[error("{name} has {length} bytes, but byte {wanted} was asked for")]
    TooShort {
        /// The physical name.
        name: LocationName,
        /// How many bytes there are.
        length: u64,
        /// The position asked for.
        wanted: u64,
    },
    /// Writing would leave less free space than the configured reserve. Reads and deletions still work.
    #[error("the storage has {free} bytes free and keeps {reserve} in reserve: free some space")]
    Full {
        /// Free bytes now.
        free: u64,
        /// The reserve in bytes.
        reserve: u64,
    },
    /// The storage failed.
    #[error("{action} {name}: {source}")]
    Storage {
        /// What was tried.
        action: &'static str,
        /// The name it was tried on.
        name: String,
        /// The cause.
        source: std::io::Error,
    },
}
