//! Buckets.

use bytes::Bytes;
use zas_core::{BucketId, BucketName, Timestamp};

use super::{Row, Unknown, Writer, fields};
use crate::{Owner, Versioning};

/// What never changes about a bucket, kept under its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BucketRow {
    /// Its id.
    pub(crate) id: BucketId,
    /// Who made it.
    pub(crate) owner: Owner,
    /// Where.
    pub(crate) region: String,
    /// When.
    pub(crate) created_at: Timestamp,
    /// Fields of a newer version.
    pub(crate) unknown: Unknown,
}

impl Row for BucketRow {
    const NAME: &'static str = "bucket";

    fn encode(&self) -> Bytes {
        Writer::new()
            .bytes(1, &self.id.to_bytes())
            .text(2, &self.owner.issuer)
            .text(3, &self.owner.subject)
            .text(4, &self.region)
            .time(5, self.created_at)
            .unknown(&self.unknown)
            .finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let (mut id, mut created_at) = (None, None);
        let (mut owner, mut region) = (Owner::default(), String::new());
        let mut unknown = Unknown::default();
        for field in fields(stored)? {
            match field.tag {
                1 => id = Some(field.bucket()?),
                2 => owner.issuer = field.text()?.to_owned(),
                3 => owner.subject = field.text()?.to_owned(),
                4 => region = field.text()?.to_owned(),
                5 => created_at = Some(field.time()?),
                _ => unknown.keep(field),
            }
        }
        Some(Self {
            id: id?,
            owner,
            region,
            created_at: created_at?,
            unknown,
        })
    }
}

/// What changes about a bucket, kept under its id: who has it knows that the bucket is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BucketStateRow {
    /// The bucket's name.
    pub(crate) name: BucketName,
    /// Whether it keeps versions.
    pub(crate) versioning: Versioning,
    /// Fields of a newer version.
    pub(crate) unknown: Unknown,
}

impl Row for BucketStateRow {
    const NAME: &'static str = "bucket state";

    fn encode(&self) -> Bytes {
        Writer::new()
            .text(1, self.name.as_str())
            .number(2, versioning_number(self.versioning))
            .unknown(&self.unknown)
            .finish()
    }

    fn decode(stored: &Bytes) -> Option<Self> {
        let (mut name, mut versioning, mut unknown) = (None, Versioning::Never, Unknown::default());
        for field in fields(stored)? {
            match field.tag {
                1 => name = Some(field.parsed()?),
                2 => versioning = read_versioning(field.number()?)?,
                _ => unknown.keep(field),
            }
        }
        Some(Self {
            name: name?,
            versioning,
            unknown,
        })
    }
}

pub(super) fn versioning_number(versioning: Versioning) -> u64 {
    match versioning {
        Versioning::Never => 0,
        Versioning::Enabled => 1,
        Versioning::Suspended => 2,
    }
}

pub(super) fn read_versioning(number: u64) -> Option<Versioning> {
    match number {
        0 => Some(Versioning::Never),
        1 => Some(Versioning::Enabled),
        2 => Some(Versioning::Suspended),
        _ => None,
    }
}
