//! The stored form of rows: a version byte, then fields of one tag byte, a length and the bytes.
//!
//! A field that a version does not know is skipped, so an older binary reads the rows of a newer one; rows that
//! are read, changed and written again carry such fields along ([`Unknown`]). Tags are never used twice. The
//! version byte changes only when an older binary must not read the row at all.

mod access_key;
mod blob;
mod bucket;
mod link;
mod manifest;
mod multipart;
mod object;
mod payload;
mod repository;
mod scrub;
mod store;
mod sweep;
mod upload;

pub(crate) use access_key::AccessKeyRow;
pub(crate) use blob::{BlobRow, LocationOwner, LocationRow, StoredContent};
pub(crate) use bucket::{BucketRow, BucketStateRow};
pub(crate) use link::LinkRow;
pub(crate) use manifest::{BodyRow, ManifestRow, TagRow};
pub(crate) use multipart::{
    CompositeRow, MultipartRow, MultipartStateRow, PartContent, PartListRow, PartRow, Segment, Source,
};
pub(crate) use object::{HeadRow, Listed, VersionBody, VersionContent, VersionRow};
pub(crate) use payload::{EmptyRow, Payload};
pub(crate) use repository::RepositoryRow;
pub(crate) use scrub::ScrubRow;
pub(crate) use store::{StartRow, StoreRow};
pub(crate) use sweep::SweepRow;
pub(crate) use upload::{ExtentRow, UploadRow};

use bytes::{Buf as _, Bytes};
use zas_core::{BucketId, Digest, Holder, Timestamp, UploadId};

use crate::keys::{self, Elements};

const VERSION: u8 = 1;

/// Something that is stored under a key.
pub(crate) trait Row: Sized {
    /// What it is, for messages.
    const NAME: &'static str;

    /// The stored form.
    fn encode(&self) -> Bytes;

    /// Reads the stored form; `None` when the bytes are none.
    fn decode(stored: &Bytes) -> Option<Self>;
}

/// Fields of a newer version, kept as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unknown(Vec<(u8, Bytes)>);

impl Unknown {
    fn keep(&mut self, field: Field) {
        self.0.push((field.tag, field.value));
    }
}

/// Writes fields.
struct Writer(Vec<u8>);

impl Writer {
    fn new() -> Self {
        Self(vec![VERSION])
    }

    fn bytes(mut self, tag: u8, value: &[u8]) -> Self {
        self.0.push(tag);
        let mut length = value.len();
        while length >= 0x80 {
            self.0.push((length & 0x7F) as u8 | 0x80);
            length >>= 7;
        }
        self.0.push(length as u8);
        self.0.extend_from_slice(value);
        self
    }

    fn text(self, tag: u8, value: &str) -> Self {
        self.bytes(tag, value.as_bytes())
    }

    fn number(self, tag: u8, value: u64) -> Self {
        let bytes = value.to_be_bytes();
        let leading_zeros = (value.leading_zeros() / 8) as usize;
        self.bytes(tag, bytes.get(leading_zeros..).unwrap_or_default())
    }

    fn time(self, tag: u8, value: Timestamp) -> Self {
        self.number(tag, value.millis())
    }

    fn digest(self, tag: u8, value: &Digest) -> Self {
        self.bytes(tag, &value.to_key())
    }

    fn holder(self, tag: u8, value: &Holder) -> Self {
        self.bytes(tag, &keys::holder(value))
    }

    fn optional<T>(self, value: Option<T>, write: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            Some(value) => write(self, value),
            None => self,
        }
    }

    fn each<T>(self, values: impl IntoIterator<Item = T>, write: impl Fn(Self, T) -> Self) -> Self {
        values.into_iter().fold(self, write)
    }

    fn unknown(self, unknown: &Unknown) -> Self {
        self.each(&unknown.0, |writer, (tag, value)| writer.bytes(*tag, value))
    }

    fn finish(self) -> Bytes {
        self.0.into()
    }
}

/// One field as stored; the value shares the row's memory.
struct Field {
    tag: u8,
    value: Bytes,
}

impl Field {
    fn number(&self) -> Option<u64> {
        if self.value.len() > 8 {
            return None;
        }
        Some(self.value.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)))
    }

    fn time(&self) -> Option<Timestamp> {
        self.number().map(Timestamp::from_millis)
    }

    fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.value).ok()
    }

    fn string(&self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    fn parsed<T: std::str::FromStr>(&self) -> Option<T> {
        self.text()?.parse().ok()
    }

    fn digest(&self) -> Option<Digest> {
        Digest::from_key(&self.value)
    }

    fn bucket(&self) -> Option<BucketId> {
        self.value.as_ref().try_into().ok().map(BucketId::from_bytes)
    }

    fn holder(&self) -> Option<Holder> {
        Elements::all(&self.value).holder()
    }

    fn id(&self) -> Option<UploadId> {
        self.value.as_ref().try_into().ok().map(UploadId::from_bytes)
    }
}

/// The fields of a stored row; `None` when the bytes are none.
fn fields(stored: &Bytes) -> Option<Vec<Field>> {
    let mut rest = stored.clone();
    if rest.try_get_u8().ok()? != VERSION {
        return None;
    }
    let mut fields = Vec::new();
    while rest.has_remaining() {
        let tag = rest.try_get_u8().ok()?;
        let length = read_length(&mut rest)?;
        if length > rest.remaining() {
            return None;
        }
        fields.push(Field {
            tag,
            value: rest.split_to(length),
        });
    }
    Some(fields)
}

fn read_length(rest: &mut Bytes) -> Option<usize> {
    let mut length = 0;
    // Five groups of seven bits are more than the longest row.
    for group in 0..5 {
        let byte = rest.try_get_u8().ok()?;
        length |= usize::from(byte & 0x7F) << (7 * group);
        if byte & 0x80 == 0 {
            return Some(length);
        }
    }
    None
}

#[cfg(test)]
mod object_tests;
#[cfg(test)]
mod tests;
