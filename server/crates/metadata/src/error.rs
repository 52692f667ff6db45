//! What can go wrong below a domain operation. Everything a caller decides on is an outcome, not an error.

use std::path::PathBuf;

use crate::DATA_FORMAT;

/// The result of a metadata operation.
pub type Result<T> = std::result::Result<T, MetadataError>;

/// A failure of the engine itself.
#[derive(Clone, Debug, thiserror::Error)]
pub enum MetadataError {
    /// The engine is closed, still opening, or reopening after a failed write. **A change that was answered
    /// with this may still turn up after a restart**: repeat it or look, never undo it.
    #[error("the metadata store is not available: {0}")]
    Unavailable(String),
    /// A stored row cannot be read. Retrying does not help; the row is named for the operator.
    #[error("a stored row is damaged: {0}")]
    Corrupt(String),
}

/// Why a database cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another store of this one, has it open: wait for it to end.
    #[error("the metadata database is in use by another process: {0}")]
    Locked(String),
    /// A newer version has written it in a format that this one does not know. Nothing was touched.
    #[error(
        "the data in {} has format {format}, written by version {written_by}, and this is version {} which reads format \
         {DATA_FORMAT}: run version {written_by} or newer",
        directory.display(), env!("CARGO_PKG_VERSION")
    )]
    NewerFormat {
        /// Where it is.
        directory: PathBuf,
        /// Its format.
        format: u32,
        /// The version that gave it this format.
        written_by: String,
    },
    /// An older version has written it in a format that this one does not read. Nothing was touched.
    #[error(
        "the data in {} has format {format}, written by version {written_by}, and this is version {} which reads format \
         {DATA_FORMAT} only: serve it with version {written_by} and push its content to a new store, or start with an \
         empty directory",
        directory.display(), env!("CARGO_PKG_VERSION")
    )]
    OlderFormat {
        /// Where it is.
        directory: PathBuf,
        /// Its format.
        format: u32,
        /// The version that gave it this format.
        written_by: String,
    },
    /// It cannot be read or written; waiting does not help.
    #[error("the metadata database cannot be opened: {0}")]
    Failed(String),
}
