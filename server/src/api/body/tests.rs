use async_trait::async_trait;
use futures_util::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use zas_blobs::{BlobReader, BlobStore, Capacity, Write};
use zas_core::{LocationName, StoreId, Timestamp, UploadId};
use zas_metadata::Extent;

use super::*;
use crate::services::content::Content;

const CHUNK: usize = 64 * 1024;
const LENGTH: u64 = 5 * 1024 * 1024 + 7;

/// A store with bytes under every name, none of which are in memory. It counts what is open.
#[derive(Debug, Default)]
struct Cold {
    open: Arc<AtomicUsize>,
    most_open: Arc<AtomicUsize>,
}

/// The bytes of a name: its ordinal stands in front.
#[derive(Debug)]
struct ColdReader {
    first: u64,
    open: Arc<AtomicUsize>,
}

#[async_trait]
impl BlobStore for Cold {
    async fn open(&self, name: LocationName) -> zas_blobs::Result<Arc<dyn BlobReader>> {
        if name.ordinal == u32::MAX {
            return Err(BlobError::NotFound(name));
        }
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_open.fetch_max(open, Ordering::SeqCst);
        Ok(Arc::new(ColdReader {
            first: u64::from(name.ordinal),
            open: Arc::clone(&self.open),
        }))
    }

    async fn write(&self, _: Write) -> zas_blobs::Result<u64> {
        unreachable!()
    }

    async fn delete(&self, _: LocationName) -> zas_blobs::Result<()> {
        unreachable!()
    }

    async fn scan(&self, _: Option<LocationName>, _: usize) -> zas_blobs::Result<Vec<LocationName>> {
        unreachable!()
    }

    async fn store_id(&self) -> zas_blobs::Result<Option<StoreId>> {
        unreachable!()
    }

    async fn set_store_id(&self, _: StoreId) -> zas_blobs::Result<()> {
        unreachable!()
    }

    async fn probe(&self) -> zas_blobs::Result<Capacity> {
        unreachable!()
    }
}

#[async_trait]
impl BlobReader for ColdReader {
    fn length(&self) -> u64 {
        LENGTH
    }

    fn try_read(&self, _: u64, _: usize) -> Option<Bytes> {
        None
    }

    async fn read(&self, offset: u64, length: usize) -> zas_blobs::Result<Bytes> {
        let bytes = (offset..offset + length as u64).map(|position| byte(self.first, position));
        Ok(bytes.collect())
    }
}

