//! Response bodies that do not copy what they send.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use zas_blobs::BlobError;
use zas_core::ByteRange;

use crate::services::capacity::{Client, Share, Shares};
use crate::services::content::ContentRun;
use crate::services::registry::BlobBody;

/// Bytes of one blocking read when the content is not in memory.
const COLD_READ: usize = 1024 * 1024;

/// A piece of an answer that is in memory.
const HELD_PIECE: usize = 64 * 1024;

/// Blocking reads under way at a time: one is sent while the next is fetched.
const COLD_READS: usize = 2;

/// A piece of an answer for which there is no memory. It is sent before the next one is read.
const THRIFTY_PIECE: usize = 32 * 1024;

/// A body of a known length that is described and not sent, as HEAD asks.
#[derive(Debug)]
pub(super) struct Omitted(u64);

impl Omitted {
    pub(super) fn of(length: u64) -> Self {
        Self(length)
    }
}

impl MessageBody for Omitted {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(None)
    }
}

/// A read under way, with the memory that it takes.
struct Reading {
    result: Pin<Box<dyn Future<Output = Result<Bytes, BlobError>>>>,
    memory: Option<Share>,
}

/// How far a blob is read ahead of its client.
#[derive(Clone, Debug)]
pub(super) struct ReadAhead {
    /// Bytes of a piece that is sent.
    pub(super) chunk: usize,
    /// What pieces under way take. A client that gets nothing of it is read for in small pieces, one after the other.
    pub(super) memory: Arc<Shares>,
    /// Whom the reading is for.
    pub(super) client: Client,
}

/// An answer that is in memory as a whole, with the memory that it takes until it is sent.
#[derive(Debug)]
pub(super) struct Held {
    left: Bytes,
    _memory: Share,
}

impl Held {
    /// Shorter answers are not worth the counting: a connection has buffers of this size anyway.
    pub(super) const FROM: u64 = 64 * 1024;

    pub(super) fn new(bytes: Bytes, memory: Share) -> Self {
        Self {
            left: bytes,
            _memory: memory,
        }
    }
}

impl MessageBody for Held {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.left.len() as u64)
    }

    /// In pieces: whatever is handed on is copied, and out of our sight.
    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.left.len().min(HELD_PIECE);
        Poll::Ready(Some(Ok(self.left.split_to(length))))
    }
}

/// A blob, or a range of it, on its way out: from the page cache on this thread, from the disk on others with the next
/// read already under way. Of the runs of bytes that it is stored in at most two are open: the ones being read.
///
/// A piece that its client does not read stays in the buffers of the connection. So the memory of one is taken before the
/// first and held to the end; where there is none, pieces are small and each waits until the one before has left.
pub(super) struct BlobStream {
    length: u64,
    /// The memory of a piece in the buffers of the connection.
    in_buffers: Option<Share>,
    /// Whether a small piece was handed on that has to leave first.
    has_handed_on: bool,
    /// What is still to be read, in order.
    runs: VecDeque<Run>,
    reading: VecDeque<Reading>,
    /// What was read and is handed on in pieces.
    ready: Option<(Bytes, Option<Share>)>,
    ahead: ReadAhead,
}

struct Run {
    source: ContentRun,
    position: u64,
    left: u64,
}

impl Run {
    fn inline(bytes: Bytes) -> Self {
        Self {
            position: 0,
            left: bytes.len() as u64,
            source: ContentRun::Inline(bytes),
        }
    }
}

impl BlobStream {
    /// The bytes of `range`.
    pub(super) fn new(body: &BlobBody, range: ByteRange, ahead: ReadAhead) -> Self {
        Self {
            length: range.length,
            in_buffers: None,
            has_handed_on: false,
            runs: runs(body, range),
            reading: VecDeque::new(),
            ready: None,
            ahead,
        }
    }

    /// Several ranges, each behind its head, and what ends the last.
    pub(super) fn multipart(
        body: &BlobBody,
        parts: Vec<(Bytes, ByteRange)>,
        end: Bytes,
        ahead: ReadAhead,
    ) -> Self {
        let mut all = VecDeque::new();
        for (head, range) in parts {
            all.push_back(Run::inline(head));
            all.extend(runs(body, range));
        }
        all.push_back(Run::inline(end));
        Self {
            length: all.iter().map(|run| run.left).sum(),
            in_buffers: None,
            has_handed_on: false,
            runs: all,
            reading: VecDeque::new(),
            ready: None,
            ahead,
        }
    }

    /// Takes the memory of a piece if there is some by now.
    fn prepare(&mut self) {
        if self.in_buffers.is_none() && self.length > Held::FROM {
            let ReadAhead {
                chunk,
                memory,
                client,
            } = &self.ahead;
            self.in_buffers = memory.lend(*client, *chunk);
        }
    }

    /// Whether there is no memory for pieces of the usual size.
    fn is_thrifty(&self) -> bool {
        self.in_buffers.is_none() && self.length > Held::FROM
    }

    /// The most bytes to hand on at a time.
    fn piece(&self) -> usize {
        if self.is_thrifty() {
            return self.ahead.chunk.min(THRIFTY_PIECE);
        }
        self.ahead.chunk
    }

