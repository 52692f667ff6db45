//! Objects in parts: each part is stored when it comes, and completing copies nothing.

use std::collections::HashMap;

use zas_core::{BucketId, ByteRange, ObjectKey, UploadId};
use zas_metadata::{
    AbortMultipartOutcome, CompleteMultipart, CompleteOutcome, CompletedMultipart, CreateMultipartOutcome,
    Expected, INLINE_LIMIT, ListMultiparts, Multipart, MultipartName, MultipartPage, NewMultipart,
    NewPartContent, ObjectAttributes, ObjectChecksum as StoredChecksum, ObjectVersion, Page, Part, PutPart,
    PutPartOutcome,
};
use zas_s3::checksum::{
    Checksum, ChecksumAlgorithm, ChecksumType, ObjectChecksum, PartChecksum, RunningMd5, multipart_etag,
};
use zas_s3::headers::CompletionChecksum;
use zas_s3::names::ETag;
use zas_s3::xml::CompletedPart;
use zas_s3::{ErrorCode, S3Error};

use super::write::{WrittenUpload, condition};
use super::{Computed, ObjectBody, Objects, ObjectsError, Result, owner};
use crate::services::auth::{Actor, Granted, action};

/// Every part but the last has at least so many bytes.
const SMALLEST_PART: u64 = 5 * 1024 * 1024;

/// Parts that are looked up at a time.
const PAGE: usize = 1_000;

/// What an object in parts will carry.
#[derive(Clone, Debug)]
pub struct NewParts {
    /// Everything but the entity tag and the checksum.
    pub attributes: ObjectAttributes,
    /// The checksum of each part.
    pub algorithm: ChecksumAlgorithm,
    /// Whether the object's checksum is of its bytes or of those of the parts.
    pub kind: ChecksumType,
}

/// What a client says of the object that its parts make.
#[derive(Clone, Debug)]
pub struct Completion {
    /// The parts in ascending order.
    pub parts: Vec<CompletedPart>,
    /// What it promises of the whole.
    pub promised: CompletionChecksum,
    /// What it expects of the present object.
    pub expected: Expected,
}

/// A range of an object that the caller may read.
#[derive(Clone, Copy, Debug)]
pub struct SourceRange<'a> {
    /// The right to read it.
    pub granted: Granted<'a, action::GetObject>,
    /// The bucket that it is in.
    pub bucket: BucketId,
    /// The version, as it was read.
    pub version: &'a ObjectVersion,
    /// Which of its bytes.
    pub range: ByteRange,
}

impl Objects {
    /// Opens a multipart upload.
    ///
    /// # Errors
    /// [`ObjectsError::NoSuchBucket`].
    pub async fn create_multipart(
        &self,
        granted: Granted<'_, action::PutObject>,
        bucket: BucketId,
        new: NewParts,
    ) -> Result<UploadId> {
        let actor = granted.actor();
        let name = MultipartName {
            bucket,
            key: granted.target().key.clone(),
            id: self.id(),
        };
        let id = name.id;
        let multipart = NewMultipart {
            name,
            initiator: owner(&actor),
            attributes: ObjectAttributes {
                owner: owner(&actor),
                checksum: Some(StoredChecksum {
                    algorithm: new.algorithm.name().to_owned(),
                    kind: new.kind.name().to_owned(),
                    value: String::new(),
                }),
                ..new.attributes
            },
        };
        match self
            .metadata
            .create_multipart(&self.origin(&actor), multipart)
            .await?
        {
            CreateMultipartOutcome::Created => Ok(id),
            CreateMultipartOutcome::NoSuchBucket => Err(ObjectsError::NoSuchBucket),
        }
    }

    /// An open multipart upload.
    ///
    /// # Errors
    /// [`ObjectsError::NoSuchUpload`].
    pub async fn multipart(&self, name: &MultipartName) -> Result<Multipart> {
        let stat = self.metadata.stat_multipart(name).await?;
        stat.map(|stat| stat.multipart).ok_or(ObjectsError::NoSuchUpload)
    }

