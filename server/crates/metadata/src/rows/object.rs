//! Objects: a head for each key, and a row for each version.

use bytes::{Buf as _, Bytes};
use zas_core::{Digest, Timestamp, UploadId};

use super::{Field, Row, Unknown, Writer, fields};
use crate::{ObjectAttributes, ObjectChecksum, Owner, StoredVersion, VersionId};

/// The head of a key: which version is current, and what a listing answers about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeadRow {
    /// The current version.
    pub(crate) current: StoredVersion,
    /// The place of the `null` version among the others, when there is one.
    pub(crate) null: Option<u64>,
    /// The place of the last version that was ever written: the next one comes behind it, whatever the clock says.
    pub(crate) last: u64,
    /// What a listing answers; `None`: the current version is a delete marker.
    pub(crate) listed: Option<Listed>,
    /// Fields of a newer version.
    pub(crate) unknown: Unknown,
}

/// What a listing answers about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// How many bytes it has.
    pub(crate) size: u64,
    /// When it was written.
    pub(crate) modified_at: Timestamp,
    /// The entity tag.
    pub(crate) etag: String,
    /// Whose it is.
    pub(crate) owner: Owner,
    /// The storage class.
    pub(crate) storage_class: Option<String>,
    /// The algorithm and the kind of its checksum.
    pub(crate) checksum: Option<(String, String)>,
}

impl Row for HeadRow {
    const NAME: &'static str = "object head";

    fn encode(&self) -> Bytes {
        let writer = Writer::new()
            .bytes(1, &version_bytes(self.current.id))
            .number(2, u64::from(self.current.is_null))
            .optional(self.null, |writer, place| writer.number(3, place))
            .number(4, self.last);
        writer
            .optional(self.listed.as_ref(), |writer, listed| {
                let checksum = listed.checksum.as_ref();
                writer
                    .number(5, listed.size)
                    .time(6, listed.modified_at)
                    .text(7, &listed.etag)
                    .text(8, &listed.owner.issuer)
                    .text(9, &listed.owner.subject)
                    .optional(listed.storage_class.as_ref(), |writer, class| {
                        writer.text(10, class)
                    })
                    .optional(checksum, |writer, (algorithm, kind)| {
                        writer.text(11, algorithm).text(12, kind)
                    })
            })
            .unknown(&self.unknown)
            .finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let (mut id, mut is_null, mut null, mut last) = (None, false, None, None);
        let (mut size, mut modified_at, mut etag) = (None, None, None);
        let (mut owner, mut storage_class) = (Owner::default(), None);
        let (mut algorithm, mut kind, mut unknown) = (None, None, Unknown::default());
        for field in fields(stored)? {
            match field.tag {
                1 => id = Some(field.version()?),
                2 => is_null = field.number()? != 0,
                3 => null = Some(field.number()?),
                4 => last = Some(field.number()?),
                5 => size = Some(field.number()?),
                6 => modified_at = Some(field.time()?),
                7 => etag = Some(field.string()?),
                8 => owner.issuer = field.string()?,
                9 => owner.subject = field.string()?,
                10 => storage_class = Some(field.string()?),
                11 => algorithm = Some(field.string()?),
                12 => kind = Some(field.string()?),
                _ => unknown.keep(field),
            }
        }
        let listed = match (size, modified_at, etag) {
            (None, None, None) => None,
            (size, modified_at, etag) => Some(Listed {
                size: size?,
                modified_at: modified_at?,
                etag: etag?,
                owner,
                storage_class,
                checksum: algorithm.zip(kind),
            }),
        };
        Some(Self {
            current: StoredVersion { id: id?, is_null },
            null,
            last: last?,
            listed,
            unknown,
        })
    }
}

/// A version of an object, or a delete marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VersionRow {
    /// The random part of its id; its place is in the key.
    pub(crate) random: u64,
    /// Whether clients know it as `null`.
    pub(crate) is_null: bool,
    /// When it was written.
    pub(crate) modified_at: Timestamp,
    /// What it is.
    pub(crate) body: VersionBody,
    /// Fields of a newer version.
    pub(crate) unknown: Unknown,
}

/// What a version is.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, and nearly all are objects"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VersionBody {
    /// A delete marker of this owner.
    DeleteMarker(Owner),
    /// An object.
    Object {
        /// How many bytes it has.
        size: u64,
        /// What it carries beside them.
        attributes: ObjectAttributes,
        /// Where they are.
        content: VersionContent,
    },
}

/// Where the bytes of a version are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VersionContent {
    /// In a row of their own; they have this digest.
    Inline(Digest),
    /// The blob of this digest.
    Blob(Digest),
    /// The parts of this multipart upload, so many.
    Composite(UploadId, u32),
}

impl Row for VersionRow {
    const NAME: &'static str = "object version";

