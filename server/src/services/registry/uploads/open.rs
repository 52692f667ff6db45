//! Uploads that were started and neither finished, cancelled nor expired.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zas_core::UploadId;

use crate::services::capacity::{Client, Refusal, Share, Shares, SharesMetrics};
use crate::services::metrics::Reading;
use crate::services::registry::{Registry, Result};

/// Rows read at a time when the uploads of earlier processes are counted.
const STEP: usize = 256;

/// Who started which open upload. Clients share the places.
#[derive(Debug)]
pub(in super::super) struct OpenUploads {
    places: Arc<Shares>,
    taken: Mutex<HashMap<UploadId, Share>>,
}

impl OpenUploads {
    pub(in super::super) fn new(limit: usize) -> Self {
        Self {
            places: Arc::new(Shares::new(limit)),
            taken: Mutex::default(),
        }
    }

    pub(in super::super) fn set_limit(&self, limit: usize) {
        self.places.set_limit(limit);
    }

    pub(in super::super) fn readings(&self) -> Vec<Reading> {
        self.places.readings(&SharesMetrics {
            held: ("uploads_open", "Uploads that were started and not ended"),
            limit: ("uploads_open_limit", "Most open uploads"),
            refused: (
                "uploads_open_refused",
                "Uploads that were not started because too many were open",
            ),
        })
    }

    /// A place for one more upload of this client.
    pub(super) fn place(&self, client: Client) -> std::result::Result<Share, Refusal> {
        self.places.take(client, 1)
    }

    pub(super) fn started(&self, id: UploadId, place: Share) {
        self.lock().insert(id, place);
    }

    pub(super) fn ended(&self, id: UploadId) {
        self.lock().remove(&id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UploadId, Share>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    /// Counts the open uploads that earlier processes left. They are nobody's in particular.
    ///
    /// # Errors
    /// Only failures of the store: then some are not counted.
    pub async fn count_open_uploads(&self) -> Result<()> {
        let open = &self.open_uploads;
        let mut after = None;
        loop {
            let page = self.metadata.list_uploads(after, STEP).await?;
            for upload in &page.entries {
                after = Some(upload.id);
                if open.lock().contains_key(&upload.id) {
                    continue;
                }
                open.started(upload.id, open.places.hold(Client::default(), 1));
                // It may have ended between the two, and then nobody else would say so.
                let is_open = self.metadata.stat_upload(&upload.holder, upload.id).await?;
                if is_open.is_none() {
                    open.ended(upload.id);
                }
            }
            if !page.more {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
    }
}