    /// Stores a part, in place of an earlier one of its number.
    ///
    /// # Errors
    /// [`ObjectsError::NoSuchUpload`]; nothing remains of a part that could not be stored.
    pub async fn put_part(
        &self,
        granted: Granted<'_, action::PutObject>,
        name: &MultipartName,
        number: u16,
        body: ObjectBody<'_>,
    ) -> Result<(ETag, Computed)> {
        let actor = granted.actor();
        if body.length <= INLINE_LIMIT as u64 {
            let (bytes, computed) = self.collect(body).await?;
            return self
                .commit_part(&actor, name, number, computed, NewPartContent::Inline(bytes))
                .await;
        }
        let commit = async |written: WrittenUpload| {
            let content = NewPartContent::Upload {
                id: written.id,
                epoch: written.epoch,
                size: written.computed.length,
                extents: written.extents,
            };
            self.commit_part(&actor, name, number, written.computed, content)
                .await
        };
        self.store(&actor, name.bucket, body, commit).await
    }

    async fn commit_part(
        &self,
        actor: &Actor,
        name: &MultipartName,
        number: u16,
        computed: Computed,
        content: NewPartContent,
    ) -> Result<(ETag, Computed)> {
        let etag = ETag::of_md5(computed.md5);
        let part = PutPart {
            multipart: name.clone(),
            number,
            etag: etag.as_str().to_owned(),
            checksum: Some(stored(&ObjectChecksum::FullObject(computed.checksum))),
            content,
        };
        part_outcome(self.metadata.put_part(&self.origin(actor), part).await?)?;
        Ok((etag, computed))
    }

    /// Makes a range of an object a part. Its bytes are not read, so unless it is a whole object in one piece its entity
    /// tag is no MD5, and it has no checksum.
    ///
    /// # Errors
    /// [`ObjectsError::NoSuchUpload`], [`ObjectsError::NoSuchKey`] when the version is gone meanwhile.
    pub async fn copy_part(
        &self,
        granted: Granted<'_, action::PutObject>,
        name: &MultipartName,
        number: u16,
        source: SourceRange<'_>,
    ) -> Result<(ETag, zas_core::Timestamp)> {
        let SourceRange {
            granted: readable,
            bucket,
            version,
            range,
        } = source;
        let etag = etag_of_range(version, range);
        let part = PutPart {
            multipart: name.clone(),
            number,
            etag: etag.as_str().to_owned(),
            checksum: None,
            content: NewPartContent::CopyOf {
                bucket,
                key: readable.target().key.clone(),
                version: version.version,
                offset: range.start,
                length: range.length,
            },
        };
        let origin = self.origin(&granted.actor());
        let modified_at = part_outcome(self.metadata.put_part(&origin, part).await?)?;
        Ok((etag, modified_at))
    }

