//! Where reads and changes run: on the caller's thread, on one that may block, or in the committer.

use std::sync::Arc;

use zas_blocking::METADATA_READS;

use super::EmbeddedMetadata;
use crate::operations::collection;
use crate::ordered_map::{Durability, Effort, OrderedMap};
use crate::shared::Shared;
use crate::transaction::Transaction;
use crate::view::{Found, View};
use crate::{DueLink, MetadataError, Result};

impl<M: OrderedMap> EmbeddedMetadata<M> {
    /// Reads a few rows here.
    pub(super) fn read<T>(&self, read: impl FnOnce(&View<'_>) -> Result<T>) -> Result<T> {
        let map = self.shared.map()?;
        read(&View::committed(&*map))
    }

    /// Reads rows: here when they turn out to be few and close together, else on a thread that may block.
    pub(super) async fn list<T: Send + 'static>(
        &self,
        read: impl Fn(&Shared<M>, Effort) -> Result<Option<T>> + Send + 'static,
    ) -> Result<T> {
        if let Some(listed) = read(&self.shared, Effort::Bounded)? {
            return Ok(listed);
        }
        self.list_apart(read).await
    }

    /// [`Self::list`] of what may be much, however few rows it is: on a thread that may block in any case.
    pub(super) async fn list_apart<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Shared<M>, Effort) -> Result<Option<T>> + Send + 'static,
    ) -> Result<T> {
        let listed = self.block(move |shared| read(shared, Effort::Unbounded)).await?;
        listed.ok_or_else(|| MetadataError::Unavailable("the listing did not come to its end".to_owned()))
    }

    /// [`Self::list`] of what is in the database.
    pub(super) async fn list_rows<T: Send + 'static>(
        &self,
        read: impl Fn(&View<'_>, Effort) -> Result<Option<T>> + Send + 'static,
    ) -> Result<T> {
        self.list(move |shared, effort| read(&View::committed(&*shared.map()?), effort))
            .await
    }

    /// Works on a thread that may block.
    pub(super) async fn block<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared<M>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = Arc::clone(&self.shared);
        let done = METADATA_READS.run(move || work(&shared)).await;
        done.unwrap_or_else(|error| {
            Err(MetadataError::Unavailable(format!(
                "the read ended early: {error}"
            )))
        })
    }

    /// Looks for what keeps a due link, and clears the way first when too many deleted rows are in it: nobody else
    /// may ever write enough for the database to do that by itself.
    pub(super) async fn look_at(&self, link: &DueLink) -> Result<Found> {
        let found = self.read(|view| collection::look(view, link))?;
        if found != Found::Unsure {
            return Ok(found);
        }
        let link = link.clone();
        self.block(move |shared| {
            let map = shared.map()?;
            for range in collection::checked_ranges(&link) {
                map.tidy(&range)?;
            }
            collection::look(&View::committed(&*map), &link)
        })
        .await
    }

    /// Makes a change that is durable when this returns.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.committer.run(Durability::Synced, operation).await
    }

    /// Makes a change whose loss by power loss breaks no promise.
    pub(super) async fn note<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.committer.run(Durability::Written, operation).await
    }
}