    fn encode(&self) -> Bytes {
        let writer = Writer::new()
            .number(1, self.random)
            .number(2, u64::from(self.is_null))
            .time(3, self.modified_at);
        let writer = match &self.body {
            VersionBody::DeleteMarker(owner) => writer.text(4, &owner.issuer).text(5, &owner.subject),
            VersionBody::Object {
                size,
                attributes,
                content,
            } => {
                let writer = write_attributes(writer, attributes).number(6, *size);
                match content {
                    VersionContent::Inline(digest) => writer.digest(7, digest),
                    VersionContent::Blob(digest) => writer.digest(8, digest),
                    VersionContent::Composite(id, parts) => {
                        writer.bytes(9, &id.to_bytes()).number(10, u64::from(*parts))
                    }
                }
            }
        };
        writer.unknown(&self.unknown).finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let (mut random, mut is_null, mut modified_at) = (None, false, None);
        let (mut attributes, mut size, mut content) = (ObjectAttributes::default(), None, None);
        let (mut composite, mut parts, mut unknown) = (None, None, Unknown::default());
        for field in fields(stored)? {
            match field.tag {
                1 => random = Some(field.number()?),
                2 => is_null = field.number()? != 0,
                3 => modified_at = Some(field.time()?),
                6 => size = Some(field.number()?),
                7 => content = Some(VersionContent::Inline(field.digest()?)),
                8 => content = Some(VersionContent::Blob(field.digest()?)),
                9 => composite = Some(field.id()?),
                10 => parts = Some(u32::try_from(field.number()?).ok()?),
                _ => {
                    if let Some(field) = read_attribute(&mut attributes, field)? {
                        unknown.keep(field);
                    }
                }
            }
        }
        let composite = composite.zip(parts);
        let content = content.or(composite.map(|(id, parts)| VersionContent::Composite(id, parts)));
        let body = match (size, content) {
            (None, None) => VersionBody::DeleteMarker(attributes.owner),
            (Some(size), Some(content)) => VersionBody::Object {
                size,
                attributes,
                content,
            },
            _ => return None,
        };
        Some(Self {
            random: random?,
            is_null,
            modified_at: modified_at?,
            body,
            unknown,
        })
    }
}

/// Writes what an object carries; the tags are those that [`read_attribute`] knows.
pub(super) fn write_attributes(writer: Writer, attributes: &ObjectAttributes) -> Writer {
    writer
        .text(4, &attributes.owner.issuer)
        .text(5, &attributes.owner.subject)
        .text(20, &attributes.etag)
        .optional(attributes.storage_class.as_ref(), |writer, class| {
            writer.text(21, class)
        })
        .optional(attributes.checksum.as_ref(), |writer, checksum| {
            writer
                .text(22, &checksum.algorithm)
                .text(23, &checksum.kind)
                .text(24, &checksum.value)
        })
        .each(&attributes.headers, |writer, pair| {
            writer.bytes(25, &pair_bytes(pair))
        })
        .each(&attributes.tags, |writer, pair| {
            writer.bytes(26, &pair_bytes(pair))
        })
}

/// Takes a field of what an object carries; gives it back when it is none of them, and `None` when it cannot be read.
pub(super) fn read_attribute(attributes: &mut ObjectAttributes, field: Field) -> Option<Option<Field>> {
    fn checksum(attributes: &mut ObjectAttributes) -> &mut ObjectChecksum {
        attributes.checksum.get_or_insert_with(|| ObjectChecksum {
            algorithm: String::new(),
            kind: String::new(),
            value: String::new(),
        })
    }
    match field.tag {
        4 => attributes.owner.issuer = field.string()?,
        5 => attributes.owner.subject = field.string()?,
        20 => attributes.etag = field.string()?,
        21 => attributes.storage_class = Some(field.string()?),
        22 => checksum(attributes).algorithm = field.string()?,
        23 => checksum(attributes).kind = field.string()?,
        24 => checksum(attributes).value = field.string()?,
        25 => attributes.headers.push(read_pair(&field.value)?),
        26 => attributes.tags.push(read_pair(&field.value)?),
        _ => return Some(Some(field)),
    }
    Some(None)
}

fn pair_bytes((name, value): &(String, String)) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 + name.len() + value.len());
    bytes.extend_from_slice(&(name.len() as u32).to_be_bytes());
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(value.as_bytes());
    bytes
}

fn read_pair(mut stored: &[u8]) -> Option<(String, String)> {
    let length = usize::try_from(stored.try_get_u32().ok()?).ok()?;
    let (name, value) = stored.split_at_checked(length)?;
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
    Some((text(name)?, text(value)?))
}

pub(super) fn version_bytes(id: VersionId) -> [u8; 16] {
    (u128::from(id.sequence) << 64 | u128::from(id.random)).to_be_bytes()
}

impl Field {
    pub(super) fn version(&self) -> Option<VersionId> {
        let id = u128::from_be_bytes(self.value.as_ref().try_into().ok()?);
        Some(VersionId {
            sequence: (id >> 64) as u64,
            random: id as u64,
        })
    }
}
