//! The headers behind the last chunk (API reference, "Including Trailing Headers").

use super::signer::ChunkSigner;
use crate::checksum::ChecksumAlgorithm;
use crate::error::{ErrorCode, S3Error};
use crate::hex;
use crate::sigv4::sha256;

/// The most that may follow the last chunk.
pub(super) const MAX_TRAILER_BYTES: usize = 16 * 1024;

const SIGNATURE_NAME: &str = "x-amz-trailer-signature";

/// The checksums that followed the last chunk, as text: each was announced and is there once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trailers(Vec<(ChecksumAlgorithm, String)>);

impl Trailers {
    /// The checksum of an algorithm, in base64 as it was sent.
    pub fn checksum(&self, algorithm: ChecksumAlgorithm) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| *name == algorithm);
        found.map(|(_, value)| value.as_str())
    }

    /// Every checksum.
    pub fn iter(&self) -> impl Iterator<Item = (ChecksumAlgorithm, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Reads what followed the last chunk. Lines end with `\n` or `\r\n`, and clients put an empty one before the
    /// signature or at the end.
    pub(super) fn parse(
        bytes: &[u8],
        announced: &[ChecksumAlgorithm],
        signer: Option<&mut ChunkSigner>,
    ) -> Result<Self, S3Error> {
        let text = std::str::from_utf8(bytes).map_err(|_| malformed())?;
        let (mut trailers, mut signature, mut canonical) = (Self::default(), None, String::new());
        for line in text.split('\n').map(str::trim).filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').ok_or_else(malformed)?;
            let (name, value) = (name.to_ascii_lowercase(), value.trim());
            if signature.is_some() {
                return Err(malformed());
            }
            if name == SIGNATURE_NAME && signer.is_some() {
                signature = Some(hex::decode(value).ok_or_else(mismatch)?);
                continue;
            }
            trailers.add(&name, value, announced)?;
            canonical.push_str(&format!("{name}:{value}\n"));
        }
        if announced.iter().any(|name| trailers.checksum(*name).is_none()) {
            return Err(malformed());
        }
        let Some(signer) = signer else {
            return Ok(trailers);
        };
        let signature = signature.ok_or_else(malformed)?;
        if signer.accepts_trailer(sha256(canonical.as_bytes()), signature) {
            return Ok(trailers);
        }
        Err(mismatch())
    }

    fn add(&mut self, name: &str, value: &str, announced: &[ChecksumAlgorithm]) -> Result<(), S3Error> {
        let algorithm = ChecksumAlgorithm::of_header(name)
            .filter(|algorithm| announced.contains(algorithm))
            .filter(|algorithm| self.checksum(*algorithm).is_none())
            .ok_or_else(malformed)?;
        self.0.push((algorithm, value.to_owned()));
        Ok(())
    }
}

fn malformed() -> S3Error {
    ErrorCode::MalformedTrailerError.into()
}

fn mismatch() -> S3Error {
    ErrorCode::SignatureDoesNotMatch.into()
}
