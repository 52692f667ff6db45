//! Listing what refers to a manifest.

use bytes::Bytes;
use zas_core::{Digest, RepositoryName};
use zas_metadata::{ReferrerCursor, ReferrerPage};

use super::{Registry, Result};
use crate::services::auth::{Granted, action};

/// What is asked of the referrers of a subject.
#[derive(Clone, Debug, Default)]
pub struct ReferrerQuery {
    /// Only these artifact types; all when empty.
    pub artifact_types: Vec<String>,
    /// Continue after this entry.
    pub after: Option<ReferrerCursor>,
    /// Most entries wanted.
    pub count: Option<usize>,
}

impl Registry {
    /// Referrers of `subject` in the order of artifact type and digest, at most a page and at most a page's bytes. An
    /// unknown subject or repository has none.
    ///
    /// # Errors
    /// Only failures of the store.
    pub async fn list_referrers(
        &self,
        granted: Granted<'_, action::ListReferrers>,
        subject: &Digest,
        query: &ReferrerQuery,
    ) -> Result<ReferrerPage> {
        let repository = granted.target();
        let settings = self.settings();
        let count = query
            .count
            .unwrap_or(settings.referrers_count)
            .min(settings.referrers_count);
        let bytes = settings.referrers_size;
        if count == 0 {
            return Ok(ReferrerPage::default());
        }
        if query.artifact_types.is_empty() {
            let after = query.after.as_ref();
            return Ok(self
                .metadata
                .list_referrers(&repository.into(), subject, None, after, count, bytes)
                .await?);
        }
        self.list_types(repository, subject, query, count, bytes).await
    }

    /// One type after the other, which is the order of the rows.
    async fn list_types(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        query: &ReferrerQuery,
        count: usize,
        bytes: usize,
    ) -> Result<ReferrerPage> {
        let mut types: Vec<&str> = query.artifact_types.iter().map(String::as_str).collect();
        types.sort_unstable();
        types.dedup();
        let mut listed = ReferrerPage::default();
        let mut used = 0;
        for artifact_type in types {
            let after = query
                .after
                .as_ref()
                .filter(|after| after.artifact_type.as_str() >= artifact_type);
            if after.is_some_and(|after| after.artifact_type != artifact_type) {
                continue;
            }
            let left = count - listed.descriptors.len();
            if left == 0 || used >= bytes {
                listed.next = Some(before_type(artifact_type));
                return Ok(listed);
            }
            let only = Some(artifact_type);
            let page = self
                .metadata
                .list_referrers(&repository.into(), subject, only, after, left, bytes - used)
                .await?;
            used += page.descriptors.iter().map(Bytes::len).sum::<usize>();
            listed.descriptors.extend(page.descriptors);
            if page.next.is_some() {
                listed.next = page.next;
                return Ok(listed);
            }
        }
        Ok(listed)
    }
}

/// The place before every entry of a type: no content has this digest.
fn before_type(artifact_type: &str) -> ReferrerCursor {
    ReferrerCursor {
        artifact_type: artifact_type.to_owned(),
        digest: Digest::from_sha256([0; 32]),
    }
}
