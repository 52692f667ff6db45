//! Counting the operations of the blob store.

use std::sync::Arc;

use async_trait::async_trait;
use zas_blobs::{BlobReader, BlobStore, Capacity, Result, Write};
use zas_core::{LocationName, StoreId};

use super::ServerMetrics;
use super::operation::Operation;

/// A blob store whose operations are counted.
#[derive(Debug)]
pub struct MeasuredBlobs {
    inner: Arc<dyn BlobStore>,
    write: Operation,
    open: Operation,
    delete: Operation,
    scan: Operation,
    store_id: Operation,
    set_store_id: Operation,
    probe: Operation,
    metrics: Arc<ServerMetrics>,
}

impl MeasuredBlobs {
    /// Counts the operations of `inner`.
    pub fn new(inner: Arc<dyn BlobStore>, metrics: Arc<ServerMetrics>) -> Self {
        let operation = |name| Operation::new(&metrics, "blobs", name);
        Self {
            inner,
            write: operation("write"),
            open: operation("open"),
            delete: operation("delete"),
            scan: operation("scan"),
            store_id: operation("store_id"),
            set_store_id: operation("set_store_id"),
            probe: operation("probe"),
            metrics,
        }
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
    async fn write(&self, write: Write) -> Result<u64> {
        let _in_flight = InFlight::new(&self.metrics);
        let length = self.write.measure(self.inner.write(write)).await?;
        self.metrics.written_bytes.inc_by(length);
        Ok(length)
    }

    async fn open(&self, name: LocationName) -> Result<Arc<dyn BlobReader>> {
        self.open.measure(self.inner.open(name)).await
    }

    async fn delete(&self, name: LocationName) -> Result<()> {
        self.delete.measure(self.inner.delete(name)).await
    }

    async fn scan(&self, after: Option<LocationName>, count: usize) -> Result<Vec<LocationName>> {
        self.scan.measure(self.inner.scan(after, count)).await
    }

    async fn store_id(&self) -> Result<Option<StoreId>> {
        self.store_id.measure(self.inner.store_id()).await
    }

    async fn set_store_id(&self, id: StoreId) -> Result<()> {
        self.set_store_id.measure(self.inner.set_store_id(id)).await
    }

    async fn probe(&self) -> Result<Capacity> {
        self.probe.measure(self.inner.probe()).await
    }
}
