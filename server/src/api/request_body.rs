//! Request bodies with limits on slowness and on memory.

use std::sync::Arc;

use actix_web::error::PayloadError;
use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, StreamExt, stream};
use tokio::time::{Instant, timeout};

use super::observe::{EarlyEnd, ReceivedBytes};
use super::pace::Pace;
use crate::services::capacity::{Client, Refusal, Share, Shares};
use crate::services::content::{BodyError, RequestBody};

/// The error of a body that a stopping server no longer waits for.
#[derive(Debug, thiserror::Error)]
#[error("the server is stopping")]
pub struct CutOff;

fn is_cut_off(error: &PayloadError) -> bool {
    let PayloadError::Io(error) = error else {
        return false;
    };
    error.get_ref().is_some_and(|cause| cause.is::<CutOff>())
}

/// What most bodies that are collected are shorter than.
const USUAL_LENGTH: usize = 16 * 1024;

/// The body of a request before anything of it is read.
pub(super) struct RequestStream {
    pub(super) payload: Payload,
    pub(super) pace: Pace,
    pub(super) received: ReceivedBytes,
}

/// Why a small body could not be read.
#[derive(Debug)]
pub(super) enum CollectError {
    TooLarge,
    Broken(BodyError),
    /// There is no memory for it.
    Refused(Refusal),
}

/// A whole body, with the memory that it takes until it is dropped.
#[derive(Debug)]
pub(super) struct Collected {
    pub(super) bytes: Bytes,
    pub(super) memory: Share,
}

