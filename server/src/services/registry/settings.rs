//! What an operator may change about the registry while it runs.

use zas_config::{MissingReferences, Registry as RegistrySection};
use zas_core::RepositoryName;

/// The settings of the registry's operations.
#[derive(Clone, Debug)]
pub struct RegistrySettings {
    /// Largest manifest in bytes.
    pub manifest_size: usize,
    /// Most distinct references of one manifest.
    pub manifest_references: usize,
    /// Largest blob in bytes, if there is a limit.
    pub blob_size: Option<u64>,
    /// Uploads that may send bytes at the same time.
    pub concurrent_uploads: usize,
    /// Uploads that may be started and not ended.
    pub open_uploads: usize,
    /// Most entries of a page of tags or repositories.
    pub page_size: usize,
    /// Most entries of a page of referrers.
    pub referrers_count: usize,
    /// Most bytes of descriptors on a page of referrers.
    pub referrers_size: usize,
    /// Which absent references a repository accepts.
    pub registry: RegistrySection,
}

#[cfg(test)]
impl RegistrySettings {
    /// Limits that tests do not meet by accident, and reach when they mean to.
    pub(crate) fn in_test() -> Self {
        Self {
            manifest_size: 4 << 20,
            manifest_references: 100,
            blob_size: None,
            concurrent_uploads: 8,
            open_uploads: 1_000,
            page_size: 100,
            referrers_count: 100,
            referrers_size: 1 << 20,
            registry: RegistrySection::default(),
        }
    }
}

impl RegistrySettings {
    /// What `repository` does about references to content that it does not hold.
    pub fn missing_references(&self, repository: &RepositoryName) -> MissingReferences {
        self.registry.missing_references_of(repository)
    }
}
