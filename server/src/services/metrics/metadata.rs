//! Counting the operations of the metadata store.

use std::sync::Arc;

use async_trait::async_trait;
use zas_core::{Digest, Reference, RepositoryName, StoreId, Tag, Timestamp, UploadId};
use zas_metadata::{
    BlobContent, BlobStat, Claim, CommitManifest, CommitOutcome, DamageOutcome, DeleteManifestOutcome,
    DeleteTagOutcome, DueLink, Epoch, FinishOutcome, FinishUpload, Lease, ManifestStat, MetadataStore,
    MountOutcome, Origin, OrphanOutcome, Page, Precondition, Progress, ReapOutcome, ReferrerCursor,
    ReferrerPage, Result, ScrubEntry, ScrubPosition, SharedManifest, StoredManifest, SweepPosition, Timing,
    UploadEntry, WriterOutcome,
};

use super::ServerMetrics;
use super::operation::Operation;
use crate::services::metadata_operations::metadata_operations;

/// A metadata store whose operations are counted.
#[derive(Debug)]
pub struct MeasuredMetadata {
    inner: Arc<dyn MetadataStore>,
    operations: Operations,
}

impl MeasuredMetadata {
    /// Counts the operations of `inner`.
    pub fn new(inner: Arc<dyn MetadataStore>, metrics: &Arc<ServerMetrics>) -> Self {
        Self {
            inner,
            operations: Operations::new(metrics),
        }
    }
}

/// Writes the methods that hand on their arguments and count the call.
macro_rules! counted {
    ($(fn $operation:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        /// One for each method.
        #[derive(Debug)]
        struct Operations {
            $($operation: Operation,)*
        }

        impl Operations {
            fn new(metrics: &Arc<ServerMetrics>) -> Self {
                Self {
                    $($operation: Operation::new(metrics, "metadata", stringify!($operation)),)*
                }
            }
        }

        #[async_trait]
        impl MetadataStore for MeasuredMetadata {
            $(
                async fn $operation(&self, $($argument: $kind),*) -> Result<$answer> {
                    let running = self.inner.$operation($($argument),*);
                    self.operations.$operation.measure(running).await
                }
            )*

            fn set_timing(&self, timing: Timing) {
                self.inner.set_timing(timing);
            }
        }
    };
}

metadata_operations!(counted);