    /// Makes an object of parts. A repetition after a lost answer gives the same answer.
    ///
    /// # Errors
    /// What is wrong with the list; the upload stays open then.
    pub async fn complete_multipart(
        &self,
        granted: Granted<'_, action::PutObject>,
        name: &MultipartName,
        completion: Completion,
    ) -> Result<CompletedMultipart> {
        let condition = condition(granted.write_right(), completion.expected.clone())?;
        let must_exist = condition.expected == Expected::Present;
        let origin = self.origin(&granted.actor());
        loop {
            let Some(stat) = self.metadata.stat_multipart(name).await? else {
                let completed = self.metadata.completed_multipart(name).await?;
                return completed.ok_or(ObjectsError::NoSuchUpload);
            };
            let stored = self.all_parts(name).await?;
            let made = Made::of(&stat.multipart, &stored, &completion).map_err(ObjectsError::Promise)?;
            let complete = CompleteMultipart {
                name: name.clone(),
                revision: stat.revision,
                parts: made.parts,
                etag: made.etag.as_str().to_owned(),
                checksum: made.checksum.as_ref().map(self::stored),
                condition: condition.clone(),
                random: self.random(),
            };
            match self.metadata.complete_multipart(&origin, complete).await? {
                CompleteOutcome::Completed(completed) => {
                    self.completed.notify_one();
                    return Ok(completed);
                }
                // Somebody wrote a part meanwhile, so what was compared may not be what is there.
                CompleteOutcome::PartsChanged => {}
                CompleteOutcome::PreconditionFailed => return Err(ObjectsError::PreconditionFailed),
                CompleteOutcome::NoCurrent if must_exist => return Err(ObjectsError::MayNotWrite),
                CompleteOutcome::NoCurrent => return Err(ObjectsError::NoSuchKey),
                CompleteOutcome::AccessDenied => return Err(ObjectsError::MayNotWrite),
                CompleteOutcome::NoSuchMultipart => return Err(ObjectsError::NoSuchUpload),
            }
        }
    }

    /// Gives an upload up, with its parts.
    ///
    /// # Errors
    /// [`ObjectsError::NoSuchUpload`].
    pub async fn abort_multipart(
        &self,
        granted: Granted<'_, action::AbortMultipartUpload>,
        name: &MultipartName,
    ) -> Result<()> {
        let origin = self.origin(&granted.actor());
        match self.metadata.abort_multipart(&origin, name).await? {
            AbortMultipartOutcome::Aborted => Ok(()),
            AbortMultipartOutcome::NoSuchMultipart => Err(ObjectsError::NoSuchUpload),
        }
    }

    /// Parts behind a number.
    ///
    /// # Errors
    /// [`ObjectsError::NoSuchUpload`].
    pub async fn list_parts(
        &self,
        _granted: Granted<'_, action::ListMultipartUploadParts>,
        name: &MultipartName,
        after: u16,
        count: usize,
    ) -> Result<Page<Part>> {
        let page = self.metadata.list_parts(name, after, count).await?;
        page.ok_or(ObjectsError::NoSuchUpload)
    }

    /// Open multipart uploads of a bucket.
    ///
    /// # Errors
    /// Only failures of the store.
    pub async fn list_multiparts(
        &self,
        _granted: Granted<'_, action::ListBucketMultipartUploads>,
        list: ListMultiparts,
    ) -> Result<MultipartPage> {
        Ok(self.metadata.list_multiparts(list).await?)
    }

    /// The name of a multipart upload; what is no id of this server's names none.
    ///
    /// # Errors
    /// [`ObjectsError::NoSuchUpload`].
    pub fn multipart_name(bucket: BucketId, key: &ObjectKey, id: &str) -> Result<MultipartName> {
        let id = id.parse().map_err(|_| ObjectsError::NoSuchUpload)?;
        Ok(MultipartName {
            bucket,
            key: key.clone(),
            id,
        })
    }

    async fn all_parts(&self, name: &MultipartName) -> Result<HashMap<u16, Part>> {
        let (mut parts, mut after) = (HashMap::new(), 0);
        loop {
            let page = self.metadata.list_parts(name, after, PAGE).await?;
            let page = page.ok_or(ObjectsError::NoSuchUpload)?;
            after = page.entries.last().map_or(after, |part| part.number);
            parts.extend(page.entries.into_iter().map(|part| (part.number, part)));
            if !page.more {
                return Ok(parts);
            }
        }
    }
}

fn part_outcome(outcome: PutPartOutcome) -> Result<zas_core::Timestamp> {
    match outcome {
        PutPartOutcome::Stored(at) => Ok(at),
        PutPartOutcome::NoSuchMultipart => Err(ObjectsError::NoSuchUpload),
        PutPartOutcome::Fenced | PutPartOutcome::NoSuchUpload => Err(ObjectsError::Superseded),
        PutPartOutcome::NoSuchSource => Err(ObjectsError::NoSuchKey),
    }
}