impl RequestStream {
    /// The body in pieces. It ends with an error when the client goes away or is too slow.
    pub(super) fn into_body(self) -> RequestBody<'static> {
        Box::pin(stream::unfold(Some(self), |state| async move {
            let mut state = state?;
            match state.next().await {
                None => None,
                Some(Ok(bytes)) => {
                    state.received.add(bytes.len());
                    Some((Ok(bytes), Some(state)))
                }
                Some(Err(error)) => Some((Err(error), None)),
            }
        }))
    }

    async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        let received = self.received.clone();
        let broken = |error: PayloadError| {
            if is_cut_off(&error) {
                received.end_early(EarlyEnd::CutOff);
            }
            BodyError(error.to_string())
        };
        // What is here already costs the client no time.
        if let Some(next) = self.payload.next().now_or_never() {
            return next.map(|piece| {
                let piece = piece.map_err(broken)?;
                self.pace.received(piece.len(), std::time::Duration::ZERO);
                Ok(piece)
            });
        }
        let begun = Instant::now();
        let Ok(next) = timeout(self.pace.patience(), self.payload.next()).await else {
            self.received.end_early(EarlyEnd::Stalled);
            return Some(Err(BodyError(self.pace.complaint())));
        };
        next.map(|piece| {
            let piece = piece.map_err(broken)?;
            self.pace.received(piece.len(), begun.elapsed());
            Ok(piece)
        })
    }

    /// The whole body, at most `limit` bytes. Its memory is taken as the bytes come, so that what a client announces
    /// costs nobody anything.
    pub(super) async fn collect(
        self,
        limit: usize,
        memory: &Arc<Shares>,
        client: Client,
    ) -> Result<Collected, CollectError> {
        let mut body = self.into_body();
        let mut held = memory.take(client, USUAL_LENGTH).map_err(CollectError::Refused)?;
        let (mut all, mut room) = (BytesMut::new(), USUAL_LENGTH);
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(CollectError::Broken)?;
            let length = all.len() + piece.len();
            if length > limit {
                return Err(CollectError::TooLarge);
            }
            if length > room {
                let more = length.max(2 * room).min(limit) - room;
                held.grow(more).map_err(CollectError::Refused)?;
                room += more;
                all.reserve(room - all.len());
            }
            all.extend_from_slice(&piece);
        }
        Ok(Collected {
            bytes: all.freeze(),
            memory: held,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::time::Duration;

    use actix_web::FromRequest;
    use actix_web::dev::Payload as RawPayload;
    use actix_web::test::TestRequest;
    use futures_core::Stream;
    use tokio::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    type Piece = Result<Bytes, PayloadError>;

    async fn request(idle: Duration, minimum_rate: u64) -> (RequestStream, Sender<Piece>) {
        let (sender, pieces) = channel(1024);
        let pieces = stream::unfold(pieces, |mut pieces: Receiver<Piece>| async {
            pieces.recv().await.map(|piece| (piece, pieces))
        });
        let payload: Pin<Box<dyn Stream<Item = Piece>>> = Box::pin(pieces);
        let mut raw = RawPayload::Stream { payload };
        let payload = Payload::from_request(&TestRequest::default().to_http_request(), &mut raw);
        let stream = RequestStream {
            payload: payload.await.unwrap(),
            pace: Pace::new(idle, minimum_rate),
            received: ReceivedBytes::default(),
        };
        (stream, sender)
    }

    #[actix_web::test]
    async fn given_a_body_that_drips_when_read_then_it_ends_although_it_is_never_silent_for_long() {
        tokio::time::pause();
        let (stream, sender) = request(Duration::from_secs(60), 1024).await;
        let dripping = tokio::task::spawn_local(async move {
            while sender.send(Ok(Bytes::from_static(b"x"))).await.is_ok() {
                tokio::time::sleep(Duration::from_secs(30)).await;
            }
        });
        let begun = Instant::now();
        let memory = Arc::new(Shares::new(1 << 20));

        let refused = stream.collect(1 << 20, &memory, Client::default()).await;

        let Err(CollectError::Broken(BodyError(reason))) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(reason, "less than 1024 bytes a second were sent for 60 seconds");
        assert!(begun.elapsed() < Duration::from_secs(90), "{:?}", begun.elapsed());
        assert_eq!(memory.held(), 0);
        dripping.await.unwrap();
    }

    #[actix_web::test]
    async fn given_a_body_that_a_stopping_server_cuts_off_when_read_then_that_is_known_and_no_other_error_is_it()
     {
        let (cut, broken) = (
            std::io::Error::other(CutOff),
            std::io::Error::other("connection reset"),
        );
        for (error, expected) in [(cut, Some(EarlyEnd::CutOff)), (broken, None)] {
            let (stream, sender) = request(Duration::from_secs(60), 0).await;
            let received = stream.received.clone();
            sender.send(Err(PayloadError::Io(error))).await.unwrap();
            assert!(stream.into_body().next().await.unwrap().is_err());
            assert_eq!(received.early_end(), expected);
        }
    }

    #[actix_web::test]
    async fn given_bodies_that_do_not_end_when_more_come_than_fit_then_refused_and_the_memory_is_bounded() {
        // Given
        let memory = Arc::new(Shares::new(1 << 20));
        let mut open = Vec::new();
        let mut refused = 0;
        for number in 0..50_u8 {
            let (stream, sender) = request(Duration::from_secs(60), 0).await;
            sender.send(Ok(Bytes::from(vec![7; 100_000]))).await.unwrap();
            let (memory, client) = (Arc::clone(&memory), Client::of(None, [192, 0, 2, number].into()));
            let collecting =
                tokio::task::spawn_local(async move { stream.collect(4 << 20, &memory, client).await });
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            if collecting.is_finished() {
                assert!(matches!(collecting.await.unwrap(), Err(CollectError::Refused(_))));
                refused += 1;
            } else {
                open.push((sender, collecting));
            }
        }

        // Then
        assert!(refused > 30 && !open.is_empty(), "{refused} refused");
        assert!(memory.held() >= 100_000 * open.len() && memory.held() <= 1 << 20);
        let mut collected = Vec::new();
        for (sender, collecting) in open {
            drop(sender);
            collected.push(collecting.await.unwrap().unwrap());
        }
        assert!(collected.iter().all(|body| body.bytes.len() == 100_000));
        assert!(memory.held() > 0, "what was collected is held");
        drop(collected);
        assert_eq!(memory.held(), 0);
    }
}
