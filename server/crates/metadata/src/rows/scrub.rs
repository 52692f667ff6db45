//! How far the check of stored bytes is.

use bytes::Bytes;
use zas_core::{Digest, Timestamp};

use super::{Row, Unknown, Writer, fields};

/// Where the check of all blobs continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScrubRow {
    /// The last blob checked by the pass under way; none between passes.
    pub(crate) after: Option<Digest>,
    /// When the last pass ended.
    pub(crate) rested_at: Timestamp,
    /// Fields of a newer version.
    pub(crate) unknown: Unknown,
}

impl Row for ScrubRow {
    const NAME: &'static str = "scrub";

    fn encode(&self) -> Bytes {
        Writer::new()
            .optional(self.after, |writer, digest| writer.digest(1, &digest))
            .time(2, self.rested_at)
            .unknown(&self.unknown)
            .finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let (mut after, mut rested_at, mut unknown) = (None, None, Unknown::default());
        for field in fields(stored)? {
            match field.tag {
                1 => after = Some(field.digest()?),
                2 => rested_at = Some(field.time()?),
                _ => unknown.keep(field),
            }
        }
        Some(Self {
            after,
            rested_at: rested_at?,
            unknown,
        })
    }
}
