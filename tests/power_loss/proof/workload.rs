//! Clients that push, move, mount, delete and leave uploads open. Every answer must be the one that is due.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use fastrand::Rng;
use zas_power_loss::Recorder;
use zas_tests::{
    Blob, Client, Fact, FactValue, Image, Package, Repository, Request, Response, Transcript, with_query,
};

use crate::oracle::Oracle;
use crate::server::Unreferenced;
use crate::uploads::{Step, Upload};

/// The repository that everybody pushes tags to, and mounts from.
const SHARED: &str = "power/shared";
const SHARED_TAGS: usize = 2;
const TAGS: usize = 5;
/// Layers of the shared repository.
const COMMON_LAYERS: u64 = 3;
/// Beyond these numbers a client deletes instead of adding, so that checking stays quick.
const MANIFESTS: usize = 7;
const LOOSE_BLOBS: usize = 6;
const OPEN_UPLOADS: usize = 3;
/// The length of a blob that is ballast.
const BALLAST: usize = 14_000;

/// What the clients share.
#[derive(Debug)]
pub(crate) struct Shared {
    oracle: Mutex<Oracle>,
    uploads: Mutex<Vec<Upload>>,
    recorder: Recorder,
}

impl Shared {
    pub(crate) fn new(recorder: Recorder) -> Self {
        Self {
            oracle: Mutex::default(),
            uploads: Mutex::default(),
            recorder,
        }
    }

    pub(crate) fn oracle(&self) -> MutexGuard<'_, Oracle> {
        self.oracle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn uploads(&self) -> MutexGuard<'_, Vec<Upload>> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
    }
}

/// One client, with the repository that it alone changes.
#[derive(Debug)]
pub(crate) struct Worker {
    repository: String,
    random: Rng,
    tags: BTreeMap<String, String>,
    manifests: BTreeMap<String, Package>,
    loose_blobs: BTreeSet<String>,
    /// Numbers of uploads with how much of each was acknowledged.
    uploads: BTreeMap<usize, usize>,
    unreferenced: Unreferenced,
}

impl Worker {
    pub(crate) fn new(number: usize, random: Rng, unreferenced: Unreferenced) -> Self {
        Self {
            repository: format!("power/worker-{number}"),
            random,
            tags: BTreeMap::new(),
            manifests: BTreeMap::new(),
            loose_blobs: BTreeSet::new(),
            uploads: BTreeMap::new(),
            unreferenced,
        }
    }
}

/// Pushes what everybody uses.
pub(crate) fn prepare(shared: &Shared, client: &Client, seed: u64) {
    let mut worker = Worker::new(0, Rng::with_seed(seed), Unreferenced::Kept);
    let mut session = Session::new(shared, client, &mut worker);
    for layer in 0..COMMON_LAYERS {
        session.push_blob(SHARED, &common_layer(layer));
    }
}

/// Pushes so many blobs that fit a row, about which nobody asks any more.
pub(crate) fn push_ballast(client: &Client, count: usize, seed: u64) {
    let repository = Repository::new(client, "power/ballast");
    let mut random = Rng::with_seed(seed);
    for _ in 0..count {
        let blob = Blob::random(random.u64(1_000..), BALLAST);
        repository.post_blob(&blob).expect_status(201);
    }
}

/// Lets all workers make so many operations each, at the same time.
pub(crate) fn work(shared: &Shared, client: &Client, workers: &mut [Worker], operations: usize) {
    thread::scope(|scope| {
        for worker in workers {
            scope.spawn(move || {
                let mut session = Session::new(shared, client, worker);
                for _ in 0..operations {
                    match session.worker.unreferenced {
                        Unreferenced::Kept => session.step(),
                        Unreferenced::Collected => session.step_before_collection(),
                    }
                }
            });
        }
    });
}

fn common_layer(number: u64) -> Blob {
    let size = [3_000, 30_000, 90_000];
    Blob::random(
        number,
        size.get(number as usize % size.len()).copied().unwrap_or(1_000),
    )
}

/// A worker that speaks to a server.
struct Session<'a> {
    shared: &'a Shared,
    client: Client,
    worker: &'a mut Worker,
}

impl<'a> Session<'a> {
    fn new(shared: &'a Shared, client: &Client, worker: &'a mut Worker) -> Self {
        Self {
            shared,
            client: client.with_transcript(Transcript::default()),
            worker,
        }
    }

