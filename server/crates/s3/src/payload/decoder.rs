//! Takes the content out of chunks as they arrive.

use sha2::{Digest, Sha256};

use super::chunk_header::{ChunkHeader, MAX_LINE_BYTES, malformed};
use super::signer::ChunkSigner;
use super::trailer::{MAX_TRAILER_BYTES, Trailers};
use crate::checksum::ChecksumAlgorithm;
use crate::error::{ErrorCode, S3Error};

/// Every signed chunk but the last has at least this many bytes, as AWS demands: each costs a signature.
const MIN_SIGNED_CHUNK: u64 = 8192;

/// Takes the content out of a chunked body, slice by slice and without copying it.
///
/// What [`decode`](Self::decode) gives may be written somewhere, but it is not proved before
/// [`finish`](Self::finish) succeeds. Whatever the client sends, the decoder holds at most one header line or the
/// trailer: 16 KiB.
#[derive(Debug)]
pub struct ChunkDecoder {
    state: State,
    expected_length: u64,
    decoded: u64,
    announced: Vec<ChecksumAlgorithm>,
    ending: Ending,
    signatures: Option<Signatures>,
}

/// What follows the last chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Nothing,
    Trailer,
}

#[derive(Debug)]
enum State {
    Header(Vec<u8>),
    Data { remaining: u64 },
    DataEnd { has_return: bool },
    Ending(Vec<u8>),
    Failed,
}

#[derive(Debug)]
struct Signatures {
    signer: ChunkSigner,
    hash: Sha256,
    /// That of the chunk being read.
    current: [u8; 32],
    /// A chunk below the minimum was seen, so none may follow but the empty one.
    was_small: bool,
}

impl ChunkDecoder {
    pub(super) fn unsigned(expected_length: u64, announced: Vec<ChecksumAlgorithm>) -> Self {
        Self::new(expected_length, announced, Ending::Trailer, None)
    }

    pub(super) fn signed(expected_length: u64, signer: ChunkSigner) -> Self {
        Self::new(expected_length, Vec::new(), Ending::Nothing, Some(signer))
    }

    pub(super) fn signed_with_trailer(
        expected_length: u64,
        announced: Vec<ChecksumAlgorithm>,
        signer: ChunkSigner,
    ) -> Self {
        Self::new(expected_length, announced, Ending::Trailer, Some(signer))
    }

    fn new(
        expected_length: u64,
        announced: Vec<ChecksumAlgorithm>,
        ending: Ending,
        signer: Option<ChunkSigner>,
    ) -> Self {
        Self {
            state: State::Header(Vec::new()),
            expected_length,
            decoded: 0,
            announced,
            ending,
            signatures: signer.map(|signer| Signatures {
                signer,
                hash: Sha256::new(),
                current: [0; 32],
                was_small: false,
            }),
        }
    }

    /// The length of the content, as declared; nothing is given beyond it.
    pub const fn expected_length(&self) -> u64 {
        self.expected_length
    }

    /// The headers that follow the last chunk.
    pub fn announced(&self) -> &[ChecksumAlgorithm] {
        &self.announced
    }

