//! The signatures of the metadata store, for those who stand in front of it.

/// Hands every operation of [`zas_metadata::MetadataStore`], by its traits, to a macro that writes methods of the same
/// names.
macro_rules! metadata_operations {
    ($write:ident) => {
        $write! {
            trait AccessKeyStore {
                fn create_access_key(origin: &Origin, key: NewAccessKey) -> CreateAccessKeyOutcome;
                fn access_key(id: &str) -> Option<AccessKey>;
                fn list_access_keys(list: ListAccessKeys) -> Page<AccessKey>;
                fn revoke_access_key(origin: &Origin, id: &str) -> RevokeOutcome;
                fn used_kids() -> Vec<String>;
            }
            trait BucketStore {
                fn create_bucket(origin: &Origin, bucket: NewBucket) -> CreateBucketOutcome;
                fn stat_bucket(name: &BucketName) -> Option<Bucket>;
                fn list_buckets(list: ListBuckets) -> Page<ListedBucket>;
                fn delete_bucket(origin: &Origin, bucket: BucketId) -> DeleteBucketOutcome;
                fn set_versioning(origin: &Origin, bucket: BucketId, versioning: Versioning) -> BucketOutcome;
                fn bucket_document(bucket: BucketId, kind: DocumentKind) -> Option<Bytes>;
                fn set_bucket_document(origin: &Origin, bucket: BucketId, kind: DocumentKind, document: Option<Bytes>) -> BucketOutcome;
            }
            trait ObjectStore {
                fn put_object(origin: &Origin, object: PutObject) -> PutOutcome;
                fn stat_object(bucket: BucketId, key: &ObjectKey, version: VersionSelector) -> ObjectLookup<ObjectVersion>;
                fn get_object(bucket: BucketId, key: &ObjectKey, version: VersionSelector) -> ObjectLookup<(ObjectVersion, ObjectBytes)>;
                fn delete_object(origin: &Origin, bucket: BucketId, owner: &Owner, deletion: DeleteObject) -> DeleteOutcome;
                fn delete_objects(origin: &Origin, bucket: BucketId, owner: &Owner, deletions: Vec<DeleteObject>) -> Vec<DeleteOutcome>;
                fn set_object_tags(
                    origin: &Origin,
                    bucket: BucketId,
                    key: &ObjectKey,
                    version: VersionSelector,
                    tags: Vec<(String, String)>
                ) -> UpdateOutcome;
                fn find_objects(bucket: BucketId, digest: &Digest, count: usize) -> Vec<ObjectWithDigest>;
                fn list_objects(list: ListObjects) -> ObjectPage;
                fn list_object_versions(list: ListVersions) -> VersionPage;
            }
            trait MultipartStore {
                fn create_multipart(origin: &Origin, multipart: NewMultipart) -> CreateMultipartOutcome;
                fn stat_multipart(name: &MultipartName) -> Option<MultipartStat>;
                fn put_part(origin: &Origin, part: PutPart) -> PutPartOutcome;
                fn list_parts(name: &MultipartName, after: u16, count: usize) -> Option<Page<Part>>;
                fn list_multiparts(list: ListMultiparts) -> MultipartPage;
                fn complete_multipart(origin: &Origin, completion: CompleteMultipart) -> CompleteOutcome;
                fn completed_multipart(name: &MultipartName) -> Option<CompletedMultipart>;
                fn abort_multipart(origin: &Origin, name: &MultipartName) -> AbortMultipartOutcome;
                fn read_composite(composite: UploadId, offset: u64, count: usize) -> Option<Vec<Run>>;
                fn list_composite_parts(composite: UploadId, after: u16, count: usize) -> Option<Page<CompositePart>>;
                fn list_undigested(after: Option<UploadId>, count: usize) -> Vec<UploadId>;
                fn set_composite_digest(composite: UploadId, digest: &Digest) -> DigestOutcome;
                fn take_garbage(count: usize) -> Vec<Garbage>;
                fn drain_garbage(garbage: &Garbage) -> GarbageOutcome;
            }
            trait MetadataStore {
                fn create_upload(origin: &Origin, holder: &Holder, id: UploadId) -> Epoch;
                fn stat_upload(holder: &Holder, id: UploadId) -> Option<u64>;
                fn claim_upload(holder: &Holder, id: UploadId) -> Option<Claim>;
                fn save_progress(id: UploadId, epoch: Epoch, progress: Progress, written: Written) -> WriterOutcome;
                fn upload_extents(id: UploadId) -> Vec<Extent>;
                fn touch_upload(id: UploadId, epoch: Epoch) -> WriterOutcome;
                fn finish_upload(origin: &Origin, upload: FinishUpload) -> FinishOutcome;
                fn abort_upload(origin: &Origin, id: UploadId, epoch: Epoch) -> WriterOutcome;
                fn expire_upload(origin: &Origin, listed: &UploadEntry) -> WriterOutcome;
                fn list_uploads(after: Option<UploadId>, count: usize) -> Page<UploadEntry>;
                fn stat_blob(holder: &Holder, digest: &Digest, lease: Lease) -> Option<BlobStat>;
                fn find_holders(digest: &Digest, count: usize) -> Vec<Holder>;
                fn mount_blob(origin: &Origin, from: &Holder, to: &Holder, digest: &Digest) -> MountOutcome;
                fn unlink_blob(origin: &Origin, holder: &Holder, digest: &Digest) -> bool;
                fn commit_manifest(origin: &Origin, manifest: CommitManifest) -> CommitOutcome;
                fn resolve_manifest(holder: &Holder, reference: &Reference) -> Option<StoredManifest>;
                fn stat_manifest(holder: &Holder, reference: &Reference) -> Option<ManifestStat>;
                fn resolve_tag(holder: &Holder, tag: &Tag) -> Option<Digest>;
                fn delete_tag(origin: &Origin, holder: &Holder, tag: &Tag, precondition: Precondition) -> DeleteTagOutcome;
                fn delete_manifest(origin: &Origin, holder: &Holder, digest: &Digest, shared: SharedManifest) -> DeleteManifestOutcome;
                fn list_tags(holder: &Holder, after: Option<&str>, count: usize) -> Option<Page<Tag>>;
                fn list_repositories(prefix: &str, after: Option<&str>, count: usize) -> Page<RepositoryName>;
                fn list_referrers(
                    holder: &Holder,
                    subject: &Digest,
                    artifact_type: Option<&str>,
                    after: Option<&ReferrerCursor>,
                    count: usize,
                    bytes: usize
                ) -> ReferrerPage;
                fn take_due(count: usize) -> Vec<DueLink>;
                fn reap(link: &DueLink) -> ReapOutcome;
                fn take_doomed(count: usize) -> Vec<LocationName>;
                fn forget_location(name: LocationName) -> ();
                fn postpone_deletion(name: LocationName) -> ();
                fn claim_orphan(name: LocationName) -> OrphanOutcome;
                fn list_blobs(after: Option<&Digest>, count: usize) -> Page<ScrubEntry>;
                fn mark_damaged(digest: &Digest, seen: Option<&BlobContent>) -> DamageOutcome;
                fn clear_damage(digest: &Digest, seen: &BlobContent) -> DamageOutcome;
                fn inspect_blob(digest: &Digest) -> Option<ScrubEntry>;
                fn list_damaged(count: usize) -> Page<Digest>;
                fn scrub_position() -> ScrubPosition;
                fn save_scrub_position(position: ScrubPosition) -> ();
                fn find_orphans(names: &[LocationName]) -> Vec<LocationName>;
                fn sweep_position() -> Option<SweepPosition>;
                fn save_sweep_position(position: SweepPosition) -> ();
                fn store_id() -> Option<StoreId>;
                fn set_store_id(id: StoreId) -> ();
                fn is_empty() -> bool;
                fn now() -> Timestamp;
                fn ping() -> ();
                now fn set_timing(timing: Timing);
            }
        }
    };
}

pub(crate) use metadata_operations;
