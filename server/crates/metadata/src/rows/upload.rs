//! Unfinished uploads, and the runs of their bytes.

use bytes::Bytes;
use zas_core::{HashState, Holder, Timestamp};

use super::blob::{decode_extent, encode_extent};
use super::{Row, Unknown, Writer, fields};
use crate::{Epoch, Extent, Progress};

/// An unfinished upload, which reserves all physical names that begin with its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UploadRow {
    /// Whom it was started for.
    pub(crate) holder: Holder,
    /// Who started it; empty for anonymous.
    pub(crate) actor: String,
    /// The epoch of its present writer.
    pub(crate) epoch: Epoch,
    /// When it last made progress or was touched.
    pub(crate) touched_at: Timestamp,
    /// How far it is.
    pub(crate) progress: Progress,
    /// How many runs of its bytes are listed.
    pub(crate) extents: u32,
    /// How many of them its present writer listed: the ordinal of the name that it writes now.
    pub(crate) ordinal: u32,
    /// Whether its present writer may have written something that is not listed.
    pub(crate) is_writing: bool,
    /// Fields of a newer version.
    pub(crate) unknown: Unknown,
}

impl Row for UploadRow {
    const NAME: &'static str = "upload";

    fn encode(&self) -> Bytes {
        Writer::new()
            .holder(1, &self.holder)
            .text(2, &self.actor)
            .number(3, self.epoch.claim)
            .time(4, self.touched_at)
            .number(5, self.progress.offset)
            // The algorithm names the state behind it.
            .each(&self.progress.hashes, |writer, state| {
                writer.text(6, state.algorithm.name()).bytes(7, &state.bytes)
            })
            .optional(self.progress.inline.as_ref(), |writer, bytes| {
                writer.bytes(8, bytes)
            })
            .number(9, self.epoch.start)
            .number(10, u64::from(self.extents))
            .number(11, u64::from(self.ordinal))
            .number(12, u64::from(self.is_writing))
            .unknown(&self.unknown)
            .finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let (mut holder, mut actor, mut claim, mut touched_at) = (None, String::new(), None, None);
        let (mut start, mut progress, mut algorithm) = (None, Progress::default(), None);
        let (mut extents, mut ordinal, mut is_writing) = (0, 0, false);
        let mut unknown = Unknown::default();
        for field in fields(stored)? {
            match field.tag {
                1 => holder = Some(field.holder()?),
                2 => actor = field.text()?.to_owned(),
                3 => claim = Some(field.number()?),
                4 => touched_at = Some(field.time()?),
                5 => progress.offset = field.number()?,
                6 => algorithm = Some(field.parsed()?),
                7 => {
                    let algorithm = algorithm.take()?;
                    progress.hashes.push(HashState {
                        algorithm,
                        bytes: field.value.to_vec(),
                    });
                }
                8 => progress.inline = Some(field.value),
                9 => start = Some(field.number()?),
                10 => extents = field.number()?.try_into().ok()?,
                11 => ordinal = field.number()?.try_into().ok()?,
                12 => is_writing = field.number()? != 0,
                _ => unknown.keep(field),
            }
        }
        let (holder, touched_at) = (holder?, touched_at?);
        let epoch = Epoch {
            start: start?,
            claim: claim?,
        };
        Some(Self {
            holder,
            actor,
            epoch,
            touched_at,
            progress,
            extents,
            ordinal,
            is_writing,
            unknown,
        })
    }
}

/// One of the saved runs of an upload's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExtentRow(pub(crate) Extent);

impl Row for ExtentRow {
    const NAME: &'static str = "extent";

    fn encode(&self) -> Bytes {
        Writer::new().bytes(1, &encode_extent(&self.0)).finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let field = fields(stored)?.into_iter().find(|field| field.tag == 1)?;
        decode_extent(&field.value).map(Self)
    }
}
