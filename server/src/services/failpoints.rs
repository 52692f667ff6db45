//! Stores that fail, wait or end the process before or after each of their operations, where a test asks for it.
//!
//! A place is named `<store>.<operation>.before` or `.after`. An error after an operation is the hard case: it
//! happened, and its caller does not know.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use zas_blobs::{BlobError, BlobReader, BlobStore, Capacity, Write};
use zas_core::{
    BucketId, BucketName, Digest, Holder, LocationName, ObjectKey, Reference, RepositoryName, StoreId, Tag,
    Timestamp, UploadId,
};
use zas_failpoints::reach;
use zas_metadata::{
    AbortMultipartOutcome, AccessKey, AccessKeyStore, BlobContent, BlobStat, Bucket, BucketOutcome,
    BucketStore, Claim, CommitManifest, CommitOutcome, CompleteMultipart, CompleteOutcome,
    CompletedMultipart, CompositePart, CreateAccessKeyOutcome, CreateBucketOutcome, CreateMultipartOutcome,
    DamageOutcome, DeleteBucketOutcome, DeleteManifestOutcome, DeleteObject, DeleteOutcome, DeleteTagOutcome,
    DigestOutcome, DocumentKind, DueLink, Epoch, Extent, FinishOutcome, FinishUpload, Garbage,
    GarbageOutcome, Lease, ListAccessKeys, ListBuckets, ListMultiparts, ListObjects, ListVersions,
    ListedBucket, ManifestStat, MetadataError, MetadataStore, MountOutcome, MultipartName, MultipartPage,
    MultipartStat, MultipartStore, NewAccessKey, NewBucket, NewMultipart, ObjectBytes, ObjectLookup,
    ObjectPage, ObjectStore, ObjectVersion, ObjectWithDigest, Origin, OrphanOutcome, Owner, Page, Part,
    Precondition, Progress, PutObject, PutOutcome, PutPart, PutPartOutcome, ReapOutcome, ReferrerCursor,
    ReferrerPage, Result, RevokeOutcome, Run, ScrubEntry, ScrubPosition, SharedManifest, StoredManifest,
    SweepPosition, Timing, UpdateOutcome, UploadEntry, VersionPage, VersionSelector, Versioning,
    WriterOutcome, Written,
};

use super::metadata_operations::metadata_operations;

/// A metadata store with a failpoint before and after each operation.
#[derive(Debug)]
pub struct FailingMetadata(pub Arc<dyn MetadataStore>);

/// A blob store with a failpoint before and after each operation.
#[derive(Debug)]
pub struct FailingBlobs(pub Arc<dyn BlobStore>);

fn unavailable(error: io::Error) -> MetadataError {
    MetadataError::Unavailable(error.to_string())
}

fn broken(source: io::Error) -> BlobError {
    BlobError::Storage {
        action: "use",
        name: "the blob store".to_owned(),
        source,
    }
}

/// Writes the methods that hand on their arguments between two places.
macro_rules! failing {
    ($(trait $subject:ident {
        $(fn $operation:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*
        $(now fn $setting:ident($value:ident: $set:ty);)*
    })*) => {$(
        #[async_trait]
        impl $subject for FailingMetadata {
            $(
                async fn $operation(&self, $($argument: $kind),*) -> Result<$answer> {
                    reach(concat!("metadata.", stringify!($operation), ".before")).map_err(unavailable)?;
                    let answer = self.0.$operation($($argument),*).await?;
                    reach(concat!("metadata.", stringify!($operation), ".after")).map_err(unavailable)?;
                    Ok(answer)
                }
            )*

            $(
                fn $setting(&self, $value: $set) {
                    self.0.$setting($value);
                }
            )*
        }
    )*};
}

metadata_operations!(failing);

#[async_trait]
impl BlobStore for FailingBlobs {
    async fn write(&self, write: Write) -> zas_blobs::Result<u64> {
        reach("blobs.write.before").map_err(broken)?;
        let length = self.0.write(write).await?;
        reach("blobs.write.after").map_err(broken)?;
        Ok(length)
    }

    async fn open(&self, name: LocationName) -> zas_blobs::Result<Arc<dyn BlobReader>> {
        reach("blobs.open.before").map_err(broken)?;
        self.0.open(name).await
    }

    async fn delete(&self, name: LocationName) -> zas_blobs::Result<()> {
        reach("blobs.delete.before").map_err(broken)?;
        self.0.delete(name).await?;
        reach("blobs.delete.after").map_err(broken)
    }

    async fn scan(&self, after: Option<LocationName>, count: usize) -> zas_blobs::Result<Vec<LocationName>> {
        reach("blobs.scan.before").map_err(broken)?;
        self.0.scan(after, count).await
    }

    async fn store_id(&self) -> zas_blobs::Result<Option<StoreId>> {
        self.0.store_id().await
    }

    async fn set_store_id(&self, id: StoreId) -> zas_blobs::Result<()> {
        self.0.set_store_id(id).await
    }

    async fn probe(&self) -> zas_blobs::Result<Capacity> {
        self.0.probe().await
    }
}
