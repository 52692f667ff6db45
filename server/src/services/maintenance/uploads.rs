//! Cancelling uploads that make no progress.

use futures_util::future::join_all;
use zas_core::{Timestamp, UploadId};
use zas_metadata::UploadEntry;

use super::collection::{AT_A_TIME, Collected, Collector, STEP};
use crate::services::registry::Result;

/// How far a round is with the uploads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expiry {
    /// Uploads that were touched since then are alive.
    oldest_alive: Timestamp,
    after: Option<UploadId>,
}

impl Collector {
    /// Begins with the oldest upload.
    pub(super) async fn begin_expiry(&self) -> Result<Expiry> {
        let now = self.metadata.now().await?;
        Ok(Expiry {
            oldest_alive: now.minus(self.settings.load().upload_expiry),
            after: None,
        })
    }

    /// Looks at the next uploads; whether more may have expired. It ends at the first that is too young, so the cost
    /// follows the old ones.
    pub(super) async fn expire_uploads(
        &self,
        expiry: &mut Expiry,
        collected: &mut Collected,
    ) -> Result<bool> {
        let page = self.metadata.list_uploads(expiry.after, STEP).await?;
        let is_old = |upload: &&UploadEntry| upload.id.made_at() <= expiry.oldest_alive;
        let old: Vec<&UploadEntry> = page.entries.iter().take_while(is_old).collect();
        let is_idle = |upload: &&UploadEntry| upload.touched_at <= expiry.oldest_alive;
        let idle: Vec<&UploadEntry> = old.iter().copied().filter(is_idle).collect();
        for uploads in idle.chunks(AT_A_TIME) {
            // Those under way together share the syncs of their commits.
            let expiring = join_all(uploads.iter().map(|upload| self.registry.expire_upload(upload)));
            for (upload, expired) in uploads.iter().zip(self.demand.give_way(expiring).await) {
                if expired? {
                    tracing::info!(upload = %upload.id, holder = %upload.holder, "cancelled an upload without progress");
                    collected.uploads += 1;
                }
            }
        }
        expiry.after = old.last().map(|upload| upload.id).or(expiry.after);
        Ok(page.more && old.len() == page.entries.len())
    }
}
