//! What the server is doing, for its probes.

use std::sync::Arc;

use arc_swap::ArcSwap;
use zas_blobs::BlobStore;
use zas_metadata::MetadataStore;

/// The server's phase. A server starts, is ready, and stops.
#[derive(Debug)]
pub struct Status(ArcSwap<Phase>);

/// A phase with what its probes need.
#[derive(Clone, Debug)]
pub enum Phase {
    /// Not serving yet, for this reason.
    Starting(String),
    /// Serving from these stores.
    Ready(Arc<dyn MetadataStore>, Arc<dyn BlobStore>),
    /// Draining.
    Stopping,
}

impl Default for Status {
    fn default() -> Self {
        Self(ArcSwap::from_pointee(Phase::Starting(
            "the server is starting".to_owned(),
        )))
    }
}

impl Status {
    /// Still starting, now waiting for this.
    pub fn waiting(&self, reason: impl Into<String>) {
        self.0.store(Arc::new(Phase::Starting(reason.into())));
    }

    /// Serving from now on.
    pub fn ready(&self, metadata: Arc<dyn MetadataStore>, blobs: Arc<dyn BlobStore>) {
        self.0.store(Arc::new(Phase::Ready(metadata, blobs)));
    }

    /// Draining from now on.
    pub fn stopping(&self) {
        self.0.store(Arc::new(Phase::Stopping));
    }

    /// The phase now.
    pub fn phase(&self) -> Arc<Phase> {
        self.0.load_full()
    }
}
