//! Counting the operations of the blob store.

use std::sync::Arc;

use async_trait::async_trait;
use zas_blobs::{Append, Appended, BlobReader, BlobStore, Capacity, Result};
use zas_core::{StoreId, UploadId};

use super::{ServerMetrics, measured};

/// A blob store whose operations are counted.
#[derive(Debug)]
pub struct MeasuredBlobs {
    inner: Arc<dyn BlobStore>,
    metrics: Arc<ServerMetrics>,
}

impl MeasuredBlobs {
    /// Counts the operations of `inner`.
    pub fn new(inner: Arc<dyn BlobStore>, metrics: Arc<ServerMetrics>) -> Self {
        Self { inner, metrics }
    }
}

/// Keeps the gauge right also when the future is dropped.
struct InFlight<'a>(&'a ServerMetrics);

impl<'a> InFlight<'a> {
    fn new(metrics: &'a ServerMetrics) -> Self {
        metrics.uploads_in_flight.inc();
        Self(metrics)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.uploads_in_flight.dec();
    }
}

#[async_trait]
impl BlobStore for MeasuredBlobs {
    async fn append(&self, append: Append) -> Result<Appended> {
        let _in_flight = InFlight::new(&self.metrics);
        let from = append.offset;
        let appended = measured(&self.metrics, "blobs", "append", self.inner.append(append)).await?;
        self.metrics
            .written_bytes
            .inc_by(appended.offset.saturating_sub(from));
        Ok(appended)
    }

    async fn open(&self, name: UploadId) -> Result<Arc<dyn BlobReader>> {
        measured(&self.metrics, "blobs", "open", self.inner.open(name)).await
    }

    async fn delete(&self, name: UploadId) -> Result<()> {
        measured(&self.metrics, "blobs", "delete", self.inner.delete(name)).await
    }

    async fn scan(&self, after: Option<UploadId>, count: usize) -> Result<Vec<UploadId>> {
        measured(&self.metrics, "blobs", "scan", self.inner.scan(after, count)).await
    }

    async fn store_id(&self) -> Result<Option<StoreId>> {
        measured(&self.metrics, "blobs", "store_id", self.inner.store_id()).await
    }

    async fn set_store_id(&self, id: StoreId) -> Result<()> {
        measured(
            &self.metrics,
            "blobs",
            "set_store_id",
            self.inner.set_store_id(id),
        )
        .await
    }

    async fn probe(&self) -> Result<Capacity> {
        measured(&self.metrics, "blobs", "probe", self.inner.probe()).await
    }
}
