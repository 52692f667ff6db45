//! The bytes of a request on their way into batches.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use futures_util::StreamExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use zas_blobs::{Batch, BatchSender};

use super::budget::UploadBudget;
use super::pieces::Pieces;

/// The bytes of a request, in the pieces in which they arrive.
pub type RequestBody<'a> = Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>> + 'a>>;

/// Why a body ended before its end: the client went away, stalled or broke the protocol.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct BodyError(pub String);

/// A batch is handed on at this size; writing more at a time gains nothing.
const BATCH_SIZE: usize = 512 * 1024;

/// A slow client's bytes are handed on after this time, so that they do not occupy the budget.
const BATCH_PATIENCE: Duration = Duration::from_millis(50);

/// The first bytes of a body.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pieces: Pieces,
    /// Whether the body has no more bytes.
    pub(crate) is_all: bool,
}

/// A body that broke off within its first bytes.
#[derive(Debug)]
pub(crate) struct InterruptedHead {
    pub(crate) received: Head,
    /// Why.
    pub(crate) reason: String,
}

impl Head {
    /// The same bytes behind those that earlier requests brought.
    pub(crate) fn after(mut self, earlier: Bytes) -> Self {
        self.pieces.prepend(earlier);
        self
    }

    /// How many bytes there are.
    pub(crate) fn length(&self) -> u64 {
        self.pieces.length() as u64
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        self.pieces.into_bytes()
    }
}

/// Reads until the body ends or has more than `limit` bytes. An announced length over the limit ends the reading at
/// once: the bytes will not be kept together.
pub(crate) async fn read_head(
    body: &mut RequestBody<'_>,
    limit: usize,
    announced: Option<u64>,
) -> Result<Head, InterruptedHead> {
    let mut head = Head::default();
    if announced.is_some_and(|length| length > limit as u64) {
        return Ok(head);
    }
    while head.pieces.length() <= limit {
        match body.next().await {
            None => {
                head.is_all = true;
                break;
            }
            Some(Ok(piece)) => head.pieces.push(piece),
            Some(Err(BodyError(reason))) => {
                return Err(InterruptedHead {
                    received: head,
                    reason,
                });
            }
        }
    }
    Ok(head)
}

/// How the transfer of a body ended.
#[derive(Debug)]
pub(crate) enum Transfer {
    /// All of it was handed on.
    Complete,
    /// The client broke off; what came before was handed on.
    Interrupted(String),
    /// A successor wants the upload.
    Superseded,
    /// There were more bytes than allowed.
    TooLarge,
    /// The store stopped taking bytes; it says why.
    Rejected,
}

/// Hands a body on to a store, in batches within the budget.
#[derive(Debug)]
pub(crate) struct Transferring {
    budget: UploadBudget,
    sender: BatchSender,
    pieces: Pieces,
    permit: Option<OwnedSemaphorePermit>,
    total: u64,
}

impl Transferring {
    pub(crate) fn new(budget: UploadBudget, sender: BatchSender) -> Self {
        Self {
            budget,
            sender,
            pieces: Pieces::default(),
            permit: None,
            total: 0,
        }
    }

    /// The bytes of this request so far, the head included.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Hands on `head` and the rest of `body`, at most `limit` bytes.
    pub(crate) async fn run(
        &mut self,
        head: Head,
        body: &mut RequestBody<'_>,
        limit: u64,
        stop: &CancellationToken,
    ) -> Transfer {
        for piece in head.pieces.into_vec() {
            if !self.take(piece).await {
                return Transfer::Rejected;
            }
        }
        loop {
            let next = tokio::select! {
                biased;
                () = stop.cancelled() => return Transfer::Superseded,
                // A full disk is told to a client that has not begun to send.
                () = self.sender.closed() => return Transfer::Rejected,
                next = body.next() => next,
                () = tokio::time::sleep(BATCH_PATIENCE), if self.pieces.length() > 0 => {
                    if !self.flush().await {
                        return Transfer::Rejected;
                    }
                    continue;
                }
            };
            let (piece, end) = match next {
                Some(Ok(piece)) => (piece, None),
                Some(Err(BodyError(reason))) => (Bytes::new(), Some(Transfer::Interrupted(reason))),
                None => (Bytes::new(), Some(Transfer::Complete)),
            };
            if self.total + piece.len() as u64 > limit {
                return Transfer::TooLarge;
            }
            if !self.take(piece).await {
                return Transfer::Rejected;
            }
            if let Some(end) = end {
                return if self.flush().await {
                    end
                } else {
                    Transfer::Rejected
                };
            }
        }
    }

    /// `false`: the store takes no more.
    async fn take(&mut self, piece: Bytes) -> bool {
        if piece.is_empty() {
            return true;
        }
        let share = self.share(piece.len()).await;
        if let Some(share) = share {
            match &mut self.permit {
                Some(permit) => permit.merge(share),
                none => *none = Some(share),
            }
        }
        self.total += piece.len() as u64;
        self.pieces.push(piece);
        self.pieces.length() < BATCH_SIZE || self.flush().await
    }

    /// Waits for the budget, but never while holding a part of it: two uploads waiting so could wait for each other.
    async fn share(&mut self, length: usize) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            biased;
            share = self.budget.take(length) => share,
            () = std::future::ready(()) => {
                self.flush().await;
                self.budget.take(length).await
            }
        }
    }

    async fn flush(&mut self) -> bool {
        if self.pieces.length() == 0 {
            return true;
        }
        let pieces = std::mem::take(&mut self.pieces).into_vec();
        let batch = Batch::new(pieces, self.permit.take());
        self.sender.send(batch).await.is_ok()
    }
}
