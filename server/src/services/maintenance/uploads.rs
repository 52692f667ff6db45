//! Cancelling uploads that make no progress.

use zas_core::UploadId;

use super::collection::{Collected, Collector};
use crate::services::registry::Result;

/// Upload rows read at a time.
const STEP: usize = 256;

impl Collector {
    /// Looks at uploads from the oldest on and stops at the first that is too young to have expired, so the cost
    /// follows the old ones.
    pub(super) async fn expire_uploads(&self, collected: &mut Collected) -> Result<()> {
        let oldest_alive = self
            .metadata
            .now()
            .await?
            .minus(self.settings.load().upload_expiry);
        let mut after: Option<UploadId> = None;
        loop {
            let page = self.metadata.list_uploads(after, STEP).await?;
            for upload in &page.entries {
                if upload.id.made_at() > oldest_alive {
                    return Ok(());
                }
                let is_idle = upload.touched_at <= oldest_alive;
                if is_idle && self.demand.give_way(self.registry.expire_upload(upload)).await? {
                    tracing::info!(upload = %upload.id, repository = %upload.repository, "cancelled an upload without progress");
                    collected.uploads += 1;
                }
                after = Some(upload.id);
            }
            if !page.more {
                return Ok(());
            }
        }
    }
}
