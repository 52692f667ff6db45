//! Writing content, without anybody who keeps rows.

use std::sync::Arc;

use bytes::Bytes;
use zas_blobs::{Batch, BlobError, BlobStore as _, FaultyBlobs, MemoryBlobs, batches};
use zas_core::{Algorithm, Hashing, Timestamp, UploadId};
use zas_metadata::Epoch;

use super::{Content, ContentError, Hash, Names};

/// Counts what it takes in.
#[derive(Debug, Default)]
struct Count(u64);

impl Hash for Count {
    fn update(&mut self, bytes: &[u8]) {
        self.0 += bytes.len() as u64;
    }
}

fn names() -> Names {
    let upload = UploadId::new(Timestamp::from_millis(1), &[1; 10]);
    Names::new(upload, Epoch { start: 1, claim: 1 })
}

fn bytes(length: usize) -> Bytes {
    zas_blobs::contract::content(1, length)
}

#[tokio::test]
async fn given_batches_of_any_size_when_written_then_each_byte_is_hashed_once_and_stored() {
    let store = Arc::new(MemoryBlobs::new());
    let content = Content::new(Arc::<MemoryBlobs>::clone(&store), 1 << 20);
    let mut names = names();
    for (size, length) in [(1_000, 50_000), (100_000, 1_000_000), (600_000, 3_000_000)] {
        let bytes = bytes(length);
        let (sender, mut batches) = batches();
        let feeding = tokio::spawn({
            let bytes = bytes.clone();
            async move {
                for piece in bytes.chunks(size) {
                    let batch = Batch::new(vec![bytes.slice_ref(piece)], None);
                    sender.send(batch).await.unwrap();
                }
            }
        });
        let hashes = vec![Hashing::new(Algorithm::Sha256), Hashing::new(Algorithm::Sha512)];

        let written = content
            .write(&mut names, &mut batches, hashes, Some(7))
            .await
            .unwrap();

        feeding.await.unwrap();
        assert_eq!(written.length, length as u64);
        for hashing in written.hash {
            assert_eq!(hashing.algorithm().digest(&bytes), hashing.finish());
        }
        let runs = content
            .open(&Algorithm::Sha256.digest(&bytes), &written.extents)
            .await
            .unwrap();
        let reader = runs[0].open().await.unwrap();
        assert!(reader.read(0, length).await.unwrap() == bytes);
    }
    assert_eq!(store.scan(None, 10).await.unwrap().len(), 3, "a name each");
}

#[tokio::test]
async fn given_no_bytes_when_written_then_no_name_is_used() {
    let store = Arc::new(MemoryBlobs::new());
    let content = Content::new(Arc::<MemoryBlobs>::clone(&store), 1 << 20);
    let (sender, mut batches) = batches();
    drop(sender);

    let written = content
        .write(&mut names(), &mut batches, Count::default(), None)
        .await
        .unwrap();

    assert_eq!((written.length, written.hash.0, written.extents.len()), (0, 0, 0));
    assert_eq!(store.scan(None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn given_a_store_that_fails_in_the_middle_when_written_then_its_reason_is_told_and_the_sender_learns() {
    let store = Arc::new(FaultyBlobs::new(Arc::new(MemoryBlobs::new())));
    store.fail_write_after(1_000);
    let content = Content::new(store, 1 << 20);
    let (sender, mut batches) = batches();
    let feeding =
        tokio::spawn(async move { while sender.send(Batch::new(vec![bytes(700)], None)).await.is_ok() {} });

    let failed = content
        .write(&mut names(), &mut batches, Count::default(), None)
        .await;

    assert!(
        matches!(failed, Err(ContentError::Blobs(BlobError::Storage { .. }))),
        "{failed:?}"
    );
    drop(batches);
    feeding.await.unwrap();
}