impl Drop for ColdReader {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

fn byte(first: u64, position: u64) -> u8 {
    ((first + position) % 251) as u8
}

fn extent(ordinal: u32, length: u64) -> Extent {
    Extent {
        location: LocationName {
            upload: UploadId::new(Timestamp::from_millis(1), &[1; 10]),
            start: 1,
            epoch: 1,
            ordinal,
        },
        offset: 0,
        length,
    }
}

fn ahead(memory: &Arc<Shares>, client: u8) -> ReadAhead {
    ReadAhead {
        chunk: CHUNK,
        memory: Arc::clone(memory),
        client: Client::of(None, [192, 0, 2, client].into()),
    }
}

async fn cold(memory: &Arc<Shares>, client: u8) -> BlobStream {
    let content = Content::new(Arc::new(Cold::default()), 1);
    let body = BlobBody::Stored(
        content
            .open(&zas_core::Digest::sha256_of(b""), &[extent(0, LENGTH)])
            .await
            .unwrap(),
    );
    let whole = ByteRange {
        start: 0,
        length: LENGTH,
    };
    BlobStream::new(&body, whole, ahead(memory, client))
}

#[tokio::test]
async fn given_a_blob_of_many_runs_when_any_range_is_read_then_its_bytes_come_with_two_runs_open() {
    let lengths = [1, 100_000, 1, 3 * 1024 * 1024, 7, 7, 2 * 1024 * 1024 + 1, 50];
    let extents: Vec<Extent> = (0..)
        .zip(lengths)
        .map(|(ordinal, length)| extent(ordinal, length))
        .collect();
    let expected: Vec<u8> = (0..)
        .zip(lengths)
        .flat_map(|(ordinal, length)| (0..length).map(move |position| byte(ordinal, position)))
        .collect();
    let memory = Arc::new(Shares::new(8 * COLD_READ));
    let size = expected.len() as u64;
    for (start, length) in [
        (0, size),
        (0, 1),
        (1, 100_001),
        (99_999, 20),
        (100_002, size - 100_002),
        (size - 1, 1),
    ] {
        let store = Arc::new(Cold::default());
        let content = Content::new(Arc::<Cold>::clone(&store), 1);
        let body = BlobBody::Stored(
            content
                .open(&zas_core::Digest::sha256_of(b""), &extents)
                .await
                .unwrap(),
        );
        let mut stream = BlobStream::new(&body, ByteRange { start, length }, ahead(&memory, 1));
        drop(body);
        assert!(content.is_read(extents[7].location));

        let mut sent = Vec::new();
        while let Some(piece) = next(&mut stream).await {
            sent.extend_from_slice(&piece.unwrap());
        }

        let (from, to) = (start as usize, (start + length) as usize);
        assert!(sent == expected[from..to], "{length} bytes from {start}");
        assert!(store.most_open.load(Ordering::SeqCst) <= 2);
        drop(stream);
        assert!(!content.is_read(extents[7].location));
        assert_eq!(store.open.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn given_a_blob_whose_second_run_is_missing_when_read_then_the_answer_breaks_off_there() {
    let memory = Arc::new(Shares::new(8 * COLD_READ));
    let content = Content::new(Arc::new(Cold::default()), 1);
    let (blob, extents) = (
        zas_core::Digest::sha256_of(b""),
        [extent(0, 10), extent(u32::MAX, 10)],
    );
    let body = BlobBody::Stored(content.open(&blob, &extents).await.unwrap());
    let whole = ByteRange { start: 0, length: 20 };
    let mut stream = BlobStream::new(&body, whole, ahead(&memory, 1));

    assert_eq!(next(&mut stream).await.unwrap().unwrap().len(), 10);
    let error = next(&mut stream).await.unwrap().unwrap_err();
    assert!(matches!(error, BlobError::NotFound(_)), "{error}");
    assert_eq!(content.suspects().next().await, blob, "it is checked at once");
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
        let mut stream = cold(&memory, client).await;
        let piece = next(&mut stream).await.unwrap().unwrap();
        assert!(piece.len() <= CHUNK, "{} bytes at once", piece.len());
        stopped.push(stream);
    }
    assert!(memory.held() <= 4 * COLD_READ);
    // Whoever found no memory is at most a piece ahead.
    let ahead: usize = stopped.iter().map(|stream| stream.reading.len()).sum();
    assert!(ahead <= 8 + 1, "{ahead} reads under way");

    // When
    let mut stream = cold(&memory, 99).await;
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

/// Asks a body for a piece as its protocol does, and counts how often it wants the connection to send first.
async fn next_and_pauses(body: &mut BlobStream) -> (Option<Result<Bytes, BlobError>>, usize) {
    let mut pauses = 0;
    let next = poll_fn(|context| {
        let is_paused = body.has_handed_on;
        let polled = Pin::new(&mut *body).poll_next(context);
        pauses += usize::from(is_paused && polled.is_pending());
        polled
    });
    (next.await, pauses)
}

#[tokio::test]
async fn given_no_memory_when_a_blob_is_sent_then_in_small_pieces_each_of_which_leaves_before_the_next() {
    // Given
    let memory = Arc::new(Shares::new(0));
    let mut stream = cold(&memory, 1).await;
    let (mut sent, mut pauses) = (0, 0);

    // When
    while let (Some(piece), paused) = next_and_pauses(&mut stream).await {
        let piece = piece.unwrap();
        assert!(piece.len() <= THRIFTY_PIECE, "{} bytes at once", piece.len());
        assert!(stream.reading.is_empty(), "nothing is read ahead");
        assert_eq!(paused, usize::from(sent > 0));
        (sent, pauses) = (sent + piece.len() as u64, pauses + paused);
    }

    // Then
    assert_eq!(sent, LENGTH);
    assert_eq!(pauses as u64, LENGTH.div_ceil(THRIFTY_PIECE as u64) - 1);
}

#[tokio::test]
async fn given_a_blob_under_way_when_its_client_does_not_read_then_the_piece_in_the_buffers_is_counted() {
    let memory = Arc::new(Shares::new(2 * CHUNK));
    let mut stream = cold(&memory, 1).await;
    next(&mut stream).await.unwrap().unwrap();
    assert_eq!(memory.held(), CHUNK);
    let mut second = cold(&memory, 2).await;
    let piece = next(&mut second).await.unwrap().unwrap();
    assert_eq!(piece.len(), THRIFTY_PIECE);

    // What is free again makes the next pieces as large as they usually are.
    drop(stream);
    let piece = next(&mut second).await.unwrap().unwrap();
    assert_eq!(piece.len(), CHUNK);
    assert_eq!(memory.held(), CHUNK);
    drop(second);
    assert_eq!(memory.held(), 0);
}
