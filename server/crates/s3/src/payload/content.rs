//! The header `x-amz-content-sha256`.

use crate::error::S3Error;
use crate::hex;

/// How chunks are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkedPayload {
    /// Each chunk is signed.
    Signed,
    /// Each chunk is signed, and so are the headers behind the last one.
    SignedWithTrailer,
    /// Nothing is signed; headers follow the last chunk.
    UnsignedWithTrailer,
}

/// What the header says of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentSha256 {
    /// The SHA-256 that the body must have.
    Digest([u8; 32]),
    /// The body is not covered by the signature.
    Unsigned,
    /// The body comes in chunks.
    Chunked(ChunkedPayload),
}

impl ContentSha256 {
    /// The name of the header.
    pub const HEADER: &str = "x-amz-content-sha256";
    /// Its value for a body that is not covered.
    pub const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

    /// Reads the header.
    ///
    /// # Errors
    /// `NotImplemented` for SigV4A, `InvalidArgument` for what is nothing.
    pub fn parse(text: &str) -> Result<Self, S3Error> {
        match text {
            Self::UNSIGNED => Ok(Self::Unsigned),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Ok(Self::Chunked(ChunkedPayload::Signed)),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => {
                Ok(Self::Chunked(ChunkedPayload::SignedWithTrailer))
            }
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Ok(Self::Chunked(ChunkedPayload::UnsignedWithTrailer)),
            "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD" | "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER" => {
                Err(S3Error::header_not_implemented(Self::HEADER))
            }
            digest => hex::decode(digest).map(Self::Digest).ok_or_else(|| {
                S3Error::invalid_argument(
                    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
                     STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid \
                     sha256 value.",
                    Self::HEADER,
                    digest,
                )
            }),
        }
    }
}
