//! Response bodies that do not copy what they send.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use zas_blobs::{BlobError, BlobReader};
use zas_core::ByteRange;

use crate::services::capacity::{Client, Share, Shares};
use crate::services::registry::{BlobBody, StoredPart};

/// Bytes of one blocking read when the content is not in memory.
const COLD_READ: usize = 1024 * 1024;

/// A piece of an answer that is in memory.
const HELD_PIECE: usize = 64 * 1024;

/// Blocking reads under way at a time: one is sent while the next is fetched.
const COLD_READS: usize = 2;

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
    /// What reading ahead takes. A client that gets nothing of it is read for piece by piece.
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
/// read already under way.
pub(super) struct BlobStream {
    length: u64,
    /// What is still to be read, in order.
    runs: VecDeque<Run>,
    reading: VecDeque<Reading>,
    /// What was read and is handed on in pieces.
    ready: Option<(Bytes, Option<Share>)>,
    ahead: ReadAhead,
}

struct Run {
    source: Source,
    position: u64,
    left: u64,
}

impl Run {
    fn inline(bytes: Bytes) -> Self {
        Self {
            position: 0,
            left: bytes.len() as u64,
            source: Source::Inline(bytes),
        }
    }
}

enum Source {
    Inline(Bytes),
    Stored(Arc<dyn BlobReader>),
}

impl BlobStream {
    /// The bytes of `range`.
    pub(super) fn new(body: &BlobBody, range: ByteRange, ahead: ReadAhead) -> Self {
        Self {
            length: range.length,
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
            runs: all,
            reading: VecDeque::new(),
            ready: None,
            ahead,
        }
    }

    /// The next piece if it can be had without waiting.
    fn read_warm(&mut self) -> Option<Bytes> {
        let run = self.runs.front_mut()?;
        let piece = match &run.source {
            Source::Inline(bytes) => {
                let start = usize::try_from(run.position).ok()?;
                let end = start.checked_add(usize::try_from(run.left).ok()?)?;
                (end <= bytes.len()).then(|| bytes.slice(start..end))?
            }
            Source::Stored(reader) => reader.try_read(run.position, to_read(run.left, self.ahead.chunk))?,
        };
        self.advance(piece.len() as u64);
        Some(piece)
    }

    /// Starts blocking reads until enough are under way.
    fn read_cold(&mut self) {
        while self.reading.len() < COLD_READS {
            let Some(run) = self.runs.front() else { return };
            let Source::Stored(reader) = &run.source else {
                return;
            };
            let mut length = to_read(run.left, COLD_READ);
            let memory = self.ahead.memory.offer(self.ahead.client, length).ok();
            if memory.is_none() {
                if !self.reading.is_empty() || self.ready.is_some() {
                    return;
                }
                // One piece is what every answer takes.
                length = length.min(self.ahead.chunk);
            }
            let (reader, position) = (Arc::clone(reader), run.position);
            let reading = tokio::spawn(async move { reader.read(position, length).await });
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
        let (bytes, _) = self.ready.as_mut()?;
        let length = bytes.len().min(self.ahead.chunk);
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
            source: Source::Inline(bytes.clone()),
            position: range.start,
            left: range.length,
        }]),
        BlobBody::Stored(parts) => stored_runs(parts, range),
    }
}

fn stored_runs(parts: &[StoredPart], range: ByteRange) -> VecDeque<Run> {
    let (mut skip, mut left) = (range.start, range.length);
    let mut runs = VecDeque::new();
    for StoredPart { extent, reader } in parts {
        let skipped = skip.min(extent.length);
        skip -= skipped;
        let taken = (extent.length - skipped).min(left);
        left -= taken;
        if taken > 0 {
            runs.push_back(Run {
                source: Source::Stored(Arc::clone(reader)),
                position: extent.offset + skipped,
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

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use futures_util::future::poll_fn;
    use zas_core::{Timestamp, UploadId};
    use zas_metadata::Extent;

    use super::*;

    const CHUNK: usize = 64 * 1024;
    const LENGTH: u64 = 5 * 1024 * 1024 + 7;

    /// Never has anything in memory.
    #[derive(Debug)]
    struct Cold;

    #[async_trait]
    impl BlobReader for Cold {
        fn length(&self) -> u64 {
            LENGTH
        }

        fn try_read(&self, _: u64, _: usize) -> Option<Bytes> {
            None
        }

        async fn read(&self, offset: u64, length: usize) -> zas_blobs::Result<Bytes> {
            let bytes = (offset..offset + length as u64).map(|position| (position % 251) as u8);
            Ok(bytes.collect())
        }
    }

    fn cold(memory: &Arc<Shares>, client: u8) -> BlobStream {
        let extent = Extent {
            location: UploadId::new(Timestamp::from_millis(1), &[1; 10]),
            offset: 0,
            length: LENGTH,
        };
        let reader = Arc::new(Cold);
        let body = BlobBody::Stored(vec![StoredPart { extent, reader }]);
        let whole = ByteRange {
            start: 0,
            length: LENGTH,
        };
        let ahead = ReadAhead {
            chunk: CHUNK,
            memory: Arc::clone(memory),
            client: Client::of(None, [192, 0, 2, client].into()),
        };
        BlobStream::new(&body, whole, ahead)
    }

    async fn next<B: MessageBody + Unpin>(body: &mut B) -> Option<Result<Bytes, B::Error>> {
        poll_fn(|context| Pin::new(&mut *body).poll_next(context)).await
    }

    #[tokio::test]
    async fn given_many_cold_readers_that_stop_when_others_read_then_the_memory_is_bounded_and_all_is_sent() {
        // Given
        let memory = Arc::new(Shares::new(8 * COLD_READ));
        let mut stopped = Vec::new();
        for client in 0..50 {
            let mut stream = cold(&memory, client);
            let piece = next(&mut stream).await.unwrap().unwrap();
            assert!(piece.len() <= CHUNK, "{} bytes at once", piece.len());
            stopped.push(stream);
        }
        assert!(memory.held() <= 8 * COLD_READ);
        // Whoever found no memory is at most a piece ahead.
        let ahead: usize = stopped.iter().map(|stream| stream.reading.len()).sum();
        assert!(ahead <= 8 + 1, "{ahead} reads under way");

        // When
        let mut stream = cold(&memory, 99);
        let mut sent = Vec::new();
        while let Some(piece) = next(&mut stream).await {
            sent.extend_from_slice(&piece.unwrap());
        }

        // Then
        assert_eq!(sent.len() as u64, LENGTH);
        assert!(
            sent.iter()
                .enumerate()
                .all(|(position, byte)| *byte == (position % 251) as u8)
        );
        drop((stopped, stream));
        assert_eq!(memory.held(), 0);
    }

    #[tokio::test]
    async fn given_a_long_answer_when_sent_then_in_pieces_and_its_memory_is_held_until_the_end() {
        let memory = Arc::new(Shares::new(1 << 20));
        let bytes: Bytes = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
        let share = memory.take(Client::default(), bytes.len()).unwrap();
        let mut answer = Held::new(bytes.clone(), share);
        assert_eq!(answer.size(), BodySize::Sized(200_000));
        let mut sent = Vec::new();
        while let Some(piece) = next(&mut answer).await {
            let piece = piece.unwrap();
            assert!(piece.len() <= HELD_PIECE);
            assert_eq!(memory.held(), bytes.len());
            sent.extend_from_slice(&piece);
        }
        assert_eq!(sent, bytes);
        drop(answer);
        assert_eq!(memory.held(), 0);
    }
}
