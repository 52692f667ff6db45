//! How often a quiet server waits for the disk, and what for. A sync more is slower than need be; a sync less is a
//! promise broken, which the states would show.

use std::collections::{BTreeMap, BTreeSet};

use zas_power_loss::{Effect, Journal};
use zas_tests::{Blob, Client, Image, Repository, Response};

use crate::recording::{Volume, Watched};
use crate::server::Unreferenced;

/// Longer than it takes until a push meets a directory that an earlier push has met: there are 256.
const PUSHES: u64 = 400;

/// What a sync is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    /// The bytes of a blob.
    Bytes,
    /// The entry of a blob's file in its directory: one in 256, by the id of the upload.
    Entry,
    /// The entry of such a directory: once for each in a process.
    Shard,
    /// The rows of a group of operations.
    Log,
}

type Syncs = BTreeMap<Of, usize>;

struct Quiet {
    watched: Watched,
    repository: Repository,
    /// Directories that this process has made sure of.
    shards: BTreeSet<String>,
}

impl Quiet {
    fn repository(&self) -> Repository {
        self.repository.clone()
    }

    /// The syncs during a request, and whether it met a directory of blobs for the first time.
    fn count(&mut self, request: impl FnOnce(&Repository) -> Response) -> (Syncs, bool) {
        let before = self.watched.recorder.journal().records.len();
        request(&self.repository()).expect_status_in(&[200, 201, 202]);
        let journal = self.watched.recorder.journal();
        let mut syncs = Syncs::new();
        let mut is_new = false;
        for (path, index) in synced(&journal) {
            if index < before {
                continue;
            }
            let of = of(&path);
            is_new |= of == Of::Entry && self.shards.insert(path);
            *syncs.entry(of).or_default() += 1;
        }
        (syncs, is_new)
    }
}

/// The path of everything that a sync began of, with the number of the record.
fn synced(journal: &Journal) -> Vec<(String, usize)> {
    let mut paths = BTreeMap::new();
    let mut synced = Vec::new();
    for (number, record) in journal.records.iter().enumerate() {
        match &record.effect {
            Effect::Started { inode } => drop(paths.insert(*inode, String::new())),
            Effect::Created { inode, path } | Effect::MadeDirectory { inode, path } => {
                paths.insert(*inode, path.clone());
            }
            Effect::SyncBegun { inode, .. } => {
                synced.push((paths.get(inode).cloned().unwrap_or_default(), number));
            }
            _ => {}
        }
    }
    synced
}

fn of(path: &str) -> Of {
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["blobs"] => Of::Shard,
        ["blobs", _] => Of::Entry,
        ["blobs", _, _] => Of::Bytes,
        ["metadata", file] if file.ends_with(".log") => Of::Log,
        _ => panic!("a push syncs {path:?}"),
    }
}

fn syncs(expected: &[(Of, usize)]) -> Syncs {
    expected.iter().copied().collect()
}

fn monolithic(blob: &Blob) -> impl FnOnce(&Repository) -> Response {
    |repository| repository.push_blob(blob)
}

fn in_two(blob: &Blob) -> impl FnOnce(&Repository) -> Response {
    |repository| repository.start_upload().finish(&blob.digest, &blob.bytes)
}

fn with_quiet_server(test: impl FnOnce(&mut Quiet)) {
    let watched = Watched::new(Volume::Given, Unreferenced::Kept);
    let server = watched.start();
    let client: Client = server.client();
    let repository = Repository::new(&client, "power/quiet");
    // The first commit of a process also makes sure of the entry of its new log.
    repository.push_blob(&Blob::random(1, 100));
    // Its first upload makes the number of its start durable.
    drop(repository.start_upload());
    let mut quiet = Quiet {
        watched,
        repository,
        shards: BTreeSet::new(),
    };
    test(&mut quiet);
    server.stop();
}