/// The object that listed parts make.
struct Made {
    parts: Vec<(u16, u64)>,
    etag: ETag,
    checksum: Option<ObjectChecksum>,
}

impl Made {
    fn of(
        multipart: &Multipart,
        stored: &HashMap<u16, Part>,
        completion: &Completion,
    ) -> std::result::Result<Self, S3Error> {
        let (mut parts, mut md5s, mut checksums) = (Vec::new(), Vec::new(), Vec::new());
        let last = completion.parts.last().map(|part| part.number);
        for listed in &completion.parts {
            let number = listed.number.get();
            let part = stored
                .get(&number)
                .ok_or_else(|| invalid_part(multipart, listed))?;
            let etag: Option<ETag> = part.etag.parse().ok();
            if etag.as_ref() != Some(&listed.etag) {
                return Err(invalid_part(multipart, listed));
            }
            let checksum = checksum_of(part);
            if listed.checksum.is_some_and(|promised| checksum != Some(promised)) {
                return Err(invalid_part(multipart, listed));
            }
            if part.size < SMALLEST_PART && Some(listed.number) != last {
                return Err(S3Error::new(ErrorCode::EntityTooSmall)
                    .with("ETag", part.etag.clone())
                    .with("MinSizeAllowed", SMALLEST_PART.to_string())
                    .with("PartNumber", number.to_string())
                    .with("ProposedSize", part.size.to_string()));
            }
            parts.push((number, part.size));
            md5s.push(etag.and_then(|etag| etag.md5()).unwrap_or_default());
            checksums.push(checksum.map(|checksum| PartChecksum {
                checksum,
                length: part.size,
            }));
        }
        let kind = multipart.attributes.checksum.as_ref();
        let kind = kind.and_then(|checksum| ChecksumType::parse(&checksum.kind).ok());
        // A part that was copied has none, and then the object has none.
        let checksums: Option<Vec<PartChecksum>> = checksums.into_iter().collect();
        let checksum = kind
            .zip(checksums)
            .and_then(|(kind, parts)| ObjectChecksum::of_parts(kind, &parts));
        let size = parts.iter().map(|(_, size)| size).sum();
        completion.promised.verify(size, checksum.as_ref())?;
        Ok(Self {
            parts,
            etag: multipart_etag(&md5s),
            checksum,
        })
    }
}

fn invalid_part(multipart: &Multipart, listed: &CompletedPart) -> S3Error {
    S3Error::new(ErrorCode::InvalidPart)
        .with("UploadId", multipart.id.to_string())
        .with("PartNumber", listed.number.to_string())
        .with("ETag", listed.etag.as_str())
}

/// The checksum of a part.
pub fn checksum_of(part: &Part) -> Option<Checksum> {
    let stored = part.checksum.as_ref()?;
    Checksum::parse(ChecksumAlgorithm::of_name(&stored.algorithm)?, &stored.value)
}

fn stored(checksum: &ObjectChecksum) -> StoredChecksum {
    StoredChecksum {
        algorithm: checksum.algorithm().name().to_owned(),
        kind: checksum.kind().name().to_owned(),
        value: checksum.text(),
    }
}

/// The entity tag of a part that is a range of a version. Of a whole object in one piece it is that object's; else one that
/// is the same for the same bytes of the same object.
fn etag_of_range(version: &ObjectVersion, range: ByteRange) -> ETag {
    let whole = range.start == 0 && range.length == version.size;
    let own: Option<ETag> = version.attributes.etag.parse().ok();
    if let Some(etag) = own.filter(|etag| whole && etag.md5().is_some()) {
        return etag;
    }
    let mut md5 = RunningMd5::new();
    md5.update(version.attributes.etag.as_bytes());
    md5.update(&range.start.to_be_bytes());
    md5.update(&range.length.to_be_bytes());
    ETag::of_md5(md5.finish())
}