    fn step(&mut self) {
        let repository = self.worker.repository.clone();
        match self.worker.random.u32(..100) {
            0..28 => self.push_or_delete_image(&repository),
            28..38 => self.move_tag(&repository),
            38..44 => self.delete_tag(&repository),
            44..50 => self.delete_manifest(&repository),
            50..60 => self.push_or_delete_blob(&repository),
            60..74 => self.open_or_close_upload(&repository),
            74..82 => self.continue_upload(),
            82..85 => self.cancel_upload(),
            85..93 => self.push_shared_image(),
            _ => self.mount(&repository),
        }
    }

    /// What needs no blob that may be gone.
    fn step_before_collection(&mut self) {
        let repository = self.worker.repository.clone();
        match self.worker.random.u32(..100) {
            0..45 => self.push_or_delete_image(&repository),
            45..55 => self.move_tag(&repository),
            55..60 => self.delete_tag(&repository),
            60..80 => self.delete_manifest(&repository),
            80..90 => {
                let blob = self.random_blob();
                self.push_blob(&repository, &blob);
            }
            _ => self.open_or_close_upload(&repository),
        }
    }

    // --- images

    fn push_or_delete_image(&mut self, repository: &str) {
        if self.worker.manifests.len() >= MANIFESTS {
            return self.delete_manifest(repository);
        }
        let package = self.make_image();
        for blob in &package.blobs {
            self.push_blob(repository, blob);
        }
        let tag = self.worker.random.bool().then(|| self.some_tag());
        self.put_manifest(repository, &package, tag.as_deref());
        let digest = package.manifest.digest.clone();
        if let Some(tag) = tag {
            self.worker.tags.insert(tag, digest.clone());
        }
        self.worker.manifests.insert(digest, package);
    }

    fn push_shared_image(&mut self) {
        let package = self.make_image();
        for blob in &package.blobs {
            self.push_blob(SHARED, blob);
        }
        let tag = format!("t{}", self.worker.random.usize(..SHARED_TAGS));
        self.put_manifest(SHARED, &package, Some(&tag));
    }

    fn make_image(&mut self) -> Package {
        let size = self.layer_size();
        let layers = if size > 200_000 {
            1
        } else {
            self.worker.random.usize(1..=2)
        };
        Image::new(self.worker.random.u64(1_000..))
            .layers(layers)
            .layer_size(size)
            .build()
    }

    fn put_manifest(&mut self, repository: &str, package: &Package, tag: Option<&str>) {
        let manifest = &package.manifest;
        let blobs = package.blobs.iter().map(|blob| blob.digest.clone()).collect();
        self.shared.oracle().add_manifest(&manifest.digest, blobs);
        let there = Some(manifest.digest.clone());
        let mut changes = vec![(Fact::manifest(repository, &manifest.digest), there.clone())];
        changes.extend(tag.map(|tag| (Fact::tag(repository, tag), there)));
        let reference = tag.unwrap_or(&manifest.digest);
        let path = format!("/v2/{repository}/manifests/{reference}");
        let client = self.client.clone();
        let request = client.put(&path).header("content-type", &manifest.media_type);
        self.change(&changes, request.body(&manifest.bytes), 201);
    }

    fn move_tag(&mut self, repository: &str) {
        let Some(package) = self.worker.random.choice(self.worker.manifests.values()).cloned() else {
            return self.push_or_delete_image(repository);
        };
        let tag = self.some_tag();
        self.put_manifest(repository, &package, Some(&tag));
        self.worker.tags.insert(tag, package.manifest.digest);
    }

    fn delete_tag(&mut self, repository: &str) {
        let Some(tag) = self.worker.random.choice(self.worker.tags.keys()).cloned() else {
            return;
        };
        self.delete(&[(Fact::tag(repository, &tag), None)]);
        self.worker.tags.remove(&tag);
    }

    fn delete_manifest(&mut self, repository: &str) {
        let Some(digest) = self.worker.random.choice(self.worker.manifests.keys()).cloned() else {
            return;
        };
        let mut changes = vec![(Fact::manifest(repository, &digest), None)];
        let own = self
            .worker
            .tags
            .iter()
            .filter(|(_, leads_to)| **leads_to == digest);
        changes.extend(own.map(|(tag, _)| (Fact::tag(repository, tag), None)));
        self.delete(&changes);
        self.worker.manifests.remove(&digest);
        self.worker.tags.retain(|_, leads_to| *leads_to != digest);
    }

