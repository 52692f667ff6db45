//! The body of `CompleteMultipartUpload`.

use super::elements::{Elements, malformed, once};
use crate::checksum::{Checksum, ChecksumAlgorithm};
use crate::error::{ErrorCode, S3Error};
use crate::names::{ETag, PartNumber};

/// A part as the client remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedPart {
    /// Its number.
    pub number: PartNumber,
    /// The tag it was answered with.
    pub etag: ETag,
    /// Its checksum, when the client says it.
    pub checksum: Option<Checksum>,
}

/// The parts of which an object is to be made: 1 to 10,000, in ascending order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedUpload {
    parts: Vec<CompletedPart>,
}

impl CompletedUpload {
    /// Reads the document.
    ///
    /// # Errors
    /// `MalformedXML`, also without parts or with more than 10,000; `InvalidPartOrder`; `InvalidPart` for a tag that
    /// no part can have; `InvalidArgument` for a number that no part can have; `InvalidRequest` for a checksum that
    /// is none, or for two.
    pub fn read(document: &[u8]) -> Result<Self, S3Error> {
        let mut elements = Elements::open(document, "CompleteMultipartUpload")?;
        let mut parts: Vec<CompletedPart> = Vec::new();
        while elements.next(&["Part"])?.is_some() {
            if parts.len() == usize::from(PartNumber::MAX) {
                return Err(malformed());
            }
            let part = part(&mut elements)?;
            if parts.last().is_some_and(|last| last.number >= part.number) {
                return Err(ErrorCode::InvalidPartOrder.into());
            }
            parts.push(part);
        }
        elements.finish()?;
        if parts.is_empty() {
            return Err(malformed());
        }
        Ok(Self { parts })
    }

    /// The rule of uploads whose client named an algorithm: a composite is of checksums that the client knows.
    ///
    /// # Errors
    /// `InvalidRequest` that names the first part without one.
    pub fn require_checksums(&self, algorithm: ChecksumAlgorithm) -> Result<(), S3Error> {
        let is_missing = |part: &&CompletedPart| {
            part.checksum
                .is_none_or(|checksum| checksum.algorithm() != algorithm)
        };
        let Some(part) = self.parts.iter().find(is_missing) else {
            return Ok(());
        };
        Err(S3Error::invalid_request(format!(
            "The upload was created using a {} checksum. The complete request must include the checksum for each \
             part. It was missing for part {} in the request.",
            algorithm.name().to_lowercase(),
            part.number
        )))
    }

    /// The parts.
    pub fn parts(&self) -> &[CompletedPart] {
        &self.parts
    }

    /// The parts, by value.
    pub fn into_parts(self) -> Vec<CompletedPart> {
        self.parts
    }
}

const PART: [&str; 7] = [
    "PartNumber",
    "ETag",
    ChecksumAlgorithm::Crc32.element(),
    ChecksumAlgorithm::Crc32C.element(),
    ChecksumAlgorithm::Crc64Nvme.element(),
    ChecksumAlgorithm::Sha1.element(),
    ChecksumAlgorithm::Sha256.element(),
];

fn part(elements: &mut Elements<'_>) -> Result<CompletedPart, S3Error> {
    let (mut number, mut etag, mut checksum) = (None, None, None);
    while let Some(name) = elements.next(&PART)? {
        let text = elements.trimmed()?;
        match ChecksumAlgorithm::of_element(name) {
            Some(algorithm) => {
                let parsed = Checksum::parse(algorithm, &text).ok_or_else(|| {
                    S3Error::invalid_request(format!("Value for {name} of a part is invalid."))
                })?;
                if checksum.replace(parsed).is_some() {
                    return Err(S3Error::invalid_request("A part has one checksum."));
                }
            }
            None if name == "PartNumber" => once(&mut number, PartNumber::parse(&text)?)?,
            None => once(
                &mut etag,
                text.parse::<ETag>().map_err(|_| ErrorCode::InvalidPart)?,
            )?,
        }
    }
    Ok(CompletedPart {
        number: number.ok_or_else(malformed)?,
        etag: etag.ok_or_else(malformed)?,
        checksum,
    })
}
