//! How far the sweep for bytes without a row is.

use bytes::Bytes;
use zas_core::{LocationName, Timestamp};

use super::{Row, Unknown, Writer, fields};

/// Where the sweep continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SweepRow {
    /// The last name looked at by the pass under way; none between passes.
    pub(crate) after: Option<LocationName>,
    /// When the last sweep ended.
    pub(crate) rested_at: Timestamp,
    /// Names that the counting pass looked at.
    pub(crate) names: u64,
    /// Names without a row among them.
    pub(crate) orphans: u64,
    /// How many names the dooming pass may still doom; none while the counting pass is under way.
    pub(crate) left: Option<u64>,
    /// Names without a row that the last sweep left alone.
    pub(crate) withheld: u64,
    /// Fields of a newer version.
    pub(crate) unknown: Unknown,
}

impl Row for SweepRow {
    const NAME: &'static str = "sweep";

    fn encode(&self) -> Bytes {
        Writer::new()
            .optional(self.after, |writer, name| writer.bytes(1, &name.to_bytes()))
            .time(2, self.rested_at)
            .number(3, self.names)
            .number(4, self.orphans)
            .optional(self.left, |writer, left| writer.number(5, left))
            .number(6, self.withheld)
            .unknown(&self.unknown)
            .finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let (mut after, mut rested_at, mut left) = (None, None, None);
        let (mut names, mut orphans, mut withheld) = (0, 0, 0);
        let mut unknown = Unknown::default();
        for field in fields(stored)? {
            match field.tag {
                1 => after = Some(LocationName::from_bytes(&field.value)?),
                2 => rested_at = Some(field.time()?),
                3 => names = field.number()?,
                4 => orphans = field.number()?,
                5 => left = Some(field.number()?),
                6 => withheld = field.number()?,
                _ => unknown.keep(field),
            }
        }
        Some(Self {
            after,
            rested_at: rested_at?,
            names,
            orphans,
            left,
            withheld,
            unknown,
        })
    }
}
