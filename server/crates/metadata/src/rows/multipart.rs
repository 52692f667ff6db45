//! Multipart uploads, their parts, and the composites that they become.

use bytes::{Buf as _, BufMut as _, Bytes};
use zas_core::{BucketId, Digest, ObjectKey, Timestamp, UploadId};

use super::object::{read_attribute, write_attributes};
use super::{Field, Row, Unknown, Writer, fields};
use crate::{Extent, ObjectAttributes, ObjectChecksum, Owner, StoredVersion, Versioning};

/// What never changes about an open multipart upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MultipartRow {
    /// Who opened it.
    pub(crate) initiator: Owner,
    /// When.
    pub(crate) created_at: Timestamp,
    /// What the object will carry.
    pub(crate) attributes: ObjectAttributes,
    /// Fields of a newer version.
    pub(crate) unknown: Unknown,
}

impl Row for MultipartRow {
    const NAME: &'static str = "multipart upload";

    fn encode(&self) -> Bytes {
        let writer = Writer::new()
            .text(1, &self.initiator.issuer)
            .text(2, &self.initiator.subject)
            .time(3, self.created_at);
        write_attributes(writer, &self.attributes)
            .unknown(&self.unknown)
            .finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let (mut initiator, mut created_at) = (Owner::default(), None);
        let (mut attributes, mut unknown) = (ObjectAttributes::default(), Unknown::default());
        for field in fields(stored)? {
            match field.tag {
                1 => initiator.issuer = field.string()?,
                2 => initiator.subject = field.string()?,
                3 => created_at = Some(field.time()?),
                _ => {
                    if let Some(field) = read_attribute(&mut attributes, field)? {
                        unknown.keep(field);
                    }
                }
            }
        }
        Some(Self {
            initiator,
            created_at: created_at?,
            attributes,
            unknown,
        })
    }
}

/// What changes about an open multipart upload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MultipartStateRow {
    /// How often a part was written.
    pub(crate) revision: u64,
    /// How many parts there are.
    pub(crate) parts: u64,
    /// Whether an attempt at completion left pieces of its list behind.
    pub(crate) has_pieces: bool,
}

impl Row for MultipartStateRow {
    const NAME: &'static str = "multipart upload state";

    fn encode(&self) -> Bytes {
        Writer::new()
            .number(1, self.revision)
            .number(2, self.parts)
            .number(3, u64::from(self.has_pieces))
            .finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let mut row = Self::default();
        for field in fields(stored)? {
            match field.tag {
                1 => row.revision = field.number()?,
                2 => row.parts = field.number()?,
                3 => row.has_pieces = field.number()? != 0,
                _ => {}
            }
        }
        Some(row)
    }
}

/// A part of an open upload or of a composite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartRow {
    /// How many bytes it has.
    pub(crate) size: u64,
    /// The entity tag.
    pub(crate) etag: String,
    /// Its checksum.
    pub(crate) checksum: Option<ObjectChecksum>,
    /// When it was written.
    pub(crate) modified_at: Timestamp,
    /// Where its bytes are.
    pub(crate) content: PartContent,
    /// Fields of a newer version.
    pub(crate) unknown: Unknown,
}

/// Where the bytes of a part are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PartContent {
    /// In a row of their own.
    Inline,
    /// In the blob store; the part owns them.
    Extents(Vec<Extent>),
    /// In what other content they are ranges of, which this bucket holds for the part.
    Segments(BucketId, Vec<Segment>),
}

/// A range of other content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// What it is a range of.
    pub(crate) source: Source,
    /// Where it starts.
    pub(crate) offset: u64,
    /// How long it is.
    pub(crate) length: u64,
}

/// Content that others may refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The blob of this digest.
    Blob(Digest),
    /// This composite.
    Composite(UploadId),
}

impl Row for PartRow {
    const NAME: &'static str = "part";

    fn encode(&self) -> Bytes {
        let writer = Writer::new()
            .number(1, self.size)
            .text(2, &self.etag)
            .time(3, self.modified_at);
        let writer = write_checksum(writer, self.checksum.as_ref());
        let writer = match &self.content {
            PartContent::Inline => writer,
            PartContent::Extents(extents) => writer
                .number(7, extents.len() as u64)
                .each(extents, |writer, extent| {
                    writer.bytes(8, &super::blob::encode_extent(extent))
                }),
            PartContent::Segments(bucket, segments) => {
                writer
                    .bytes(12, &bucket.to_bytes())
                    .each(segments, |writer, segment| {
                        let writer = match &segment.source {
                            Source::Blob(digest) => writer.digest(9, digest),
                            Source::Composite(id) => writer.bytes(10, &id.to_bytes()),
                        };
                        // Behind its source.
                        writer.bytes(
                            11,
                            &[segment.offset.to_be_bytes(), segment.length.to_be_bytes()].concat(),
                        )
                    })
            }
        };
        writer.unknown(&self.unknown).finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let (mut size, mut etag, mut modified_at, mut checksum) = (None, None, None, None);
        let (mut count, mut extents, mut segments) = (None, Vec::new(), Vec::new());
        let (mut source, mut bucket, mut unknown) = (None, None, Unknown::default());
        for field in fields(stored)? {
            match field.tag {
                1 => size = Some(field.number()?),
                2 => etag = Some(field.string()?),
                3 => modified_at = Some(field.time()?),
                4..=6 => read_checksum(&mut checksum, &field)?,
                7 => count = Some(field.number()?),
                8 => extents.push(super::blob::decode_extent(&field.value)?),
                9 => source = Some(Source::Blob(field.digest()?)),
                10 => source = Some(Source::Composite(field.id()?)),
                11 => {
                    let mut range = field.value.as_ref();
                    segments.push(Segment {
                        source: source.take()?,
                        offset: range.try_get_u64().ok()?,
                        length: range.try_get_u64().ok()?,
                    });
                }
                12 => bucket = Some(field.bucket()?),
                _ => unknown.keep(field),
            }
        }
        let content = match (count, bucket) {
            (Some(count), None) if count == extents.len() as u64 => PartContent::Extents(extents),
            (None, Some(bucket)) => PartContent::Segments(bucket, segments),
            (None, None) => PartContent::Inline,
            (Some(_), _) => return None,
        };
        Some(Self {
            size: size?,
            etag: etag?,
            checksum,
            modified_at: modified_at?,
            content,
            unknown,
        })
    }
}

