//! The registry: blobs, uploads, manifests, tags, referrers and the catalog over the two stores.

mod blobs;
mod catalog;
mod error;
mod manifests;
mod referrers;
mod settings;
mod tags;
mod uploads;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arc_swap::ArcSwap;
use zas_blobs::BlobStore;
use zas_core::{Clock, IdSource, LocationName, UploadId};
use zas_metadata::{MetadataStore, Origin};

use crate::services::auth::Actor;

pub use blobs::{Blob, BlobBody};
pub use catalog::Catalog;
pub use error::{RegistryError, Result};
pub use manifests::{ManifestPushed, PushGrant, PushManifest};
pub use referrers::ReferrerQuery;
pub use settings::RegistrySettings;
pub use uploads::{Chunk, UploadTarget};

use super::capacity::{Client, Refusal, Share, Shares, SharesMetrics};
use super::content::{Content, Suspects};
use super::metrics::Reading;
use uploads::{OpenUploads, RunningUploads};

/// The registry's operations. Cheap to clone: clones share everything.
#[derive(Clone, Debug)]
pub struct Registry {
    metadata: Arc<dyn MetadataStore>,
    content: Content,
    settings: Arc<ArcSwap<RegistrySettings>>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    upload_slots: Arc<Shares>,
    open_uploads: Arc<OpenUploads>,
    running: Arc<RunningUploads>,
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
        let (slots, open) = (settings.concurrent_uploads, settings.open_uploads);
        Self {
            metadata: parts.metadata,
            content: Content::new(parts.blobs, upload_buffer),
            settings: Arc::new(ArcSwap::from_pointee(settings)),
            clock: parts.clock,
            ids: parts.ids,
            upload_slots: Arc::new(Shares::new(slots)),
            open_uploads: Arc::new(OpenUploads::new(open)),
            running: Arc::default(),
        }
    }

    /// Saves the progress of long requests about every `bytes` bytes.
    #[cfg(test)]
    fn with_run_bytes(mut self, bytes: u64) -> Self {
        self.content = self.content.with_run_bytes(bytes);
        self
    }

    /// The settings in force.
    pub fn settings(&self) -> Arc<RegistrySettings> {
        self.settings.load_full()
    }

    /// Puts new settings in force for requests that begin from now on.
    pub fn reconfigure(&self, settings: RegistrySettings) {
        self.upload_slots.set_limit(settings.concurrent_uploads);
        self.open_uploads.set_limit(settings.open_uploads);
        self.settings.store(Arc::new(settings));
    }

    /// What the metrics say about the limits of uploads.
    pub fn readings(&self) -> Vec<Reading> {
        let mut readings = self.upload_slots.readings(&SharesMetrics {
            held: (
                "upload_slots_used",
                "Requests that hold one of the places for sending the bytes of an upload",
            ),
            limit: ("upload_slots_limit", "Most of these places"),
            refused: (
                "upload_slots_refused",
                "Requests answered 429 because all places were taken or the client had its share of them",
            ),
        });
        readings.extend(self.open_uploads.readings());
        let budget = self.content.budget().clone();
        readings.push(Reading::gauge(
            "upload_memory_bytes",
            "Bytes of uploads that were received and are not written yet",
            move || budget.used() as u64,
        ));
        readings
    }

    /// A place for a request that sends many bytes, which it keeps as long as it sends.
    pub(in crate::services) fn upload_slot(&self, client: Client) -> std::result::Result<Share, Refusal> {
        self.upload_slots.take(client, 1)
    }

    /// Blobs whose bytes a reader missed.
    pub fn suspects(&self) -> Arc<Suspects> {
        Arc::clone(self.content.suspects())
    }

    /// The bytes of its blobs.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// Whether this process reads stored bytes under this name right now.
    pub fn is_read(&self, name: LocationName) -> bool {
        self.content.is_read(name)
    }

    /// How many requests are sending the bytes of an upload right now.
    pub fn uploads_in_flight(&self) -> usize {
        self.running.count()
    }

    /// Whether a request is sending bytes of this upload right now.
    pub fn is_being_written(&self, id: UploadId) -> bool {
        self.running.contains(id)
    }

    fn origin(&self, actor: &Actor) -> Origin {
        let operation = self.ids.upload_id(self.clock.now()).to_bytes();
        Origin {
            operation,
            actor: actor.to_string(),
        }
    }
}
