//! Stores whose operations are counted keep the promises of stores.

use zas_blobs::{FaultyBlobs, MemoryBlobs, Operation};
use zas_metadata::contract::{Subject, groups, run};
use zas_metadata::{Clocks, MemoryMetadata, Timing};

use super::*;

fn expect(metrics: &ServerMetrics, line: &str) {
    let text = metrics.encode().unwrap();
    assert!(
        text.lines().any(|other| other.starts_with(line)),
        "no {line} in\n{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn given_a_counted_metadata_store_when_used_then_it_keeps_the_contract() {
    let metrics = Arc::new(ServerMetrics::new());
    let make = |clocks: Clocks, timing: Timing| {
        let inner = Arc::new(MemoryMetadata::new(clocks, timing));
        Subject {
            store: Arc::new(MeasuredMetadata::new(inner, &metrics)),
            ground: Arc::new(()),
        }
    };
    for group in groups().iter().filter(|group| group.name != "concurrency") {
        run(group, &make).await;
    }
    for operation in [
        "finish_upload",
        "commit_manifest",
        "list_tags",
        "reap",
        "stat_blob",
    ] {
        expect(
            &metrics,
            &format!("zas_storage_operations_total{{store=\"metadata\",operation=\"{operation}\"}} "),
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn given_a_counted_blob_store_when_used_then_it_keeps_the_contract() {
    let metrics = Arc::new(ServerMetrics::new());
    zas_blobs::contract::suite(|| {
        let inner = MemoryBlobs::new();
        MeasuredBlobs::new(Arc::new(inner), Arc::clone(&metrics))
    })
    .await;
    for operation in ["write", "open", "delete", "scan"] {
        expect(
            &metrics,
            &format!("zas_storage_operations_total{{store=\"blobs\",operation=\"{operation}\"}} "),
        );
    }
    expect(&metrics, "zas_blob_written_bytes_total ");
    expect(&metrics, "zas_uploads_in_flight 0");
}

#[tokio::test]
async fn given_an_operation_that_fails_when_counted_then_among_the_errors_too() {
    let metrics = Arc::new(ServerMetrics::new());
    let faulty = Arc::new(FaultyBlobs::new(Arc::new(MemoryBlobs::new())));
    faulty.fail(Operation::Delete, 1);
    let store = MeasuredBlobs::new(faulty, Arc::clone(&metrics));
    let name = zas_blobs::contract::name(1);
    assert!(zas_blobs::BlobStore::delete(&store, name).await.is_err());
    assert!(zas_blobs::BlobStore::delete(&store, name).await.is_ok());
    expect(
        &metrics,
        "zas_storage_operation_errors_total{store=\"blobs\",operation=\"delete\"} 1",
    );
    expect(
        &metrics,
        "zas_storage_operations_total{store=\"blobs\",operation=\"delete\"} 2",
    );
}

#[test]
fn given_rounds_of_collection_when_counted_then_by_kind_and_failures_apart() {
    let metrics = ServerMetrics::new();
    metrics.collected(Ok(Collected {
        links: 5,
        blobs: 4,
        deleted: 3,
        uploads: 2,
        orphans: 1,
        withheld: 77,
    }));
    expect(&metrics, "zas_withheld_orphans 77");
    metrics.collected(Err(()));
    for (kind, count) in [
        ("link", 5),
        ("blob", 4),
        ("bytes", 3),
        ("upload", 2),
        ("orphan", 1),
    ] {
        expect(
            &metrics,
            &format!("zas_collected_total{{kind=\"{kind}\"}} {count}"),
        );
    }
    expect(&metrics, "zas_collection_rounds_total 2");
    expect(&metrics, "zas_collection_failures_total 1");
}
