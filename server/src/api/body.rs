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

use crate::services::registry::{BlobBody, StoredPart};

/// Bytes of one blocking read when the content is not in memory.
const COLD_READ: usize = 1024 * 1024;

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

type Reading = Pin<Box<dyn Future<Output = Result<Bytes, BlobError>>>>;

/// A blob, or a range of it, on its way out: from the page cache on this thread, from the disk on others with the next
/// read already under way.
pub(super) struct BlobStream {
    length: u64,
    /// What is still to be read, in order.
    runs: VecDeque<Run>,
    reading: VecDeque<Reading>,
    chunk: usize,
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
    /// The bytes of `range`, sent in pieces of `chunk` bytes while they are in memory.
    pub(super) fn new(body: &BlobBody, range: ByteRange, chunk: usize) -> Self {
        Self {
            length: range.length,
            runs: runs(body, range),
            reading: VecDeque::new(),
            chunk,
        }
    }

    /// Several ranges, each behind its head, and what ends the last.
    pub(super) fn multipart(
        body: &BlobBody,
        parts: Vec<(Bytes, ByteRange)>,
        end: Bytes,
        chunk: usize,
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
            chunk,
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
            Source::Stored(reader) => reader.try_read(run.position, to_read(run.left, self.chunk))?,
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
            let (reader, position, length) = (Arc::clone(reader), run.position, to_read(run.left, COLD_READ));
            let reading = tokio::spawn(async move { reader.read(position, length).await });
            self.reading.push_back(Box::pin(async move {
                reading.await.unwrap_or_else(|panic| {
                    let source = std::io::Error::other(panic.to_string());
                    Err(BlobError::Storage {
                        action: "read",
                        name: "blob".to_owned(),
                        source,
                    })
                })
            }));
            self.advance(length as u64);
        }
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
        let read = std::task::ready!(reading.as_mut().poll(context));
        self.reading.pop_front();
        self.read_cold();
        Poll::Ready(Some(read))
    }
}
