//! Listing and deleting tags.

use zas_core::{Reference, RepositoryName, Tag};
use zas_metadata::{DeleteTagOutcome, Page, Precondition};

use super::blobs::refuse_reserved;
use super::{Registry, RegistryError, Result};

impl Registry {
    /// Tags behind `after` in byte order, at most `count` and at most a page.
    ///
    /// # Errors
    /// [`RegistryError::RepositoryUnknown`].
    pub async fn list_tags(
        &self,
        repository: &RepositoryName,
        after: Option<&str>,
        count: Option<usize>,
    ) -> Result<Page<Tag>> {
        let page_size = self.settings().page_size;
        let count = count.unwrap_or(page_size).min(page_size);
        let page = self.metadata.list_tags(repository, after, count).await?;
        page.ok_or_else(|| RegistryError::RepositoryUnknown(repository.clone()))
    }

    /// Deletes a tag; the manifest stays.
    ///
    /// # Errors
    /// [`RegistryError::ManifestUnknown`], [`RegistryError::Reserved`].
    pub async fn delete_tag(&self, actor: &str, repository: &RepositoryName, tag: &Tag) -> Result<()> {
        refuse_reserved(repository)?;
        let outcome = self
            .metadata
            .delete_tag(&self.origin(actor), repository, tag, Precondition::Any)
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
