//! Listing and deleting tags.

use zas_core::{Reference, Tag};
use zas_metadata::{DeleteTagOutcome, Page, Precondition};

use super::blobs::refuse_reserved;
use super::{Registry, RegistryError, Result};
use crate::services::auth::{Granted, action};

impl Registry {
    /// Tags behind `after` in byte order, at most `count` and at most a page.
    ///
    /// # Errors
    /// [`RegistryError::RepositoryUnknown`].
    pub async fn list_tags(
        &self,
        granted: Granted<'_, action::ListTags>,
        after: Option<&str>,
        count: Option<usize>,
    ) -> Result<Page<Tag>> {
        let repository = granted.target();
        let page_size = self.settings().page_size;
        let count = count.unwrap_or(page_size).min(page_size);
        let page = self.metadata.list_tags(&repository.into(), after, count).await?;
        page.ok_or_else(|| RegistryError::RepositoryUnknown(repository.clone()))
    }

    /// Deletes a tag; the manifest stays.
    ///
    /// # Errors
    /// [`RegistryError::ManifestUnknown`], [`RegistryError::Reserved`].
    pub async fn delete_tag(&self, granted: Granted<'_, action::Delete>, tag: &Tag) -> Result<()> {
        let repository = granted.target();
        refuse_reserved(repository)?;
        let outcome = self
            .metadata
            .delete_tag(
                &self.origin(&granted.actor()),
                &repository.into(),
                tag,
                Precondition::Any,
            )
            .await?;
        match outcome {
            DeleteTagOutcome::Deleted(digest) => {
                let digest = digest.map(tracing::field::display);
                tracing::info!(%repository, %tag, digest, "deleted tag");
                Ok(())
            }
            DeleteTagOutcome::Unknown | DeleteTagOutcome::Conflict => Err(RegistryError::ManifestUnknown {
                reference: Reference::Tag(tag.clone()),
                repository: repository.clone(),
            }),
        }
    }
}
