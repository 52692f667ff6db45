//! An upload that one request alone knows of.

use std::sync::Arc;

use tokio::runtime::Handle;
use zas_core::UploadId;
use zas_metadata::{Epoch, MetadataStore, Origin};

use super::Result;

/// An upload whose id nobody was told, so that nobody can continue it. Unless it has ended it is given up with its bytes, also
/// when the request is dropped in the middle because its client went away.
pub(super) struct OwnUpload {
    metadata: Arc<dyn MetadataStore>,
    origin: Origin,
    id: UploadId,
    epoch: Epoch,
    is_open: bool,
}

impl OwnUpload {
    pub(super) fn new(metadata: Arc<dyn MetadataStore>, origin: Origin, id: UploadId, epoch: Epoch) -> Self {
        Self {
            metadata,
            origin,
            id,
            epoch,
            is_open: true,
        }
    }

    /// It has become what it was for.
    pub(super) fn ended(mut self) {
        self.is_open = false;
    }

    /// Gives it up. One that ended meanwhile is not touched.
    pub(super) async fn abort(mut self) -> Result<()> {
        self.is_open = false;
        self.metadata
            .abort_upload(&self.origin, self.id, self.epoch)
            .await?;
        Ok(())
    }
}

impl Drop for OwnUpload {
    fn drop(&mut self) {
        // Without a runtime the process ends, and the upload expires.
        let Some(runtime) = Handle::try_current().ok().filter(|_| self.is_open) else {
            return;
        };
        let (metadata, origin) = (Arc::clone(&self.metadata), self.origin.clone());
        let (id, epoch) = (self.id, self.epoch);
        runtime.spawn(async move {
            if let Err(error) = metadata.abort_upload(&origin, id, epoch).await {
                tracing::warn!(upload = %id, %error, "what a client left behind is kept until uploads expire");
            }
        });
    }
}
