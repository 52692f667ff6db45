//! The contract suite on RocksDB, and what only a durable engine promises.
#![cfg(all(feature = "contract", feature = "rocksdb"))]
#![expect(clippy::unwrap_used, reason = "what stands around the tests is part of them")]

mod suite;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use zas_core::{Clock, Digest, Holder, ManualClock, Reference, Timestamp, UploadId};
use zas_metadata::contract::Subject;
use zas_metadata::{
    BlobContent, Clocks, CommitManifest, CommitOutcome, DATA_FORMAT, Epoch, FinishUpload, Lease,
    MetadataStore, NewBlob, OpenError, Origin, Precondition, Presence, Progress, ReapOutcome, ReferenceEdge,
    RocksMetadata, Timing, WriterOutcome, Written,
};

fn make(clocks: Clocks, timing: Timing) -> Subject {
    let directory = tempfile::tempdir().unwrap();
    let store = RocksMetadata::open(directory.path(), clocks, timing).unwrap();
    Subject {
        store: Arc::new(store),
        ground: Arc::new(directory),
    }
}

suite::each_group!(make);

const TIMING: Timing = Timing {
    grace: Duration::from_hours(1),
    doom_delay: Duration::from_mins(15),
};

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::starting_at(Timestamp::from_millis(
        1_700_000_000_000,
    )))
}

fn open(path: &Path, clock: &Arc<ManualClock>) -> Result<RocksMetadata, OpenError> {
    let wall: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    RocksMetadata::open(path, wall, TIMING)
}

fn origin() -> Origin {
    Origin {
        operation: [1; 16],
        actor: "ci".to_owned(),
    }
}

fn upload_id(number: u8) -> UploadId {
    UploadId::new(Timestamp::from_millis(1_700_000_000_000), &[number; 10])
}

fn finish(holder: &Holder, content: &[u8]) -> FinishUpload {
    let (digest, size) = (Digest::sha256_of(content), content.len() as u64);
    let content = BlobContent::Inline(Bytes::copy_from_slice(content));
    let blob = NewBlob {
        digest,
        size,
        content,
    };
    FinishUpload {
        id: upload_id(9),
        epoch: None,
        holder: holder.clone(),
        blob,
    }
}

fn image(holder: &Holder, body: &[u8], layer: &[u8]) -> CommitManifest {
    CommitManifest {
        holder: holder.clone(),
        digest: Digest::sha256_of(body),
        media_type: "application/vnd.oci.image.manifest.v1+json".parse().unwrap(),
        body: Bytes::copy_from_slice(body),
        references: vec![ReferenceEdge {
            digest: Digest::sha256_of(layer),
            presence: Presence::Blob,
        }],
        subject: None,
        retyping: zas_metadata::Retyping::Refused,
        tags: vec![("latest".parse().unwrap(), Precondition::Any)],
    }
}

#[tokio::test]
async fn given_acknowledged_changes_when_closed_and_opened_then_everything_is_there() {
    // Given
    let (directory, clock, ours) = (
        tempfile::tempdir().unwrap(),
        clock(),
        Holder::Repository("ours".parse().unwrap()),
    );
    let (small, large, body) = (b"{}".as_slice(), vec![7; 16 * 1024], vec![8; 300_000]);
    let progress = Progress {
        offset: 5,
        hashes: Vec::new(),
        inline: Some(Bytes::from_static(b"bytes")),
    };
    {
        let store = open(directory.path(), &clock).unwrap();
        for content in [small, &large] {
            store
                .finish_upload(&origin(), finish(&ours, content))
                .await
                .unwrap();
        }
        let outcome = store
            .commit_manifest(&origin(), image(&ours, &body, &large))
            .await
            .unwrap();
        assert_eq!(
            outcome,
            CommitOutcome::Committed {
                created: true,
                displaced: Vec::new()
            }
        );
        let first = store.create_upload(&origin(), &ours, upload_id(1)).await.unwrap();
        assert_eq!(first, Epoch { start: 1, claim: 1 });
        let outcome = store
            .save_progress(upload_id(1), first, progress.clone(), Written::default())
            .await
            .unwrap();
        assert_eq!(outcome, WriterOutcome::Done);
    }

    // When
    let store = open(directory.path(), &clock).unwrap();

    // Then
    let latest = Reference::Tag("latest".parse().unwrap());
    let stored = store.resolve_manifest(&ours, &latest).await.unwrap().unwrap();
    assert_eq!(
        (stored.digest, stored.body),
        (Digest::sha256_of(&body), Bytes::from(body))
    );
    for content in [small, &large] {
        let stat = store
            .stat_blob(&ours, &Digest::sha256_of(content), Lease::Leave)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(stat.content, BlobContent::Inline(Bytes::copy_from_slice(content)));
    }
    let claim = store.claim_upload(&ours, upload_id(1)).await.unwrap().unwrap();
    // The claims of each start have a number that no other start has.
    let second = Epoch { start: 2, claim: 2 };
    assert_eq!((claim.epoch, claim.progress), (second, progress));
    clock.advance(Duration::from_hours(2));
    let mut outcomes = Vec::new();
    for due in store.take_due(9).await.unwrap() {
        outcomes.push((due.digest, store.reap(&due).await.unwrap()));
    }
    outcomes.sort_by_key(|(digest, _)| *digest != Digest::sha256_of(small));
    let (reaped, kept) = (ReapOutcome::Doomed(Vec::new()), ReapOutcome::Kept(None));
    assert_eq!(
        outcomes,
        [
            (Digest::sha256_of(small), reaped),
            (Digest::sha256_of(&large), kept)
        ]
    );
}

