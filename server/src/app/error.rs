//! Why the server does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

/// What kept the server from starting, in words for whoever starts it.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A listener's address cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", .file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A store cannot be opened.
    #[error("cannot open the {store} store: {reason}")]
    Store {
        /// Which one.
        store: &'static str,
        /// The cause.
        reason: String,
    },
    /// Another version has to read the data.
    #[error("{0}")]
    OtherData(String),
    /// Rows and bytes do not belong together.
    #[error("{0}")]
    ForeignData(String),
    /// An extension refused.
    #[error("{0}")]
    Extension(String),
    /// The configuration names what cannot be used; one sentence for each.
    #[error("{}", .0.join("\n"))]
    Configuration(Vec<String>),
    /// The log cannot be written.
    #[error("cannot start the thread that writes the log: {0}")]
    Logging(std::io::Error),
    /// The runtime cannot be had.
    #[error("cannot start the runtime: {0}")]
    Runtime(std::io::Error),
    /// Signals cannot be received.
    #[error("cannot receive signals: {0}")]
    Signals(std::io::Error),
}
