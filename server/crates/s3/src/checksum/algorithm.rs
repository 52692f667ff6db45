//! The algorithms that AWS defines (user guide, "Checking object integrity").

use std::fmt;

use crate::error::S3Error;

/// A checksum algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChecksumAlgorithm {
    /// CRC-32 of ISO-HDLC.
    Crc32,
    /// CRC-32 of Castagnoli.
    Crc32C,
    /// CRC-64 of NVMe, the one that is stored when the client sends none.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl ChecksumAlgorithm {
    /// Every algorithm, in the order in which AWS documents them.
    pub const ALL: [Self; 5] = [
        Self::Crc32,
        Self::Crc32C,
        Self::Crc64Nvme,
        Self::Sha1,
        Self::Sha256,
    ];

    /// The name in headers and XML: `CRC32C`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32C => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header or trailer that carries the checksum: `x-amz-checksum-crc32c`.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32C => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The element of XML that carries the checksum: `ChecksumCRC32C`.
    pub const fn element(self) -> &'static str {
        match self {
            Self::Crc32 => "ChecksumCRC32",
            Self::Crc32C => "ChecksumCRC32C",
            Self::Crc64Nvme => "ChecksumCRC64NVME",
            Self::Sha1 => "ChecksumSHA1",
            Self::Sha256 => "ChecksumSHA256",
        }
    }

    /// How many bytes a checksum has.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32C => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The algorithm of a name, in any case.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// The algorithm whose checksum a header carries.
    pub fn of_header(header: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.header() == header)
    }

    /// The algorithm whose checksum an element carries.
    pub fn of_element(element: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.element() == element)
    }
}

impl fmt::Display for ChecksumAlgorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What the checksum of an object written in parts covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChecksumType {
    /// The content.
    FullObject,
    /// The checksums of the parts.
    Composite,
}

impl ChecksumType {
    /// The name in headers and XML.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FullObject => "FULL_OBJECT",
            Self::Composite => "COMPOSITE",
        }
    }

    /// Reads the header `x-amz-checksum-type`.
    ///
    /// # Errors
    /// `InvalidRequest` when it is neither.
    pub fn parse(text: &str) -> Result<Self, S3Error> {
        [Self::FullObject, Self::Composite]
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| S3Error::invalid_request("Value for x-amz-checksum-type header is invalid."))
    }
}

impl ChecksumAlgorithm {
    /// The type of an upload in parts that names none (user guide, "Full object and composite checksum types").
    pub const fn default_type(self) -> ChecksumType {
        match self {
            Self::Crc64Nvme => ChecksumType::FullObject,
            Self::Crc32 | Self::Crc32C | Self::Sha1 | Self::Sha256 => ChecksumType::Composite,
        }
    }

    /// The type for an upload in parts: the one that is asked for, if the algorithm has it.
    ///
    /// # Errors
    /// `InvalidRequest` for a full-object SHA and a composite CRC-64.
    pub fn typed(self, asked: Option<ChecksumType>) -> Result<ChecksumType, S3Error> {
        let kind = asked.unwrap_or(self.default_type());
        let is_possible = match self {
            Self::Crc32 | Self::Crc32C => true,
            Self::Crc64Nvme => kind == ChecksumType::FullObject,
            Self::Sha1 | Self::Sha256 => kind == ChecksumType::Composite,
        };
        if is_possible {
            return Ok(kind);
        }
        Err(S3Error::invalid_request(format!(
            "The {} checksum type cannot be used with the {} checksum algorithm.",
            kind.name(),
            self.name().to_lowercase()
        )))
    }
}
