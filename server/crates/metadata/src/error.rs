//! What can go wrong below a domain operation. Everything a caller decides on is an outcome, not an error.

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
    /// It cannot be read or written; waiting does not help.
    #[error("the metadata database cannot be opened: {0}")]
    Failed(String),
}