fn write_checksum(writer: Writer, checksum: Option<&ObjectChecksum>) -> Writer {
    writer.optional(checksum, |writer, checksum| {
        writer
            .text(4, &checksum.algorithm)
            .text(5, &checksum.kind)
            .text(6, &checksum.value)
    })
}

fn read_checksum(checksum: &mut Option<ObjectChecksum>, field: &Field) -> Option<()> {
    let checksum = checksum.get_or_insert_with(|| ObjectChecksum {
        algorithm: String::new(),
        kind: String::new(),
        value: String::new(),
    });
    let text = field.string()?;
    match field.tag {
        4 => checksum.algorithm = text,
        5 => checksum.kind = text,
        _ => checksum.value = text,
    }
    Some(())
}

/// What a multipart upload became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CompositeRow {
    /// The bucket of the version it was made for.
    pub(crate) bucket: BucketId,
    /// The version's key.
    pub(crate) key: ObjectKey,
    /// The version.
    pub(crate) version: StoredVersion,
    /// Whether the bucket kept versions then.
    pub(crate) versioning: Versioning,
    /// When.
    pub(crate) modified_at: Timestamp,
    /// The entity tag.
    pub(crate) etag: String,
    /// The checksum.
    pub(crate) checksum: Option<ObjectChecksum>,
    /// Which attempt's list of parts holds.
    pub(crate) attempt: u64,
    /// How many bytes there are.
    pub(crate) size: u64,
    /// The digest of all bytes, once it is known.
    pub(crate) digest: Option<Digest>,
    /// Fields of a newer version.
    pub(crate) unknown: Unknown,
}

impl Row for CompositeRow {
    const NAME: &'static str = "composite";

    fn encode(&self) -> Bytes {
        let writer = Writer::new()
            .bytes(1, &self.bucket.to_bytes())
            .text(2, self.key.as_str())
            .bytes(3, &super::object::version_bytes(self.version.id));
        write_checksum(writer, self.checksum.as_ref())
            .number(7, u64::from(self.version.is_null))
            .number(8, super::bucket::versioning_number(self.versioning))
            .time(9, self.modified_at)
            .text(10, &self.etag)
            .number(11, self.attempt)
            .number(12, self.size)
            .optional(self.digest.as_ref(), |writer, digest| writer.digest(13, digest))
            .unknown(&self.unknown)
            .finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let (mut bucket, mut key, mut id, mut checksum, mut is_null) = (None, None, None, None, false);
        let (mut versioning, mut modified_at, mut etag) = (None, None, None);
        let (mut attempt, mut size, mut digest) = (None, None, None);
        let mut unknown = Unknown::default();
        for field in fields(stored)? {
            match field.tag {
                1 => bucket = Some(field.bucket()?),
                2 => key = Some(field.parsed()?),
                3 => id = Some(field.version()?),
                4..=6 => read_checksum(&mut checksum, &field)?,
                7 => is_null = field.number()? != 0,
                8 => versioning = Some(super::bucket::read_versioning(field.number()?)?),
                9 => modified_at = Some(field.time()?),
                10 => etag = Some(field.string()?),
                11 => attempt = Some(field.number()?),
                12 => size = Some(field.number()?),
                13 => digest = Some(field.digest()?),
                _ => unknown.keep(field),
            }
        }
        Some(Self {
            bucket: bucket?,
            key: key?,
            version: StoredVersion { id: id?, is_null },
            versioning: versioning?,
            modified_at: modified_at?,
            etag: etag?,
            checksum,
            attempt: attempt?,
            size: size?,
            digest,
            unknown,
        })
    }
}

/// A piece of the list of a composite's parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartListRow {
    /// Where its first part starts in the object.
    pub(crate) offset: u64,
    /// The numbers and sizes of its parts, in order.
    pub(crate) parts: Vec<(u16, u64)>,
}

impl Row for PartListRow {
    const NAME: &'static str = "list of parts";

    fn encode(&self) -> Bytes {
        let mut parts = Vec::with_capacity(self.parts.len() * 10);
        for (number, size) in &self.parts {
            parts.put_u16(*number);
            parts.put_u64(*size);
        }
        Writer::new().number(1, self.offset).bytes(2, &parts).finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let (mut offset, mut parts) = (None, Vec::new());
        for field in fields(stored)? {
            match field.tag {
                1 => offset = Some(field.number()?),
                2 => {
                    let mut rest = field.value;
                    while rest.has_remaining() {
                        parts.push((rest.try_get_u16().ok()?, rest.try_get_u64().ok()?));
                    }
                }
                _ => {}
            }
        }
        Some(Self {
            offset: offset?,
            parts,
        })
    }
}
