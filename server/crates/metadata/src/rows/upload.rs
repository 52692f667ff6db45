//! Unfinished uploads.

use bytes::Bytes;
use zas_core::{HashState, Holder, Timestamp};

use super::{Row, Unknown, Writer, fields};
use crate::{Epoch, Progress};

/// An unfinished upload, which reserves its id as a physical name.
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
    /// Whether bytes of it ever were in the blob store.
    pub(crate) has_stored_bytes: bool,
    /// Fields of a newer version.
    pub(crate) unknown: Unknown,
}

impl Row for UploadRow {
    const NAME: &'static str = "upload";

    fn encode(&self) -> Bytes {
        Writer::new()
            .holder(1, &self.holder)
            .text(2, &self.actor)
            .number(3, self.epoch.0)
            .time(4, self.touched_at)
            .number(5, self.progress.offset)
            // The algorithm names the state behind it.
            .each(&self.progress.hashes, |writer, state| {
                writer.text(6, state.algorithm.name()).bytes(7, &state.bytes)
            })
            .optional(self.progress.inline.as_ref(), |writer, bytes| {
                writer.bytes(8, bytes)
            })
            .number(9, u64::from(self.has_stored_bytes))
            .unknown(&self.unknown)
            .finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let (mut holder, mut actor, mut epoch, mut touched_at) = (None, String::new(), None, None);
        let (mut progress, mut has_stored_bytes, mut algorithm) = (Progress::default(), false, None);
        let mut unknown = Unknown::default();
        for field in fields(stored)? {
            match field.tag {
                1 => holder = Some(field.holder()?),
                2 => actor = field.text()?.to_owned(),
                3 => epoch = Some(Epoch(field.number()?)),
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
                9 => has_stored_bytes = field.number()? != 0,
                _ => unknown.keep(field),
            }
        }
        let (holder, epoch, touched_at) = (holder?, epoch?, touched_at?);
        Some(Self {
            holder,
            actor,
            epoch,
            touched_at,
            progress,
            has_stored_bytes,
            unknown,
        })
    }
}
