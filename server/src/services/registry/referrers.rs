//! Listing what refers to a manifest.

use zas_core::{Digest, RepositoryName};
use zas_metadata::{ReferrerCursor, ReferrerPage};

use super::{Registry, Result};

impl Registry {
    /// Referrers of `subject` behind `after`, at most `count`, at most a page and at most a page's bytes. An unknown
    /// subject or repository has none.
    ///
    /// # Errors
    /// Only failures of the store.
    pub async fn list_referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<&ReferrerCursor>,
        count: Option<usize>,
    ) -> Result<ReferrerPage> {
        let settings = self.settings();
        let count = count
            .unwrap_or(settings.referrers_count)
            .min(settings.referrers_count);
        if count == 0 {
            return Ok(ReferrerPage::default());
        }
        let bytes = settings.referrers_size;
        Ok(self
            .metadata
            .list_referrers(repository, subject, artifact_type, after, count, bytes)
            .await?)
    }
}
