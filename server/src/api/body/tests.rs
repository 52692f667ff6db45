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
    let mut stream = cold(&memory, 1);
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
    let memory = Arc::new(Shares::new(CHUNK));
    let mut stream = cold(&memory, 1);
    next(&mut stream).await.unwrap().unwrap();
    assert_eq!(memory.held(), CHUNK);
    let mut second = cold(&memory, 2);
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
