//! Somebody holds a blob.

use bytes::Bytes;
use zas_core::{Timestamp, UploadId};

use super::{Row, Unknown, Writer, fields};

/// The right of a holder to a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LinkRow {
    /// The blob's length in bytes.
    pub(crate) size: u64,
    /// Until when the blob is kept without a reference.
    pub(crate) lease_until: Timestamp,
    /// The upload that made it; none after a mount.
    pub(crate) upload: Option<UploadId>,
    /// Fields of a newer version.
    pub(crate) unknown: Unknown,
}

impl Row for LinkRow {
    const NAME: &'static str = "link";

    fn encode(&self) -> Bytes {
        Writer::new()
            .number(1, self.size)
            .time(2, self.lease_until)
            .optional(self.upload, |writer, id| writer.bytes(3, &id.to_bytes()))
            .unknown(&self.unknown)
            .finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let (mut size, mut lease_until, mut upload, mut unknown) = (None, None, None, Unknown::default());
        for field in fields(stored)? {
            match field.tag {
                1 => size = Some(field.number()?),
                2 => lease_until = Some(field.time()?),
                3 => upload = Some(field.id()?),
                _ => unknown.keep(field),
            }
        }
        Some(Self {
            size: size?,
            lease_until: lease_until?,
            upload,
            unknown,
        })
    }
}
