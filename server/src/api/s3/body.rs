//! The content of a request: out of its chunks, and proved to be what was signed and promised.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use sha2::{Digest as _, Sha256};
use zas_s3::checksum::{ExpectedDigests, RunningChecksum, RunningMd5};
use zas_s3::payload::{ChunkDecoder, Payload, Trailers};
use zas_s3::{ErrorCode, RequestHead, S3Error};

use super::error::Refusal;
use crate::api::request_body::RequestStream;
use crate::services::content::{BodyError, RequestBody};
use crate::services::objects::{Computed, ObjectsError};

/// What only the end of a body shows.
#[derive(Debug, Default)]
struct Outcome {
    error: Option<S3Error>,
    trailers: Option<Trailers>,
}

/// The content of a request on its way in.
pub(super) struct ObjectStream {
    pub(super) bytes: RequestBody<'static>,
    pub(super) proof: Proof,
}

/// What the content has to be.
#[derive(Clone, Debug)]
pub(super) struct Proof {
    sha256: Option<[u8; 32]>,
    outcome: Rc<RefCell<Outcome>>,
}

impl ObjectStream {
    pub(super) fn new(stream: RequestStream, payload: Payload) -> Self {
        let outcome = Rc::<RefCell<Outcome>>::default();
        match payload {
            Payload::Whole { sha256 } => Self {
                bytes: stream.into_body(),
                proof: Proof { sha256, outcome },
            },
            Payload::Chunked(decoder) => Self {
                bytes: decoded(stream.into_body(), decoder, Rc::clone(&outcome)),
                proof: Proof {
                    sha256: None,
                    outcome,
                },
            },
        }
    }
}

impl Proof {
    /// Compares with what was computed of the content.
    pub(super) fn verify(&self, expected: &ExpectedDigests, computed: &Computed) -> Result<(), S3Error> {
        if let Some(sha256) = self.sha256 {
            let promised = zas_core::Digest::from_sha256(sha256);
            if promised != computed.digest {
                return Err(ErrorCode::XAmzContentSHA256Mismatch.into());
            }
        }
        let outcome = self.outcome.borrow();
        let none = Trailers::default();
        let trailers = outcome.trailers.as_ref().unwrap_or(&none);
        expected.verify(computed.md5, computed.checksum, trailers)
    }

    /// Why the content was not taken: the chunks say better what was wrong with them.
    pub(super) fn explain(&self, error: ObjectsError) -> Refusal {
        match (error, self.outcome.borrow_mut().error.take()) {
            (ObjectsError::Interrupted(_), Some(error)) => error.into(),
            (error, _) => error.into(),
        }
    }
}

struct Decoding {
    body: RequestBody<'static>,
    decoder: Option<Box<ChunkDecoder>>,
    outcome: Rc<RefCell<Outcome>>,
    /// What was received and is not decoded yet.
    left: Bytes,
}

impl Decoding {
    async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        loop {
            match self.step() {
                Ok(Some(content)) => return Some(Ok(content)),
                Ok(None) => {}
                Err(error) => return Some(Err(self.fail(error))),
            }
            match self.body.next().await {
                Some(Ok(piece)) => self.left = piece,
                Some(Err(error)) => return Some(Err(error)),
                None => {
                    let decoder = self.decoder.take()?;
                    return match decoder.finish() {
                        Ok(trailers) => {
                            self.outcome.borrow_mut().trailers = Some(trailers);
                            None
                        }
                        Err(error) => Some(Err(self.fail(error))),
                    };
                }
            }
        }
    }

    /// The next content in what was received, without copying it.
    fn step(&mut self) -> Result<Option<Bytes>, S3Error> {
        let Some(decoder) = &mut self.decoder else {
            return Ok(None);
        };
        let received = self.left.clone();
        let mut input: &[u8] = &received;
        let content = decoder
            .decode(&mut input)?
            .map(|content| received.slice_ref(content));
        self.left = received.slice_ref(input);
        Ok(content)
    }

    fn fail(&mut self, error: S3Error) -> BodyError {
        let message = error.message().to_owned();
        self.outcome.borrow_mut().error = Some(error);
        self.decoder = None;
        BodyError(message)
    }
}

fn decoded(
    body: RequestBody<'static>,
    decoder: Box<ChunkDecoder>,
    outcome: Rc<RefCell<Outcome>>,
) -> RequestBody<'static> {
    let decoding = Decoding {
        body,
        decoder: Some(decoder),
        outcome,
        left: Bytes::new(),
    };
    Box::pin(stream::unfold(Some(decoding), |state| async move {
        let mut state = state?;
        match state.next().await {
            None => None,
            Some(Ok(content)) => Some((Ok(content), Some(state))),
            Some(Err(error)) => Some((Err(error), None)),
        }
    }))
}

/// Compares a document with what was signed.
pub(super) fn check_signed(payload: &Payload, body: &Bytes) -> Result<(), Refusal> {
    if let Payload::Whole { sha256: Some(signed) } = payload {
        let found: [u8; 32] = Sha256::digest(body).into();
        if found != *signed {
            return Err(ErrorCode::XAmzContentSHA256Mismatch.into());
        }
    }
    Ok(())
}

/// Compares a document with what was promised of it.
pub(super) fn check_promised(head: &RequestHead<'_>, body: &Bytes) -> Result<(), Refusal> {
    let expected = ExpectedDigests::of(head)?;
    let mut md5 = RunningMd5::new();
    md5.update(body);
    let checksum = RunningChecksum::of(expected.algorithm(), body);
    expected.verify(md5.finish(), checksum, &Trailers::default())?;
    Ok(())
}