    fn some_tag(&mut self) -> String {
        format!("t{}", self.worker.random.usize(..TAGS))
    }

    // --- blobs

    /// Within the size that is stored inline, above it, and now and then above a mebibyte.
    fn layer_size(&mut self) -> usize {
        match self.worker.random.u32(..100) {
            0..45 => self.worker.random.usize(100..=16_384),
            45..96 => self.worker.random.usize(16_385..60_000),
            _ => self.worker.random.usize(1_048_577..1_300_000),
        }
    }

    fn push_or_delete_blob(&mut self, repository: &str) {
        if self.worker.loose_blobs.len() < LOOSE_BLOBS && self.worker.random.u32(..4) > 0 {
            let blob = self.random_blob();
            self.push_blob(repository, &blob);
            self.worker.loose_blobs.insert(blob.digest);
            return;
        }
        let Some(digest) = self.worker.random.choice(&self.worker.loose_blobs).cloned() else {
            return;
        };
        self.delete(&[(Fact::blob(repository, &digest), None)]);
        self.worker.loose_blobs.remove(&digest);
    }

    fn random_blob(&mut self) -> Blob {
        let size = self.layer_size();
        Blob::random(self.worker.random.u64(1_000..), size)
    }

    /// With one request, with two, or in pieces.
    fn push_blob(&mut self, repository: &str, blob: &Blob) {
        let changes = [(Fact::blob(repository, &blob.digest), Some(blob.digest.clone()))];
        let client = self.client.clone();
        let way = self.worker.random.u8(..3);
        if way == 0 {
            let path = with_query(&uploads_path(repository), &[("digest", &blob.digest)]);
            let request = client
                .post(&path)
                .header("content-type", "application/octet-stream");
            self.change(&changes, request.body(&blob.bytes), 201);
            return;
        }
        let mut location = self.location(client.post(&uploads_path(repository)));
        let mut start = 0;
        if way == 2 {
            for _ in 0..self.worker.random.usize(1..=3) {
                let end = self.worker.random.usize(start..=blob.bytes.len());
                if end <= start + 1 {
                    continue;
                }
                location = self.location(piece(&client, &location, blob, start, end));
                start = end;
            }
        }
        let path = with_query(&location, &[("digest", &blob.digest)]);
        let rest = blob.bytes.get(start..).unwrap_or_default();
        self.change(&changes, client.put(&path).body(rest), 201);
    }

    fn mount(&mut self, repository: &str) {
        let blob = common_layer(self.worker.random.u64(..COMMON_LAYERS));
        let changes = [(Fact::blob(repository, &blob.digest), Some(blob.digest.clone()))];
        let path = with_query(
            &uploads_path(repository),
            &[("mount", &blob.digest), ("from", SHARED)],
        );
        let client = self.client.clone();
        self.change(&changes, client.post(&path), 201);
        self.worker.loose_blobs.insert(blob.digest);
    }

    // --- uploads

    fn open_or_close_upload(&mut self, repository: &str) {
        if self.worker.uploads.len() >= OPEN_UPLOADS {
            return self.close_upload();
        }
        let blob = match self.worker.random.u32(..3) {
            0 => Blob::random(
                self.worker.random.u64(1_000..),
                self.worker.random.usize(1_000..16_000),
            ),
            _ => Blob::random(
                self.worker.random.u64(1_000..),
                self.worker.random.usize(20_000..300_000),
            ),
        };
        let number = {
            let mut uploads = self.shared.uploads();
            uploads.push(Upload::new(repository, blob));
            uploads.len() - 1
        };
        let client = self.client.clone();
        self.upload_step(number, Step::Start, client.post(&uploads_path(repository)), 202);
        self.worker.uploads.insert(number, 0);
        self.append(number);
    }

    fn continue_upload(&mut self) {
        if let Some(number) = self.worker.random.choice(self.worker.uploads.keys()).copied() {
            self.append(number);
        }
    }

