//! The checksum of an object, written in one piece or in parts.

use crc_fast::checksum_combine;

use super::algorithm::{ChecksumAlgorithm, ChecksumType};
use super::running::RunningChecksum;
use super::value::Checksum;
use crate::error::{ErrorCode, S3Error};

/// The checksum that an object shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectChecksum {
    /// Of the content.
    FullObject(Checksum),
    /// Of the joined checksums of the parts.
    Composite {
        /// The checksum.
        checksum: Checksum,
        /// How many parts there are.
        parts: u16,
    },
}

/// The checksum of a part and how long the part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartChecksum {
    /// Of the part.
    pub checksum: Checksum,
    /// In bytes.
    pub length: u64,
}

impl ObjectChecksum {
    /// Joins the checksums of parts, in their order; the content is not read again.
    ///
    /// `None` when there are no parts, when they are of several algorithms, or when an algorithm that cannot be
    /// combined is to cover the content.
    pub fn of_parts(kind: ChecksumType, parts: &[PartChecksum]) -> Option<Self> {
        let algorithm = parts.first()?.checksum.algorithm();
        if parts.iter().any(|part| part.checksum.algorithm() != algorithm) {
            return None;
        }
        match kind {
            ChecksumType::FullObject => combined(algorithm, parts).map(Self::FullObject),
            ChecksumType::Composite => Some(Self::Composite {
                checksum: joined(algorithm, parts),
                parts: u16::try_from(parts.len()).ok()?,
            }),
        }
    }

    /// Reads the form of headers: base64, for a composite with `-` and the number of parts.
    ///
    /// # Errors
    /// `InvalidRequest` that names the header.
    pub fn parse(algorithm: ChecksumAlgorithm, text: &str) -> Result<Self, S3Error> {
        let parsed = match text.rsplit_once('-') {
            None => Checksum::parse(algorithm, text).map(Self::FullObject),
            Some((checksum, parts)) => Checksum::parse(algorithm, checksum)
                .zip(parts.parse().ok())
                .map(|(checksum, parts)| Self::Composite { checksum, parts }),
        };
        parsed.ok_or_else(|| invalid_value(algorithm))
    }

    /// Compares with what was computed.
    ///
    /// # Errors
    /// `BadDigest` that names the algorithm.
    pub fn expect(self, computed: Self) -> Result<(), S3Error> {
        if self == computed {
            return Ok(());
        }
        Err(mismatch(self.algorithm()))
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> ChecksumAlgorithm {
        self.checksum().algorithm()
    }

    /// The checksum without the number of parts.
    pub const fn checksum(&self) -> &Checksum {
        match self {
            Self::FullObject(checksum) | Self::Composite { checksum, .. } => checksum,
        }
    }

    /// What it covers.
    pub const fn kind(&self) -> ChecksumType {
        match self {
            Self::FullObject(_) => ChecksumType::FullObject,
            Self::Composite { .. } => ChecksumType::Composite,
        }
    }

    /// The form of headers and XML.
    pub fn text(&self) -> String {
        match self {
            Self::FullObject(checksum) => checksum.base64(),
            Self::Composite { checksum, parts } => format!("{}-{parts}", checksum.base64()),
        }
    }
}

pub(super) fn invalid_value(algorithm: ChecksumAlgorithm) -> S3Error {
    S3Error::invalid_request(format!("Value for {} header is invalid.", algorithm.header()))
}

pub(super) fn mismatch(algorithm: ChecksumAlgorithm) -> S3Error {
    S3Error::with_message(
        ErrorCode::BadDigest,
        format!("The {algorithm} you specified did not match the calculated checksum."),
    )
}

fn combined(algorithm: ChecksumAlgorithm, parts: &[PartChecksum]) -> Option<Checksum> {
    let crc = algorithm.crc()?;
    let (first, rest) = parts.split_first()?;
    let all = rest.iter().fold(first.checksum.crc(), |all, part| {
        checksum_combine(crc, all, part.checksum.crc(), part.length)
    });
    Some(Checksum::of_crc(algorithm, all))
}

fn joined(algorithm: ChecksumAlgorithm, parts: &[PartChecksum]) -> Checksum {
    let mut running = RunningChecksum::new(algorithm);
    for part in parts {
        running.update(part.checksum.bytes());
    }
    running.finish()
}
