//! The digests that a request promises of its body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::algorithm::ChecksumAlgorithm;
use super::object::{invalid_value, mismatch};
use super::value::Checksum;
use crate::error::{ErrorCode, S3Error};
use crate::head::RequestHead;
use crate::payload::Trailers;

/// Where the checksum of a body stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedChecksum {
    /// Nowhere: the server computes CRC-64 for its own use.
    None,
    /// In a header.
    Header(Checksum),
    /// Behind the body.
    Trailer(ChecksumAlgorithm),
}

/// The digests that a request promises of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpectedDigests {
    /// `Content-MD5`.
    pub md5: Option<[u8; 16]>,
    /// `x-amz-checksum-*`, in a header or a trailer.
    pub checksum: ExpectedChecksum,
}

impl ExpectedDigests {
    /// Reads `Content-MD5`, `x-amz-checksum-*`, `x-amz-trailer` and `x-amz-sdk-checksum-algorithm`.
    ///
    /// # Errors
    /// `InvalidDigest` or `InvalidRequest` for what is malformed, for several checksums, and for an algorithm that is
    /// announced without its checksum.
    pub fn of(head: &RequestHead<'_>) -> Result<Self, S3Error> {
        let checksum = checksum(head)?;
        if let Some(name) = head.headers.text("x-amz-sdk-checksum-algorithm")? {
            check_announced(name, checksum)?;
        }
        Ok(Self {
            md5: md5(head)?,
            checksum,
        })
    }

    /// The algorithm to compute beside MD5 and SHA-256.
    pub fn algorithm(&self) -> ChecksumAlgorithm {
        match self.checksum {
            ExpectedChecksum::None => ChecksumAlgorithm::Crc64Nvme,
            ExpectedChecksum::Header(checksum) => checksum.algorithm(),
            ExpectedChecksum::Trailer(algorithm) => algorithm,
        }
    }

    /// The rule of operations that would destroy something if their body were damaged.
    ///
    /// # Errors
    /// `InvalidRequest` when the request promises nothing.
    pub fn require(&self) -> Result<(), S3Error> {
        if self.md5.is_some() || self.checksum != ExpectedChecksum::None {
            return Ok(());
        }
        Err(S3Error::invalid_request(
            "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
        ))
    }

    /// Compares with what was computed of the body.
    ///
    /// # Errors
    /// `BadDigest` when one differs, `InvalidRequest` when a trailer is malformed.
    pub fn verify(&self, md5: [u8; 16], computed: Checksum, trailers: &Trailers) -> Result<(), S3Error> {
        if self.md5.is_some_and(|expected| expected != md5) {
            return Err(ErrorCode::BadDigest.into());
        }
        let expected = match self.checksum {
            ExpectedChecksum::None => return Ok(()),
            ExpectedChecksum::Header(checksum) => checksum,
            ExpectedChecksum::Trailer(algorithm) => {
                let text = trailers.checksum(algorithm).unwrap_or_default();
                Checksum::parse(algorithm, text).ok_or_else(|| invalid_value(algorithm))?
            }
        };
        if expected == computed {
            return Ok(());
        }
        Err(mismatch(expected.algorithm()))
    }
}

fn md5(head: &RequestHead<'_>) -> Result<Option<[u8; 16]>, S3Error> {
    let Some(text) = head.headers.text("content-md5")? else {
        return Ok(None);
    };
    let bytes = STANDARD.decode(text).ok();
    let md5 = bytes.and_then(|bytes| bytes.try_into().ok());
    md5.map(Some).ok_or_else(|| ErrorCode::InvalidDigest.into())
}

fn checksum(head: &RequestHead<'_>) -> Result<ExpectedChecksum, S3Error> {
    let mut found = ExpectedChecksum::None;
    for algorithm in ChecksumAlgorithm::ALL {
        let Some(text) = head.headers.text(algorithm.header())? else {
            continue;
        };
        let checksum = Checksum::parse(algorithm, text).ok_or_else(|| invalid_value(algorithm))?;
        if found != ExpectedChecksum::None {
            return Err(several());
        }
        found = ExpectedChecksum::Header(checksum);
    }
    let Some(trailers) = head.headers.text("x-amz-trailer")? else {
        return Ok(found);
    };
    for name in trailers.split(',') {
        let algorithm = ChecksumAlgorithm::of_header(&name.trim().to_ascii_lowercase());
        let algorithm = algorithm.ok_or_else(|| {
            S3Error::invalid_request("The value specified in the x-amz-trailer header is not supported")
        })?;
        if found != ExpectedChecksum::None {
            return Err(several());
        }
        found = ExpectedChecksum::Trailer(algorithm);
    }
    Ok(found)
}

fn several() -> S3Error {
    S3Error::invalid_request(
        "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    )
}

fn check_announced(name: &str, checksum: ExpectedChecksum) -> Result<(), S3Error> {
    let Some(announced) = ChecksumAlgorithm::of_name(name) else {
        return Err(S3Error::invalid_request(
            "Value for x-amz-sdk-checksum-algorithm header is invalid.",
        ));
    };
    match checksum {
        ExpectedChecksum::Header(checksum) if checksum.algorithm() == announced => Ok(()),
        ExpectedChecksum::Trailer(algorithm) if algorithm == announced => Ok(()),
        ExpectedChecksum::None => Err(S3Error::invalid_request(
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers \
             were found.",
        )),
        _ => Err(S3Error::invalid_request(
            "Value for x-amz-sdk-checksum-algorithm header is invalid.",
        )),
    }
}