    /// The next piece of content in `input`, from whose front it is taken; `None` when more input is needed.
    ///
    /// # Errors
    /// `SignatureDoesNotMatch` for a chunk whose signature is wrong, `InvalidChunkSizeError`, `IncompleteBody` when
    /// the chunks are longer than declared, `InvalidRequest` for what are no chunks. The decoder then fails for
    /// good.
    pub fn decode<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<&'a [u8]>, S3Error> {
        while !input.is_empty() {
            match self.step(input) {
                Ok(None) => {}
                Ok(Some(data)) => return Ok(Some(data)),
                Err(error) => {
                    self.state = State::Failed;
                    return Err(error);
                }
            }
        }
        Ok(None)
    }

    /// Ends the body: every chunk was there, the length is that which was declared, every signature was right, and
    /// every announced trailer came.
    ///
    /// # Errors
    /// `IncompleteBody` when the body ends too early, `MalformedTrailerError`, `SignatureDoesNotMatch`.
    pub fn finish(mut self) -> Result<Trailers, S3Error> {
        let State::Ending(rest) = &self.state else {
            return Err(incomplete());
        };
        match self.ending {
            Ending::Nothing if matches!(rest.as_slice(), b"\r\n" | b"") => Ok(Trailers::default()),
            Ending::Nothing => Err(malformed()),
            Ending::Trailer => {
                let signer = self.signatures.as_mut().map(|signatures| &mut signatures.signer);
                Trailers::parse(rest, &self.announced, signer)
            }
        }
    }

    fn step<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<&'a [u8]>, S3Error> {
        match &mut self.state {
            State::Header(line) => {
                if let Some(header) = take_line(line, input)? {
                    self.begin_chunk(header)?;
                }
                Ok(None)
            }
            State::Data { remaining } => {
                let data = take(input, *remaining);
                *remaining -= data.len() as u64;
                let is_whole = *remaining == 0;
                self.pass(data, is_whole)?;
                Ok(Some(data))
            }
            State::DataEnd { has_return } => {
                let wanted = if *has_return { b'\n' } else { b'\r' };
                if take(input, 1) != [wanted] {
                    return Err(malformed());
                }
                self.state = if *has_return {
                    State::Header(Vec::new())
                } else {
                    State::DataEnd { has_return: true }
                };
                Ok(None)
            }
            State::Ending(rest) => {
                rest.extend_from_slice(input);
                *input = &[];
                if rest.len() > MAX_TRAILER_BYTES {
                    return Err(ErrorCode::MalformedTrailerError.into());
                }
                Ok(None)
            }
            State::Failed => Err(malformed()),
        }
    }

    fn begin_chunk(&mut self, header: ChunkHeader) -> Result<(), S3Error> {
        let decoded = self.decoded.checked_add(header.size);
        self.decoded = decoded
            .filter(|decoded| *decoded <= self.expected_length)
            .ok_or_else(incomplete)?;
        match (&mut self.signatures, header.signature) {
            (Some(signatures), Some(signature)) => signatures.begin(signature, header.size)?,
            (None, None) => {}
            _ => return Err(malformed()),
        }
        if header.size > 0 {
            self.state = State::Data {
                remaining: header.size,
            };
            return Ok(());
        }
        if self.decoded != self.expected_length {
            return Err(incomplete());
        }
        self.verify_chunk()?;
        self.state = State::Ending(Vec::new());
        Ok(())
    }

    fn pass(&mut self, data: &[u8], is_whole: bool) -> Result<(), S3Error> {
        if let Some(signatures) = &mut self.signatures {
            signatures.hash.update(data);
        }
        if is_whole {
            self.verify_chunk()?;
            self.state = State::DataEnd { has_return: false };
        }
        Ok(())
    }

    fn verify_chunk(&mut self) -> Result<(), S3Error> {
        let Some(signatures) = &mut self.signatures else {
            return Ok(());
        };
        let hash = std::mem::take(&mut signatures.hash).finalize().into();
        if signatures.signer.accepts_chunk(hash, signatures.current) {
            return Ok(());
        }
        Err(ErrorCode::SignatureDoesNotMatch.into())
    }
}

impl Signatures {
    fn begin(&mut self, signature: [u8; 32], size: u64) -> Result<(), S3Error> {
        if self.was_small && size > 0 {
            return Err(ErrorCode::InvalidChunkSizeError.into());
        }
        self.was_small = size < MIN_SIGNED_CHUNK;
        self.current = signature;
        Ok(())
    }
}

/// Takes bytes up to the end of the line, which the line does not hold.
fn take_line(line: &mut Vec<u8>, input: &mut &[u8]) -> Result<Option<ChunkHeader>, S3Error> {
    let end = input.iter().position(|byte| *byte == b'\n');
    let taken = take(input, end.map_or(input.len(), |end| end + 1) as u64);
    if line.len() + taken.len() > MAX_LINE_BYTES {
        return Err(malformed());
    }
    line.extend_from_slice(taken);
    if end.is_none() {
        return Ok(None);
    }
    let whole = line.strip_suffix(b"\r\n").ok_or_else(malformed)?;
    ChunkHeader::parse(whole).map(Some)
}

fn take<'a>(input: &mut &'a [u8], most: u64) -> &'a [u8] {
    let most = usize::try_from(most).unwrap_or(usize::MAX).min(input.len());
    let (taken, rest) = input.split_at(most);
    *input = rest;
    taken
}

fn incomplete() -> S3Error {
    S3Error::with_message(
        ErrorCode::IncompleteBody,
        "The request body does not have the length that x-amz-decoded-content-length declares",
    )
}

#[cfg(test)]
pub(super) mod tests_support {
    use super::{ChunkDecoder, State};

    /// As if a right chunk of one byte had been read, which no published example has.
    pub(in crate::payload) fn after_a_small_chunk(mut decoder: ChunkDecoder) -> ChunkDecoder {
        if let Some(signatures) = &mut decoder.signatures {
            signatures.was_small = true;
        }
        decoder.state = State::Header(Vec::new());
        decoder
    }
}
