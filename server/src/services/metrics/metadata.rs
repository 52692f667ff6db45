//! Counting the operations of the metadata store.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use zas_core::{
    BucketId, BucketName, Digest, Holder, LocationName, ObjectKey, Reference, RepositoryName, StoreId, Tag,
    Timestamp, UploadId,
};
use zas_metadata::{
    AbortMultipartOutcome, AccessKey, AccessKeyStore, BlobContent, BlobStat, Bucket, BucketOutcome,
    BucketStore, Claim, CommitManifest, CommitOutcome, CompleteMultipart, CompleteOutcome,
    CompletedMultipart, CompositePart, CreateAccessKeyOutcome, CreateBucketOutcome, CreateMultipartOutcome,
    DamageOutcome, DeleteBucketOutcome, DeleteManifestOutcome, DeleteObject, DeleteOutcome, DeleteTagOutcome,
    DigestOutcome, DocumentKind, DueLink, Epoch, Extent, FinishOutcome, FinishUpload, Garbage,
    GarbageOutcome, Lease, ListAccessKeys, ListBuckets, ListMultiparts, ListObjects, ListVersions,
    ListedBucket, ManifestStat, MetadataStore, MountOutcome, MultipartName, MultipartPage, MultipartStat,
    MultipartStore, NewAccessKey, NewBucket, NewMultipart, ObjectBytes, ObjectLookup, ObjectPage,
    ObjectStore, ObjectVersion, ObjectWithDigest, Origin, OrphanOutcome, Owner, Page, Part, Precondition,
    Progress, PutObject, PutOutcome, PutPart, PutPartOutcome, ReapOutcome, ReferrerCursor, ReferrerPage,
    Result, RevokeOutcome, Run, ScrubEntry, ScrubPosition, SharedManifest, StoredManifest, SweepPosition,
    Timing, UpdateOutcome, UploadEntry, VersionPage, VersionSelector, Versioning, WriterOutcome, Written,
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
    ($(trait $subject:ident {
        $(fn $operation:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*
        $(now fn $setting:ident($value:ident: $set:ty);)*
    })*) => {
        /// One for each method.
        #[derive(Debug)]
        struct Operations {
            $($($operation: Operation,)*)*
        }

        impl Operations {
            fn new(metrics: &Arc<ServerMetrics>) -> Self {
                Self {
                    $($($operation: Operation::new(metrics, "metadata", stringify!($operation)),)*)*
                }
            }
        }

        $(
        #[async_trait]
        impl $subject for MeasuredMetadata {
            $(
                async fn $operation(&self, $($argument: $kind),*) -> Result<$answer> {
                    let running = self.inner.$operation($($argument),*);
                    self.operations.$operation.measure(running).await
                }
            )*

            $(
                fn $setting(&self, $value: $set) {
                    self.inner.$setting($value);
                }
            )*
        }
        )*
    };
}

metadata_operations!(counted);
