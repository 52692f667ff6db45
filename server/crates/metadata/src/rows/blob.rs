//! Blobs and the physical names that hold their bytes.

use bytes::{Buf as _, BufMut as _, Bytes};
use zas_core::{Digest, LocationName, Timestamp, UploadId};

use super::{Row, Unknown, Writer, fields};
use crate::Extent;

/// A blob, whoever holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlobRow {
    /// Its length in bytes.
    pub(crate) size: u64,
    /// Where its bytes are.
    pub(crate) content: StoredContent,
    /// Since when they are known not to be its bytes.
    pub(crate) damaged_since: Option<Timestamp>,
    /// When bytes that an upload had just proved last took the place of others.
    pub(crate) renewed_at: Option<Timestamp>,
    /// Fields of a newer version.
    pub(crate) unknown: Unknown,
}

/// The length of a run of bytes in a row: its name, offset and length.
const EXTENT_BYTES: usize = LocationName::BYTES + 16;

/// Where a blob's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoredContent {
    /// In a row of their own.
    Inline,
    /// In the blob store.
    Extents(Vec<Extent>),
}

impl BlobRow {
    /// The physical names that hold its bytes, each once.
    pub(crate) fn locations(&self) -> Vec<LocationName> {
        let mut names: Vec<LocationName> = self.extents().iter().map(|extent| extent.location).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The runs of its bytes in the blob store; none of bytes in a row.
    pub(crate) fn extents(&self) -> &[Extent] {
        match &self.content {
            StoredContent::Inline => &[],
            StoredContent::Extents(extents) => extents,
        }
    }
}

impl Row for BlobRow {
    const NAME: &'static str = "blob";

    fn encode(&self) -> Bytes {
        let extents = match &self.content {
            StoredContent::Inline => None,
            StoredContent::Extents(extents) => Some(extents),
        };
        Writer::new()
            .number(1, self.size)
            // Present for an empty list too: it tells extents from inline bytes.
            .optional(extents, |writer, extents| writer.number(2, extents.len() as u64))
            .each(extents.into_iter().flatten(), |writer, extent| {
                writer.bytes(3, &encode_extent(extent))
            })
            .optional(self.damaged_since, |writer, at| writer.time(4, at))
            .optional(self.renewed_at, |writer, at| writer.time(5, at))
            .unknown(&self.unknown)
            .finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let (mut size, mut count, mut extents) = (None, None, Vec::new());
        let (mut damaged_since, mut renewed_at, mut unknown) = (None, None, Unknown::default());
        for field in fields(stored)? {
            match field.tag {
                1 => size = Some(field.number()?),
                2 => count = Some(field.number()?),
                3 => extents.push(decode_extent(&field.value)?),
                4 => damaged_since = Some(field.time()?),
                5 => renewed_at = Some(field.time()?),
                _ => unknown.keep(field),
            }
        }
        let content = match count {
            None => StoredContent::Inline,
            Some(count) if count == extents.len() as u64 => StoredContent::Extents(extents),
            Some(_) => return None,
        };
        Some(Self {
            size: size?,
            content,
            damaged_since,
            renewed_at,
            unknown,
        })
    }
}

/// A run of bytes as it stands in rows.
pub(super) fn encode_extent(extent: &Extent) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(EXTENT_BYTES);
    bytes.put_slice(&extent.location.to_bytes());
    bytes.put_u64(extent.offset);
    bytes.put_u64(extent.length);
    bytes
}

/// Reads it again; what a later version may add behind is skipped.
pub(super) fn decode_extent(stored: &[u8]) -> Option<Extent> {
    let (name, mut stored) = stored.split_at_checked(LocationName::BYTES)?;
    Some(Extent {
        location: LocationName::from_bytes(name)?,
        offset: stored.try_get_u64().ok()?,
        length: stored.try_get_u64().ok()?,
    })
}

/// What lists a physical name. There is one for each name, and it alone gives the name up; whoever else needs the bytes
/// refers to the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LocationOwner {
    /// The blob of this digest.
    Blob(Digest),
    /// The unfinished upload of this id, which needs no row to own the names that begin with its id.
    Upload(UploadId),
    /// The multipart upload of this id, or the composite that it became.
    Composite(UploadId),
}

/// What a physical name holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LocationRow {
    /// Bytes of this owner.
    Live(LocationOwner),
    /// Bytes to be deleted at this time.
    Doomed(Timestamp),
}

impl Row for LocationRow {
    const NAME: &'static str = "location";

    fn encode(&self) -> Bytes {
        match self {
            Self::Live(LocationOwner::Blob(digest)) => Writer::new().digest(1, digest),
            Self::Doomed(due) => Writer::new().time(2, *due),
            Self::Live(LocationOwner::Upload(id)) => Writer::new().bytes(3, &id.to_bytes()),
            Self::Live(LocationOwner::Composite(id)) => Writer::new().bytes(4, &id.to_bytes()),
        }
        .finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let mut row = None;
        for field in fields(stored)? {
            let said = match field.tag {
                1 => Self::Live(LocationOwner::Blob(field.digest()?)),
                2 => Self::Doomed(field.time()?),
                3 => Self::Live(LocationOwner::Upload(field.id()?)),
                4 => Self::Live(LocationOwner::Composite(field.id()?)),
                _ => continue,
            };
            if row.replace(said).is_some() {
                return None;
            }
        }
        row
    }
}