#[tokio::test]
async fn given_an_open_database_when_opened_again_then_locked_until_the_first_is_dropped() {
    let (directory, clock) = (tempfile::tempdir().unwrap(), clock());
    let first = open(directory.path(), &clock).unwrap();

    assert!(matches!(
        open(directory.path(), &clock),
        Err(OpenError::Locked(_))
    ));

    drop(first);
    open(directory.path(), &clock).unwrap().ping().await.unwrap();
}

#[test]
fn given_a_database_that_another_process_holds_when_opened_then_locked() {
    let (directory, clock) = (tempfile::tempdir().unwrap(), clock());
    drop(open(directory.path(), &clock).unwrap());
    let lock = directory.path().join("LOCK");
    // RocksDB takes a POSIX record lock, which only another process can hold against this one.
    let script = "import fcntl,sys; f=open(sys.argv[1],'r+'); fcntl.lockf(f,fcntl.LOCK_EX); print('held',flush=True); sys.stdin.read()";
    let mut holder = std::process::Command::new("python3")
        .args(["-c", script])
        .arg(&lock)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("python3 to hold the lock");
    let mut line = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(holder.stdout.take().unwrap()),
        &mut line,
    )
    .unwrap();
    assert_eq!(line, "held\n");

    let opened = open(directory.path(), &clock);

    drop(holder.stdin.take());
    holder.wait().unwrap();
    assert!(matches!(opened, Err(OpenError::Locked(_))), "{opened:?}");
    open(directory.path(), &clock).unwrap();
}

#[test]
fn given_a_place_that_is_no_database_when_opened_then_failed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, b"text").unwrap();
    assert!(matches!(open(&file, &clock()), Err(OpenError::Failed(_))));
}

#[test]
fn given_a_database_without_a_marker_when_opened_then_refused_as_older() {
    let (directory, clock) = (tempfile::tempdir().unwrap(), clock());
    let marker = directory.path().join("ZAS_FORMAT");
    drop(open(directory.path(), &clock).unwrap());
    assert!(
        std::fs::read_to_string(&marker)
            .unwrap()
            .starts_with(&format!("format: {DATA_FORMAT}\n"))
    );

    // As version 0.1.0 left it.
    std::fs::remove_file(&marker).unwrap();
    let opened = open(directory.path(), &clock);
    assert!(
        matches!(opened, Err(OpenError::OlderFormat { format: 1, .. })),
        "{opened:?}"
    );
    assert!(!marker.try_exists().unwrap());
}

#[test]
fn given_a_database_of_another_format_when_opened_then_refused_and_not_a_file_is_touched() {
    for format in [DATA_FORMAT - 1, DATA_FORMAT + 1] {
        refuse_untouched(format);
    }
}

fn refuse_untouched(format: u32) {
    // Given
    let (directory, clock) = (tempfile::tempdir().unwrap(), clock());
    drop(open(directory.path(), &clock).unwrap());
    std::fs::write(
        directory.path().join("ZAS_FORMAT"),
        format!("format: {format}\nwritten by: 9.9.9\n"),
    )
    .unwrap();
    let content = || {
        let mut files: Vec<_> = std::fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                (
                    entry.file_name(),
                    std::fs::read(entry.path()).unwrap(),
                    entry.metadata().unwrap().modified().unwrap(),
                )
            })
            .collect();
        files.sort();
        files
    };
    let before = content();

    // When
    let opened = open(directory.path(), &clock);

    // Then
    assert!(
        matches!(
            &opened,
            Err(OpenError::NewerFormat { format: found, .. } | OpenError::OlderFormat { format: found, .. })
                if *found == format
        ),
        "{opened:?}"
    );
    assert!(content() == before);
    assert!(before.len() > 3);
}