    /// Sends the next piece, never the last byte.
    fn append(&mut self, number: usize) {
        let (blob, location) = self.known(number);
        let start = self.worker.uploads.get(&number).copied().unwrap_or(0);
        if blob.bytes.len() - start < 20 {
            return;
        }
        let end = start + self.worker.random.usize(2..blob.bytes.len() - start);
        let client = self.client.clone();
        self.upload_step(
            number,
            Step::Append(end),
            piece(&client, &location, &blob, start, end),
            202,
        );
        self.worker.uploads.insert(number, end);
    }

    fn close_upload(&mut self) {
        let Some((number, start)) = self.some_upload() else {
            return;
        };
        let (blob, location) = self.known(number);
        let repository = self.worker.repository.clone();
        let ticket = self.shared.oracle().send(
            &[(Fact::blob(&repository, &blob.digest), Some(blob.digest.clone()))],
            self.shared.recorder.length(),
        );
        let path = with_query(&location, &[("digest", &blob.digest)]);
        let rest = blob.bytes.get(start..).unwrap_or_default();
        let client = self.client.clone();
        self.upload_step(number, Step::Close, client.put(&path).body(rest), 201);
        self.shared
            .oracle()
            .acknowledge(ticket, self.shared.recorder.length());
        self.worker.uploads.remove(&number);
        self.worker.loose_blobs.insert(blob.digest);
    }

    fn cancel_upload(&mut self) {
        let Some((number, _)) = self.some_upload() else {
            return;
        };
        let (_, location) = self.known(number);
        let client = self.client.clone();
        self.upload_step(number, Step::Cancel, client.delete(&location), 204);
        self.worker.uploads.remove(&number);
    }

    fn some_upload(&mut self) -> Option<(usize, usize)> {
        let open: Vec<(usize, usize)> = self
            .worker
            .uploads
            .iter()
            .map(|(number, end)| (*number, *end))
            .collect();
        self.worker.random.choice(open)
    }

    /// The content of an upload and its address.
    fn known(&self, number: usize) -> (Blob, String) {
        let uploads = self.shared.uploads();
        let upload = uploads.get(number).expect("uploads are never removed");
        let standing = upload.at(u64::MAX).expect("its start was answered");
        (upload.blob.clone(), standing.location)
    }

    fn upload_step(&self, number: usize, step: Step, request: Request<'_>, status: u16) {
        let sent = self.shared.recorder.length();
        let note = |change: &dyn Fn(&mut Upload)| {
            if let Some(upload) = self.shared.uploads().get_mut(number) {
                change(upload);
            }
        };
        note(&|upload| upload.send(step, sent));
        let answer = request.send().expect_status(status);
        let answered = self.shared.recorder.length();
        let location = matches!(step, Step::Start | Step::Append(_)).then(|| self.path(&answer));
        note(&|upload| upload.acknowledge(location.clone(), answered));
    }

    // --- requests

    fn delete(&self, changes: &[(Fact, FactValue)]) {
        let (key, _) = changes.first().expect("something is deleted");
        self.change(changes, self.client.delete(&key.path()), 202);
    }

    /// Sends a request that changes keys, and tells the oracle before and after.
    fn change(&self, changes: &[(Fact, FactValue)], request: Request<'_>, status: u16) {
        let ticket = self.shared.oracle().send(changes, self.shared.recorder.length());
        request.send().expect_status(status);
        // In this order: the tick comes after the answer, and the length as well.
        let length = self.shared.recorder.length();
        self.shared.oracle().acknowledge(ticket, length);
    }

    fn location(&self, request: Request<'_>) -> String {
        self.path(&request.send().expect_status(202))
    }

    /// The server's port changes with each start: only path and query stay.
    fn path(&self, answer: &Response) -> String {
        let location = answer.required_header("location");
        location
            .strip_prefix(self.client.origin())
            .unwrap_or(location)
            .to_owned()
    }
}

fn uploads_path(repository: &str) -> String {
    format!("/v2/{repository}/blobs/uploads/")
}

fn piece<'a>(client: &'a Client, location: &str, blob: &Blob, start: usize, end: usize) -> Request<'a> {
    let request = client
        .patch(location)
        .header("content-type", "application/octet-stream")
        .header("content-range", &format!("{start}-{}", end - 1));
    request.body(blob.bytes.get(start..end).unwrap_or_default())
}