    /// The next piece if it can be had without waiting.
    fn read_warm(&mut self) -> Option<Bytes> {
        let most = self.piece();
        let run = self.runs.front_mut()?;
        let piece = match &run.source {
            ContentRun::Inline(bytes) => {
                let start = usize::try_from(run.position).ok()?;
                let end = start.checked_add(usize::try_from(run.left).ok()?)?;
                (end <= bytes.len()).then(|| bytes.slice(start..end))?
            }
            // One that is not open yet is opened where that may wait.
            ContentRun::Stored(stored) => stored.reader()?.try_read(run.position, to_read(run.left, most))?,
        };
        self.advance(piece.len() as u64);
        Some(piece)
    }

    /// Starts blocking reads until enough are under way.
    fn read_cold(&mut self) {
        while self.reading.len() < COLD_READS {
            let Some(run) = self.runs.front() else { return };
            let ContentRun::Stored(stored) = &run.source else {
                return;
            };
            let mut length = to_read(run.left, COLD_READ);
            let memory = self.ahead.memory.lend(self.ahead.client, length);
            if memory.is_none() {
                if !self.reading.is_empty() || self.ready.is_some() {
                    return;
                }
                length = length.min(self.piece());
            }
            let (stored, position) = (stored.clone(), run.position);
            let reading = tokio::spawn(async move { stored.open().await?.read(position, length).await });
            let result = Box::pin(async move {
                reading.await.unwrap_or_else(|panic| {
                    let source = std::io::Error::other(panic.to_string());
                    Err(BlobError::Storage {
                        action: "read",
                        name: "blob".to_owned(),
                        source,
                    })
                })
            });
            self.reading.push_back(Reading { result, memory });
            self.advance(length as u64);
        }
    }

    /// A piece of what was read already.
    fn take_ready(&mut self) -> Option<Bytes> {
        let most = self.piece();
        let (bytes, _) = self.ready.as_mut()?;
        let length = bytes.len().min(most);
        let piece = bytes.split_to(length);
        if bytes.is_empty() {
            self.ready = None;
        }
        Some(piece)
    }

    fn advance(&mut self, by: u64) {
        if let Some(run) = self.runs.front_mut() {
            run.position += by;
            run.left -= by.min(run.left);
            if run.left == 0 {
                self.runs.pop_front();
            }
        }
    }
}

fn to_read(left: u64, most: usize) -> usize {
    usize::try_from(left).unwrap_or(most).min(most)
}

/// What of the body lies in the range.
fn runs(body: &BlobBody, range: ByteRange) -> VecDeque<Run> {
    match body {
        BlobBody::Inline(bytes) => VecDeque::from([Run {
            source: ContentRun::Inline(bytes.clone()),
            position: range.start,
            left: range.length,
        }]),
        BlobBody::Stored(stored) => in_range(stored.iter().cloned().map(ContentRun::Stored), range),
        BlobBody::Parts(parts) => in_range(parts.iter().cloned(), range),
    }
}

fn in_range(sources: impl Iterator<Item = ContentRun>, range: ByteRange) -> VecDeque<Run> {
    let (mut skip, mut left) = (range.start, range.length);
    let mut runs = VecDeque::new();
    for source in sources {
        let (offset, length) = match &source {
            ContentRun::Inline(bytes) => (0, bytes.len() as u64),
            ContentRun::Stored(stored) => (stored.extent().offset, stored.extent().length),
        };
        let skipped = skip.min(length);
        skip -= skipped;
        let taken = (length - skipped).min(left);
        left -= taken;
        if taken > 0 {
            runs.push_back(Run {
                source,
                position: offset + skipped,
                left: taken,
            });
        }
    }
    runs
}

impl fmt::Debug for BlobStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BlobStream")
            .field("length", &self.length)
            .field("runs", &self.runs.len())
            .finish_non_exhaustive()
    }
}

impl MessageBody for BlobStream {
    type Error = BlobError;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.length)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BlobError>>> {
        if std::mem::take(&mut self.has_handed_on) {
            // Lets the connection send. While its client does not read it asks for nothing more.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.prepare();
        let polled = self.poll_piece(context);
        self.has_handed_on = self.is_thrifty() && matches!(polled, Poll::Ready(Some(Ok(_))));
        polled
    }
}

impl BlobStream {
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BlobError>>> {
        if let Some(piece) = self.take_ready() {
            return Poll::Ready(Some(Ok(piece)));
        }
        if self.reading.is_empty() {
            if self.runs.is_empty() {
                return Poll::Ready(None);
            }
            if let Some(piece) = self.read_warm() {
                return Poll::Ready(Some(Ok(piece)));
            }
        }
        self.read_cold();
        let Some(reading) = self.reading.front_mut() else {
            let source = std::io::Error::other("the stored row and the stored bytes disagree");
            return Poll::Ready(Some(Err(BlobError::Storage {
                action: "read",
                name: "blob".to_owned(),
                source,
            })));
        };
        let read = std::task::ready!(reading.result.as_mut().poll(context));
        let memory = self.reading.pop_front().and_then(|reading| reading.memory);
        match read {
            Ok(bytes) => self.ready = Some((bytes, memory)),
            Err(error) => return Poll::Ready(Some(Err(error))),
        }
        self.read_cold();
        Poll::Ready(self.take_ready().map(Ok))
    }
}
