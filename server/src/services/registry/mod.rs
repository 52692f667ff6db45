//! The registry: blobs, uploads, manifests, tags, referrers and the catalog over the two stores.

mod blobs;
mod catalog;
mod error;
mod manifests;
mod referrers;
mod settings;
mod suspects;
mod tags;
mod uploads;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;
use zas_blobs::BlobStore;
use zas_core::{Clock, IdSource, UploadId};
use zas_metadata::{MetadataStore, Origin};

pub use blobs::{Blob, BlobBody, StoredPart};
pub use catalog::Catalog;
pub use error::{RegistryError, Result};
pub use manifests::{ManifestPushed, PushManifest, TagRights};
pub use referrers::ReferrerQuery;
pub use settings::{RegistrySettings, UploadBudget};
pub use suspects::Suspects;
pub use uploads::{BodyError, Chunk, RequestBody, UploadTarget};

use uploads::RunningUploads;

/// The registry's operations. Cheap to clone: clones share everything.
#[derive(Clone, Debug)]
pub struct Registry {
    metadata: Arc<dyn MetadataStore>,
    blobs: Arc<dyn BlobStore>,
    settings: Arc<ArcSwap<RegistrySettings>>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    budget: UploadBudget,
    open_requests: Arc<Semaphore>,
    running: Arc<RunningUploads>,
    suspects: Arc<Suspects>,
}

/// What the registry stands on.
#[derive(Clone, Debug)]
pub struct RegistryParts {
    /// The facts.
    pub metadata: Arc<dyn MetadataStore>,
    /// The bytes.
    pub blobs: Arc<dyn BlobStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The ids of uploads.
    pub ids: Arc<dyn IdSource>,
}

impl Registry {
    /// A registry over these stores; `upload_buffer` bounds the bytes received and not yet written, of all uploads
    /// together.
    pub fn new(parts: RegistryParts, settings: RegistrySettings, upload_buffer: usize) -> Self {
        let concurrent_uploads = settings.concurrent_uploads;
        Self {
            metadata: parts.metadata,
            blobs: parts.blobs,
            settings: Arc::new(ArcSwap::from_pointee(settings)),
            clock: parts.clock,
            ids: parts.ids,
            budget: UploadBudget::new(upload_buffer),
            open_requests: Arc::new(Semaphore::new(concurrent_uploads)),
            running: Arc::default(),
            suspects: Arc::default(),
        }
    }

    /// The settings in force.
    pub fn settings(&self) -> Arc<RegistrySettings> {
        self.settings.load_full()
    }

    /// Puts new settings in force for requests that begin from now on.
    pub fn reconfigure(&self, settings: RegistrySettings) {
        let before = self.settings.swap(Arc::new(settings)).concurrent_uploads;
        let after = self.settings.load().concurrent_uploads;
        self.open_requests.add_permits(after.saturating_sub(before));
        self.open_requests.forget_permits(before.saturating_sub(after));
    }

    /// Blobs whose bytes a reader missed.
    pub fn suspects(&self) -> Arc<Suspects> {
        Arc::clone(&self.suspects)
    }

    /// How many requests are sending the bytes of an upload right now.
    pub fn uploads_in_flight(&self) -> usize {
        self.running.count()
    }

    /// Whether a request is sending bytes of this upload right now.
    pub fn is_being_written(&self, id: UploadId) -> bool {
        self.running.contains(id)
    }

    fn origin(&self, actor: &str) -> Origin {
        let operation = self.ids.upload_id(self.clock.now()).to_bytes();
        Origin {
            operation,
            actor: actor.to_owned(),
        }
    }
}