#[test]
fn given_a_large_blob_when_pushed_then_its_bytes_its_entry_and_its_rows_are_synced_once_each() {
    with_quiet_server(|quiet| {
        let (mut new, mut known) = (0, 0);
        for seed in 0..PUSHES {
            // Directories are met by small pushes first: then one of a mebibyte is likely to meet a known one.
            let size = if seed > 60 { 1 << 20 } else { 17_000 };
            let blob = Blob::random(seed + 2, size);
            let (found, is_new) = if seed % 2 == 0 {
                quiet.count(monolithic(&blob))
            } else {
                quiet.count(in_two(&blob))
            };
            // Beginning the upload waits for nothing: losing it loses nothing acknowledged.
            let mut expected = syncs(&[(Of::Bytes, 1), (Of::Entry, 1), (Of::Log, 1)]);
            if is_new {
                // A directory that was just made, or that an earlier process may have made without a sync.
                expected.insert(Of::Shard, 1);
            }
            assert_eq!(found, expected, "push {seed} of {size} bytes");
            new += usize::from(is_new);
            known += usize::from(!is_new && size == 1 << 20);
            if known >= 2 {
                break;
            }
        }
        assert!(
            new > 0 && known >= 2,
            "{new} new and {known} known directories were met"
        );
    });
}

#[test]
fn given_small_content_when_pushed_then_only_the_log_is_synced_once_for_each_answer_that_promises() {
    with_quiet_server(|quiet| {
        let log = |count| syncs(&[(Of::Log, count)]);
        let blob = |seed| Blob::random(seed, 4096);
        // Bytes that fit into a row are in the log.
        assert_eq!(quiet.count(monolithic(&blob(1_000))).0, log(1), "one request");
        assert_eq!(quiet.count(in_two(&blob(1_001))).0, log(1), "POST and PUT");
        let piece = blob(1_002);
        let patched = quiet.count(|repository| {
            let mut upload = repository.start_upload();
            // The offset that this answer names is a promise of its own.
            upload
                .send_chunk(0, piece.bytes.get(..3_000).unwrap_or_default())
                .expect_status(202);
            upload.finish(&piece.digest, piece.bytes.get(3_000..).unwrap_or_default())
        });
        assert_eq!(patched.0, log(2), "POST, PATCH and PUT");

        let package = Image::new(7).layer_size(4096).build();
        for blob in &package.blobs {
            quiet.repository().push_blob(blob);
        }
        let manifest = &package.manifest;
        assert_eq!(
            quiet.count(|own| own.push_manifest(manifest, "latest")).0,
            log(1),
            "a manifest with its tag"
        );
        assert_eq!(
            quiet.count(|own| own.push_manifest(manifest, "other")).0,
            log(1),
            "a tag moved"
        );
        assert_eq!(
            quiet.count(|own| own.delete_manifest("other")).0,
            log(1),
            "a tag deleted"
        );
        assert_eq!(
            quiet.count(|own| own.get_manifest("latest")).0,
            Syncs::new(),
            "a pull"
        );
        let first = package.blobs.first().expect("images have blobs").digest.clone();
        assert_eq!(
            quiet.count(|own| own.head_blob(&first)).0,
            Syncs::new(),
            "a look before a push"
        );
        assert_eq!(quiet.count(|own| own.get_blob(&first)).0, Syncs::new(), "a pull");
        assert_eq!(
            quiet.count(|own| own.delete_manifest(&manifest.digest)).0,
            log(1),
            "a manifest deleted"
        );
        assert_eq!(
            quiet.count(|own| own.delete_blob(&first)).0,
            log(1),
            "a blob deleted"
        );
    });
}

#[test]
fn given_a_large_blob_when_pushed_in_pieces_then_each_answer_waits_for_its_own_bytes() {
    with_quiet_server(|quiet| {
        let blob = Blob::random(3_000, 300_000);
        let mut upload = quiet.repository().start_upload();
        let (first, is_new) =
            quiet.count(|_| upload.send_chunk(0, blob.bytes.get(..100_000).unwrap_or_default()));
        let mut expected = syncs(&[(Of::Bytes, 1), (Of::Entry, 1), (Of::Log, 1)]);
        assert!(is_new, "it is the first file of this process");
        expected.insert(Of::Shard, 1);
        assert_eq!(first, expected, "the first piece");
        let second =
            quiet.count(|_| upload.send_chunk(100_000, blob.bytes.get(100_000..200_000).unwrap_or_default()));
        // Each request writes a file of its own, in the directory of its upload.
        let expected = syncs(&[(Of::Bytes, 1), (Of::Entry, 1), (Of::Log, 1)]);
        assert_eq!(second.0, expected, "another piece");
        let last =
            quiet.count(|_| upload.finish(&blob.digest, blob.bytes.get(200_000..).unwrap_or_default()));
        assert_eq!(last.0, expected, "the last piece");
        let _ = quiet.repository().get_blob(&blob.digest).expect_body(&blob.bytes);
    });
}
