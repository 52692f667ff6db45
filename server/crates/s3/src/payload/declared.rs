//! What the head says of a body, and how the body is then read.

use super::content::{ChunkedPayload, ContentSha256};
use super::decoder::ChunkDecoder;
use super::signer::ChunkSigner;
use crate::checksum::ChecksumAlgorithm;
use crate::error::{ErrorCode, S3Error};
use crate::head::RequestHead;

/// Whether the body of an operation may come in chunks: only `PutObject` and `UploadPart` take them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyRule {
    /// The body is the content.
    Whole,
    /// The content may be wrapped in chunks.
    MayBeChunked,
}

/// What the head says of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeclaredPayload {
    /// The body is the content.
    Whole {
        /// The digest it must have.
        sha256: Option<[u8; 32]>,
    },
    /// The content is wrapped in chunks.
    Chunked {
        /// How they are protected.
        mode: ChunkedPayload,
        /// How long the content is.
        decoded_length: u64,
        /// The headers that may follow the last chunk.
        trailers: Vec<ChecksumAlgorithm>,
    },
}

/// How a body is read.
#[derive(Debug)]
pub enum Payload {
    /// The body is the content.
    Whole {
        /// The digest it must have; anything else is `XAmzContentSHA256Mismatch`.
        sha256: Option<[u8; 32]>,
    },
    /// The decoder gives the content.
    Chunked(Box<ChunkDecoder>),
}

impl DeclaredPayload {
    /// Reads `x-amz-decoded-content-length` and `x-amz-trailer` where the body comes in chunks.
    ///
    /// # Errors
    /// `MissingContentLength` without a length, `InvalidRequest` for a trailer that is no checksum.
    pub fn of(head: &RequestHead<'_>, content: ContentSha256) -> Result<Self, S3Error> {
        let mode = match content {
            ContentSha256::Digest(sha256) => return Ok(Self::Whole { sha256: Some(sha256) }),
            ContentSha256::Unsigned => return Ok(Self::Whole { sha256: None }),
            ContentSha256::Chunked(mode) => mode,
        };
        Ok(Self::Chunked {
            mode,
            decoded_length: decoded_length(head)?,
            trailers: announced(head, mode)?,
        })
    }

    pub(crate) fn reading(self, rule: BodyRule, signer: Option<ChunkSigner>) -> Result<Payload, S3Error> {
        match (self, rule) {
            (Self::Whole { sha256 }, _) => Ok(Payload::Whole { sha256 }),
            (Self::Chunked { .. }, BodyRule::Whole) => Err(S3Error::invalid_request(
                "Only PutObject and UploadPart take a streaming payload",
            )),
            (
                Self::Chunked {
                    mode,
                    decoded_length,
                    trailers,
                },
                BodyRule::MayBeChunked,
            ) => {
                let decoder = match (mode, signer) {
                    (ChunkedPayload::UnsignedWithTrailer, _) => {
                        ChunkDecoder::unsigned(decoded_length, trailers)
                    }
                    (ChunkedPayload::Signed, Some(signer)) => ChunkDecoder::signed(decoded_length, signer),
                    (ChunkedPayload::SignedWithTrailer, Some(signer)) => {
                        ChunkDecoder::signed_with_trailer(decoded_length, trailers, signer)
                    }
                    (_, None) => {
                        return Err(S3Error::invalid_request(
                            "Chunks cannot be signed in a request that is not",
                        ));
                    }
                };
                Ok(Payload::Chunked(Box::new(decoder)))
            }
        }
    }
}

fn decoded_length(head: &RequestHead<'_>) -> Result<u64, S3Error> {
    const HEADER: &str = "x-amz-decoded-content-length";
    let Some(text) = head.headers.text(HEADER)? else {
        return Err(S3Error::with_message(
            ErrorCode::MissingContentLength,
            "You must provide the x-amz-decoded-content-length HTTP header.",
        ));
    };
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| is_number)
        .ok_or_else(|| S3Error::invalid_argument("The decoded content length must be a number", HEADER, text))
}

/// Trailers exist only where the mode has them: elsewhere an announcement is a mistake that would be ignored.
fn announced(head: &RequestHead<'_>, mode: ChunkedPayload) -> Result<Vec<ChecksumAlgorithm>, S3Error> {
    const HEADER: &str = "x-amz-trailer";
    let Some(text) = head.headers.text(HEADER)? else {
        return Ok(Vec::new());
    };
    let unsupported =
        || S3Error::invalid_request("The value specified in the x-amz-trailer header is not supported");
    if mode == ChunkedPayload::Signed {
        return Err(unsupported());
    }
    text.split(',')
        .map(|name| ChecksumAlgorithm::of_header(&name.trim().to_ascii_lowercase()).ok_or_else(unsupported))
        .collect()
}
